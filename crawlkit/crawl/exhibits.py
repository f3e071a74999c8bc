"""Exhibits: the pages that a health check points at, kept as they were, for the eye.

What belongs here: holding pages while a run lasts, writing those that a finding names. What does not: which page is an
example of what (record.py), what is found (health.py).

What a page will be an example of is known only at the end, so that the body of each example is held until then: at most
`_HELD` of them. Those that a finding names are written, `data/NAME.examples/RUN-NUMBER.html`, each as a page of ours that
shows the site's in a frame which runs nothing, loads nothing and leads nowhere: a site's script, opened from a file, would
be at home on the reader's disk.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crawlkit.crawl.finding import Finding
from crawlkit.exceptions import StorageError
from crawlkit.html.charset import decode
from crawlkit.store.wholefile import replacing

log = logging.getLogger(__name__)

#: Larger bodies are not held.
LARGEST = 512 * 1024
_HELD = 40
_RUNS = 10  # whose pages are kept
_NAME = re.compile(r"(\d{1,18})-\d{1,4}\.html")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_STYLE = (
    "body{margin:0;display:flex;flex-direction:column;height:100vh;font:14px/1.5 system-ui,sans-serif}"
    "p{margin:0;padding:.6rem .9rem;background:#fbe4e2;color:#1b1f27;overflow-wrap:anywhere}"
    "iframe{flex:1;border:0;background:#fff}"
)


class Exhibits:
    """The pages of one run that are examples of something. One thread at a time.

    `examples` gives the URLs that are examples now: what is held of others makes room when it is needed.
    """

    def __init__(self, examples: Callable[[], Iterable[str]]) -> None:
        self._examples = examples
        self._held: dict[str, tuple[bytes, str | None]] = {}

    def hold(self, url: str, content: bytes | None, content_type: str | None) -> None:
        """Hold a page, if it has a body that is not too large and there is room."""
        if content is None or len(content) > LARGEST:
            return
        if len(self._held) >= _HELD and url not in self._held:
            needed = set(self._examples())
            self._held = {each: body for each, body in self._held.items() if each in needed}
            if len(self._held) >= _HELD:
                return
        self._held[url] = (content, content_type)

    def keep(
        self, findings: Sequence[Finding], database: Path, run: int, redact: Callable[[str], str]
    ) -> list[Finding]:
        """Write the pages that `findings` name, without secrets; the findings with where they are.

        What an earlier run has kept for a finding stays while no newer page is there. A page that cannot be written is a
        line in the log: the run is what it is.
        """
        folder = folder_of(database)
        written: dict[str, str] = {}
        found = []
        for number, finding in enumerate(findings, 1):
            held = self._held.get(finding.example)
            if held is not None and finding.example not in written:
                path = folder / f"{run}-{number}.html"
                if _write(path, _page(finding, run, *held, redact)):
                    written[finding.example] = str(path)
            found.append(replace(finding, kept=written.get(finding.example) or _still_there(finding.kept)))
        if written:
            _clear(folder, {Path(finding.kept).name for finding in found})
        return found


def folder_of(database: Path) -> Path:
    """Where the pages of the spider of `database` are kept."""
    return database.with_name(f"{database.name.removesuffix('.db')}.examples")


def _still_there(path: str) -> str:
    return path if path and Path(path).is_file() else ""


def _page(finding: Finding, run: int, content: bytes, content_type: str | None, redact: Callable[[str], str]) -> str:
    text = decode(content, content_type)[0].replace("\0", "\ufffd")
    if "html" not in (content_type or ("html" if text.lstrip().startswith("<") else "")).lower():
        text = f"<pre>{html.escape(text)}</pre>"
    # Only these two end an attribute: the rest stays readable in an editor.
    framed = redact(text).replace("&", "&amp;").replace('"', "&quot;")
    told = redact(f"{finding.text}. This is {finding.example} as it was in run {run}, {datetime.now():%Y-%m-%d %H:%M}.")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{html.escape(finding.about)}</title><style>{_STYLE}</style></head>\n"
        f'<body><p>{html.escape(told)}</p>\n<iframe sandbox title="the page" srcdoc="{framed}"></iframe></body></html>\n'
    )


def _write(path: Path, text: str) -> bool:
    try:
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            file.write(text.encode("utf-8", "replace").decode())
    except (OSError, StorageError) as error:
        log.warning("the page of a finding could not be kept in %s: %s", path, error.__cause__ or error)
        return False
    return True


def _clear(folder: Path, named: set[str]) -> None:
    """Remove what was kept for runs of long ago, unless a finding still names it."""
    runs: dict[int, list[Path]] = {}
    for path in folder.iterdir():
        if match := _NAME.fullmatch(path.name):
            runs.setdefault(int(match[1]), []).append(path)
    for run in sorted(runs)[:-_RUNS]:
        for path in runs[run]:
            if path.name not in named:
                path.unlink(missing_ok=True)
