"""What a run tells of the archive that it makes: while it goes on, in its summary, in its JSON line.

What belongs here: the figures and the words. What does not: counting (archive/recorder.py, archive/completeness.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.cli.outputs import shown
from crawlkit.cli.terminal import counted
from crawlkit.crawl.quantities import size_text
from crawlkit.exceptions import StorageError, StoreMismatch

if TYPE_CHECKING:
    from crawlkit.archive.recorder import ArchiveRecorder

_WIDTH = 14


def archive_progress(recorder: ArchiveRecorder) -> tuple[str, ...]:
    """What was written so far, as the cells of a row."""
    return (
        f"{recorder.written.responses} records",
        f"{recorder.written.revisits} revisits",
        size_text(recorder.written.bytes),
        f"{recorder.written.redactions} redactions",
    )


def archive_facts(recorder: ArchiveRecorder, database: Path) -> dict[str, Any]:
    """The archive as an object of JSON values. `size`: bytes of the output, None while there is none; `pages`, `files` and
    `requisites` are what was captured, `counts` the numbers of the completeness report (archive/completeness.py).
    """
    package, place = recorder.package, recorder.place
    finished = package is not None or (not place.exists and not recorder.is_empty and place.output.exists())
    facts: dict[str, Any] = {
        "output": str(place.output),
        "finished": finished,
        "empty": recorder.is_empty,
        "size": place.output.stat().st_size if finished else None,
        "records": recorder.written.responses + recorder.written.revisits,
        "revisits": package.revisits if package is not None else recorder.written.revisits,
        "redactions": recorder.written.redactions,
        "written": recorder.written.bytes,
        "secrets_kept": not recorder.redacts,
    }
    return facts | _counts(database)


def _counts(database: Path) -> dict[str, Any]:
    from crawlkit.archive.completeness import CAPTURED, FILE, PAGE, completeness
    from crawlkit.store.database import Store

    try:
        with Store.open_readonly(database) as reports:
            archive = reports.last_archive()
            if archive is None:
                return {}
            account = completeness(reports, archive.crawl, archive.id)
    except (StorageError, StoreMismatch):
        return {}  # the run itself has said what is wrong with it
    kinds = [entry["kind"] for entry in account[CAPTURED] if entry.get("status", 200) < 400]
    files = kinds.count(FILE)
    requisites = len(kinds) - kinds.count(PAGE) - files
    counts = account["counts"]
    return {"pages": counts["pages"], "files": files, "requisites": requisites, "counts": counts}


def archive_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """The lines under the headline of a run."""
    output = shown(Path(facts["output"]))
    if facts["finished"]:
        yield _row("archive", f"{output}, {size_text(facts['size'])}")
    elif facts["empty"]:
        yield _row("archive", "none: no page was fetched")
        return
    else:
        yield _row("archive", f"not made yet: {size_text(facts['written'])} written by this run, in {output}.part")
    if "counts" in facts:
        parts = [counted(facts["pages"], "page"), counted(facts["requisites"], "requisite")]
        parts += [counted(facts["files"], "file")] if facts["files"] else []
        parts += [counted(facts["revisits"], "revisit")] if facts["revisits"] else []
        yield _row("captured", ", ".join(parts))
        counts = facts["counts"]
        parts = [
            f"{counts[name]} {name}" for name in ("failed", "excluded", "waiting") if counts[name] or name == "failed"
        ]
        if counts["browser_only"]:
            parts.append(f"{counts['browser_only']} for browsers only")
        yield _row("not captured", ", ".join(parts))
    if facts["secrets_kept"]:
        yield _row("secrets", "KEPT: whoever has the archive has the session's cookies and tokens")
    else:
        yield _row("secrets", f"{counted(facts['redactions'], 'answer')} redacted")
    if not facts["finished"]:
        yield _row("package", f"crawlkit archive --finish {output} makes one of what there is")


def _row(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}}{text}"
