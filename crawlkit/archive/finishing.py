"""Finishing: from an archive's WARC files to its output, once, however often it is cut off.

What belongs here: the order of the last steps. What does not: the package (wacz.py), looking for secrets (scanning.py),
the place (place.py).

    leave out what is not for the package → write it, looked through for secrets → give it its name → note it in the database
    → remove the folder

A secret that was learnt after its page was written is found by looking through: the first time there is no output and the
user is told; the next attempt takes it out of the records and looks again.

Killed between any two of these, the same steps are taken again by the next run of the same command: the crawl has not ended
for it yet. The note in the folder says which output is ours, should it have got its name already.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from crawlkit.archive.contents import Contents, pages_of
from crawlkit.archive.datapackage import About
from crawlkit.archive.earlierpages import EarlierPages
from crawlkit.archive.indexing import Indexing
from crawlkit.archive.place import Place
from crawlkit.archive.redaction import Redaction
from crawlkit.archive.rewriting import rewritten
from crawlkit.archive.scanning import Scan
from crawlkit.archive.wacz import Package, package
from crawlkit.archive.without import without
from crawlkit.exceptions import SecretFound
from crawlkit.store.database import Store
from crawlkit.store.records import Archive
from crawlkit.store.wholefile import replacing_path

log = logging.getLogger(__name__)

#: In the note of an archive: a secret was found in it, of which nothing was known when it was written.
_FOUND = "secret_found"
_KEPT = "what was fetched is kept: make room, and start the same command again"


def finish(
    place: Place,
    archive: Archive,
    warcs: Sequence[Path],
    store: Store,
    *,
    contents: Contents,
    redaction: Redaction,
) -> Package | None:
    """Make the output of `archive`; None when it was there already. `redaction`: knows the secrets to look for, where any
    were taken out.

    StorageError when the disk refuses or a file is damaged; SecretFound when a secret is left in it: then there is no
    output. Everything that was fetched is kept until the output is there.
    """
    made = None
    if not place.is_ours():
        dropped = store.records.dropped(archive.id)
        with without(warcs, dropped, place.folder / "kept") as kept, _clean(place, kept, redaction) as clean:
            try:
                made = _made(place, archive, clean, store, contents, redaction)
            except SecretFound as error:
                place.write_note({**place.note(), _FOUND: True})
                raise SecretFound(
                    f"{error}; `crawlkit archive --finish {place.output}`, or the same command again, takes it out and "
                    "goes on"
                ) from error
        place.publish()
    size = place.output.stat().st_size
    store.records.close(archive.id, "packaged", size)
    place.remove()
    log.info("wrote %s, %d bytes", place.output, size)
    return made


def _clean(place: Place, warcs: Sequence[Path], redaction: Redaction) -> AbstractContextManager[Sequence[Path]]:
    """The files, written anew without what is known to be secret by now where an earlier attempt found some."""
    if not redaction.on or not place.note().get(_FOUND):
        return nullcontext(warcs)
    return rewritten(warcs, redaction, place.folder / "anew")


def _made(
    place: Place,
    archive: Archive,
    warcs: Sequence[Path],
    store: Store,
    contents: Contents,
    redaction: Redaction,
) -> Package:
    scan = Scan(redaction.registry) if redaction.on else None
    is_page = (contents.is_page or pages_of)(store, archive.id)
    if place.is_package:
        main_page = redaction.url(contents.main_page) if contents.main_page is not None else None
        title, description = map(redaction.text, (contents.title, contents.description))
        about = About(title, description, main_page=main_page, redacted=redaction.on)
        completeness = contents.completeness(store, redaction.url) if contents.completeness is not None else None
        with EarlierPages(store.records.packages(), place.folder) as earlier:
            return package(
                place.unfinished,
                warcs,
                is_page=is_page,
                about=about,
                completeness=completeness,
                inspector=scan,
                known=earlier.page,
                clean=redaction.text,
            )
    [warc] = warcs
    with Indexing(place.folder, is_page=is_page, inspector=scan) as indexing:
        indexing.read(warc)
        indexing.finish()
    if scan is not None:
        scan.approve()
    with replacing_path(place.unfinished, advice=_KEPT) as fresh:
        shutil.copyfile(warc, fresh)
    return Package(place.output, warc.stat().st_size, **indexing.counts)
