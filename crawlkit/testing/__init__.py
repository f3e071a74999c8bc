"""What crawlkit tests itself with, for the tests of its users: public, documented in docs/spiders.md.

- `demo_site()`: a members' bookshop on loopback, with a login, pagination, prices and a JSON endpoint
- `trap_site()`: a site with a login where some links log out and others destroy, among look-alikes
- `HostileServer`: a server that plays scripted faults, byte by byte; `faults` has the scripts
- `FakeClock`: time that a test turns by hand

Nothing here is imported by the rest of crawlkit.
"""

from __future__ import annotations

from crawlkit.testing.bookshop import Book, Price
from crawlkit.testing.clock import FakeClock
from crawlkit.testing.demo_site import DemoSite, demo_site, demo_site_runs
from crawlkit.testing.hostile import HostileServer
from crawlkit.testing.ledger import Connections, Exchange, Log
from crawlkit.testing.members import KEEPER, KEEPER_TOTP, MEMBER, Account
from crawlkit.testing.trap_site import TrapSite, trap_site

__all__ = [
    "KEEPER",
    "KEEPER_TOTP",
    "MEMBER",
    "Account",
    "Book",
    "Connections",
    "DemoSite",
    "Exchange",
    "FakeClock",
    "HostileServer",
    "Log",
    "Price",
    "TrapSite",
    "demo_site",
    "demo_site_runs",
    "trap_site",
]
