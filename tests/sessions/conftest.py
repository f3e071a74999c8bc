"""What the tests of sessions share: the server that shows what it was sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sessions.mirror import Mirror


@pytest.fixture(scope="session")
def one_mirror() -> Iterator[Mirror]:
    server = Mirror()
    yield server
    server.close()


@pytest.fixture
def mirror(one_mirror: Mirror) -> Mirror:
    """A server on loopback whose `seen` is empty."""
    one_mirror.seen.clear()
    return one_mirror
