"""Tags: where they begin and end in markup, and what the parser does with which of them.

What belongs here: the HTML standard's tokens as a regular expression, and its lists of elements. What does not:
following how elements nest (nesting.py). The expressions read comments, raw text and quoted values as the standard
does, so that what only looks like a tag is not taken for one; they never go back, and so take linear time.
"""

from __future__ import annotations

import re

_ATTRIBUTE = (
    rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r \"'>][^\t\n\f\r >]*+)?+)?+"
)

ATTRIBUTE = re.compile(_ATTRIBUTE)

# Group 1: the name, with its "/" when it is an end tag; 2: the attributes; 3: the beginning of a CDATA section.
TAG = re.compile(
    rb"<(?:(/?[a-zA-Z][^\t\n\f\r />]*+)((?:[\t\n\f\r /]++|" + _ATTRIBUTE + rb")*+)>?+"
    rb"|(!\[[Cc][Dd][Aa][Tt][Aa]\[)"
    rb"|!--(?:-?+>|.*?(?:--!?+>|\Z))"
    rb"|[!?/][^>]*+>?+)",
    re.DOTALL,
)

_RAW_END = {
    name: re.compile(rb"</" + name + rb"[\t\n\f\r />]|\Z", re.IGNORECASE)
    for name in b"style textarea title xmp iframe noembed noframes".split()
}
_SCRIPT_STEP = re.compile(rb"<!--|-->|</?script[\t\n\f\r />]|\Z", re.IGNORECASE)

RAW_TEXT = frozenset((*_RAW_END, b"script"))


def cdata_end(markup: bytes, start: int) -> int:
    """Where the CDATA section whose content begins at `start` ends."""
    found = markup.find(b"]]>", start)
    return found if found >= 0 else len(markup)


def raw_text_end(markup: bytes, name: bytes, start: int) -> int:
    """Where the raw text of the element `name` that begins at `start` ends: at its end tag, or with the markup."""
    if name != b"script":
        match = _RAW_END[name].search(markup, start)
        return len(markup) if match is None else match.start()
    # Within "<!--" a script may hold "<script>…</script>" (HTML standard, 13.2.5.20 "script data escaped" and on).
    escaped = doubled = False
    while True:
        match = _SCRIPT_STEP.search(markup, start)
        if match is None or not match[0]:
            return len(markup)
        step = match[0].lower()
        start = match.end()
        if step == b"<!--":
            escaped = True
            start -= 2  # "<!-->" closes itself
        elif step == b"-->":
            escaped = doubled = False
        elif step.startswith(b"</"):
            if not doubled:
                return match.start()
            doubled = False
        elif escaped:
            doubled = True


# --- lists of elements (HTML standard, 13.1.2, 13.2.4.2, 13.2.6.4.7, 13.2.6.5) ----------------------------------------

VOID = frozenset(
    b"area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split()
)
FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
IGNORED = frozenset(b"html head body frameset frame".split())  # they open once, or not at all
FOREIGN = frozenset((b"svg", b"math"))
IMPLIED_END = frozenset(b"dd dt li optgroup option p rb rp rt rtc".split())

_HEADINGS = b"h1 h2 h3 h4 h5 h6".split()
HEADINGS = frozenset(_HEADINGS)
_BLOCKS = (
    b"address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header "
    b"hgroup listing main menu nav ol pre search section summary ul"
).split()

# Start tags that close an open <p>. A <table> does not in quirks mode, and so not here.
CLOSES_P = frozenset((*_BLOCKS, *_HEADINGS, *b"p form hr xmp plaintext li dd dt".split()))

# Start tags of HTML that end an <svg> or <math> they stand in.
BREAKS_OUT = frozenset(
    (
        *b"b big blockquote body br center code dd div dl dt em embed head hr i img li listing menu meta nobr ol p "
        b"pre ruby s small span strong strike sub sup table tt u ul var font".split(),
        *_HEADINGS,
    )
)

# Elements of <svg> and <math> in which HTML goes on.
INTEGRATES = frozenset(b"foreignobject desc title annotation-xml mi mo mn ms mtext".split())

_SCOPE = frozenset(
    (*b"applet caption table td th marquee object template select svg math".split(), *INTEGRATES - {b"title"})
)

# Behind which open element an end tag (or an implied one) no longer looks for its own.
BARRIERS = {
    "scope": _SCOPE,
    "button": _SCOPE | {b"button"},
    "list": _SCOPE | {b"ol", b"ul"},
    "table": frozenset((b"table", b"template", b"svg", b"math")),
    "marker": frozenset(b"applet caption marquee object td template th svg math".split()),
    "special": _SCOPE
    | VOID
    | frozenset((*_BLOCKS, *_HEADINGS, *RAW_TEXT))
    | frozenset(b"p li dd dt button form colgroup tbody tfoot thead tr noscript plaintext".split()),
}
BARRIERS["item"] = BARRIERS["special"] - {b"address", b"div", b"p"}

# Which barrier the end tag of an element stops at; "special" where nothing is said.
STOPS_AT = {
    **dict.fromkeys((*_BLOCKS, *_HEADINGS, *FORMATTING), "scope"),
    **dict.fromkeys(b"button form applet marquee object dd dt select".split(), "scope"),
    b"p": "button",
    b"li": "list",
    **dict.fromkeys(b"table caption colgroup tbody tfoot thead tr td th".split(), "table"),
}
