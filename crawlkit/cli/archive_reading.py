"""`crawlkit archive --list`, `--verify` and `--extract`: looking into an archive that is there.

What belongs here: what these print, and their exit codes. What does not: the command's options (archive.py), reading
archives (archive/package_reading.py, archive/package_verifying.py). URLs are printed as the archive has them, so that they
can be given to `--extract`: what was secret in them was replaced when it was written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.outputs import shown
from crawlkit.cli.terminal import complain, counted, is_terminal, safe
from crawlkit.crawl.quantities import size_text
from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.archive.cdxj import Entry

_TYPE_WIDTH = 24
_SHOWN = 50  # problems; the others are counted, and all are in --json


def list_archive(path: Path, *, as_json: bool) -> int:
    """Print the captures of the archive, a line each, or all as one JSON object; the exit code.

    UsageError when there is no such file; ArchiveDamaged says where it is damaged, after the captures before.
    """
    from crawlkit.archive.package_reading import ArchiveReader

    with ArchiveReader(_existing(path)) as archive:
        if as_json:
            captures = [_fields(entry) for entry in archive.entries()]
            _print_json({"archive": str(path), "captures": captures, "exit_code": exit_codes.COMPLETE})
            return exit_codes.COMPLETE
        count = size = 0
        for entry in archive.entries():
            click.echo(_line(entry))
            count += 1
            size += entry.length
    sys.stdout.flush()
    sys.stderr.write(f"{shown(path)}: {counted(count, 'capture')}, {size_text(size)}\n")
    return exit_codes.COMPLETE


def verify(path: Path, *, as_json: bool) -> int:
    """Verify every byte of the archive and print what is wrong; the exit code, 74 when something is.

    UsageError when there is no such file.
    """
    from crawlkit.archive.package_verifying import verify_archive

    problems = verify_archive(_existing(path))
    code = exit_codes.STORAGE_FAILED if problems else exit_codes.COMPLETE
    if as_json:
        _print_json({"archive": str(path), "problems": problems, "exit_code": code})
    else:
        click.echo(f"{shown(path)}: {counted(len(problems), 'problem') if problems else 'no problems'} found")
        for problem in problems[:_SHOWN]:
            click.echo(f"  {safe(problem, one_line=True)}")
        if len(problems) > _SHOWN:
            click.echo(f"  and {len(problems) - _SHOWN} more, which --json lists")
    if problems:
        complain(
            f"{shown(path)}: the archive is damaged; fetch it again from where it was copied, or archive the site anew"
        )
    return code


def extract(url: str, path: Path, *, output: Path | None = None) -> int:
    """Write the body of `url`, without content codings, to `output` or to standard output; the exit code.

    1 when its answer had been cut off: then it is what came. UsageError when there is no such file or URL, when its body is
    in an earlier archive, or for bytes that are no text on a terminal; ArchiveDamaged says where it is damaged.
    """
    from crawlkit.archive.package_reading import ArchiveReader
    from crawlkit.store.wholefile import replacing_path

    with ArchiveReader(_existing(path)) as archive:
        found = archive.extract(url)
        if output is not None:
            advice = "nothing was written; name another place"
            with replacing_path(output, advice=advice) as unfinished, unfinished.open("xb") as file:
                file.writelines(found.pieces)
        else:
            if is_terminal(sys.stdout) and not _is_text(found.entry.mime):
                raise UsageError(f"{url} is {found.entry.mime}, which a terminal cannot show; add -o FILE")
            for piece in found.pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    if found.entry.truncated:
        complain(
            f"{url}: its answer was cut off when it was archived ({found.entry.truncated}); this is what came of it"
        )
        return exit_codes.PAGES_FAILED
    return exit_codes.COMPLETE


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    return path


def _line(entry: Entry) -> str:
    moment = entry.date[:19].replace("T", " ")
    what = safe(entry.mime, one_line=True)[:_TYPE_WIDTH].ljust(_TYPE_WIDTH)
    method = "" if entry.method == "GET" else f"{safe(entry.method, one_line=True)} "
    cut = f"  (cut off: {safe(entry.truncated, one_line=True)})" if entry.truncated else ""
    url = safe(entry.url, one_line=True)
    return f"{moment}  {entry.status or '-':>3}  {what}  {size_text(entry.length):>10}  {method}{url}{cut}"


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "url": entry.url,
        "date": entry.date,
        "method": entry.method,
        "status": entry.status,
        "mime": entry.mime,
        "digest": entry.digest,
        "truncated": entry.truncated or None,
        "file": entry.filename,
        "offset": entry.offset,
        "length": entry.length,
    }


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime.endswith(("json", "xml", "javascript"))


def _print_json(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
