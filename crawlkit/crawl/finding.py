"""Finding: one thing that a health check found, as a sentence and as a value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What is beyond its bounds, or against a rule.

    `about` names what was measured, the same from run to run: "column:items.price". `was` and `now` are for a person.
    `since` is the run in which it was found first, `since_at` when that ended (seconds since 1970), None while it is new.
    `example` is the URL of a page to look at, `kept` the file in which it is as it was; empty when there is none.
    """

    about: str
    text: str
    was: str
    now: str
    example: str = ""
    since: int | None = None
    since_at: float | None = None
    kept: str = ""

    def first_in(self, run: int, at: float | None) -> Finding:
        """The same, known since `run`."""
        return replace(self, since=run, since_at=at)

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        since = f", since run {self.since}" if self.since is not None else ""
        example = f"; look at {self.example}" if self.example else ""
        kept = f", kept in {self.kept}" if self.kept else ""
        return f"{self.text}{since}{example}{kept}"

    def as_json(self) -> dict[str, Any]:
        """As the JSON line and the database have it."""
        return {**asdict(self), "sentence": self.sentence}
