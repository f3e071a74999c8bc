"""Caller: the author's callback for a page, and what becomes of the page by it.

What belongs here: the last step of a page's life. What does not: running the author's code within bounds (output.py), the
steps before it (page.py), what is made of a failure (mishaps.py).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions
from crawlkit.crawl.errand import Errand
from crawlkit.crawl.links import Links
from crawlkit.crawl.mishaps import Mishaps
from crawlkit.crawl.output import FileFailed, Output
from crawlkit.crawl.record import asks_for_password
from crawlkit.crawl.recording import Recording
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.unchanged import Unchanged
from crawlkit.crawl.visit import Visit
from crawlkit.sessions.request import Request
from crawlkit.store.outcome import Lease

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

#: Where no archive is made.
UNRECORDED: AbstractContextManager[Recording | None] = nullcontext()


class Caller:
    """One for all workers; holds no state of a page."""

    def __init__(
        self, spider: Spider, *, links: Links, mishaps: Mishaps, unchanged: Unchanged, files: Path, dry: bool
    ) -> None:
        self._spider = spider
        self._links = links
        self._mishaps = mishaps
        self._unchanged = unchanged
        self._files = files
        self._dry = dry

    def call(self, errand: Errand, response: Response) -> Visit:
        """The author's code gets the page: its host is free, its output is the page's. Raises LoginError."""
        errand.release()
        visit, lease, request = errand.visit, errand.lease, errand.request
        callback: Any = request.callback
        output = Output(self._spider, self._files, dry=self._dry)
        outcome = visit.outcome
        try:
            try:
                with UNRECORDED if visit.recording is None else visit.recording.calling():
                    output.collect(callback(response, **request.cb_kwargs), response.url, response)
            except exceptions.StopCrawl as stop:
                visit.stop = stop.reason or "StopCrawl"
            visit.found = len(output.requests)
            outcome.links = self._links.judge(
                () if lease.probe else output.requests,
                depth=lease.depth + 1,
                skips=visit.skips,
                page=response,
                refused=outcome.refused,
                known=outcome.known,
            )
        except exceptions.LoginError:
            raise  # of what the callback itself asked for: the page is not at fault
        except exceptions.IgnoreRequest as error:
            return visit.ignore(error.reason)
        except FileFailed as failed:
            self._mishaps.note_fault(lease, failed.error)
            return self._mishaps.retry_or_fail(visit, lease, request, failed.error)
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt too: nothing may end a worker
            return self._mishaps.author_failed(visit, lease, request, response, error, "callback")
        outcome.rows = output.rows
        visit.dropped = output.dropped
        visit.callback = getattr(callback, "__name__", "")
        visit.password_field = not output.rows and asks_for_password(response.content)
        visit.content = response.content
        self._unchanged.remember(visit, lease, request, response, output)
        return self.done(visit, lease, request)

    def done(self, visit: Visit, lease: Lease, request: Request) -> Visit:
        """The page is done. A plain GET is known by where it ended."""
        outcome = visit.outcome
        outcome.state = "done"
        if request.method == "GET" and not request.body and (lease.start or not request.dont_filter):
            outcome.page_key = self._links.page_key(outcome.final_url or lease.url, request)
        return visit
