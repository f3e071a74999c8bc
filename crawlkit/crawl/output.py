"""Output: what a callback or errback gives back, turned into requests, rows and files of one page.

What belongs here: running the author's code and bounding it. What becomes of the page is decided in page.py.
"""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl.items import Download, Item, is_item, row_of
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import DropItem, ItemError, RequestException, SpiderError
from crawlkit.sessions.request import Request
from crawlkit.store.outcome import Row

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

#: Endings of files that no download may replace in the folder of the databases.
_DATABASES = (".db", ".db-wal", ".db-shm", ".db-journal", ".lock")

#: What one page may give before its callback counts as endless.
MAX_OUTPUTS = 1_000_000
MAX_BYTES = 256 * 1024 * 1024
MAX_SECONDS = 600.0


class FileFailed(Exception):
    """A Download could not be fetched."""

    def __init__(self, error: RequestException) -> None:
        super().__init__(str(error))
        self.error = error


class CallbackTooLong(SpiderError):
    """A callback gave more, or ran longer, than one page can mean."""


class Output:
    """Collects one page's output. Used by one thread. `dry`: no file is fetched, and `process_item` is not called."""

    def __init__(self, spider: Spider, base: Path, *, dry: bool = False) -> None:
        self._spider = spider
        self._base = base
        self._dry = dry
        self._process = overrides(spider, "process_item") and not dry
        self.requests: list[Request] = []
        self.rows: list[Row] = []
        self.dropped = 0
        self.files = 0

    def collect(self, result: Any, url: str, response: Response | None) -> None:
        """Take in all that a callback returned for the page at `url`; an errback may have no response.

        Raises what the author's code raises, ItemError for a value that is no output, CallbackTooLong past the limits.
        """
        end = time.monotonic() + MAX_SECONDS
        size = 0
        for count, value in enumerate(outputs(result), 1):
            if isinstance(value, Request):
                self.requests.append(value)
                size += len(value.url) + len(value.body or b"")
            elif isinstance(value, Download):
                self._fetch_file(value, url, response)
            else:
                size += self._take_item(value, url, response)
            if count > MAX_OUTPUTS or size > MAX_BYTES or (count % 64 == 0 and time.monotonic() > end):
                raise CallbackTooLong(
                    f"{url}: the callback did not end after {count} outputs, {size} bytes or "
                    f"{MAX_SECONDS:.0f} s; spread the work over several requests"
                )

    def _take_item(self, value: Any, url: str, response: Response | None) -> int:
        if self._process and is_item(value):
            try:
                value = self._spider.process_item(value, response)
            except DropItem:
                self.dropped += 1
                return 0
        if not is_item(value):
            raise ItemError(
                f"{url}: the callback gave {type(value).__name__} {str(value)[:80]!r}; "
                "yield a dict, a dataclass, an Item, a Download or a Request"
            )
        row = row_of(value, self._spider, url)
        self.rows.append(row)
        return sum(len(v) if isinstance(v, str | bytes) else 8 for v in row.values.values())

    def _fetch_file(self, download: Download, url: str, response: Response | None) -> None:
        path = Path(os.path.normpath(self._base / download.path))
        if not Path(download.path).is_absolute() and not path.is_relative_to(self._base):
            raise ItemError(f"{url}: the file {str(download.path)!r} would lie outside of {self._base}")
        if path.suffix in _DATABASES and path.parent == self._base / self._spider.settings.store.dir:
            raise ItemError(f"{url}: the file {str(download.path)!r} could replace a database; choose another name")
        if self._dry:
            return
        session = (response and response.session) or self._spider.session
        link = urls.join(url, download.url) if response is None else response.urljoin(download.url)
        try:
            session.download(link or download.url, path)
        except RequestException as error:
            raise FileFailed(error) from error
        self.files += 1


def outputs(result: Any) -> Iterator[Any]:
    """The values of what a callback returned: nothing, one value, an iterable, or one of async's, which may not wait."""
    if result is None:
        return
    if isinstance(result, Request | Download | Item | Mapping | str | bytes) or not isinstance(result, Iterable):
        if isinstance(result, AsyncIterator):
            yield from _drive_iterator(result)
        elif inspect.isawaitable(result):
            yield from outputs(_drive(result))
        else:
            yield result
        return
    yield from result


def _drive_iterator(values: AsyncIterator[Any]) -> Iterator[Any]:
    while True:
        try:
            yield _drive(values.__anext__())
        except StopAsyncIteration:
            return


def _drive(awaitable: Awaitable[Any]) -> Any:
    """Run a coroutine that never waits to its end."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise SpiderError(
        "an async callback awaited something; crawlkit runs callbacks in threads, so call self.session.get(...) "
        "directly instead of awaiting"
    )
