"""Safety: whether markup can be parsed in reasonable time, for most pages at the price of counting characters.

What belongs here: proofs that are cheap and suffice for nearly all pages, as below. What does not: the exact measure
(nesting.py), which is taken of the others. A 95 KB page costs 0.15 ms, a quarter of its parsing.

Depth. No document nests deeper than it has start tags. Beyond that many, the balance of start and end tags is followed
through blocks of 4 KB, whatever their names. End tags that close nothing can cheat that balance; up to `_CHEATED_TAGS`
start tags nothing is lost then but 0.4 s, and above it each end tag must match the start tag before it (matching.py);
where one does not, the exact measure is taken.

Attributes. lexbor compares each attribute of a tag with all before it. A tag of n attributes has 2 n characters, so
where ">" comes oftener than that there is none, unless it stands in quotes: such values are counted by taking out all
but quotes, "=" and brackets and then all values that hold none of these.
"""

from __future__ import annotations

import re

from crawlkit.html.matching import tags_match
from crawlkit.html.nesting import check_nesting
from crawlkit.html.tags import ATTRIBUTE, FORMATTING

_BLOCK_BYTES = 4096
_FEW_TAGS = 2000
_CHEATED_TAGS = 20_000

_MAX_REPEATED = 4_000_000  # elements, by the worst that so many formatting tags can do

_SMALL_BYTES = 32_768  # 8,000 attributes fit in: 70 ms
_FEW_VALUES = 16  # so many values with a ">" can hide 16 times `max_attributes`

_NOT_IN_SKELETON = bytes(set(range(256)) - set(b"<>\"'="))
_OPEN_VALUE = re.compile(rb"=\"[^\"<>]*+[<>]|='[^'<>]*+[<>]")
_BRACKET_IN_VALUE = re.compile(rb"=[\t\n\f\r ]*+(?:\"[^\"<>]*+|'[^'<>]*+)[<>]")
_START = re.compile(rb"<[a-zA-Z]")
_FORMATTING_START = re.compile(
    rb"<[bcefinstuBCEFINSTU][a-zA-Z]{0,5}+[\t\n\f\r /](?:[\t\n\f\r /]++|" + ATTRIBUTE.pattern + rb")*+"
)


def check_structure(markup: bytes, *, max_depth: int, max_attributes: int) -> None:
    """Raises TooDeep or TooManyAttributes when the parser would have to nest deeper, or compare more, than the caps."""
    if not (_nests_flat(markup, max_depth) and _tags_are_short(markup, max_attributes)):
        check_nesting(markup, max_depth=max_depth, max_attributes=max_attributes)


def _nests_flat(markup: bytes, max_depth: int) -> bool:
    count = markup.count
    few = min(max_depth, _FEW_TAGS)
    tags = count(b"<")
    if tags <= few or tags - count(b"</") <= few:
        return True
    total = depth = deepest = 0
    for begin in range(0, len(markup), _BLOCK_BYTES):
        end = begin + _BLOCK_BYTES
        ends = count(b"</", begin, end + 1)
        starts = count(b"<", begin, end) - ends
        total += starts
        deepest = max(deepest, depth + starts)
        depth = max(0, depth + starts - ends)
    if deepest > max_depth:
        return False
    if total > _CHEATED_TAGS:
        return tags_match(markup)
    # Of formatting elements with the same attributes, no more than three are ever opened again.
    different = len(FORMATTING)
    for tag in set(_FORMATTING_START.findall(markup)):
        different += tag[1:].split(None, 1)[0].split(b"/", 1)[0].lower() in FORMATTING
    return total * 3 * different <= _MAX_REPEATED


def _tags_are_short(markup: bytes, max_attributes: int) -> bool:
    longest = 2 * max_attributes
    if not _comes_often(markup, b">", longest) and _has_long_tag(markup, longest):
        return False
    if len(markup) <= _SMALL_BYTES:
        return True
    skeleton = markup.translate(None, _NOT_IN_SKELETON).replace(b'=""', b"")
    if len(_OPEN_VALUE.findall(skeleton)) < _FEW_VALUES:
        return True
    return len(_BRACKET_IN_VALUE.findall(markup)) < _FEW_VALUES


def _has_long_tag(markup: bytes, longest: int) -> bool:
    """Whether more than `longest` bytes without a ">" follow what may be the beginning of a tag."""
    for piece in markup.split(b">"):
        if len(piece) > longest and (start := _START.search(piece)) and len(piece) - start.start() > longest:
            return True
    return False


def _comes_often(markup: bytes, mark: bytes, distance: int) -> bool:
    """Whether no stretch of `distance` bytes is without `mark`. Looks at one place in each."""
    find = markup.rfind
    at, size = 0, len(markup)
    while at + distance < size:
        found = find(mark, at, at + distance)
        if found < 0:
            return False
        at = found + 1
    return True
