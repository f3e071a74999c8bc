"""Starts: the requests that a crawl begins with, from the author's start_requests to the frontier."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from crawlkit import exceptions
from crawlkit.crawl.links import Links
from crawlkit.crawl.output import outputs
from crawlkit.crawl.sitemaps import start_sitemaps
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.tally import Tally
from crawlkit.crawl.writer import Writer
from crawlkit.sessions.request import Request

log = logging.getLogger(__name__)

#: Start requests handed in before the feeder waits for the writer to catch up: a spider may have millions.
_AHEAD = 500


class Starts:
    """A spider's start requests. `first` is the engine's, before a run; `feed` runs in a thread of its own."""

    def __init__(self, spider: Spider) -> None:
        self._spider = spider
        self._requests = self._from_author()
        self._stopped: exceptions.StopCrawl | None = None
        self._first = self._take_first()

    @property
    def first_urls(self) -> list[str]:
        """The URL of the first request; none when the author's answer was not to crawl now."""
        return [request.url for request in self._first]

    def feed(self, links: Links, writer: Writer, tally: Tally, stop: Callable[[str], None]) -> None:
        """Hand every request to the writer. An author's exception ends it: what came before is crawled, the run says so.

        `stop` is called when the author raises StopCrawl.
        """
        try:
            if self._stopped is not None:
                raise self._stopped
            for count, request in enumerate(chain(self._first, self._requests), 1):
                try:
                    link = links.start(request)
                except (ValueError, exceptions.SpiderError) as error:
                    log.error("start request left out: %s", error)
                    tally.fault("a start request", str(error))
                    continue
                writer.seed(link)
                if count % _AHEAD == 0:
                    writer.call(lambda store: None)
                if writer.over.is_set():
                    return
        except exceptions.StorageError:
            return  # the writer has ended; it says why itself
        except exceptions.StopCrawl as stopped:
            stop(stopped.reason or "StopCrawl")
        except (Exception, SystemExit) as error:
            log.exception("start_requests of spider %s failed", self._spider.name)
            tally.fault("start_requests", f"{type(error).__name__}: {error}")
        finally:
            writer.fed()

    def _take_first(self) -> list[Request]:
        """Taken before anything is written, so that a mistake in it is a usage error."""
        try:
            first = next(self._requests, None)
        except exceptions.UsageError:
            raise
        except exceptions.StopCrawl as stopped:
            self._stopped = stopped
            return []
        except (Exception, SystemExit) as error:
            raise exceptions.SpiderError(
                f"{self._spider!r}: start_requests failed: {type(error).__name__}: {error}"
            ) from error
        if first is None:
            raise exceptions.SpiderError(
                f"{self._spider!r} has nothing to start from; set start_urls or yield a Request from start_requests"
            )
        return [first]

    def _from_author(self) -> Iterator[Request]:
        spider = self._spider
        start: Any = getattr(spider, "start", None)  # an attribute of that name, as `-a start=URL` sets, is none
        author = start() if callable(start) else spider.start_requests()
        for value in chain(start_sitemaps(spider), outputs(author)):
            if not isinstance(value, Request):
                raise exceptions.SpiderError(
                    f"{spider!r}: start_requests gave a {type(value).__name__}; it may only yield requests"
                )
            yield value
