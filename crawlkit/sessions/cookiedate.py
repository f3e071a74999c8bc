"""Cookie dates: what `Expires` means.

What belongs here: the algorithm of RFC 6265bis section 5.1.1, which reads what servers write, not what any
grammar says. What does not: other HTTP dates (Retry-After and the like have a grammar that servers keep to).
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z: the last second that datetime can show

_EPOCH = date(1970, 1, 1).toordinal()
_TOKENS = re.compile(r"[^\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")  # the complement of the RFC's `delimiter`
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}


@lru_cache(maxsize=1024)
def cookie_date(text: str) -> int | None:
    """Seconds since 1970 (UTC) of a cookie's date, None when it is none. Time zones are not looked at: all
    are GMT."""
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for token in _TOKENS.findall(text):
        # Each token is tried as a time, a day, a month and a year, in this order; the first of each kind
        # counts.
        if time is None and (match := _TIME.match(token)):
            time = (int(match[1]), int(match[2]), int(match[3]))
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS[token[:3].lower()]
        elif year is None and (match := _YEAR.match(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    return _seconds(_full_year(year), month, day, *time)


def _full_year(year: int) -> int:
    if 70 <= year <= 99:
        return year + 1900
    return year + 2000 if year <= 69 else year


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:  # 31 February
        return None
    return days * 86_400 + hour * 3600 + minute * 60 + second
