"""Entities: character references undone, as the HTML standard has it, in text of any origin.

What belongs here: the one function. What does not: references within a URL or a secret (sessions/secretforms.py).
"""

from __future__ import annotations

import html
import re

#: Python refuses to read numbers of thousands of digits, and there are no characters beyond a million.
_LONG_NUMBER = re.compile("&#([0-9]{9,})")


def unescaped(text: str) -> str:
    """`text` without its character references (HTML standard, 13.2.5.72 and on). Never raises. Any thread."""
    if "&#" in text:
        text = _LONG_NUMBER.sub(_short_number, text)
    return html.unescape(text)


def _short_number(match: re.Match[str]) -> str:
    digits = match[1].lstrip("0")
    return f"&#{digits or 0}" if len(digits) < 9 else "&#x110000"  # U+FFFD, as the standard says
