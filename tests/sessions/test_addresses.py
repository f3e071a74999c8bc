"""Which addresses are private, in every disguise."""

from __future__ import annotations

import pytest

from crawlkit.exceptions import AddressForbidden
from crawlkit.sessions.addresses import AddressPolicy, is_literal, is_public


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "192.88.99.1",
        "::",
        "::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "100::1",
        "64:ff9b:1::1",
        "3fff::1",
        "5f00::1",
    ],
)
def test_private_and_reserved_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:808:808:0:0:80ff:fffe",
    ],
)
def test_private_ipv4_inside_ipv6(address: str) -> None:
    """Mapped, translated, compatible, NAT64, 6to4, Teredo."""
    assert not is_public(address)


def test_what_is_no_address() -> None:
    assert not is_literal("example.org")
    assert is_literal("127.0.0.1")
    assert is_literal("fe80::1%eth0")
    with pytest.raises(ValueError):
        is_public("example.org")


def test_the_policy_names_host_address_and_setting() -> None:
    policy = AddressPolicy(allow_private=False)
    policy.check("example.org", 80, "93.184.216.34")
    with pytest.raises(AddressForbidden, match=r"intranet resolves to 10\.0\.0\.1.*allow_private"):
        policy.check("intranet", 80, "10.0.0.1")
    with pytest.raises(AddressForbidden, match=r"127\.0\.0\.1 is a private"):
        policy.check("127.0.0.1", 80, "127.0.0.1")


def test_exempt_origins_are_host_and_port() -> None:
    policy = AddressPolicy(allow_private=False, exempt=["intranet:8080"])
    policy.check("intranet", 8080, "10.0.0.1")
    with pytest.raises(AddressForbidden):
        policy.check("intranet", 80, "10.0.0.1")


def test_allowing_private_allows_all() -> None:
    AddressPolicy().check("intranet", 80, "10.0.0.1")
