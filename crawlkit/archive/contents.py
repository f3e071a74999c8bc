"""Contents: what an archive's package says of itself, beyond its records.

What belongs here: the value, and what it is for an archive of any spider. What does not: making the package (finishing.py),
the archive of a whole site (site.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crawlkit.store.database import Store


@dataclass(frozen=True, slots=True)
class Contents:
    """`title` and `description` of the package; `main_page`: the URL that a reader opens first.

    `is_page`: given the store and the archive's number, what says of a URL whether it is listed as a page; None: every
    own HTML answer of a page is. `completeness`: given the store, and a function that shows a URL as the archive does,
    what becomes of the report in the package.
    """

    title: str
    description: str = ""
    main_page: str | None = None
    is_page: Callable[[Store, int], Callable[[str], bool]] | None = None
    completeness: Callable[[Store, Callable[[str], str]], Mapping[str, Any]] | None = None


def pages_of(store: Store, archive: int) -> Callable[[str], bool]:
    """What says of a URL whether it is a page of `archive`: the crawl asked for it itself, and it is HTML."""
    return store.reports.pages(archive).__contains__
