"""Registry: every secret that an archive must not hold.

What belongs here: learning them, keeping them from one process to the next, and the key of their pseudonyms. What does
not: finding them (secretindex.py), which parts of an exchange are secret (headsecrets.py, pagesecrets.py).

A redactor of logs knows what is secret now; an archive must know what was secret when it was begun, also when the process
that began it was killed: a page of then may name a cookie of then. So the profile's state keeps the newest secrets until
the package is finished, and the key for ever, or next month every page that shows a token would look changed. Without a
profile the key lives as long as the process does: pseudonyms are others then after an interruption, and no secret is
told by that.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, MutableMapping
from typing import Any

from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.archive.secretindex import SecretIndex
from crawlkit.sessions.forklock import new_lock
from crawlkit.sessions.redactor import SHORTEST, SHORTEST_SURE, Redactor
from crawlkit.sessions.secretnames import is_common

STATE = "archive"
"""The entry of a profile's state."""

_KEY_BYTES = 32
_MOST = 8000  # of which the newer half stays
_MOST_OF_PAGES = 2000  # the same of tokens that were seen in pages, where each may have its own
_MOST_KEPT = 2000  # in the profile; a text of 100 KB, which each save compares


class Registry:
    """Secrets, by their text. Any thread may call anything, but for `keep` and `forget`, which are for the thread that
    saves the profile.

    `state`: of the profile whose archive it is (`session.profile.state`); None: nothing is kept. `sure`: what the user
    says is secret, and is looked for even when it is a word, from 4 characters on; it is never kept.
    """

    def __init__(self, state: MutableMapping[str, Any] | None = None, *, sure: Iterable[str] = ()) -> None:
        self._state = state
        kept: Any = {} if state is None else state.get(STATE)
        kept = kept if isinstance(kept, dict) else {}
        key = kept.get("key")
        self._key = bytes.fromhex(key) if _is_key(key) else secrets.token_bytes(_KEY_BYTES)
        self.pseudonyms = Pseudonyms(self._key)
        self._sure = tuple(dict.fromkeys(sure))
        self._known: dict[str, None] = {}
        self._of_pages: dict[str, None] = {}
        self._heard: deque[tuple[str, bool]] = deque()
        self._redactors: tuple[Redactor, ...] = ()
        self._index = self._new_index(())
        self._unkept = key is None or self._key.hex() != key
        self._lock = new_lock()
        for secret in kept.get("secrets", ()):
            self.learn(str(secret))

    def __repr__(self) -> str:
        return f"<Registry of {len(self._known) + len(self._of_pages) + len(self._sure)} secrets>"

    @property
    def key(self) -> bytes:
        """The key of the pseudonyms, itself a secret."""
        return self._key

    def listen(self, redactor: Redactor) -> None:
        """Learn what `redactor` knows and whatever it learns from now on."""
        self._redactors = (*self._redactors, redactor)
        redactor.pass_on(self.learn)

    def learn(self, secret: str, *, of_page: bool = False) -> None:
        """Take `secret` out of what is archived from now on, when it has 8 characters or more and is no number and no
        word. Never waits.

        `of_page`: it was seen in a page; of such the newest 1,000 to 2,000 are remembered, of others 4,000 to 8,000.
        """
        if len(secret) >= SHORTEST and secret not in self._known and secret not in self._of_pages:
            self._heard.append((secret, of_page))

    def index(self) -> SecretIndex:
        """The secrets that are known now, those included that the sessions tell when they are asked."""
        for redactor in self._redactors:
            redactor.ask()
        if self._heard:
            with self._lock:
                self._take_in()
        return self._index

    def _take_in(self) -> None:
        # What was heard stays in its queue until it can be found: who finds the queue empty goes on without the lock.
        heard = list(self._heard)
        fresh = []
        for secret, of_page in heard:
            if secret in self._known or secret in self._of_pages or is_common(secret):
                continue
            (self._of_pages if of_page else self._known)[secret] = None
            self._unkept = True
            fresh.append(secret)
        self._index.add(fresh, least=SHORTEST)
        if len(self._known) > _MOST or len(self._of_pages) > _MOST_OF_PAGES:
            self._known = _newest(self._known, _MOST)
            self._of_pages = _newest(self._of_pages, _MOST_OF_PAGES)
            self._index = self._new_index((*self._known, *self._of_pages))
        for _ in heard:
            self._heard.popleft()

    def _new_index(self, known: Iterable[str]) -> SecretIndex:
        index = SecretIndex()
        index.add(self._sure, least=SHORTEST_SURE)
        index.add(known, least=SHORTEST)
        return index

    # --- from one process to the next --------------------------------------------------------------------------------

    def keep(self) -> None:
        """Put the key and the newest secrets into the profile's state, which the caller saves. Nothing happens when
        nothing is new.

        To be called before the transaction that names the page's records: a record on disk is then never older than
        what is known about its secrets.
        """
        self.index()
        if self._state is None or not self._unkept:
            return
        with self._lock:
            self._unkept = False
            newest = list(self._known)[-_MOST_KEPT:]
            of_pages = list(self._of_pages)[-(_MOST_KEPT - len(newest)) :] if len(newest) < _MOST_KEPT else []
        self._state[STATE] = {"key": self._key.hex(), "secrets": [*newest, *of_pages]}

    def forget(self) -> None:
        """The package is finished: leave nothing but the key in the profile's state, which the caller saves. Nothing
        is kept there any more.
        """
        state, self._state = self._state, None
        if state is not None:
            state[STATE] = {"key": self._key.hex(), "secrets": []}


def _is_key(key: object) -> bool:
    return isinstance(key, str) and len(key) == 2 * _KEY_BYTES and not set(key) - set("0123456789abcdef")


def _newest(known: dict[str, None], most: int) -> dict[str, None]:
    return known if len(known) <= most else dict.fromkeys(list(known)[-most // 2 :])
