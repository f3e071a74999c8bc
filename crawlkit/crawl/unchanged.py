"""Unchanged: which pages need not be fetched, or not be parsed, because they are as an earlier crawl found them.

What belongs here: when validators are sent, what a 304 or an equal body means, by what a page is known again. What does
not: what counts for nothing in a body (volatile.py), following again what such a page linked to (store/).

A page is unchanged when its body is, and all else that had a say in what was made of it: the callback with its cb_kwargs
and meta, the spider's source and -a arguments, the settings that decide what is parsed and followed. They make up the
page's mark: 8 bytes for how it was asked for, 8 for what it was made into. Where only the second half differs and the body
was kept, a 304 will do: the kept body is parsed. A page is parsed each time when its mark would not tell all: it fetched
files or asked for more in its callback, stopped the crawl, or linked to a request that is not kept on disk as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawlkit.crawl.clock import Clock
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.settings_sections import FetchSettings
from crawlkit.crawl.sitemaps import LASTMOD, modified_before
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.visit import Visit
from crawlkit.crawl.volatile import Volatile
from crawlkit.sessions.request import Request
from crawlkit.sessions.secretnames import HIDDEN
from crawlkit.store.bodies import Bodies, body_of
from crawlkit.store.outcome import Lease, Memory, Past
from crawlkit.store.secrets import without_secrets

if TYPE_CHECKING:
    from crawlkit.crawl.output import Output
    from crawlkit.sessions.membership import Membership
    from crawlkit.sessions.response import Response

#: Goes up when a newer crawlkit makes something else of the same page.
PARSING = 1
#: Of a page's meta, what may differ between two crawls that make the same of it.
_NO_MATTER = ("depth", LASTMOD)
#: `revisit = "learned"`: a page is left alone for this share of the time for which it did not change, at most so long.
_SHARE_OF_AGE = 0.5
_LONGEST_REVISIT_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How a crawl goes about pages that it knows. `asking` and `parsing` are what all their marks have in common."""

    asking: str
    parsing: str | None
    incremental: bool = True
    learned: bool = False
    lastmod: bool = False
    max_depth: int | None = None


def habits_of(spider: Spider, settings: Settings, *, profile: str, source_hash: str | None, arguments: str) -> Habits:
    """The habits that the settings give. Without a `source_hash` nobody can tell an edited spider: all is parsed."""
    crawl, fetch = settings.crawl, settings.fetch
    headers = settings.profiles[profile].headers if profile in settings.profiles else {}
    agent = None if fetch.user_agent == FetchSettings().user_agent else fetch.user_agent
    scope = spider.allowed_domains if spider.allowed_domains is not None else spider.start_urls
    parsing = [PARSING, source_hash, arguments, list(scope), crawl.max_html, crawl.max_dom_depth, crawl.max_segments,
               crawl.guard, crawl.guard_allow, crawl.guard_deny]  # fmt: skip
    return Habits(
        asking=json.dumps([profile, agent, _told(fetch.headers), _told(headers)]),
        parsing=None if source_hash is None else json.dumps(parsing, default=str),
        incremental=crawl.incremental,
        learned=crawl.revisit == "learned",
        lastmod=crawl.lastmod,
        max_depth=crawl.max_depth,
    )


def _told(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What decides which form of a page is sent; of other headers the name alone, for a value may be a secret."""
    return sorted((name, value if name.lower().startswith("accept") else "") for name, value in headers.items())


class Unchanged:
    """One for all workers; holds no state of a page."""

    def __init__(
        self,
        habits: Habits,
        volatile: Volatile,
        *,
        clock: Clock,
        bodies: Bodies | None,
        exchanges: Callable[[], int],
        recorded: bool = False,
    ) -> None:
        """`exchanges` counts those of the calling thread; `bodies` is where bodies are kept, if they are. `recorded`: an
        archive is made, which every page has to be in.
        """
        self._recorded = recorded
        self._habits = habits
        self._volatile = volatile
        self._clock = clock
        self._bodies = bodies
        self._exchanges = exchanges
        self._plain: dict[bool, bytes] = {}
        #: The login of each membership in which an answer was a member's: before there is one, a 304 proves nothing.
        self._proven: dict[int, int] = {}

    # --- before the request ----------------------------------------

    def need_not_ask(self, visit: Visit, lease: Lease, request: Request) -> bool:
        """Give the page its mark, and end it as unchanged when it is not even asked for."""
        past, habits = lease.past, self._habits
        self._give_mark(visit, lease, request)
        if self._recorded or past is None or lease.start or lease.probe or past.memory.source_hash != visit.mark:
            return False
        if lease.ended is not None and HIDDEN in lease.ended:  # what page that is, its answer alone can tell
            return False
        if past.fetched_at > self._clock.time():  # a clock was wrong, then or now: nobody knows how long ago that was
            return False
        fresh = habits.lastmod and modified_before(request.meta.get(LASTMOD), past.fetched_at)
        if not fresh and habits.learned:
            left_alone = min(_LONGEST_REVISIT_SECONDS, _SHARE_OF_AGE * (past.fetched_at - past.changed_at))
            fresh = self._clock.time() < past.fetched_at + left_alone
        if fresh:
            visit.outcome.final_url = lease.ended or lease.url
            self._end(visit, past.memory, saved=past.size)
        return fresh

    def conditions(
        self, visit: Visit, lease: Lease, request: Request, membership: Membership | None
    ) -> Mapping[str, str]:
        """The headers that let the server say that nothing has changed; none where that could not be relied on."""
        visit.conditional = False
        past = lease.past
        if past is None or lease.ended is not None or not _is_plain(lease, request):
            return {}
        if lease.attempts:  # what went wrong may have been the condition itself
            return {}
        if self._recorded and not lease.recorded:  # a record of a 304 has to refer to another
            return {}
        if membership is not None and self._proven.get(id(membership)) != membership.epoch:
            return {}
        if past.memory.source_hash != visit.mark and not self._has_kept(visit, past):
            return {}
        headers = {}
        if past.memory.etag is not None:
            headers["If-None-Match"] = past.memory.etag
        if past.memory.last_modified is not None:
            headers["If-Modified-Since"] = past.memory.last_modified
        visit.conditional = bool(headers)
        return headers

    def _has_kept(self, visit: Visit, past: Past) -> bool:
        """Whether the body is there that another source of the spider may parse."""
        mark = visit.mark
        if self._bodies is None or past.body is None or mark is None or mark[:8] != past.memory.source_hash[:8]:
            return False
        visit.kept = self._bodies.read(past.body)
        return visit.kept is not None

    def proves(self, membership: Membership, epoch: int) -> None:
        """An answer asked for in `epoch` was a member's."""
        self._proven[id(membership)] = epoch

    # --- after the answer ----------------------------------------

    def not_modified(self, visit: Visit, lease: Lease, response: Response) -> bool:
        """The server says 304. True: the page ends as unchanged; False: `response` is the kept body, to be parsed anew."""
        past = lease.past
        assert past is not None
        if past.memory.source_hash == visit.mark:
            headers = response.headers  # RFC 9111, 4.3.4: they may have been renewed
            memory = past.memory
            renewed = Memory(
                memory.source_hash,
                _etag(headers) if "ETag" in headers else memory.etag,
                headers.get("Last-Modified", memory.last_modified),
                memory.body_hash,
            )
            self._end(visit, renewed, saved=past.size)
            return True
        assert visit.kept is not None
        response.status_code = visit.outcome.status = 200
        response._content, response._content_consumed = visit.kept, True
        if past.content_type is not None:
            response.headers["Content-Type"] = visit.outcome.content_type = past.content_type
        visit.outcome.size, visit.outcome.saved = past.size, past.size
        visit.exchanges = self._exchanges()
        return False

    def as_before(self, visit: Visit, lease: Lease, response: Response) -> bool:
        """Whether the body is the one that was parsed already; then the page ends as unchanged."""
        visit.exchanges = self._exchanges()
        past = lease.past
        if past is None or past.memory.body_hash is None or response.status_code != 200:
            return False
        if visit.unkept or past.memory.source_hash != visit.mark or not is_there(visit.outcome.final_url, lease):
            return False
        visit.digest = self._digest(response)
        if visit.digest != past.memory.body_hash:
            return False
        headers = response.headers
        self._end(visit, Memory(past.memory.source_hash, _etag(headers), headers.get("Last-Modified"), visit.digest))
        return True

    def remember(self, visit: Visit, lease: Lease, request: Request, response: Response, output: Output) -> None:
        """The callback went well: note by what a later crawl knows the page again, and keep its body."""
        outcome = visit.outcome
        if self._bodies is not None and not visit.unkept:
            outcome.body = body_of(response.body)
        if response.status_code != 200 or output.files or visit.stop is not None:
            return
        if visit.mark is None or visit.new_mark is None or 0 in outcome.known or visit.exchanges != self._exchanges():
            return
        etag, modified = _etag(response.headers), response.headers.get("Last-Modified")
        if outcome.final_url != lease.url or not _is_plain(lease, request):
            etag = modified = None
        digest = visit.digest
        if visit.unkept and etag is None and modified is None:
            return
        if not visit.unkept and digest is None and ((etag is None and modified is None) or lease.past is not None):
            # Where validators do, hashing is left out: 0.4 ms for a page of 100 KB. Once they did not, it is done.
            digest = self._digest(response)
        outcome.memory = Memory(visit.new_mark, etag, modified, digest)

    def _digest(self, response: Response) -> bytes:
        return self._volatile.digest(response.body, response.headers.get("Content-Type"))

    def _end(self, visit: Visit, memory: Memory, *, saved: int = 0) -> None:
        outcome = visit.outcome
        outcome.state, outcome.unchanged = "done", True
        outcome.memory, outcome.saved = memory, saved

    # --- marks ----------------------------------------

    def _give_mark(self, visit: Visit, lease: Lease, request: Request) -> None:
        habits = self._habits
        if not habits.incremental or habits.parsing is None:
            return
        # Whether its links are followed is part of a mark. Those of a page that is only probed are not.
        last = lease.probe or (habits.max_depth is not None and lease.depth >= habits.max_depth)
        visit.mark = visit.new_mark = self._mark(lease, request, habits.parsing, last)
        if lease.probe and lease.past is not None:
            whole = self._mark(lease, request, habits.parsing, False)
            if lease.past.memory.source_hash == whole:
                visit.mark = whole

    def _mark(self, lease: Lease, request: Request, parsing: str, last: bool) -> bytes:
        habits = self._habits
        if lease.request is None:
            mark = self._plain.get(last)
            if mark is None:
                mark = self._plain[last] = _digested(habits.asking, parsing, last, None, None, None)
            return mark
        meta = {name: value for name, value in request.meta.items() if name not in _NO_MATTER}
        asking = json.dumps([habits.asking, request.profile, meta.get("cookiejar")], default=str)
        callback = getattr(request.callback, "__name__", None)
        return _digested(asking, parsing, last, callback, request.cb_kwargs, meta)


def _digested(asking: str, parsing: str, last: bool, callback: str | None, cb_kwargs: Any, meta: Any) -> bytes:
    made = json.dumps([parsing, last, callback or "parse", cb_kwargs or {}, meta or {}], sort_keys=True, default=str)
    halves = (hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest() for text in (asking, made))
    return b"".join(halves)


def is_there(final_url: str | None, lease: Lease) -> bool:
    """Whether the page ended where it did last time, of which the store does not know the secrets."""
    if lease.ended is None or HIDDEN not in lease.ended:
        return final_url == (lease.ended or lease.url)
    pattern = "[^&;#]+".join(map(re.escape, lease.ended.split(HIDDEN)))
    return re.fullmatch(pattern, final_url or lease.url) is not None


def _etag(headers: Mapping[str, str]) -> str | None:
    """The tag of an answer. `*` is none: as a condition it means any, and would be met whatever the page has become."""
    tag = headers.get("ETag", "").strip()
    return None if tag in ("", "*") else tag


def _is_plain(lease: Lease, request: Request) -> bool:
    """Whether the answer depends on nothing but the URL and what the mark holds: no body, header or cookie of its own."""
    return request.method == "GET" and not request.body and without_secrets(lease.request) is lease.request
