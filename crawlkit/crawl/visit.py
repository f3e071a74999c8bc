"""Visit: what became of a page in a worker, on its way to the writer and to the run's report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawlkit.store.outcome import Outcome

if TYPE_CHECKING:
    from crawlkit.crawl.recording import Recording


@dataclass(slots=True)
class Visit:
    """An outcome with what only this run's report wants to know."""

    outcome: Outcome
    url: str
    host: str
    depth: int
    requests: int = 0
    retry: bool = False
    stop: str | None = None
    dropped: int = 0
    #: The epoch of the login in which it was fetched; None for a page of another profile, or without a login.
    epoch: int | None = None
    sent: int = 0
    found: int = 0
    skips: Counter[str] = field(default_factory=Counter)
    #: The callback that parsed the page, empty when none did; whether a page without items has a field for a password.
    callback: str = ""
    password_field: bool = False
    #: What was parsed, until the run's report has decided whether it needs it.
    content: bytes | None = None
    #: What unchanged.py notes on the way: the page's mark, and that which it has once it is parsed, whether the server may
    #: answer 304, the body that was kept, the hash of the one that came, the exchanges of this thread so far.
    mark: bytes | None = None
    new_mark: bytes | None = None
    conditional: bool = False
    kept: bytes | None = None
    digest: bytes | None = None
    exchanges: int = 0
    #: Whether the body was let go by without being kept (`Spider.wants_body`).
    unkept: bool = False
    #: For an archive: what was exchanged, and what the archive made of it.
    recording: Recording | None = None
    packed: Any = None

    def hide(self, redact: Callable[[str], str]) -> None:
        """Take the secrets out of what the database will keep: the reason or traceback, and where a redirect ended.

        After this `final_url` is for reading: what the page is known by was made of it before.
        """
        outcome = self.outcome
        if outcome.error:
            outcome.error = redact(outcome.error)
        if outcome.final_url is not None and outcome.final_url != self.url:
            outcome.final_url = redact(outcome.final_url)

    def leave_out(self) -> Visit:
        """What was fetched is not to be in an archive: it was given to a stranger, or nobody knows to whom."""
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.close()
        return self

    def give_back(self, not_before: float = 0.0) -> Visit:
        """The page goes back to the queue as if it had not been taken; it may be taken at `not_before` (Unix epoch)."""
        self.outcome.state = "queued"
        self.outcome.not_before = not_before
        return self

    def try_again(self, not_before: float) -> Visit:
        """The page goes back to the queue with one attempt spent."""
        self.retry = True
        self.outcome.attempts += 1
        return self.give_back(not_before)

    def skip(self, reason: str) -> Visit:
        """The page ends as skipped."""
        self.outcome.state = "skipped"
        self.outcome.error = reason
        return self

    def ignore(self, reason: str | None) -> Visit:
        """The page ends as skipped by the author's word, and is in no archive."""
        return self.leave_out().skip(f"ignored: {reason}" if reason else "ignored")

    def fail(self, word: str, told: str = "", detail: str = "") -> Visit:
        """The page ends as failed: a word to count it by, a sentence, and what only a person wants to read."""
        self.outcome.state = "failed"
        line = word if not told or told in word else f"{word}: {told}"
        self.outcome.error = f"{word}\n{detail}" if detail else line
        return self
