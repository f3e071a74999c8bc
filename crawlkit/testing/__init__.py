"""What crawlkit tests itself with, for the tests of its users: public, documented in docs/testing-spiders.md.

- `Cassette`: a session's exchanges, recorded once and played back; `crawl()`: a whole crawl in a test
- `Case`: one saved page of a spider and what it has to give; pytest finds them (crawlkit/pytest_plugin.py)
- `demo_site()`: a members' bookshop on loopback, with a login, pagination, prices and a JSON endpoint
- `trap_site()`: a site with a login where some links log out and others destroy, among look-alikes
- `HostileServer`: a server that plays scripted faults, byte by byte; `faults` has the scripts
- `FakeClock`: time that a test turns by hand

Nothing here is imported by the layers below. What needs the crawl's own modules loads when it is first used (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawlkit.testing.bookshop import Book, Price
from crawlkit.testing.clock import FakeClock
from crawlkit.testing.demo_site import DemoSite, demo_site, demo_site_runs
from crawlkit.testing.hostile import HostileServer
from crawlkit.testing.ledger import Connections, Exchange, Log
from crawlkit.testing.members import KEEPER, KEEPER_TOTP, MEMBER, Account
from crawlkit.testing.trap_site import TrapSite, trap_site

if TYPE_CHECKING:
    from crawlkit.testing.cases import Case
    from crawlkit.testing.cassette import Cassette
    from crawlkit.testing.crawling import Crawled, crawl

_LATE = {"Case": "cases", "Cassette": "cassette", "Crawled": "crawling", "crawl": "crawling"}

__all__ = [
    "KEEPER",
    "KEEPER_TOTP",
    "MEMBER",
    "Account",
    "Book",
    "Case",
    "Cassette",
    "Connections",
    "Crawled",
    "DemoSite",
    "Exchange",
    "FakeClock",
    "HostileServer",
    "Log",
    "Price",
    "TrapSite",
    "crawl",
    "demo_site",
    "demo_site_runs",
    "trap_site",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    home = _LATE.get(name)
    if home is None:
        raise AttributeError(f"module 'crawlkit.testing' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"crawlkit.testing.{home}"), name)
    return value
