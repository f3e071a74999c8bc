"""Reach: which links belong to the archive of a site, and which do not, by which rule.

What belongs here: the scopes, what is included and excluded by hand. What does not: requisites, which belong to their page
wherever they lie (crawl/requisite.py), links that log out or destroy (crawl/guard.py), following links (site.py).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from crawlkit import url as urls
from crawlkit.crawl import url_patterns
from crawlkit.exceptions import UsageError
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.suffixes import site

#: Every scope there is, from the narrowest on.
SCOPES = ("page", "prefix", "host", "domain", "regex")


class Reach:
    """What an archive that starts at `start` takes of the links. Any thread may ask.

    page: `start` alone. prefix: what lies in its folder, `https://a.example/docs/` for `https://a.example/docs/index.html`.
    host: its host and port, by http and https. domain: every host of its registrable domain. regex: each URL in which one of
    `include` is found. With the other scopes `include` and `exclude` are patterns as in `guard_allow` (url_patterns.py),
    with regex both are regular expressions. What is excluded is not taken, whoever includes it.

    UsageError when a pattern is none, or the start would not belong to it.
    """

    def __init__(
        self, start: str, scope: str = "prefix", *, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        if scope not in SCOPES:
            raise UsageError(f"--scope {scope}: there are {', '.join(SCOPES)}")
        if scope == "regex" and not include:
            raise UsageError("--scope regex: say what belongs to it with --include REGEX")
        self.scope = scope
        self._include = [_fitting(pattern, scope, "--include") for pattern in include]
        self._exclude = [(pattern, _fitting(pattern, scope, "--exclude")) for pattern in exclude]
        self._given = (tuple(include), tuple(exclude))
        self._lock = threading.Lock()
        self._starts: frozenset[str] = frozenset()
        self._roots: frozenset[tuple[str, str]] = frozenset()
        self.join(start)
        href = urls.split_userinfo(urls.canonical(start) or start)[0]
        rule = self.excluded_by(href)
        if rule is not None:
            raise UsageError(f"{shown(start)}: {rule} leaves out the start itself")
        if not self.holds(href):
            raise UsageError(
                f"{shown(start)}: the scope does not hold the start itself; no --include REGEX is found in it"
            )

    def join(self, start: str) -> None:
        """`start` redirected here, or is where it begins: both count."""
        href = urls.split_userinfo(urls.canonical(start) or start)[0]
        with self._lock:
            self._starts |= {href}
            self._roots |= {self._root(href)}

    def holds(self, url: str) -> bool:
        """Whether a canonical URL lies in the scope, be it excluded by hand or not."""
        if self.scope != "regex" and self._lies_within(url):
            return True
        return any(fits(url) for fits in self._include)

    def excluded_by(self, url: str) -> str | None:
        """The rule by which a canonical URL is left out by hand; None when there is none."""
        for pattern, fits in self._exclude:
            if fits(url):
                return f"--exclude {pattern}"
        return None

    def described(self) -> dict[str, Any]:
        """The scope as JSON, without the start: that may hold a secret."""
        include, exclude = self._given
        return {"scope": self.scope, "include": list(include), "exclude": list(exclude)}

    def _lies_within(self, url: str) -> bool:
        if self.scope == "page":
            return url in self._starts
        place, path = _place(url)
        if self.scope == "prefix":
            return any(place == root and path.startswith(folder) for root, folder in self._roots)
        if self.scope == "domain":
            place = site(urls.origin(urls.root(url)).host)
        return any(place == root for root, _ in self._roots)

    def _root(self, href: str) -> tuple[str, str]:
        place, path = _place(href)
        if self.scope == "domain":
            place = site(urls.origin(urls.root(href)).host)
        return place, path.rpartition("/")[0] + "/"


def _place(url: str) -> tuple[str, str]:
    """The host, with the port where it is not the scheme's own, and the path: http and https are one place."""
    root = urls.root(url)
    return root.partition("://")[2], url[len(root) :].partition("?")[0] or "/"


def _fitting(pattern: str, scope: str, option: str) -> Callable[[str], bool]:
    if scope == "regex":
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise UsageError(f"{option} {pattern}: no regular expression: {error}") from None
        return lambda url: compiled.search(url) is not None
    try:
        url_patterns.check(pattern)
    except ValueError:
        raise UsageError(
            f"{option} {pattern}: no pattern of URLs; write /print/* or https://example.org/old/*, or */print?*"
        ) from None
    return lambda url: url_patterns.fits(pattern, url)
