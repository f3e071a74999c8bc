"""Patterns: regular expressions applied to what was selected, as Scrapy's `re()` does.

What belongs here: which parts of the matches count, and character references in them. What does not: selecting.
"""

from __future__ import annotations

import re

from crawlkit.html.entities import unescaped

# All but &lt; and &amp;, as Scrapy has it.
_REFERENCE = re.compile(r"&(?!(?:lt|amp);)(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")


def matches(regex: str | re.Pattern[str], text: str, replace_entities: bool = True) -> list[str]:
    """The groups of all matches, flat, or the whole matches where there is no group.

    A group named `extract` is taken alone, of the first match only. Character references in the results are replaced,
    but for `&lt;` and `&amp;`, unless `replace_entities` is off.
    """
    pattern = re.compile(regex) if isinstance(regex, str) else regex
    found: list[str] = []
    if "extract" in pattern.groupindex:
        match = pattern.search(text)
        if match is not None and match["extract"] is not None:
            found.append(match["extract"])
    else:
        for each in pattern.findall(text):
            found.extend([each] if isinstance(each, str) else each)
    if not replace_entities:
        return found
    return [_REFERENCE.sub(lambda reference: unescaped(reference[0]), each) for each in found]
