"""Matching: documents in which every end tag closes the element that was opened last.

What belongs here: the proof, in a fifth of the time of the exact measure (nesting.py), that a large and tidy document
nests as deep as its tags balance. What does not: documents that leave anything open, or hold what could be taken for
tags. Of those it says that it does not know.
"""

from __future__ import annotations

import re

from crawlkit.html.tags import FOREIGN, RAW_TEXT, VOID

_CHUNK_BYTES = 65_536
_MAX_STEPS = 4_000_000  # depth times tags; no more formatting than that can be opened again

_RAW = b"|".join(sorted(RAW_TEXT))
_UNCLEAR = re.compile(
    rb"=[\t\n\f\r ]*+(?:\"[^\"<>]*+|'[^'<>]*+)[<>]"  # a bracket in a value
    rb"|<(?:!--(?:-?>|(?:(?!-->)[^<])*+<)|!\[|(?:" + b"|".join(FOREIGN) + rb"|plaintext|template)[\t\n\f\r />]"
    rb"|(" + _RAW + rb")(?=[\t\n\f\r />])[^<>]*+(?!>[^<]*+</\1>))",
    re.IGNORECASE,
)
# An icon. Whatever of these is open in it, "</svg>" closes it.
_ICON = re.compile(
    rb"<svg(?:\s[^<>]*+)?>\s*+"
    rb"(?:</?(?:path|circle|ellipse|line|polygon|polyline|rect|use|g)(?:[\s/][^<>]*+)?>\s*+)*+</svg>",
    re.IGNORECASE,
)
_NAME = re.compile(rb"<(/?[a-zA-Z][^\t\n\f\r />]*+)")


def tags_match(markup: bytes) -> bool:
    """Whether all end tags match, so that they balance the start tags. False also where that is not clear."""
    markup = _ICON.sub(b"", markup)
    if _UNCLEAR.search(markup):
        return False
    stack = [b""]
    steps = begin = 0
    while begin < len(markup):
        end = begin + _CHUNK_BYTES
        end = markup.find(b"<", end) if end < len(markup) else len(markup)
        end = end if end >= 0 else len(markup)
        for name in _NAME.findall(markup, begin, end):
            if name[0] == 47:  # "/"
                if stack[-1] != name[1:]:
                    return False
                stack.pop()
            elif name not in VOID:
                stack.append(name)
                steps += len(stack)
        if steps > _MAX_STEPS:
            return False
        begin = end
    return True
