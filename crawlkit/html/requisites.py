"""Requisites: what a document needs to look and work as it does, and where its links lead, as the document writes it.

What belongs here: which attributes of which elements hold an address (HTML standard, SVG 2, and the attributes from which
the scripts of many sites take it later), srcset, SVG documents. What does not: CSS (stylesheets.py), feeds (feeds.py),
manifests (manifests.py), modules (modules.py), joining addresses to the document's own, and what of it may be fetched.
Functions are pure and may be called from any thread; a tree belongs to one thread at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ahocorasick_rs import BytesAhoCorasick, Implementation
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlkit.exceptions import UnsafeMarkup
from crawlkit.html import document
from crawlkit.html.manifests import requisites_of_import_map
from crawlkit.html.references import Kind, Reference, address, reference
from crawlkit.html.stylesheets import references_of_css

_BACKGROUND: tuple[tuple[str, Kind], ...] = (("background", "image"),)
#: Element → the attributes that hold an address, and what is there.
_ATTRIBUTES: Mapping[str, tuple[tuple[str, Kind], ...]] = {
    "img": (("src", "image"), ("lowsrc", "image"), ("dynsrc", "media")),
    "source": (("src", "media"),),
    "video": (("src", "media"), ("poster", "image")),
    "audio": (("src", "media"),),
    "track": (("src", "track"),),
    "script": (("src", "script"), ("href", "script"), ("xlink:href", "script")),
    "iframe": (("src", "frame"),),
    "frame": (("src", "frame"),),
    "embed": (("src", "object"),),
    "object": (("data", "object"),),
    "input": (("src", "image"),),
    "image": (("href", "image"), ("xlink:href", "image")),
    "feimage": (("href", "image"), ("xlink:href", "image")),
    "use": (("href", "image"), ("xlink:href", "image")),
    "bgsound": (("src", "media"),),
    "model-viewer": (("src", "object"), ("poster", "image")),
    "amp-img": (("src", "image"),),
    **dict.fromkeys(("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"), _BACKGROUND),
}
#: From these, scripts take the address of a picture when it comes into view; any element may have them.
_LAZY_IMAGES = (
    "data-src data-original data-lazy-src data-lazy data-original-src data-hi-res-src data-image data-img-src "
    "data-bg data-background data-background-image data-bg-src data-poster data-large_image data-full data-thumb "
    "data-img-url data-url-image data-src-retina data-retina data-fallback-src data-iesrc"
)
_LAZY: Mapping[str, Kind] = {
    **dict.fromkeys(_LAZY_IMAGES.split(), "image"),
    "data-video-src": "media",
    "data-audio-src": "media",
}
_SRCSETS = ("srcset", "imagesrcset", "data-srcset", "data-lazy-srcset", "data-original-set", "data-bgset")
#: `rel` of a <link> → what is there. What is not here is a link like any other, or nothing that is fetched.
_RELATIONS: Mapping[str, Kind] = {
    "stylesheet": "stylesheet",
    "icon": "icon",
    "apple-touch-icon": "icon",
    "apple-touch-icon-precomposed": "icon",
    "apple-touch-startup-image": "image",
    "mask-icon": "icon",
    "fluid-icon": "icon",
    "image_src": "image",
    "manifest": "manifest",
    "modulepreload": "script",
    "preload": "data",
    "prefetch": "data",
    "search": "data",  # only if _OPENSEARCH is its type: otherwise it is the page where one searches, a link (Sphinx)
}
_OPENSEARCH = "application/opensearchdescription+xml"
#: `as` of a preload or prefetch → what is there.
_PRELOADED: Mapping[str, Kind] = {
    "style": "stylesheet",
    "script": "script",
    "worker": "script",
    "font": "font",
    "image": "image",
    "audio": "media",
    "video": "media",
    "track": "track",
    "document": "frame",
    "object": "object",
    "embed": "object",
}
#: `rel` of a <link> that opens a connection, or names somebody who is to be told something.
_NOT_FETCHED_NAMES = (
    "preconnect dns-prefetch pingback webmention edituri wlwmanifest me profile openid.server openid.delegate "
    "openid2.provider openid2.local_id schema.dc schema.dcterms"
)
_NOT_FETCHED = frozenset(_NOT_FETCHED_NAMES.split())
_ELEMENTS = (*(name for name, given in _ATTRIBUTES.items() if given != _BACKGROUND), "link", "style", "param")
#: Attributes that any element may have, but for those that begin with `data-` → how it is seen that a document has one.
_ANYWHERE = {name: re.compile(rf"{name}\s*+=".encode()) for name in ("style", "srcset", "background")}
_DATA = frozenset((*_LAZY, *_SRCSETS[2:]))
_DATA_NAME = re.compile(rb"data-[a-z_-]++(?=\s*+=)")
#: What must stand in a document that has any of it.
_MARKS = (*(f"<{name}" for name in _ELEMENTS), *_ANYWHERE, "data-")
_FINDER = BytesAhoCorasick([mark.encode() for mark in _MARKS], implementation=Implementation.DFA)
_LINKS = "a, area, link, meta[http-equiv]"

# HTML standard, 2.4 "parse a srcset attribute": an address, then what describes it, up to a comma outside of brackets.
_CANDIDATE = re.compile(r"[\s,]*+([^\s]++)([^,(]*+(?:\([^)]*+\)?[^,(]*+)*+)")
# HTML standard, 4.2.5.3, step 11 and on of "shared declarative refresh steps".
_REFRESH = re.compile(r"\s*+[\d.]*+[\s;,]*+(?:url\s*+=\s*+)?+(?:\"([^\"]*+)|'([^']*+)|(.*))", re.IGNORECASE | re.DOTALL)
_STYLE_INSTRUCTION = re.compile(r"<\?xml-stylesheet\s[^>]*?\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_DEEPEST = 5  # documents within srcdoc and template


def requisites_of(tree: LexborHTMLParser | LexborNode, markup: bytes | None = None) -> Iterator[Reference]:
    """What the document refers to for its own sake, each address once, in its order. Never raises.

    Of a `<template>` and a `srcdoc` as well. Scripts are not run: what they fetch is not among it. With the `markup` that
    the tree was made of, it is not searched for what does not stand in it, which takes a quarter of the time.
    """
    seen: set[tuple[str, str]] = set()
    plain = markup is not None and b"\0" not in markup  # every other byte of UTF-16 is one
    for found in _of_tree(tree, 0, markup.lower() if markup is not None and plain else None):
        if found not in seen:
            seen.add(found)
            yield found


def _of_tree(tree: LexborHTMLParser | LexborNode, depth: int, lowered: bytes | None = None) -> Iterator[Reference]:
    selectors = _selectors(lowered)
    for node in tree.css(selectors) if selectors else ():
        yield from _of_element(node, (node.tag or "").lower(), node.attributes, depth)
    if depth < _DEEPEST and (lowered is None or b"<template" in lowered):
        for node in tree.css("template"):  # its content is a document of its own, which selectors do not see
            markup = (node.html or "").partition(">")[2].rpartition("</template")[0]
            yield from _of_markup(markup, depth)


def _selectors(lowered: bytes | None) -> str:
    """What to look for: each selector costs a walk through the whole tree, and most documents have few of them."""
    if lowered is None:
        return ", ".join([*_ELEMENTS, *(f"[{name}]" for name in (*_ANYWHERE, *_DATA))])
    marks = {_MARKS[which] for which, _, _ in _FINDER.find_matches_as_indexes(lowered, overlapping=True)}
    elements = sorted(name for name in _ELEMENTS if f"<{name}" in marks)
    attributes = {name for name, written in _ANYWHERE.items() if name in marks and written.search(lowered)}
    if "data-" in marks:
        attributes |= _DATA.intersection(name.decode() for name in _DATA_NAME.findall(lowered))
    return ", ".join([*elements, *(f"[{name}]" for name in sorted(attributes))])


def _of_markup(markup: str, depth: int) -> Iterator[Reference]:
    try:
        tree = document.parse(markup)
    except UnsafeMarkup:
        return  # it was within the caps as a part of the whole; what is built to be deep has no requisites worth it
    yield from _of_tree(tree, depth + 1)


def _of_element(node: LexborNode, tag: str, given: Mapping[str, str | None], depth: int) -> Iterator[Reference]:
    for name, kind in _ATTRIBUTES.get(tag, ()):
        if name in given and not (tag == "input" and (given.get("type") or "").strip().lower() != "image"):
            yield from reference(given[name], "image" if tag == "source" and _in_picture(node) else kind)
    if tag == "link":
        yield from _of_link(given)
    elif tag == "style":
        yield from references_of_css(node.text())
    elif tag == "script":
        yield from _of_script(node, given)
    elif tag == "param" and (given.get("name") or "").strip().lower() in ("movie", "src", "data", "filename"):
        yield from reference(given.get("value"), "object")
    elif tag == "iframe" and given.get("srcdoc") and depth < _DEEPEST:
        yield from _of_markup(given["srcdoc"] or "", depth)
    for name, value in given.items():
        if name == "style":
            yield from references_of_css(value or "")
        elif name in _SRCSETS:
            yield from (Reference(url, "image") for url in candidates(value or ""))
        elif name in _LAZY:
            yield from _of_lazy(value or "", _lazy_kind(tag, name))


def _lazy_kind(tag: str, name: str) -> Kind:
    """An iframe that is loaded later is a frame, a video a video."""
    own = dict(_ATTRIBUTES.get(tag, ())).get("src")
    return own if name in ("data-src", "data-lazy-src", "data-lazy") and own is not None else _LAZY[name]


def _of_lazy(value: str, kind: Kind) -> Iterator[Reference]:
    """Scripts write what they like there: CSS, JSON, a word. What looks like an address is one."""
    text = value.strip()
    if text[:4].lower() == "url(":
        yield from references_of_css(text)
    elif re.search(r"[\s<>{}\[\]\"]", text) is None and re.search(r"[/.]", text) is not None:
        yield from reference(text, kind)


def _in_picture(node: LexborNode) -> bool:
    return node.parent is not None and node.parent.tag == "picture"


def _of_link(given: Mapping[str, str | None]) -> Iterator[Reference]:
    relations = _relations(given)
    kinds = [_RELATIONS[relation] for relation in relations if relation in _RELATIONS]
    if not kinds:
        return
    kind = kinds[0]
    if kind == "data" and ("preload" in relations or "prefetch" in relations):
        kind = _PRELOADED.get((given.get("as") or "").strip().lower(), "data")
    yield from reference(given.get("href"), kind)


def _relations(given: Mapping[str, str | None]) -> list[str]:
    """The words of a <link>'s `rel` that say what is there."""
    relations = (given.get("rel") or "").lower().split()
    described = (given.get("type") or "").partition(";")[0].strip().lower() == _OPENSEARCH
    return [relation for relation in relations if relation != "search" or described]


def _of_script(node: LexborNode, given: Mapping[str, str | None]) -> Iterator[Reference]:
    """An import map says where modules are (HTML standard, 8.1.6.2)."""
    if (given.get("type") or "").strip().lower() == "importmap":
        yield from requisites_of_import_map(node.text())


def candidates(srcset: str) -> Iterator[str]:
    """The addresses of a `srcset`: `a.png, b.png 2x` (HTML standard, 2.4)."""
    at = 0
    while match := _CANDIDATE.match(srcset, at):
        written = match[1]
        at = match.end()
        if written.endswith(","):
            at = match.end(1)  # no description: the next candidate begins here
        found = address(written.rstrip(","))
        if found is not None:
            yield found


# --- links ----------------------------------------


def links_of(tree: LexborHTMLParser) -> Iterator[tuple[str, LexborNode]]:
    """Where the document leads, each address once with the first element that says so: `<a>`, `<area>`, `<link>` to another
    page, and `<meta http-equiv=refresh>`. Forms lead nowhere: what they would change, nobody knows.
    """
    seen = {""}
    for node in tree.css(_LINKS):
        given = node.attributes
        tag = node.tag
        if tag == "a" or tag == "area":  # most of a usual page's links are doubles, or places on it
            written = (given.get("href") or given.get("xlink:href") or "").partition("#")[0]
            if written in seen:
                continue
            seen.add(written)
            found = address(written)
        elif tag == "link":
            relations = _relations(given)
            if any(relation in _RELATIONS or relation in _NOT_FETCHED for relation in relations):
                continue
            found = address(given.get("href"))
        else:
            found = _refresh(given)
        if found is not None:
            yield found, node


def _refresh(given: Mapping[str, str | None]) -> str | None:
    if (given.get("http-equiv") or "").strip().lower() != "refresh":
        return None
    match = _REFRESH.match(given.get("content") or "")
    return address(match[1] or match[2] or match[3]) if match else None


# --- documents that are not HTML ----------------------------------------


def requisites_of_svg(text: str) -> Iterator[Reference]:
    """What an SVG document refers to, its style sheets by `<?xml-stylesheet?>` included (xml-stylesheet, section 4)."""
    for match in _STYLE_INSTRUCTION.finditer(text):
        yield from reference(match[1] or match[2], "stylesheet")
    yield from _of_markup(text, 0)
