"""Guard: which links are not followed because a GET of them logs out, destroys, or changes what others see.

What belongs here: the verdict, from what the URL says (guard_url.py), what the links to it say (guard_label.py) and what
the author says (url_patterns.py); and the memory of what was refused in this run. Links and redirect targets are judged;
what the author asks for is not: start URLs, requests with `safe=True`, any method but GET and HEAD, and
calls of `session` itself.

The rule of thumb behind the weighing: a page too few can be allowed by hand (`guard_allow`), a session or a record too
few cannot be brought back; but nothing is refused for a word in a title.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from crawlkit.crawl import guard_words as words
from crawlkit.crawl import url_patterns
from crawlkit.crawl.guard_command import CHANGES, LOGS_OUT, Form, command_of
from crawlkit.crawl.guard_label import Anchor, without_asides
from crawlkit.crawl.guard_spelling import fold, spellings, split_words
from crawlkit.crawl.guard_thing import dated, is_page, is_thing, plain
from crawlkit.crawl.guard_url import Leaning, Suspicion, is_csrf, suspect
from crawlkit.exceptions import SpiderError
from crawlkit.sessions.secretnames import HIDDEN, is_secret_name
from crawlkit.store.outcome import Refusal

if TYPE_CHECKING:
    from crawlkit.crawl.anchors import Anchors
    from crawlkit.crawl.settings_sections import CrawlSettings
    from crawlkit.crawl.spider import Spider
    from crawlkit.sessions.request import Request

#: The reason of what the author's own pattern refuses.
DENIED = "guard_deny"
#: What the reason of a page or link that the guard refused begins with.
PREFIX = "guard: "
#: Refusals of one run that are listed and kept; more are counted by nobody.
MOST_LISTED = 1_000
#: URLs whose verdict is remembered.
_REMEMBERED = 50_000


class Guard:
    """Judges URLs. Any thread may call; what it remembers is one run's.

    `on=False` leaves the author's own `deny` in force and nothing else.
    """

    def __init__(self, *, on: bool = True, allow: Sequence[str] = (), deny: Sequence[str] = ()) -> None:
        self.on = on
        self._allow = tuple(map(url_patterns.check, allow))
        self._deny = tuple(map(url_patterns.check, deny))
        self._lock = threading.Lock()
        self._refused: dict[str, str] = {}
        self._cleared: dict[str, None] = {}
        self._listed: set[str] = set()

    # --- the verdict ----------------------------------------

    def reason(self, url: str, anchors: Sequence[Anchor] = (), *, method: str = "GET") -> str | None:
        """Why a GET or HEAD of this canonical URL is not sent, by what the `anchors` that lead to it say; None: it is."""
        said = self._said(url)
        if said is not None:
            return said or None
        if not self.on or method not in ("GET", "HEAD"):
            return None
        suspicion = suspect(url)
        if suspicion is None or suspicion.leaning is not Leaning.CERTAIN:
            return _weigh(url, suspicion, anchors)
        return suspicion.kind

    def _said(self, url: str) -> str | None:
        """What the author's patterns say: DENIED, "" for allowed, None for nothing. The longer of two that fit counts."""
        if not self._allow and not self._deny:
            return None
        allowed, denied = (url_patterns.longest(patterns, url) for patterns in (self._allow, self._deny))
        if not allowed and not denied:
            return None
        return DENIED if denied >= allowed else ""

    def allows(self, url: str) -> bool:
        """Whether the author's `guard_allow` lets this canonical URL through."""
        return self._said(url) == ""

    # --- a run ----------------------------------------

    def judge(self, url: str, request: Request, anchors: Anchors) -> str | None:
        """`reason` for a request that a callback yielded, remembered; None also for what the author vouches for."""
        if request.safe is True or request.method not in ("GET", "HEAD"):
            return None
        known = self._refused.get(url)
        if known is not None:
            return known
        if not self.on and not self._deny:
            return None
        links = anchors.of(url, request.anchor) if self.on else ()
        found = self.reason(url, links, method=request.method)
        if found is None:
            if links or suspect(url) is not None:
                self._remember(self._cleared, url, None)
        elif not links or any(not link.method for link in links):
            # Refused for how one link sends it, a URL may still be a page by another: Rails' /items/7.
            self._remember(self._refused, url, found)
        return found

    def at_sending(self, url: str, request: Request, *, start: bool) -> str | None:
        """Why a page of the queue is not fetched after all: another page said what it does, or an earlier run had no
        guard."""
        if start or request.safe is True or request.method not in ("GET", "HEAD"):
            return None
        known = self._refused.get(url)
        if known is not None or url in self._cleared:
            return known
        said = self._said(url)
        if said is not None:
            return said or None
        suspicion = suspect(url) if self.on else None
        return suspicion.kind if suspicion is not None and suspicion.leaning is Leaning.CERTAIN else None

    def list(self, url: str, reason: str, text: str = "") -> Refusal | None:
        """What to tell of a refused URL, None when it was told before in this run. Values that guard it are masked."""
        shown = masked(url)
        with self._lock:
            if shown in self._listed or len(self._listed) >= MOST_LISTED:
                return None
            self._listed.add(shown)
        return Refusal(shown, reason, text)

    def _remember(self, memory: dict[str, str] | dict[str, None], url: str, value: str | None) -> None:
        with self._lock:
            if len(memory) >= _REMEMBERED:
                for old in list(islice(memory, _REMEMBERED // 2)):
                    del memory[old]
            memory[url] = value  # type: ignore[assignment] # each memory gets its own kind


def guard_of(spider: Spider, settings: CrawlSettings) -> Guard:
    """The guard of a crawl: off when the spider or the settings say so, with the patterns of both.

    SpiderError when one of the spider's is none.
    """
    patterns: list[tuple[str, ...]] = []
    for name in ("guard_allow", "guard_deny"):
        given = getattr(spider, name)
        own = (given,) if isinstance(given, str) else tuple(given)
        for pattern in own:
            try:
                url_patterns.check(pattern)
            except (ValueError, AttributeError):
                raise SpiderError(f"{spider!r}: {name} must be {url_patterns.WORDS}, not {pattern!r}") from None
        patterns.append((*getattr(settings, name), *own))
    return Guard(on=settings.guard and spider.guard is not False, allow=patterns[0], deny=patterns[1])


def _weigh(url: str, suspicion: Suspicion | None, anchors: Sequence[Anchor]) -> str | None:
    """The verdict on a URL that is not certain by itself."""
    if suspicion is not None and suspicion.leaning is Leaning.LIKELY:
        return None if any(_is_name(anchor) for anchor in anchors) else suspicion.kind
    for anchor in anchors:
        found = _of_anchor(url, suspicion, anchor)
        if found is not None:
            return found
    return None


def _is_name(anchor: Anchor) -> bool:
    """Whether the link stands as the name of a thing, and nothing about it acts."""
    return anchor.named and not (anchor.method or anchor.confirms or anchor.acts or anchor.button)


def _of_anchor(url: str, suspicion: Suspicion | None, anchor: Anchor) -> str | None:
    """What one link convicts an innocent-looking URL of."""
    if anchor.method:
        return f"is sent by {anchor.method}"
    command = anchor.command
    if anchor.confirms:
        return command.kind if command is not None else CHANGES
    if command is None or _is_name(anchor):
        return None
    if anchor.acts:
        return command.kind
    if (suspicion is not None and suspicion.reference) or _below(url, words.REFERENCE, itself=True):
        convicted = anchor.account if command.kind == LOGS_OUT else anchor.button
    elif command.form is Form.LOOSE:
        convicted = anchor.button or (command.kind == LOGS_OUT and anchor.account)
    elif suspicion is not None and _is_called(url, anchor.text, command.kind):
        # The URL could be a name. In the corner of the page where the visitor's own links are it is none.
        corner = anchor.account or anchor.button or (anchor.corner and not (command.weak and _is_listed(url)))
        convicted = corner if command.kind == LOGS_OUT else anchor.button
    elif command.kind == LOGS_OUT:
        titled = _is_listed(url) or _is_thing(url, command.form) or _is_subject(url, anchor.text)
        corner = anchor.corner and not (command.weak and _is_listed(url))
        mounted = command.weak and _below(url, words.COLLECTIONS)
        convicted = anchor.account or anchor.button or corner or not (titled or mounted)
    else:
        titled = (command.kind != CHANGES and _is_title(url, anchor.text, command.form)) or _is_subject(
            url, anchor.text, words.SUBJECTS
        )
        convicted = anchor.button or not titled
    return command.kind if convicted else None


def _is_called(url: str, text: str, kind: str) -> bool:
    """Whether the order in a URL may be the name of what lies there, and the text just that name: /books/delete, "Delete".

    Where the text says more than the URL, or says it otherwise, both give an order: /d/remove, "Delete account".
    """
    path, _, query = url.partition("://")[2].partition("?")
    if _is_subject(url, text) or any(command_of(unquote_plus(pair.partition("=")[0])) for pair in query.split("&")):
        return True
    segments = [segment for segment in path.split("/")[1:] if segment]
    spoken = ["".join(split_words(spelling)) for spelling in spellings(without_asides(text))]
    for index, segment in enumerate(segments):
        command = command_of(segment)
        if command is None or "".join(split_words(plain(segment))) not in spoken:
            continue
        named = segment[0] in "~@" or is_page(segment) or dated(segments[:index])
        listed = index > 0 and plain(segments[index - 1]) in words.COLLECTIONS
        if named or listed or command.form is Form.LOOSE or command.kind == kind == LOGS_OUT:
            return True
    return False


def _is_listed(url: str) -> bool:
    """Whether the URL lies where names are: /movies/6, called "Exit". A whole application may be mounted below others."""
    return _below(url, words.COLLECTIONS - words.MOUNTS)


def _is_thing(url: str, form: Form) -> bool:
    """Whether it is a numbered thing that a short text names: /issues/78, called "Logout"."""
    path = url.partition("://")[2].partition("?")[0]
    return form is Form.EXACT and is_thing([segment for segment in path.split("/")[1:] if segment])


def _below(url: str, places: frozenset[str], *, itself: bool = False) -> bool:
    """Whether one of `places` is a folder of the URL's path, or with `itself` its last part."""
    parts = url.partition("://")[2].partition("?")[0].split("/")[1:]
    return any(fold(part.partition(".")[0]) in places for part in (parts if itself else parts[:-1]))


def _is_title(url: str, text: str, form: Form) -> bool:
    """Whether a thing below a collection is called so: /products/17, /books/delete, /product.php?id=17."""
    path, _, query = url.partition("://")[2].partition("?")
    segments = [segment for segment in path.split("/")[1:] if segment]
    if not segments:
        return False
    script = fold(segments[-1].partition(".")[0])
    if query:
        return form is Form.EXACT and script in words.COLLECTIONS and "&" not in query and ";" not in query
    many = len(segments) > 1 and fold(segments[-2]) in words.COLLECTIONS
    if not many and not is_thing(segments):
        return False
    slug, spoken = split_words(unquote(segments[-1])), split_words(without_asides(text))
    return slug == spoken or (form is Form.EXACT and len(spoken) == 1 and any(word.isdigit() for word in slug))


def _is_subject(url: str, text: str, names: frozenset[str] | None = None) -> bool:
    """Whether a parameter of the URL, of one of these names, says the link's text: /index.php?title=Logout."""
    query = url.partition("?")[2]
    if not query:
        return False
    spoken = split_words(text)
    pairs = (pair.partition("=") for pair in query.split("&"))
    return any(
        split_words(unquote_plus(value)) == spoken
        for name, _, value in pairs
        if value and (names is None or fold(name) in names)
    )


def masked(url: str) -> str:
    """The URL without the values that guard it: a CSRF token is a secret, and another one on each page."""
    head, mark, query = url.partition("?")
    if not mark:
        return url
    parts = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        plain = unquote(name)
        secret = bool(value) and (
            is_csrf(plain) or is_secret_name(plain) or (fold(plain) in words.TOKENS and len(value) > 7)
        )
        parts.append(f"{name}{equals}{HIDDEN}" if secret else pair)
    return head + mark + "&".join(parts)
