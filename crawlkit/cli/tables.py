"""Tables on standard output: drawn on a terminal, columns of plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import click

from crawlkit.cli.terminal import console, is_terminal


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    below: str | None = None,
    spare: Sequence[str] = (),
) -> None:
    """Print `rows`, texts that are safe to print, under `columns`; those named in `right` are numbers, to the right.

    Where a terminal is too narrow for all of them, `below`, the last column, goes under the table, each text of it with
    its row's first cell; then those in `spare` are left out, one after the other, while it is too wide still.
    """
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    if is_terminal(sys.stdout):
        _draw(columns, rows, widths, right, below, spare)
        return
    for row in (columns, *rows):
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _draw(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    right: Collection[str],
    below: str | None,
    spare: Sequence[str],
) -> None:
    from rich.table import Table
    from rich.text import Text

    screen = console(stderr=False)
    shown = dict(zip(columns, widths, strict=True))
    for name in (below, *spare):
        if name is not None and sum(shown.values()) + 2 * len(shown) - 2 > screen.width:
            del shown[name]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in shown:
        table.add_column(column, justify="right" if column in right else "left")
    for row in rows:
        table.add_row(*(Text(cell) for column, cell in zip(columns, row, strict=True) if column in shown))
    screen.print(table, soft_wrap=False)
    for row in rows if below is not None and below not in shown else ():
        if row[-1]:
            screen.print(Text(f"{columns[0]} {row[0]}: {row[-1]}"), soft_wrap=False)
