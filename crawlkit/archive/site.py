"""Site: the spider that archives a site: every link within its reach, and what each page needs to look as it does.

What belongs here: what is followed from which kind of answer, and the ledger of what is not: rows of the tables `excluded`
(a URL, the rule that left it out, where it was found) and `browser_only` (a request that scripts make). What does not: which
links belong to it (reach.py), how a requisite is fetched (crawl/requisite.py), records and packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.archive.browser_only import Call, calls_of_page, calls_of_script
from crawlkit.archive.reach import Reach
from crawlkit.archive.twins import RULE, Twins, is_known
from crawlkit.crawl import sitemaps
from crawlkit.crawl.items import Item
from crawlkit.crawl.links import is_trap
from crawlkit.crawl.requisite import REQUISITE, requisite
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import IgnoreRequest, LoginError
from crawlkit.html import charset, feeds, manifests, modules, requisites
from crawlkit.html.references import Reference
from crawlkit.html.stylesheets import references_of_css
from crawlkit.sessions import suffixes
from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from crawlkit.crawl.failure import Failure
    from crawlkit.sessions.response import Response

#: The tables of the ledger.
EXCLUDED, BROWSER_ONLY = "excluded", "browser_only"
#: The kind of requisite that robots.txt and sitemaps are here: they are no pages either, and belong to all of them.
SITEMAP = "sitemap"
#: Kinds whose answer is read when it is HTML: anything else that turns out to be HTML is an error page or a login.
_DOCUMENTS = frozenset(("frame", "object", "data"))
_CSS, _SVG = frozenset(("text/css",)), frozenset(("image/svg+xml",))
_SCRIPTS = frozenset(("text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript"))
_MANIFESTS = frozenset(("application/manifest+json", "application/json", "text/json"))
_XML = frozenset(("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml"))
_READ = _CSS | _SVG | _SCRIPTS | _MANIFESTS | _XML
#: Kinds that are read whatever their type is called: many servers call a style sheet text/plain.
_READ_KINDS = frozenset(("stylesheet", "manifest", SITEMAP))
#: A page is complete before the next one is begun.
_SOONER = 1
#: A style sheet that imports itself with another query each time would never end.
_MOST_NESTED = 50
_TOO_DEEP = f"more than {_MOST_NESTED} requisites away from its page"


class Site(Spider):
    """Archives what `reach` holds, from `start` on. `depth`: how many links away from it, `max_pages`: so many pages, each
    with all that it needs; None for all.

    `member` is the spider whose `login` and `logged_in` are used; of it nothing else counts but its guard's patterns.
    """

    key = {EXCLUDED: "url", BROWSER_ONLY: ("found_on", "how", "url")}

    def __init__(
        self,
        start: str,
        reach: Reach,
        *,
        name: str,
        depth: int | None = None,
        max_pages: int | None = None,
        member: Spider | None = None,
    ) -> None:
        super().__init__(name)
        self.max_pages = max_pages
        self._pages = {urls.canonical(start) or start}
        #: How many requisites a requisite of another one is away from its page.
        self._nested: dict[str, int] = {}
        self._twins = Twins(lambda text: is_known(text, self.session.redactor))
        self.start_urls = [start]
        self.reach = reach
        if reach.scope == "domain":  # requisites of all of its hosts are fetched as by a member
            self.allowed_domains = [suffixes.site(urls.origin(urls.canonical(start) or start).host)]
        self.depth = depth
        self._member = member
        if member is not None:
            self._take_over(member)

    def _take_over(self, member: Spider) -> None:
        self.guard, self.guard_allow, self.guard_deny = member.guard, member.guard_allow, member.guard_deny
        for method in ("login", "logged_in"):
            if overrides(member, method):
                setattr(self, method, getattr(member, method))

    def recall(self, pages: Iterable[str]) -> None:
        """These pages were come to by an earlier run of this crawl: they count among `max_pages`."""
        self._pages.update(pages)

    def start_requests(self) -> Iterator[Request]:
        """The start. From here on there is a session, which the spider that logs in is given as well."""
        if self._member is not None:
            self._member.session, self._member.credentials = self.session, self.credentials
            self._member.settings = self.settings
        yield from super().start_requests()

    # --- answers ----------------------------------------

    def in_scope(self, url: str) -> bool:
        """The scope may be of several hosts: those of a domain, or what a pattern says."""
        return self.reach.holds(url) and self.reach.excluded_by(url) is None

    def wants_body(self, response: Response) -> bool:
        """What refers to nothing is let go by, a film of gigabytes as well: it is in the archive all the same."""
        return response.meta.get(REQUISITE) in _READ_KINDS or _type(response) in _READ

    def parse(self, response: Response) -> Iterator[Request | Item]:
        """A page, or whatever else a link led to."""
        if response.meta["depth"] == 0:
            self.reach.join(response.url)
            if self.reach.scope != "page" and self.depth is None:  # what a sitemap names is no number of links away
                root = urls.root(urls.canonical(response.url) or response.url)
                yield self._guess(f"{root}/robots.txt", self.parse_robots)
        if response.is_html:
            yield from self._document(response)
        else:
            yield from self._other(response)

    def parse_requisite(self, response: Response) -> Iterator[Request | Item]:
        """What a page needs. Of its own requisites all are taken; links count where it is a document in a frame."""
        if not response.is_html:
            yield from self._other(response)
        elif response.meta.get(REQUISITE) in _DOCUMENTS:
            yield from self._document(response)

    def parse_robots(self, response: Response) -> Iterator[Request | Item]:
        """robots.txt names the sitemaps; without any, one is looked for where most sites have it."""
        named = list(sitemaps.follow_sitemap(self, response)) if response.ok and not response.is_html else []
        for request in named:
            yield requisite(request.url, SITEMAP, self.parse_sitemap, meta={"handle_httpstatus_all": True})
        if not named:
            yield self._guess(response.urljoin("/sitemap.xml"), self.parse_sitemap)

    def _guess(self, url: str, callback: Callable[[Response], Any]) -> Request:
        """A request for what nobody said is there."""
        meta = {"handle_httpstatus_all": True}
        return requisite(url, SITEMAP, callback, errback=self.guessed_wrong, meta=meta)

    def guessed_wrong(self, failure: Failure) -> None:
        """Many sites lead to their login whatever they do not have: then there is nothing that is missing."""
        if isinstance(failure.value, LoginError):
            raise IgnoreRequest("looked for, and the site leads to its login")

    def parse_sitemap(self, response: Response) -> Iterator[Request | Item]:
        """A sitemap leads to pages, an index of sitemaps to more of them."""
        if not response.ok or response.is_html:
            return
        for request in sitemaps.follow_sitemap(self, response):
            if request.callback != sitemaps.CALLBACK:
                yield from self._links(response, [request.url])
            elif self._nests(response, request.url):
                yield _left_out(request.url, _TOO_DEEP, response)
            else:
                yield requisite(request.url, SITEMAP, self.parse_sitemap, meta={"handle_httpstatus_all": True})

    # --- kinds of answers ----------------------------------------

    def _document(self, response: Response) -> Iterator[Request | Item]:
        tree = response.tree
        yield from self._requisites(response, requisites.requisites_of(tree, response.body))
        yield from self._links(response, (url for url, _ in requisites.links_of(tree)))
        yield from self._calls(response, calls_of_page(tree, response.body))

    def _other(self, response: Response) -> Iterator[Request | Item]:
        kind, essence = response.meta.get(REQUISITE), _type(response)
        if essence in _CSS or kind == "stylesheet":
            text = charset.decode_css(response.body, response.headers.get("Content-Type"))
            yield from self._requisites(response, references_of_css(text))
        elif essence in _SVG:
            yield from self._requisites(response, requisites.requisites_of_svg(response.text))
        elif essence in _SCRIPTS:
            text = response.body.decode("utf-8", "replace")
            yield from self._requisites(response, modules.requisites_of_script(text))
            yield from self._calls(response, calls_of_script(text))
        elif kind == "manifest" or essence in _MANIFESTS:
            yield from self._requisites(response, manifests.requisites_of_manifest(response.text))
        elif essence in _XML:
            yield from self._of_xml(response)

    def _of_xml(self, response: Response) -> Iterator[Request | Item]:
        if feeds.is_feed(response.text):
            yield from self._requisites(response, feeds.requisites_of_feed(response.text))
            yield from self._links(response, feeds.links_of_feed(response.text))
        else:
            yield from self.parse_sitemap(response)

    # --- what follows ----------------------------------------

    def _requisites(self, response: Response, found: Iterable[Reference]) -> Iterator[Request | Item]:
        absolute = _absolute_on(response)
        placed = [(url, reference.kind) for reference in found if (url := absolute(reference.url)) is not None]
        reading = self._twins.read(_asked(response), (url for url, _ in placed))
        for url, kind in placed:
            if self._twins.has(url, reading):
                yield from _told(self._twins.doubtful(url, reading), response)
                continue
            rule = self.reach.excluded_by(url) or (_TOO_DEEP if self._nests(response, url) else None)
            if rule is not None:
                yield _left_out(url, rule, response)
            elif self._twins.claim(url, reading):
                yield requisite(url, kind, self.parse_requisite, priority=_SOONER)

    def _nests(self, response: Response, url: str) -> bool:
        """Whether what this answer needs is too many requisites away from a page. Notes how many it is."""
        if REQUISITE not in response.meta:
            return False
        with self.lock:
            depth = self._nested.get(_asked(response), 0) + 1
            if depth < _MOST_NESTED:
                self._nested.setdefault(url, depth)
        return depth >= _MOST_NESTED

    def _links(self, response: Response, found: Iterable[str]) -> Iterator[Request | Item]:
        absolute = _absolute_on(response)
        reached = dict.fromkeys(url for url in map(absolute, found) if url is not None and self.reach.holds(url))
        reading = self._twins.read(_asked(response), reached)
        for url in reached:
            if self._twins.has(url, reading):
                yield from _told(self._twins.doubtful(url, reading), response)
                continue
            rule = self._rule(url, response)
            if rule is not None:
                yield _left_out(url, rule, response)
            elif self._twins.claim(url, reading):
                yield Request(url)

    def _rule(self, url: str, response: Response) -> str | None:
        """Why a link within reach is not followed."""
        if self.depth is not None and response.meta["depth"] >= self.depth:
            return f"--depth {self.depth}"
        membership = self.session.membership
        if membership is not None and membership.is_login_page(url):
            return "the login page"
        if is_trap(url, self.settings.crawl.max_segments):
            return "[crawl] max_segments"
        return self.reach.excluded_by(url) or self._too_many(url)

    def _too_many(self, url: str) -> str | None:
        if self.max_pages is None:
            return None
        with self.lock:
            if url not in self._pages and len(self._pages) >= self.max_pages:
                return f"--max-pages {self.max_pages}"
            self._pages.add(url)
        return None

    def _calls(self, response: Response, found: Iterable[Call]) -> Iterator[Item]:
        absolute = _absolute_on(response)
        for call in found:
            url = call.url
            if url is not None and not url.startswith(("ws:", "wss:")):
                url = absolute(url)
            yield Item(BROWSER_ONLY, {"found_on": response.url, "how": call.how, "url": url or ""})


def _left_out(url: str, rule: str, response: Response) -> Item:
    return Item(EXCLUDED, {"url": url, "rule": rule, "found_on": response.url})


def _asked(response: Response) -> str:
    return response.history[0].url if response.history else response.url


def _told(twin: str | None, response: Response) -> tuple[Item, ...]:
    return () if twin is None else (_left_out(twin, RULE, response),)


def _absolute_on(response: Response) -> Callable[[str], str | None]:
    """What gives the canonical http(s) URL that an address on this page means; None for what is none."""
    base = response.base_url
    path = base.partition("?")[0].partition("#")[0]
    folder = path[: path.rfind("/") + 1] if path.count("/") > 2 else base  # all that most addresses depend on

    def absolute(written: str) -> str | None:
        if written.isascii():
            return _joined(base if written[0] == "?" else folder, written)
        try:
            url = urls.canonical(response.urljoin(written))  # in the page's encoding
        except ValueError:
            return None
        return url if url is not None and urls.has_scheme(url) else None

    return absolute


@lru_cache(maxsize=1 << 16)
def _joined(base: str, written: str) -> str | None:
    """Most addresses of a page stand on many: joining each of them once is half of the time that reading pages takes."""
    joined = urls.join(base, written)
    url = urls.canonical(joined) if joined is not None else None
    return url if url is not None and urls.has_scheme(url) else None


def _type(response: Response) -> str:
    value: Any = response.headers.get("Content-Type") or ""
    return str(value).partition(";")[0].strip().lower()
