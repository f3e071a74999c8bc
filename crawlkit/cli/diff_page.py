"""The page that `crawlkit diff --html` writes: what is new, changed and gone, for a person to read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawlkit.cli.diff import excerpts, label, text_of
from crawlkit.cli.markup import document, escaped, link, section

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawlkit.store.changes import Change
    from crawlkit.store.comparison import Comparison

_SHOWN = 2_000  # items of a kind
_LONG = 600  # characters of a value


def page_of(found: Comparison) -> str:
    """The whole page."""
    changes = found.changes
    counts = (("New", changes.added), ("Changed", changes.changed), ("Gone", changes.gone))
    facts = "".join(f"<div><dt>{name}</dt><dd>{len(each):,}</dd></div>" for name, each in counts)
    body = (
        f"<h1>What changed: {escaped(found.spider)}</h1>"
        f'<p class="lead">From run {found.earlier.last} of {_time(found.earlier.ended)}'
        f" to run {found.later.last} of {_time(found.later.ended)}</p>"
        f'<dl class="facts">{facts}</dl>'
    )
    if not changes:
        body += section("Nothing changed", "<p>Every item is as it was.</p>")
    body += section("Changed", _items(changes.changed, _pairs))
    body += section("New", _items(changes.added, lambda change: _values(change, "ins")))
    body += section("Gone", _items(changes.gone, lambda change: _values(change, "del")))
    return document(f"What changed: {found.spider}", body)


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"


def _items(changes: list[Change], told: Callable[[Change], str]) -> str:
    items = [
        f'<div class="item"><h3>{escaped(_short(label(change)))}</h3>'
        f'<div class="of">{escaped(change.table)} · {link(change.page)}</div><dl>{told(change)}</dl></div>'
        for change in changes[:_SHOWN]
    ]
    if len(changes) > _SHOWN:
        items.append(f'<p class="note">and {len(changes) - _SHOWN:,} more; --json has them all</p>')
    return "".join(items)


def _pairs(change: Change) -> str:
    return "".join(
        _pair(column, *excerpts(text_of(old), text_of(new), _LONG)) for column, (old, new) in change.columns.items()
    )


def _pair(column: str, old: str, new: str) -> str:
    return f"<dt>{escaped(column)}</dt><dd><del>{escaped(old)}</del> → <ins>{escaped(new)}</ins></dd>"


def _values(change: Change, tag: str) -> str:
    return "".join(
        f"<dt>{escaped(column)}</dt><dd><{tag}>{_value(value)}</{tag}></dd>"
        for column, value in change.row.items()
        if value not in (None, "")
    )


def _value(value: Any) -> str:
    return escaped(_short(text_of(value)))


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
