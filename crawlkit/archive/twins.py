"""Twins: addresses that differ only in secrets, the session's id or a token, and so are of one thing.

What belongs here: what of an address is such a secret, and which of its twins is followed. What does not: taking secrets
out of records (redaction.py), following (site.py).

A site that writes its session's id into its links gives every page a new address with each session, and a crawl whose
session ends now and then would never be through with it.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from crawlkit.archive.pagesecrets import is_token, is_token_name
from crawlkit.sessions.redactor import Redactor
from crawlkit.sessions.secretnames import HIDDEN

RULE = "differs only in a token from an address that was followed"
"""Why an address was left out that may be of another thing."""

_OF_PATH = re.compile(r"(;[^;=/]+=)([^;/]+)")
_OF_QUERY = re.compile(r"((?:\A|(?<=[&;]))[^&;=]+=)([^&;]+)")
_SESSION = re.compile(r"sess|sid\Z", re.IGNORECASE)
_LEAST_DRAWN = 16  # of what goes by no telling name; shorter cookies are settings, which addresses have as well
_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{5,}(?![A-Za-z0-9])")
#: Addresses apart by a token alone: so many files a site may have, and a token that is new in each link gets no further.
_MOST_APART = 1000


def is_known(text: str, redactor: Redactor | None) -> bool:
    """Whether all of `text` is one secret that `redactor` knows."""
    return redactor is not None and redactor.redact(text) == HIDDEN


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the page at `page`: what was followed from it counts no more when it is read again, as a page is
    that was fetched before somebody saw that the session had ended. `forms`: its addresses without what is secret.
    """

    page: str
    forms: dict[str, tuple[str, str]]
    number: int


class Twins:
    """Of addresses that differ only in secrets the one that came first. Any thread may call anything.

    `is_secret`: whether a whole text is a secret that is known, such as the value of a cookie. Values that go by a token's
    name are secret as well, but where one page has several addresses that differ in these alone, as `/file?token=…` for
    each of its files, they are no twins. A session is the same for all of a page: it never keeps addresses apart.
    """

    def __init__(self, is_secret: Callable[[str], bool]) -> None:
        self._is_secret = is_secret
        self._lock = threading.Lock()
        #: Address without what is secret → the one that is followed, and from where.
        self._first: dict[str, tuple[str, str, int]] = {}
        self._readings = itertools.count()
        #: Address without session and tokens → those without the session that were followed; for what tokens keep apart.
        self._apart: defaultdict[str, set[str]] = defaultdict(set)

    def read(self, page: str, addresses: Iterable[str]) -> Reading:
        """All of these stand on the page at `page`."""
        forms = {url: self._without(url) for url in addresses if "=" in url}
        seen: dict[str, str] = {}
        for bare, kept in forms.values():
            if bare != kept and seen.setdefault(bare, kept) != kept:
                with self._lock:
                    self._apart[bare]  # is there from now on
        return Reading(page, forms, next(self._readings))

    def has(self, url: str, reading: Reading) -> bool:
        """Whether another address of the same is followed already."""
        return self._twin(url, reading, claim=False)

    def claim(self, url: str, reading: Reading) -> bool:
        """Have this one followed; False when another one is. The same address may be claimed again and again."""
        return not self._twin(url, reading, claim=True)

    def doubtful(self, url: str, reading: Reading) -> str | None:
        """Of one whose twin is followed: the address without what is secret, if the two have different tokens, and so may
        be of two things after all; None when they differ in the session alone.
        """
        bare, kept = reading.forms.get(url, (url, url))
        with self._lock:
            first, _, _ = self._first.get(bare, (url, "", -1))
        return None if self._without(first)[1] == kept else bare

    def _twin(self, url: str, reading: Reading, *, claim: bool) -> bool:
        bare, kept = reading.forms.get(url, (url, url))
        if bare == url:
            return False
        with self._lock:
            files = self._apart.get(bare)
            if files is not None and kept not in files:
                if len(files) >= _MOST_APART:
                    return True
                if claim:
                    files.add(kept)
            key = bare if files is None else kept
            first, page, number = self._first.get(key, (url, "", -1))
            twin = first != url and (page != reading.page or number == reading.number)
            if claim and not twin:
                self._first[key] = url, reading.page, reading.number
        return twin

    def _without(self, url: str) -> tuple[str, str]:
        """The address without anything secret, and with the tokens that are not the session's."""

        def hidden(match: re.Match[str], *, tokens: bool) -> str:
            name, value = match[1].strip(";="), match[2]
            if is_token(value):
                if is_token_name(name):
                    secret = tokens or _SESSION.search(name) is not None or self._is_secret(value)
                else:
                    secret = len(value) >= _LEAST_DRAWN and not _WORD.search(value) and self._is_secret(value)
                if secret:
                    return match[1]
            return match[0]

        path, mark, query = url.partition("?")

        def without(*, tokens: bool) -> str:
            def hide(match: re.Match[str]) -> str:
                return hidden(match, tokens=tokens)

            return _OF_PATH.sub(hide, path) + mark + _OF_QUERY.sub(hide, query)

        bare = without(tokens=True)
        return bare, (url if bare == url else without(tokens=False))
