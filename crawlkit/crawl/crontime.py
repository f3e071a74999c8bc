"""CronTime: the five fields of a crontab line, and the instants that they mean.

What belongs here: reading `0 6 * * *`, what is wrong with one that is none, and when it comes next. What does not: where
it is written down (cli/crontab.py, cli/systemd.py), who obeys it: cron.

The fields mean what they mean in crontab(5): when both days are restricted, either of them is enough. A field that
begins with `*` is not restricted, also as `*/2`: of two days both must fit then. This is how Debian's cron, cronie and
macOS's have it, all of them Paul Vixie's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

#: Days to look ahead: 29 February on a given weekday comes after 40 years at the latest (2100 is no leap year).
_HORIZON_DAYS = 41 * 366

_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

#: Days of the months, February in a leap year.
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\w+))?", re.ASCII)


class _Field(NamedTuple):
    """One of the five: what it is called, its bounds, and the names that its numbers may have."""

    label: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    def number(self, word: str) -> int:
        if word.lower() in self.names:
            return self.first + self.names.index(word.lower())
        if not word.isdecimal() or len(word) > 9 or not self.first <= int(word) <= self.last:
            raise ValueError(f"{self.label} has {word[:20]!r}; {self.allowed}")
        return int(word)

    @property
    def allowed(self) -> str:
        """What may stand there, for an error."""
        named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"it may be {self.first} to {self.last}{named}, with lists (1,3), ranges (1-5), * and steps (*/2)"


_FIELDS = (
    _Field("the minute", 0, 59),
    _Field("the hour", 0, 23),
    _Field("the day of the month", 1, 31),
    _Field(
        "the month",
        1,
        12,
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ),
    _Field("the day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),  # 0 and 7 are Sunday
)


@dataclass(frozen=True, slots=True)
class CronTime:
    """When something is to begin, in local time. A value: any thread.

    `text` is the five fields with numbers for names. `weekdays` are 0 (Sunday) to 6. `either_day`: a day is enough
    that fits one of `days` and `weekdays`; else both must fit.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def read(cls, text: str) -> CronTime:
        """Of five fields, or of `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`.

        ValueError says which field is wrong and what may stand there.
        """
        fields = _expanded(text).split()
        if len(fields) != len(_FIELDS):
            several = "" if len(fields) == 1 else "s"
            raise ValueError(f"it has {len(fields)} field{several}; there are five: minute, hour, day, month, weekday")
        minutes, hours, days, months, weekdays = (
            frozenset(_numbers(kind, given)) for kind, given in zip(_FIELDS, fields, strict=True)
        )
        read = cls(
            text=" ".join(_numbered(kind, given) for kind, given in zip(_FIELDS, fields, strict=True)),
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
        )
        if not read.either_day and not any(min(days) <= _MONTH_DAYS[month - 1] for month in months):
            raise ValueError(f"it never comes: month {fields[3]} has no day {fields[2]}")
        return read

    def after(self, moment: datetime) -> datetime:
        """The first minute after `moment` that fits, as naive as `moment`, which is local time."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        earliest = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        times = [(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)]
        for _ in range(_HORIZON_DAYS):
            if self._fits(day):
                for hour, minute in times:
                    found = day.replace(hour=hour, minute=minute)
                    if found >= earliest:
                        return found
            day += timedelta(days=1)
        raise ValueError(f"{self.text!r} does not come within {_HORIZON_DAYS} days")  # not one that was read

    def _fits(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        fits = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return any(fits) if self.either_day else all(fits)


def _expanded(text: str) -> str:
    word = text.strip().lower()
    if not word.startswith("@"):
        return text
    if word not in _MACROS:
        known = ", ".join(_MACROS)
        raise ValueError(f"there is no {text.strip()!r} here; there are {known}, or five fields")
    return _MACROS[word]


def _numbers(kind: _Field, text: str) -> list[int]:
    """Every number that a field means."""
    found: list[int] = []
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{kind.label} has {part!r}; {kind.allowed}")
        whole, low, high, step = match.groups()
        if whole != "*" and high is None and step is not None:
            raise ValueError(f"{kind.label} has {part!r}; a step goes with * or a range: {low}-{kind.last}/{step}")
        first, last = (kind.first, kind.last) if whole == "*" else (kind.number(low), kind.number(high or low))
        if first > last:
            raise ValueError(f"{kind.label} has {part!r}, which ends before it begins{_turned(kind, first, last)}")
        found.extend(range(first, last + 1, _step(kind, part, step)))
    return found


def _turned(kind: _Field, first: int, last: int) -> str:
    """A way to write a range that goes over the end."""
    if kind.last == 7 and last == 0:
        return f"; as the end of a week Sunday is 7: {first}-7"
    return f"; write it as two: {first}-{kind.last},{kind.first}-{last}"


def _step(kind: _Field, part: str, step: str | None) -> int:
    if step is None:
        return 1
    if not step.isdecimal() or not 1 <= int(step) <= kind.last:
        raise ValueError(f"{kind.label} has {part!r}; a step may be 1 to {kind.last}")
    return int(step)


def _numbered(kind: _Field, text: str) -> str:
    """The field with numbers for names, which not every cron takes everywhere."""
    return re.sub("[a-zA-Z]+", lambda word: str(kind.number(word[0])), text)
