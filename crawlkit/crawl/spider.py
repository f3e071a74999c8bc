"""Spider: the author's class. What belongs here: what an author may set, override and use. How it is run does not."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from crawlkit.crawl.credentials import Credentials
    from crawlkit.crawl.settings import Settings
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Credentials = Settings = Response = Session = Any

#: What a spider, and so its database and profile, may be called.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")


def snake_case(name: str) -> str:
    """`HTMLPage` → `html_page`: a class's name as the name of a spider or table."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return spaced.lower().strip("_")


class Spider:
    """Where to start, how to log in, what to take from a page.

    Keyword arguments become attributes, as `-a key=value` does on the command line. Callbacks, `logged_in` and errbacks
    run in several threads at once: keep to local names, or hold `self.lock` while changing an attribute.
    """

    name: str = ""
    start_urls: Sequence[str] = ()
    allowed_domains: Sequence[str] | None = None
    profile: str | None = None
    key: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None
    custom_settings: Mapping[str, Any] | None = None
    sitemap_urls: Sequence[str] = ()
    sitemap_rules: Sequence[tuple[str, str]] = (("", "parse"),)
    sitemap_follow: Sequence[str] = ("",)
    handle_status: Sequence[int] = ()
    #: False: links that log out or destroy are followed as well. See also `[crawl] guard`.
    guard: bool = True
    #: Patterns of URLs that the guard lets through, and that it refuses as well.
    guard_allow: Sequence[str] = ()
    guard_deny: Sequence[str] = ()
    handle_httpstatus_list: Sequence[int] = ()
    #: True: what each crawl fetches is archived in NAME-CRAWL.wacz, beside the database (docs/archive.md).
    archive: bool = False

    #: Rules that a run must keep, such as {"min_items": 100, "required": ["price"]} (docs/reports.md).
    expect: Mapping[str, Any] = {}

    #: Set by the engine before the first request; usable in every method.
    session: Session
    credentials: Credentials
    settings: Settings

    _named: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("name"):
            cls._named = True  # subclasses keep a name that was given, not one that was derived
        elif not cls._named:
            cls.name = snake_case(cls.__name__)

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        if name is not None:
            self.name = name
        for attribute, value in kwargs.items():
            setattr(self, attribute, value)

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """A re-entrant lock of this spider, for attributes that callbacks change."""
        lock: AbstractContextManager[Any] = self.__dict__.setdefault("_lock", threading.RLock())  # atomic: one lock
        return lock

    @property
    def logger(self) -> logging.Logger:
        """The logger of this spider's name."""
        return logging.getLogger(self.name)

    def log(self, message: object, level: int = logging.DEBUG, **kwargs: Any) -> None:
        """Log `message` under the spider's name."""
        self.logger.log(level, message, **kwargs)

    # --- where to start ----------------------------------------

    def start_requests(self) -> Iterable[Request]:
        """The requests a crawl starts from; by default one for each of `start_urls`.

        An author may write Scrapy's newer `async def start(self)` in its place; it may yield and must not await.
        """
        for url in self.start_urls:
            yield Request(url)

    # --- logins ----------------------------------------

    def login(self, session: Session) -> None:
        """Log `session` in. Override it for a site behind a login; raise to say that it failed."""

    def logged_in(self, response: Response) -> bool:
        """Whether an HTML page was served to a logged-in visitor. Override it beside `login`."""
        return True

    # --- pages ----------------------------------------

    def wants_body(self, response: Response) -> bool:
        """Whether the body of an answer is to be kept for its callback; `response` has its head, and no body yet.

        Asked of answers with status 2xx that are no HTML. False lets a body of any size go by: into an archive where one is
        made, else it is not even read; the callback finds an empty body.
        """
        return True

    def in_scope(self, url: str) -> bool:
        """Whether a URL of a host that is not in scope, linked to or redirected to, belongs to the crawl all the same."""
        return False

    def parse(self, response: Response) -> Any:
        """Take items and further requests from a page: the callback of every request that names no other."""
        raise NotImplementedError(f"{type(self).__name__} has no parse(); define it or give each request a callback")

    def process_item(self, item: Any, response: Response | None) -> Any:
        """Last look at an item before it is stored: return it, another in its place, or raise DropItem.

        `response` is None for what an errback yields when there was no answer.
        """
        return item

    def closed(self, reason: str) -> None:
        """Called once when the run has ended, with its finish reason."""

    def _parse_sitemap(self, response: Response) -> Iterator[Request]:
        """The callback of `sitemap_urls`."""
        from crawlkit.crawl.sitemaps import follow_sitemap

        return follow_sitemap(self, response)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def overrides(spider: Spider, method: str) -> bool:
    """Whether the author wrote `method`, on the class or on the instance."""
    return method in vars(spider) or getattr(type(spider), method) is not getattr(Spider, method)
