"""Complaint: what a server says of a login that it refused, short enough and safe for an error message.

What belongs here: where HTML and JSON answers have it. What does not: deciding that a login was refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import UnsafeMarkup

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

_MOST_CHARACTERS = 200
#: The likeliest first. Within the form before elsewhere on the page.
_PLACES = (
    "[role=alert]",
    ".errornote, .errorlist, .error, .errors, .error-message, .form-error, .field-error, .invalid-feedback",
    "[aria-live=assertive], .alert-danger, .alert-error, .alert-warning, .alert, .flash, .message.error, #error",
    "[class*=error], [id*=error], [class*=invalid]",
)
_KEYS = ("detail", "error_description", "message", "msg", "non_field_errors", "errors", "error", "title", "reason")
_UNSEEN = frozenset(("template", "noscript", "script", "style"))
# Control characters, and those that turn the direction of text around.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def complaint(response: Response, session: Session) -> str:
    """` (it says “…”)`, to be put behind what failed, without the session's secrets; an empty text when the answer says
    nothing.
    """
    said = _in_html(response) if response.is_html else _in_json(response)
    text = session._own_redactor().redact(" ".join(_CONTROL.sub(" ", said).split()))
    if len(text) > _MOST_CHARACTERS:
        text = text[: _MOST_CHARACTERS - 1].rstrip() + "…"
    return f" (it says “{text}”)" if text else ""


def _in_html(response: Response) -> str:
    try:
        tree = response.tree
    except UnsafeMarkup:
        return ""
    for around in ("form ", ""):
        for places in _PLACES:
            query = ", ".join(around + place.strip() for place in places.split(","))
            for node in tree.css(query):
                if _is_seen(node) and (text := node.text(separator=" ").strip()):
                    return text
    return ""


def _is_seen(node: LexborNode) -> bool:
    above: LexborNode | None = node
    while above is not None:
        attributes = above.attributes
        if above.tag in _UNSEEN or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return False
        if "display:none" in (attributes.get("style") or "").replace(" ", "").lower():
            return False
        above = above.parent
    return True


def _in_json(response: Response) -> str:
    try:
        answer = response.json()
    except ValueError:
        return ""
    return next(_texts(answer), "")


def _texts(answer: Any) -> Iterator[str]:
    """The texts under the usual keys, at whatever depth."""
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, list):
        for each in answer[:10]:
            yield from _texts(each)
    elif isinstance(answer, dict):
        for key in _KEYS:
            if key in answer:
                yield from _texts(answer[key])
