"""What the tests of the command line share: a small site on a free port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Close, Pause, answer
from tests.cli.small_site import PAGES, Site


@pytest.fixture
def site() -> Iterator[Site]:
    """Three pages, of which the first links to the others; `/failing` answers 500, `/slow` never."""
    with HostileServer() as server:
        for path, html in PAGES.items():
            server.play(path, [answer("200 OK", html.encode())])
        server.play("/failing", [answer("500 Internal Server Error", b"oh")])
        server.play("/slow", [Pause(60.0), Close()])
        yield Site(server)
