"""Requisite: a request for what a page needs to look as it does, a picture, a style sheet, a frame, and what is different
about it.

What belongs here: how such a request is made and known again. What follows from it is in the place that it concerns:

- the scope of links does not hold for it, nor a limit of depth: it belongs to its page, wherever it lies (links.py);
- redirects of it may lead anywhere, too; from a host that is not the crawl's own it is fetched as by a stranger, without
  cookies, secret headers or login of any profile (fetcher.py);
- `logged_in` is not asked of its answer, which is no page: the built-in signs alone say that a session has ended.

Guard, robots.txt and the limits of hosts hold for it as for every link.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawlkit.sessions.request import Request

#: The key of `Request.meta` under which a requisite has its kind: "image", "stylesheet", …
REQUISITE = "requisite"


def requisite(url: str, kind: str, callback: Any = None, **arguments: Any) -> Request:
    """A request for a requisite of a page. `arguments` are Request's."""
    meta: Mapping[str, Any] = arguments.pop("meta", None) or {}
    return Request(url, callback, meta={**meta, REQUISITE: kind}, **arguments)


def is_requisite(request: Any) -> bool:
    """Whether a Request, or what was prepared or answered of one, is for a requisite."""
    return REQUISITE in request.meta
