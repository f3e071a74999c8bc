"""Markup: the HTML pages that crawlkit writes: one file each, nothing from elsewhere, nothing that runs.

What belongs here: escaping, the frame of a page, its policy and style. What does not: what a page says.

Everything that came from a site is text and goes through `escaped`. The policy allows one style sheet, by its hash, and
nothing else: no script, no image, no font, no form, no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable

from crawlkit.cli.secrecy import redact
from crawlkit.cli.style_sheet import STYLE
from crawlkit.cli.terminal import safe
from crawlkit.url import has_scheme
from crawlkit.version import VERSION

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"

_SHOWN = 90  # characters of an address


def escaped(text: object) -> str:
    """Text as HTML, control characters spelled out."""
    return html.escape(safe(str(text)), quote=True)


def link(url: str) -> str:
    """An address to follow, when it is one of the web; its middle is left out when it is long.

    One with a secret in it is shown without, and leads nowhere: a page may be mailed to who must not log in.
    """
    clean = redact(url)
    shown = clean if len(clean) <= _SHOWN else f"{clean[: _SHOWN - 30]}…{clean[-29:]}"
    if clean != url or not has_scheme(url):
        return escaped(shown)
    return f'<a href="{escaped(url)}" rel="noreferrer noopener" title="{escaped(url)}">{escaped(shown)}</a>'


def table(columns: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: Iterable[int] = ()) -> str:
    """A table of cells that are HTML already, in a box that scrolls by itself; `numbers` are columns set to the right."""
    right = frozenset(numbers)

    def cell(tag: str, index: int, text: str) -> str:
        kind = ' class="number"' if index in right else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{kind}{scope}>{text}</{tag}>"

    head = "".join(cell("th", index, escaped(column)) for index, column in enumerate(columns))
    body = "".join(
        "<tr>" + "".join(cell("td", index, text) for index, text in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def section(title: str, body: str, *, note: str = "") -> str:
    """A part of a page; nothing when its body is empty."""
    if not body:
        return ""
    told = f'<p class="note">{note}</p>' if note else ""
    return f"<section><h2>{escaped(title)}</h2>{told}{body}</section>"


def document(title: str, body: str) -> str:
    """The whole page; `body` is HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main><footer>Written by crawlkit {escaped(VERSION)}.</footer></body></html>\n"
    )
