"""Stylesheets: what a CSS style sheet, or a piece of one, makes a browser fetch.

What belongs here: reading CSS (CSS Syntax Level 3) as far as addresses need it: comments, strings, escapes, functions,
`@import`, `@font-face`. What does not: which style sheets there are (requisites.py), their bytes (charset.py), fetching
them. The text is read once, from its beginning to its end, by one expression that never goes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlkit.html.references import Kind, Reference, address

_ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}(?:\r\n|[ \t\r\n\f])?|[^0-9a-fA-F\n\r\f])"
_NAME = rf"(?:[-\w]|[^\x00-\x7f]|{_ESCAPE})++"

# CSS Syntax Level 3, section 4.3. Groups: 1 comment, 2 string, 3 unquoted url(), 4 function, 5 at-keyword, 6 punctuation;
# names and all else are passed over.
_TOKEN = re.compile(
    r"(/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))"
    r"|(\"(?:[^\"\\\n\r\f]|\\(?:\r\n|[\s\S]))*+\"?|'(?:[^'\\\n\r\f]|\\(?:\r\n|[\s\S]))*+'?)"
    rf"|[uU][rR][lL]\([ \t\r\n\f]*+(?![\"' \t\r\n\f])((?:[^\"'()\\\s]|{_ESCAPE})*+)[ \t\r\n\f]*+(?:\)|\Z)"
    rf"|({_NAME})\("
    rf"|@({_NAME})"
    rf"|([(){{}};])"
    rf"|{_NAME}"
    r"|[^/\"'@(){};\-\w\\\x80-\U0010ffff]++"
    r"|[\s\S]",
)
_ESCAPED = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?|(\r\n|[\n\r\f])|([\s\S]))")

#: Functions whose text is an address: css-values-4, 4.5; css-images-4, 2.1 and 2.5.
_OF_ADDRESSES = frozenset(("url", "src", "image", "image-set", "-webkit-image-set", "cross-fade", "-webkit-cross-fade"))
#: At-rules whose addresses name something and fetch nothing.
_OF_NAMES = frozenset(("namespace", "document", "-moz-document", "charset"))
#: What any address is written with. Most pieces of CSS have none of it.
_MAY_HAVE_SOME = re.compile(r"url|src\(|image|@import|cross-fade|\\", re.IGNORECASE)


def references_of_css(css: str) -> Iterator[Reference]:
    """What the style sheet, or the value of a `style` attribute, refers to, in its order: `@import` as "stylesheet", what
    is in an `@font-face` as "font", all else as "image".

    Never raises. What CSS takes for an error here and there is read as leniently as it comes.
    """
    if _MAY_HAVE_SOME.search(css) is None:
        return
    functions: list[str] = []
    rule = ""  # the at-rule whose prelude is being read
    blocks: list[bool] = []  # of each open block, whether it is an @font-face
    for token in _TOKEN.finditer(css):
        kind = token.lastindex
        if kind is None or kind == 1:
            continue
        written = token[kind]
        if kind in (2, 3):
            if kind == 2 and not (
                (functions and functions[-1] in _OF_ADDRESSES) or (rule == "import" and not functions)
            ):
                continue
            found = address(_unescaped(written if kind == 3 else written.strip(written[0])))
            if found is not None and rule not in _OF_NAMES and rule != "imported":
                yield Reference(found, _kind(rule, blocks))
            if rule == "import":
                rule = "imported"  # layer(), supports() and media queries may follow
        elif kind == 4:
            functions.append(_unescaped(written).lower())
        elif kind == 5:
            rule = _unescaped(written).lower()
        elif written == "(":
            functions.append("")
        elif written == ")":
            if functions:
                functions.pop()
        else:
            functions.clear()  # a block or a declaration ends whatever was left open in it
            if written == "{":
                blocks.append(rule == "font-face")
            elif written == "}" and blocks:
                blocks.pop()
            rule = ""


def _kind(rule: str, blocks: list[bool]) -> Kind:
    if rule == "import":
        return "stylesheet"
    return "font" if blocks and blocks[-1] else "image"


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    code, line_end, character = match.groups()
    if code is None:
        return "" if line_end else str(character)
    point = int(code, 16)
    return chr(point) if 0 < point < 0x110000 and not 0xD800 <= point < 0xE000 else "�"
