"""Indexing: one pass over the WARC files of an archive, in which a package's index and list of pages come about.

What belongs here: what is read of each record, which captures are pages. What does not: what a capture is (captures.py),
the lines (cdxj.py, pagelist.py), where they are put (wacz.py). The same pass verifies every record and shows
every byte to whoever inspects it, so that a package is never made of what was not looked at.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self

from crawlkit.archive.captures import Pairing, entry_of
from crawlkit.archive.cdxj import REVISIT, Entry, Sorter
from crawlkit.archive.pagelist import MAX_HTML_BYTES, PageText, page_line, read_page
from crawlkit.archive.reading import Record, records
from crawlkit.archive.spool import Spool
from crawlkit.archive.verifying import Problem, Verifying
from crawlkit.exceptions import ArchiveDamaged, ContentDecodingError
from crawlkit.html.document import looks_like_html
from crawlkit.sessions import heads

_AHEAD = 8  # pages whose text is being found while the files are read on


class Inspector(Protocol):
    """Looks at every byte of a package before there is one."""

    def look(self, place: str) -> Callable[[bytes], object]:
        """A function that is given the bytes at `place`, in order and piece by piece."""

    def approve(self) -> object:
        """After the last byte: raise when there must not be such a package."""


class Indexing:
    """The captures of an archive. Belongs to one thread, and has one of its own for the text of pages, in which `clean` is
    called; a `with` closes it.

    `is_page`: whether the capture of this URL is listed as a page; `inspector`: is shown everything; `known`: the title
    and text of a page in an earlier archive, by the URL and the date of its record; `clean`: takes secrets out of the
    text of a page, which has some that the bytes have not: where markup stood between their halves; `folder`: for what does
    not fit into memory.

    `index` has a line each capture, but for those of pages that had not been modified (304), which are in `unmodified`: a
    replayer that found one would answer 304 and show nothing, where it shows the earlier capture when it finds that.
    `pages` has a line each page, by its first capture; `counts` says how many `pages`, `captures`, `revisits`,
    `truncated` there are; `main_page_date` when `main_page` was fetched.
    """

    def __init__(
        self,
        folder: Path,
        *,
        is_page: Callable[[str], bool],
        inspector: Inspector | None = None,
        known: Callable[[str, str], PageText | None] | None = None,
        clean: Callable[[str], str] | None = None,
        main_page: str | None = None,
    ) -> None:
        self._is_page = is_page
        self._inspector = inspector
        self._known = known
        self._clean = clean or str
        self._main_page = main_page
        self._verifying = Verifying()
        self._pairing = Pairing()
        self._listed: set[str] = set()
        self._lines_by_digest: dict[str, tuple[int, int]] = {}
        # While records are decompressed and their digests computed, for which no lock is held, texts are searched.
        self._texts = ThreadPoolExecutor(1, "crawlkit-page-texts")
        self._unlisted: deque[tuple[str | None, Future[bytes]]] = deque()
        self.index = Sorter(folder)
        self.unmodified = Sorter(folder)
        self.pages = Spool(folder)
        self.counts = dict.fromkeys(("pages", "captures", "revisits", "truncated"), 0)
        self.main_page_date: str | None = None

    def read(self, path: Path) -> None:
        """Index the records of one file. ArchiveDamaged names the first that is not as it says it is."""
        for record in records(path):
            self._show(record)  # first, for watching reads the head
            self._verifying.watch(record)
            answer = None
            if record.kind in ("response", "revisit"):
                answer = self._read_answer(record)
            elif record.kind == "request":
                self._pairing.asked(record)
            self._refuse(self._verifying.finish(record))
            if answer is not None:
                self._pairing.answered(record, replace(answer, length=record.length))
            self._add(self._pairing.ready())
        self._add(self._pairing.rest())
        self._list_pages()

    def finish(self) -> None:
        """After the last file: ArchiveDamaged when a record refers to one that is nowhere."""
        self._refuse(self._verifying.unmatched())

    def _refuse(self, problems: list[Problem]) -> None:
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise ArchiveDamaged(f"{problems[0]}{more}; no package was made of it")

    # --- records ----------------------------------------------------------------------------------------------------

    def _show(self, record: Record) -> None:
        if self._inspector is None:
            return
        show = self._inspector.look(f"{record.path.name}, offset {record.offset}, {record.kind} record")
        show("\r\n".join(f"{name}: {value}" for name, value in record.fields).encode() + b"\r\n\r\n")
        record.listeners.append(show)

    def _read_answer(self, record: Record) -> Entry | None:
        """The capture that this is, its length still to be found; None when there is nothing that could be replayed."""
        head = record.head()
        if head is None:
            return None
        is_page = self._is_page(record.url)
        body = self._read_body(record, head, wanted=is_page and record.kind != "revisit")
        if is_page and (head.status == 304 or head.status < 300) and record.url not in self._listed:
            self._listed.add(record.url)  # two addresses may have led there
            self._add_page(record, body, head.get("content-type"))
        return entry_of(record, head)

    def _read_body(self, record: Record, head: heads.Head, *, wanted: bool) -> bytes:
        """Look at the body as a browser would see it; what was `wanted` of it."""
        is_coded = bool(head.get("content-encoding") or head.get("transfer-encoding"))
        if not wanted and not (is_coded and self._inspector):
            return b""  # the bytes of the wire are all there is to see
        show = None
        if self._inspector is not None and is_coded:
            show = self._inspector.look(f"{record.path.name}, offset {record.offset}, body of the {record.kind}")
        kept: list[bytes] = []
        size = 0
        try:
            for piece in record.decoded():
                if show is not None:
                    show(piece)
                if wanted and size < MAX_HTML_BYTES:
                    kept.append(piece)
                    size += len(piece)
        except ContentDecodingError:
            pass  # a body that is not what its head says, or was cut off: it is archived as it came
        return b"".join(kept)

    # --- lines ------------------------------------------------------------------------------------------------------

    def _add_page(self, record: Record, html: bytes, content_type: str) -> None:
        if record.url == self._main_page:
            self.main_page_date = record.date
        if record.kind == "revisit":
            self._list_pages()  # what it repeats may be among them
            self.pages.write(page_line(record.url, record.date, self._text_again(record)))
        else:
            line = self._texts.submit(self._line, record.url, record.date, html, content_type)
            self._unlisted.append((record.payload_digest, line))
            self._list_pages(_AHEAD)
        self.counts["pages"] += 1

    def _list_pages(self, ahead: int = 0) -> None:
        """Write the lines of all but the last `ahead` pages."""
        while len(self._unlisted) > ahead:
            digest, future = self._unlisted.popleft()
            line = future.result()
            if digest:
                self._lines_by_digest[digest] = (self.pages.size, len(line))
            self.pages.write(line)

    def _line(self, url: str, date: str, html: bytes, content_type: str) -> bytes:
        page = read_page(html, content_type) if looks_like_html(html, content_type) else None
        return page_line(url, date, self._cleaned(page))

    def _text_again(self, revisit: Record) -> PageText:
        """The title and text of the capture that this one repeats."""
        if (place := self._lines_by_digest.get(revisit.payload_digest or "")) is not None:
            said = json.loads(self.pages.read(*place))
            return PageText("" if said["title"] == said["url"] else said["title"], said["text"])
        if self._known is None:
            return self._cleaned(None)
        return self._cleaned(self._known(revisit.get("WARC-Refers-To-Target-URI"), revisit.get("WARC-Refers-To-Date")))

    def _cleaned(self, page: PageText | None) -> PageText:
        return PageText(*map(self._clean, page or ("", "")))

    def _add(self, entries: list[Entry]) -> None:
        for entry in entries:
            self.counts["captures"] += 1
            self.counts["revisits"] += entry.mime == REVISIT
            self.counts["truncated"] += bool(entry.truncated)
            is_unmodified = entry.mime == REVISIT and entry.status == 304
            (self.unmodified if is_unmodified else self.index).add(entry.line())

    def close(self) -> None:
        """Forget the lines. May be called twice."""
        self._texts.shutdown(cancel_futures=True)
        self.index.close()
        self.unmodified.close()
        self.pages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
