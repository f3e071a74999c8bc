"""Which addresses a session may connect to: the guard against server-side request forgery.

What belongs here: questions about one numeric address, and the policy that a pool holds. What does not: names
(resolver.py) and redirects; the policy is asked about the very address a socket is about to connect to, so that no
name that changes its answer between check and use, and no odd spelling of an address, gets round it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from crawlkit.exceptions import AddressForbidden

Address = IPv4Address | IPv6Address

# The IANA special-purpose registry (RFC 6890 and its updates), written out: `ipaddress.is_private` differs between the
# Python versions that are supported, and does not know carrier-grade NAT or multicast.
_NOT_PUBLIC_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: the metadata service of every cloud
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
_GLOBAL_UNICAST_6 = IPv6Network("2000::/3")  # all else is local, multicast, reserved, or a form of IPv4 (below)
_NOT_PUBLIC_6 = [
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")  # protocol use, documentation
]

# IPv6 forms that carry an IPv4 address in their last 32 bits: mapped, translated, compatible, NAT64 (RFC 6052).
_CARRIES_4 = [IPv6Network(text) for text in ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96")]
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")


def is_public(address: str) -> bool:
    """Whether a numeric address (a zone `%eth0` is allowed) belongs to the public internet.

    IPv4 inside IPv6 (mapped, NAT64, 6to4, Teredo) is judged by the IPv4 address. ValueError when it is no address.
    """
    return all(_is_public(part) for part in _carried(ip_address(address.partition("%")[0])))


def is_literal(host: str) -> bool:
    """Whether a host (without brackets) is a numeric address rather than a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _carried(address: Address) -> Iterator[Address]:
    """The addresses that a packet to `address` may end at."""
    if isinstance(address, IPv4Address):
        yield address
        return
    number = int(address)
    if any(address in network for network in _CARRIES_4) and number > 1:
        yield IPv4Address(number & 0xFFFFFFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    elif address in _TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFFFFFF)  # the relay
        yield IPv4Address(~number & 0xFFFFFFFF)  # the client, written inverted (RFC 4380)
    else:
        yield address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GLOBAL_UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


class AddressPolicy:
    """What a pool may connect to. `exempt` names origins (`host:port`, as in the URL) that may be private all the same.

    Immutable, so it may be asked from any thread.
    """

    __slots__ = ("allow_private", "exempt")

    def __init__(self, *, allow_private: bool = True, exempt: Iterable[str] = ()) -> None:
        self.allow_private = allow_private
        self.exempt = frozenset(exempt)

    def check(self, host: str, port: int, address: str) -> None:
        """Raise AddressForbidden when `address`, one of those of `host`, must not be connected to."""
        if self.allow_private or f"{host}:{port}" in self.exempt or is_public(address):
            return
        whose = f"{host} is" if host == address else f"{host} resolves to {address},"
        raise AddressForbidden(
            f"{whose} a private or reserved address and allow_private is off; "
            "set allow_private=True ([fetch] allow_private in crawl.toml) if this host is meant"
        )
