"""`crawlkit export`: the items of a spider as a file, or on standard output."""

from __future__ import annotations

from pathlib import Path

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import database_option, debug_option, json_option
from crawlkit.cli.outputs import FORMATS, Output, shown, taken_files
from crawlkit.cli.reading import find_database
from crawlkit.crawl.settings import resolve_settings
from crawlkit.crawl.settings_file import find_config


@click.command("export")
@click.argument("name", required=False)
@database_option
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; standard output without it."
)
@click.option("--table", metavar="TABLE", help="Only this table.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="The format, whatever the suffix of FILE.")
@click.option(
    "--since", type=click.IntRange(min=1), metavar="RUN", help="Only rows new or changed since the end of RUN."
)
@json_option
@debug_option
def command(
    name: str | None,
    database: Path | None,
    output: Path | None,
    table: str | None,
    form: str | None,
    since: int | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Write the items of the spider NAME to FILE: all of its tables as they are now, as JSON Lines, JSON, CSV or, when FILE
    ends in .db, another SQLite database.

    Several tables become FILE.TABLE.csv and so on. Without -o, one table goes to standard output as JSON Lines.
    """
    source = find_database(name, database)
    if output is None or str(output) == "-":
        written = Output(Path("-"), form or "jsonl").write(source, table, since)
    else:
        target = Output.of(output, form)
        target.check(_taken(source))
        written = target.write(source, table, since)
        for path in written:
            click.echo(f"wrote {shown(path)}", err=True)
    if as_json:
        from crawlkit.cli.json_line import print_line

        files = [str(path) for path in written]
        print_line({"database": str(source), "files": files, "outcome": "finished", "exit_code": exit_codes.COMPLETE})
    return exit_codes.COMPLETE


def _taken(database: Path) -> dict[Path, str]:
    """The files of the spider that `database` belongs to, and of the project here."""
    from crawlkit.store.database import Store

    with Store.open_readonly(database) as reports:
        spider = reports.owner()[1].rpartition("::")[0]
    config = find_config(Path.cwd())
    return taken_files(
        database=database,
        vault=resolve_settings(config).vault,
        spider=database.resolve().parent / spider if spider else None,
        config=config.path,
    )
