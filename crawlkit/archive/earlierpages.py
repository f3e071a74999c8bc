"""Earlier pages: title and text of the pages that are unchanged since an earlier package, as that one lists them.

What belongs here: that. What does not: reading pages (pagelist.py), which packages there are (store/records.py).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from crawlkit.archive.pagelist import PageText
from crawlkit.archive.spool import Spool
from crawlkit.archive.wacz import PAGES
from crawlkit.archive.zipreading import ZipReader
from crawlkit.exceptions import ArchiveDamaged, StorageError

log = logging.getLogger(__name__)


class EarlierPages:
    """The pages of `packages`, which are read when the first page is asked for. One thread; a `with` closes it.

    `folder`: for the text that does not fit into memory. A package that cannot be read is warned of and passed over: it
    only lends its titles.
    """

    def __init__(self, packages: Sequence[Path], folder: Path) -> None:
        self._packages = packages
        self._lines = Spool(folder)
        self._places: dict[tuple[str, str], tuple[int, int]] | None = None

    def page(self, url: str, date: str) -> PageText | None:
        """The page `url` as it was fetched at `date`, by the record that has it; None when no package lists it."""
        if self._places is None:
            self._places = {}
            for package in self._packages:
                self._read(package, self._places)
        place = self._places.get((url, date))
        if place is None:
            return None
        said = json.loads(self._lines.read(*place))
        title, text = str(said.get("title", "")), str(said.get("text", ""))
        return PageText("" if title == url else title, text)

    def _read(self, package: Path, places: dict[tuple[str, str], tuple[int, int]]) -> None:
        try:
            with ZipReader(package) as zipped:
                for line in zipped.lines(PAGES):
                    said = json.loads(line)
                    places[str(said.get("url")), str(said.get("ts"))] = self._lines.size, len(line)
                    self._lines.write(line)
        except (ArchiveDamaged, ValueError, AttributeError) as error:
            log.warning("%s: no titles of unchanged pages are taken from it (%s)", package, error)
        except StorageError:
            if package.exists():
                raise
            log.warning("%s: is gone, and with it the titles of unchanged pages", package)

    def close(self) -> None:
        """Forget the pages. May be called twice."""
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
