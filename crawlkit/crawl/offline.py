"""Offline: an author's callback on a page that was kept, as a worker would run it, with nothing fetched.

What belongs here: making the response again, running the callback, refusing what it asks the network for. What does not:
where pages are kept (store, testing), what is done with their items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions
from crawlkit.crawl.credentials import Credentials, CredentialSources
from crawlkit.crawl.items import Download
from crawlkit.crawl.output import Output
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider
from crawlkit.html.document import Limits
from crawlkit.sessions.adapter import BaseAdapter
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.made import made_response
from crawlkit.sessions.request import Request
from crawlkit.sessions.session import Session
from crawlkit.store.outcome import Row

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was answered: `url` is where it came from in the end, `body` decoded, `request` what was asked."""

    url: str
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    request: Request


@dataclass(slots=True)
class Parsed:
    """What a callback gave. `ignored`: the reason of the IgnoreRequest that it raised, by which nothing of it counts."""

    rows: list[Row] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    downloads: list[Download] = field(default_factory=list)
    dropped: int = 0
    ignored: str | None = None


class Offline:
    """Parses kept pages for one spider, which gets session, credentials and settings here. `parse`: any thread.

    `doing` says in errors what asked for no network, such as "a replay". `session`: one that answers by itself, where a
    callback may ask for more (a cassette's); otherwise what a callback asks for is NotRecorded.
    """

    def __init__(self, spider: Spider, settings: Settings, *, doing: str, session: Session | None = None) -> None:
        self._spider = spider
        self._settings = settings
        if session is None:
            session = Session()
            for prefix in ("http://", "https://"):
                session.mount(prefix, _Refusing(doing))
        self.session = session
        spider.session, spider.settings = session, settings
        if not hasattr(spider, "credentials"):
            spider.credentials = Credentials(CredentialSources(settings).of(spider.profile or spider.name))
        crawl = settings.crawl
        self._limits = Limits(max_bytes=crawl.max_html, max_depth=crawl.max_dom_depth)

    def response(self, page: Page) -> Response:
        """The response to a page's request, as its callback gets it."""
        prepared = self.session.prepare_request(page.request)
        prepared.headers.pop("Cookie", None)
        response = made_response(
            prepared, status=page.status, reason="", fields=page.fields, body=page.body, connection=None
        )
        response.url = page.url
        response.session = self.session
        response.limits = self._limits
        _ = response.content
        return response

    def parse(self, page: Page) -> Parsed:
        """What the callback of the page's request gives. Raises what it raises, ItemError, NotRecorded."""
        response = self.response(page)
        output = _Collected(self._spider, self._settings.folder)
        parsed = Parsed(output.rows, output.requests, output.downloads)
        callback: Callable[..., Any] = page.request.callback  # type: ignore[assignment]
        try:
            output.collect(callback(response, **page.request.cb_kwargs), response.url, response)
        except exceptions.StopCrawl:
            pass  # a run would end here; what the page gave before counts
        except exceptions.IgnoreRequest as error:
            return Parsed(ignored=error.reason or "IgnoreRequest")
        parsed.dropped = output.dropped
        return parsed


class _Collected(Output):
    """Output whose downloads are noted and not fetched."""

    def __init__(self, spider: Spider, base: Any) -> None:
        super().__init__(spider, base)
        self.downloads: list[Download] = []

    def _fetch_file(self, download: Download, url: str, response: Response | None) -> None:
        link = response.urljoin(download.url) if response is not None else None
        self.downloads.append(Download(link or download.url, str(download.path)))


class _Refusing(BaseAdapter):
    """In the place of the network."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """NotRecorded, which names the request."""
        raise exceptions.NotRecorded(
            f"the callback asked for {request.method} {shown(request.url)}, and {self._doing} fetches nothing",
            request=request,
        )

    def close(self) -> None:
        """There is nothing to close."""
