"""Tables on standard output: drawn on a terminal, columns of plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import click

from crawlkit.cli.terminal import console, is_terminal


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()) -> None:
    """Print `rows`, texts that are safe to print, under `columns`; those named in `right` are numbers, to the right."""
    if is_terminal(sys.stdout):
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console(stderr=False).print(table, soft_wrap=False)
        return
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    for row in (columns, *rows):
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())
