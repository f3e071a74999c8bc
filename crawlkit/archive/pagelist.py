"""Page list: the pages of a package, as a reader shows and searches them: address, moment, title, text.

What belongs here: a page's title and text, and its line in `pages/pages.jsonl`. What does not: which captures are
pages (indexing.py), the bytes of a capture (contents.py).

A page is read in one pass over its markup and not parsed: its text is searched and not selected from, and parsing every
page of an archive in a row takes longer, with the looks that parsing safely needs. What depends on the tree is not known
here: text that is hidden.
"""

from __future__ import annotations

import json
import re
import uuid
from functools import lru_cache
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from crawlkit.html.charset import decode
from crawlkit.html.entities import unescaped
from crawlkit.html.tags import RAW_TEXT, raw_text_end

MAX_HTML_BYTES = 10 * 1024 * 1024
"""Of a page with more, what comes later is not read."""
_IDS = uuid.UUID("0bd1f6a8-7c5e-5b0e-9d0e-6a1f0f0c6c1d")  # of pages; any constant serves

# Linear on any bytes: nothing here runs past the next "<", but for what ends the search.
_UNSEEN = re.compile(rb"<(?:(script|style|title|noscript|template)(?=[\s/>])[^<>]*>|!--)", re.IGNORECASE)
_UNSEEN_STARTS = BytesAhoCorasick(
    (b"<script", b"<style", b"<title", b"<noscript", b"<template", b"<!--"), implementation=Implementation.DFA
)
_END = {name: re.compile(rb"</" + name + rb"(?=[\s/>])", re.IGNORECASE) for name in (b"noscript", b"template")}
# What follows a tag, if it is more than white space; "<" begins one only before these characters (HTML standard,
# 13.2.5.6).
_TEXT = re.compile(rb">\s*+((?:[^<]++|<(?![a-zA-Z/!?]))++)")
#: What may be a character reference; which one it is, is entities.py's to say, once for the hundreds that a page has.
_REFERENCE = re.compile(r"(&(?:#[xX]?[0-9a-fA-F]++|[a-zA-Z][a-zA-Z0-9]{0,31}+);?)")
_SHORT = 40  # characters of a reference that is remembered
_BREAK = b"<!>"  # a comment, so that texts on either side are two


class PageText(NamedTuple):
    """What a page says: its title, "" when it has none, and the text that one sees, in one line."""

    title: str
    text: str


def header(title: str = "All pages") -> bytes:
    """The first line of a list of pages (WACZ 1.1.1, section 5.2.2)."""
    return _line({"format": "json-pages-1.0", "id": "pages", "title": title, "hasText": True})


def page_line(url: str, date: str, page: PageText) -> bytes:
    """The line of the page `url`, fetched at `date` (RFC 3339). Its id is the same whenever that capture is listed."""
    return _line(
        {
            "id": uuid.uuid5(_IDS, f"{date} {url}").hex,
            "url": url,
            "ts": date,
            "title": page.title or url,
            "text": page.text,
        }
    )


def read_page(body: bytes, content_type: str | None) -> PageText:
    """Title and text of a page, whatever its markup is like. From any thread."""
    markup = decode(body[:MAX_HTML_BYTES], content_type)[0].encode("utf-8", "replace")
    title = ""
    seen: list[bytes] = []
    at = 0
    for _, start, _ in _UNSEEN_STARTS.find_matches_as_indexes(markup.lower()):
        unseen = _UNSEEN.match(markup, start) if start >= at else None
        if unseen is None:
            continue
        seen.append(markup[at : unseen.start()])
        name = (unseen[1] or b"").lower()
        at = _end(markup, name, unseen.end())
        if name == b"title" and not title:
            title = _plain(markup[unseen.end() : at])
    seen.append(markup[at:])
    return PageText(title, _plain(b" ".join(_TEXT.findall(_BREAK + _BREAK.join(seen)))))


def _end(markup: bytes, name: bytes, start: int) -> int:
    """Where the element or the comment ends whose content begins at `start`; with the markup when nothing ends it."""
    if name in RAW_TEXT:
        return raw_text_end(markup, name, start)
    if not name:
        end = markup.find(b"-->", start - 2)  # "<!-->" closes itself
        return end + 3 if end >= 0 else len(markup)
    found = _END[name].search(markup, start)
    return found.start() if found else len(markup)


def _plain(markup: bytes) -> str:
    text = markup.decode("utf-8", "replace")
    if "&" in text:
        pieces = _REFERENCE.split(text)
        pieces[1::2] = [_short(each) if len(each) <= _SHORT else _character(each) for each in pieces[1::2]]
        text = "".join(pieces)
    return " ".join(text.split())


def _character(reference: str) -> str:
    # Halves of surrogate pairs (&#xD800;) have no UTF-8 and would spoil the file.
    return unescaped(reference).encode("utf-8", "replace").decode("utf-8")


_short = lru_cache(maxsize=4096)(_character)


def _line(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
