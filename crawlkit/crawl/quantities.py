"""Durations and sizes as people write them: "1h30m", "64MiB". Reading and writing them, and nothing else.

Values are seconds (float) and bytes (int). A plain number is taken as it is.
"""

from __future__ import annotations

import math
import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "k": 1024,
    "m": 1024**2,
    "g": 1024**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def parse_duration(value: object) -> float:
    """Seconds of 30, 0.5, "30", "30s", "5m", "1h30m", "2d" or "500ms".

    ValueError for anything else, or below 0.
    """
    if isinstance(value, str):
        seconds = _parse_duration_text(value.strip().lower())
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise ValueError("not a duration")
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("a duration is finite and not below 0")
    return seconds


def _parse_duration_text(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    seconds, end, units = 0.0, 0, list[str]()
    for part in _PART.finditer(text):
        if part.start() != end or part[2] not in _SECONDS or part[2] in units:
            raise ValueError("not a duration")
        seconds += float(part[1]) * _SECONDS[part[2]]
        units.append(part[2])
        end = part.end()
    if not units or end != len(text):
        raise ValueError("not a duration")
    return seconds


def parse_size(value: object) -> int:
    """Bytes of 1048576, "1048576", "64MiB", "64MB" or "1.5 GiB". ValueError for anything else, or below 0."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("not a size")
    if isinstance(value, int):
        if value < 0:
            raise ValueError("a size is not below 0")
        return value
    text = value.strip().lower()
    if re.fullmatch(r"\d+", text):
        return int(text)
    part = _PART.fullmatch(text)
    if part is None or part[2] not in _BYTES:
        raise ValueError("not a size")
    return int(float(part[1]) * _BYTES[part[2]])


def duration_text(seconds: float) -> str:
    """Seconds for a person: "0.9 s", "42 s", "3 min 20 s", "2 h 05 min", "1 d 3 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def span_text(seconds: float) -> str:
    """Seconds for a person who wants to know about how long: "40 seconds", "3 hours", "12 days", "2 years"."""
    for unit, size in (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:  # of one, the smaller unit tells more: 36 hours
            return f"{round(seconds / size)} {unit}s"
    whole = max(round(seconds), 0)
    return f"{whole} second{'' if whole == 1 else 's'}"


def size_text(size: int) -> str:
    """Bytes for a person, in binary units: "812 B", "48.3 MiB"."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} TiB"
