"""Links: from a Request that a spider yielded to a Link that the frontier keeps, or the reason why it is not followed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from crawlkit import url as urls
from crawlkit.crawl.anchors import Anchors
from crawlkit.crawl.guard import Guard
from crawlkit.crawl.request import dump
from crawlkit.crawl.requisite import is_requisite
from crawlkit.crawl.scope import Scope
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import SpiderError
from crawlkit.sessions.request import Request
from crawlkit.store.outcome import Link, Refusal
from crawlkit.store.secrets import without_secrets

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

log = logging.getLogger(__name__)

#: A path in which one segment stands this often is a trap (a relative link that grows with each page).
_REPEATED = 5
#: Scrapy's meta keys that change how it fetches and that crawlkit has no such thing for.
_UNSUPPORTED_META = frozenset(
    (
        "allow_offsite",
        "bindaddress",
        "dont_cache",
        "dont_merge_cookies",
        "dont_obey_robotstxt",
        "download_delay",
        "download_fail_on_dataloss",
        "download_maxsize",
        "download_slot",
        "download_warnsize",
        "http_auth_domain",
        "http_pass",
        "http_user",
        "is_start_request",
        "referrer_policy",
        "verbatim_url",
    )
)
#: How many fingerprints the memory of known links holds: 16 bytes each, about 20 MB in all.
_REMEMBERED = 200_000


class Links:
    """Judges a crawl's links. Any thread may call; the memory of known links is filled after commits only."""

    def __init__(
        self,
        spider: Spider,
        scope: Scope,
        *,
        max_depth: int | None,
        max_segments: int,
        profile: str,
        userinfo: dict[urls.Origin, tuple[str, str]] | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._spider = spider
        self._scope = scope
        self._max_depth = max_depth
        self._max_segments = max_segments
        self._profile = profile
        self.guard = guard if guard is not None else Guard()
        #: Gets what was judged worth following and says what of it is followed: a dry run's way of going no further.
        self.instead: Callable[[list[Link]], list[Link]] | None = None
        #: What URLs said before an `@`, by origin: it is sent, and never written down.
        self._userinfo = {} if userinfo is None else userinfo
        self._known: dict[bytes, int] = {}
        self._lock = Lock()
        self._warned: set[str] = set()

    def start(self, request: Request) -> Link:
        """The Link of a start request: its host joins the scope unless `allowed_domains` says otherwise.

        ValueError when the URL cannot be fetched at all.
        """
        href = self._canonical(request.url)
        if href is None or not urls.has_scheme(href):
            raise ValueError(f"a start URL must be absolute and http(s): {request.url!r}")
        origin = urls.origin(urls.root(href))
        if not self._scope.fixed:
            self._scope.join(origin)
        return self._link(request, href, origin, depth=0, start=True, fingerprint=self._fingerprint(request, href))

    def judge(
        self,
        requests: Iterable[Request],
        *,
        depth: int,
        skips: Counter[str],
        page: Response | None = None,
        refused: list[Refusal] | None = None,
        known: list[int] | None = None,
    ) -> list[Link]:
        """Links of `page`, one for each page not known yet; `skips` counts the others by reason.

        What the guard does not let through goes to `refused`, once a run. `known` gets the pages of the other links, as the
        store counts them, and a 0 for a link whose request cannot be read back from the store as it was.
        """
        anchors = Anchors(page)
        links: list[Link] = []
        here: set[bytes] = set()
        remembered = self._known
        noted: list[int] = [] if known is None else known
        too_deep = self._max_depth is not None and depth > self._max_depth
        for request in requests:
            href = self._canonical(request.url)
            if href is None or not urls.has_scheme(href):
                skips["bad_url"] += 1
                continue
            root = urls.root(href)
            origin = urls.origin(root)
            belongs = request._meta is not None and is_requisite(request)
            if not (request.dont_filter or belongs or self._scope.holds(href, origin)):
                skips["offsite"] += 1
                continue
            if too_deep and not belongs:
                skips["depth"] += 1
                continue
            if is_trap(href, self._max_segments):
                skips["trap"] += 1
                continue
            fingerprint = self._fingerprint(request, href)
            if not request.dont_filter:  # before the link is made, which costs more than all the rest
                if fingerprint in here:
                    continue
                here.add(fingerprint)
                if fingerprint in remembered:
                    noted.append(remembered[fingerprint])
                    continue
            link = self._link(request, href, origin, depth=depth, start=False, fingerprint=fingerprint)
            reason = self.guard.judge(href, request, anchors)
            if reason is None:
                links.append(link)
                if not _is_kept(link) or ("@" in request.url and urls.split_userinfo(request.url)[1] is not None):
                    noted.append(0)
            elif refused is not None and (refusal := self.guard.list(href, reason, anchors.text_of(href))) is not None:
                refused.append(refusal)
        return links if self.instead is None else self.instead(links)

    def remember(self, links: Iterable[Link], pages: Mapping[bytes, int]) -> None:
        """Take in links that a commit has made durable, so that they need not travel to the store again. `pages` says
        under which number the store has each.
        """
        with self._lock:
            known = self._known
            if len(known) > _REMEMBERED:
                self._known = known = dict(islice(known.items(), _REMEMBERED // 2, None))
            for link in links:
                page = pages.get(link.fingerprint)
                if page is not None:  # not one of `dont_filter`, which is another page each time
                    known[link.fingerprint] = page if _is_kept(link) else 0

    def _fingerprint(self, request: Request, href: str) -> bytes:
        return urls.fingerprint(
            href, method=request.method, body=request.body or b"", profile=self._profile_of(request)
        )

    def _link(
        self,
        request: Request,
        href: str,
        origin: urls.Origin,
        *,
        depth: int,
        start: bool,
        fingerprint: bytes,
    ) -> Link:
        if request._meta:
            self._warn_of(request._meta)
        priority = request.priority
        if type(priority) is not int or not -(2**31) <= priority < 2**31:
            raise SpiderError(f"{request.url}: priority must be a whole number of 32 bits, not {str(priority)[:40]!r}")
        return Link(
            fingerprint=fingerprint,
            url=href,
            host=origin.netloc,
            priority=priority,
            depth=depth,
            request=dump(request, self._spider),
            dont_filter=request.dont_filter and not start,
            start=start,
        )

    def _warn_of(self, meta: Mapping[str, object]) -> None:
        """Say once of each meta key that it has no effect here."""
        for key in _UNSUPPORTED_META.intersection(meta):
            if key not in self._warned:
                self._warned.add(key)
                log.warning("meta[%r] has no effect in crawlkit; docs/from-scrapy.md says what to use", key)

    def page_key(self, url: str, request: Request) -> bytes | None:
        """The name of the page that a GET ended on: what its link would be known by."""
        href = self._canonical(url)
        return None if href is None else urls.fingerprint(href, profile=self._profile_of(request))

    def _canonical(self, url: str) -> str | None:
        """The canonical URL without userinfo, which is kept in memory for its origin."""
        href = urls.canonical(url)
        if href is None or "@" not in href:
            return href
        href, userinfo = urls.split_userinfo(href)
        if userinfo is not None and urls.has_scheme(href):
            self._userinfo[urls.origin(urls.root(href))] = userinfo
        return href

    def _profile_of(self, request: Request) -> str:
        return "" if request.profile in (None, self._profile) else str(request.profile)


def is_trap(href: str, max_segments: int) -> bool:
    """Whether a canonical URL looks like one of an endless space: too many segments, or the same one again and again."""
    root_length = len(urls.root(href))
    slashes = href.count("/", root_length)
    if slashes < min(_REPEATED, max_segments + 1):
        return False
    path = href[root_length:].partition("?")[0]
    if path.count("/") > max_segments:
        return True
    segments = Counter(part for part in path.split("/") if part)
    return bool(segments) and max(segments.values()) >= _REPEATED


def _is_kept(link: Link) -> bool:
    """Whether the store keeps the link's request as it is when its page has ended."""
    return link.request is None or without_secrets(link.request) is link.request
