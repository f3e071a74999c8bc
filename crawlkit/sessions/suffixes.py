"""The public suffix list: under which names anybody can register, and so where a site begins.

What belongs here: questions about a host name that the list answers. What does not: which cookies follow
from that (cookie.py), and how host names are spelled (crawlkit.url; names come here in lower case, punycode
or Unicode, both are known).

The private section of the list counts too, as it does in browsers: `alice.github.io` and `bob.github.io`
belong to two people, and neither may set a cookie for `github.io`. A name under no rule at all falls under
the rule `*`: its last label is the suffix. The list (a megabyte, 30 ms) is read when it is first asked
about, answers are remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# WHATWG: a host whose last label is a number is an IPv4 address (or no host at all); with a colon it is IPv6.
_ADDRESS = re.compile(r".*:|(?:.*\.)?[0-9]+\.?\Z", re.DOTALL)


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    """Whether `host` is an IP address, as opposed to a name. No brackets around IPv6."""
    return _ADDRESS.match(host) is not None


@lru_cache(maxsize=4096)
def is_public_suffix(host: str) -> bool:
    """Whether anybody can register a name under `host`: `com`, `co.uk`, `github.io`, `localhost`. An address
    never is.

    The case does not matter (curl's CVE-2023-46218 was a list that was asked about `co.UK`), nor does a dot
    at the end.
    """
    return bool(host) and not is_address(host) and bool(_rules().is_public(host.lower()))


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str | None:
    """The public suffix and one label more: `example.co.uk` of `www.example.co.uk`. None for a suffix or an
    address."""
    if not host or is_address(host):
        return None
    found = _rules().privatesuffix(host.lower())
    return None if found is None else str(found)


def site(host: str) -> str:
    """What `host` belongs to: its registrable domain, or itself when it has none (an address,
    `localhost`).
    """
    return registrable_domain(host) or host.lower()


def same_site(scheme: str, host: str, other_scheme: str, other_host: str) -> bool:
    """Whether two origins are of one site (HTML, "same site"): the same scheme, the same registrable
    domain.
    """
    return scheme == other_scheme and (host == other_host or site(host) == site(other_host))


@lru_cache(maxsize=1)
def _rules() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
