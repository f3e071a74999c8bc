"""Recording: what a crawl asks of whoever writes down the exchanges of its pages, an archive.

What belongs here: the Protocols, and nothing else: the crawl knows no archive. What does not: records, packages and secrets
(archive/), where a page's records are (store/records.py).

    begin                                       the run's own thread, under the lock of the database
    equip                                       each session, before its first request
    fetching → calling → pack                   the worker that has the page
    remember → append                           the writer, before the transaction of the pages
    finish                                      the run's own thread, when all the others have ended

What is sent outside of `fetching` and `calling` is nobody's page and is not written down: logins, robots.txt, the canary,
a stranger's looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from crawlkit.crawl.visit import Visit
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session
    from crawlkit.store.database import Store
    from crawlkit.store.outcome import Lease
    from crawlkit.store.runs import Run, Upcoming


class Recording(Protocol):
    """The exchanges of one page, from its last fetch on. Belongs to the thread that has the page."""

    def calling(self) -> AbstractContextManager[object]:
        """Within it the author's code has the page: what it asks for in this thread is added."""

    def close(self) -> None:
        """Forget all of it: it is not to be written down."""


class Recorder(Protocol):
    """Writes down what a crawl fetches. Methods raise StorageError when a disk refuses."""

    @property
    def full(self) -> str | None:
        """Why no more is written down, and the crawl was ended; what still waits is in no package then. None: it was not."""

    def check(self, store: Store, upcoming: Upcoming, *, fresh: bool) -> None:
        """Called before the run begins. UsageError when its crawl cannot be recorded as it was asked for."""

    def begin(self, store: Store, run: Run, session: Session, stop: Callable[[str], None]) -> None:
        """The run begins; `session` is that of the spider's profile. What an earlier run wrote and did not commit goes.
        `stop` ends the crawl, for the reason that it is given, as the author may.
        """

    def equip(self, session: Session) -> None:
        """Listen to a session."""

    def strange(self, response: Response) -> None:
        """An answer to what a callback asked for was given to a stranger: forget it and what led to it."""

    def fetching(self, lease: Lease) -> AbstractContextManager[Recording]:
        """Within it a page is fetched: what this thread's sessions exchange goes into a new Recording."""

    def pack(self, visit: Visit) -> None:
        """The page came to its end in its worker: make of its recording what `append` writes; forget what counts not."""

    def remember(self) -> None:
        """Put into the profile what a later process has to know. In the writer's thread, before the profile is saved."""

    def append(self, visits: Sequence[Visit], store: Store) -> None:
        """Write down what was packed, durable on return, and note in each outcome where. In the writer's thread."""

    def finish(self, store: Store) -> None:
        """The crawl is complete: make the package. Where this fails, the crawl stays open and a later run ends it."""

    def close(self) -> None:
        """The run is over, however it ended. May be called twice."""
