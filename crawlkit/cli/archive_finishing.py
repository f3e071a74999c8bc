"""`crawlkit archive --finish`: a package of what a run has left unfinished.

What belongs here: finding profile and secrets of that run, and the words. What does not: packaging (archive/unfinished.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from crawlkit.archive.place import Place
from crawlkit.archive.sitecontents import noted_contents
from crawlkit.archive.unfinished import Finished, finish_unfinished
from crawlkit.cli import exit_codes
from crawlkit.cli.archiving import secrets_of
from crawlkit.cli.json_line import print_line
from crawlkit.cli.outputs import shown
from crawlkit.cli.secrecy import redactor
from crawlkit.cli.terminal import counted
from crawlkit.crawl.quantities import size_text
from crawlkit.crawl.settings import parse_override, resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.crawl.vaults import open_vault


def finish_archive(output: Path, *, overwrite: bool, as_json: bool, assignments: Sequence[str], quiet: bool) -> int:
    """Make the package; the exit code: 5 when pages are waiting that are not in it. Raises what `finish_unfinished` does."""
    note = Place(output).note()
    settings = resolve_settings(find_config(Path.cwd()), overrides=[parse_override(text) for text in assignments])
    vault = open_vault(Path(str(note.get("vault", settings.vault))), settings)
    name = str(note.get("profile", ""))
    contents = noted_contents(note)
    finished = finish_unfinished(
        output,
        profile=vault.profile(name) if name in vault.names() else None,
        sure=secrets_of(settings),
        redactor=redactor(),
        contents=contents,
        overwrite=overwrite,
        ends_crawl=contents is not None,  # a spider's crawl has rows as well: `crawlkit run` goes on with it
    )
    code = exit_codes.RESUMABLE if finished.waiting else exit_codes.COMPLETE
    if as_json:
        print_line(_facts(finished, code))
    elif not quiet:
        click.echo(_line(finished), err=True)
    return code


def _facts(finished: Finished, code: int) -> dict[str, Any]:
    package = finished.package
    return {
        "archive": str(finished.output),
        "size": finished.output.stat().st_size,
        "pages": package.pages if package is not None else None,
        "waiting": finished.waiting,
        "outcome": "finished",
        "exit_code": code,
    }


def _line(finished: Finished) -> str:
    package = finished.package
    pages = f": {counted(package.pages, 'page')}" if package is not None else ""
    waiting = f", {counted(finished.waiting, 'address', 'addresses')} were not fetched" if finished.waiting else ""
    return f"wrote {shown(finished.output)}, {size_text(finished.output.stat().st_size)}{pages}{waiting}"
