"""SiteContents: what the package of a whole site says of itself: its title, which documents are pages, its completeness.

What belongs here: putting site.py, completeness.py and contents.py together, for a run and for whoever packages what a run
left. What does not: any of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crawlkit import url as urls
from crawlkit.archive.completeness import completeness, pages_of_site
from crawlkit.archive.contents import Contents
from crawlkit.archive.naming import harmless
from crawlkit.archive.site import Site
from crawlkit.store.database import Store

#: Under which key the note of an unfinished archive has the scope: by it, it is known for the archive of a site.
SCOPE = "scope"


def site_contents(site: Site, *, title: str | None = None) -> Contents:
    """The contents of the archive that `site` makes. `title` None: the host and path of its start."""
    start = urls.split_userinfo(urls.canonical(site.start_urls[0]) or site.start_urls[0])[0]
    return _contents(
        title or harmless(start), f"Archived with the scope {site.reach.scope}.", start, site.reach.described()
    )


def noted_contents(note: Mapping[str, Any]) -> Contents | None:
    """The contents of an archive that a run left unfinished, by its note; None when it is not that of a site."""
    scope = note.get(SCOPE)
    if not isinstance(scope, dict):
        return None
    start = note.get("start")
    return _contents(str(note.get("title")), str(note.get("description")), str(start) if start else None, scope)


def _contents(title: str, description: str, start: str | None, scope: Mapping[str, Any]) -> Contents:
    def report(store: Store, shown: Callable[[str], str]) -> Mapping[str, Any]:
        archive = store.records.archives()[-1]
        return completeness(store.reports, archive.crawl, archive.id, scope=scope, shown=shown)

    return Contents(title, description, main_page=start, is_page=_pages_of, completeness=report)


def _pages_of(store: Store, archive: int) -> Callable[[str], bool]:
    return pages_of_site(store.reports, archive).__contains__
