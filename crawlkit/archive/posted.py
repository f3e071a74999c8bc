"""Posted: what was sent with a request, as the query string that an index keeps it under.

What belongs here: the forms in which bodies become queries, as pywb and ReplayWeb.page compute them from the request that
a replayed page makes (Webrecorder's "request body canonicalization"). What does not: the key (surt.py), the line
(cdxj.py). A field whose name is a secret's has no place in an index and is left out; a replayed form that has one then
finds the answer by what else it sends, or not at all.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any
from urllib.parse import unquote_plus, urlencode

from crawlkit.sessions.secretnames import is_secret_name

MAX_BYTES = 16 * 1024
"""Of a body with more only the address is looked for."""


def posted_query(body: bytes, content_type: str) -> str:
    """The query string for `body`; "" when it is empty or larger than MAX_BYTES."""
    if not body or len(body) > MAX_BYTES:
        return ""
    essence = content_type.partition(";")[0].strip().lower()
    try:
        if read := _READERS.get(essence):
            return read(body)
        if essence.startswith("multipart/"):
            return _multipart(body, content_type)
    except (ValueError, RecursionError):
        pass  # not what it says it is: bytes like any others
    return "__wb_post_data=" + base64.b64encode(body).decode("ascii")


def _form(body: bytes) -> str:
    fields = [field for field in body.decode("utf-8").split("&") if not is_secret_name(_name(field))]
    return unquote_plus("&".join(fields))


def _name(field: str) -> str:
    return unquote_plus(field.partition("=")[0])


def _json(body: bytes) -> str:
    fields: dict[str, str] = {}
    seen: dict[str, int] = {}
    for name, value in _leaves(json.loads(body)):
        if is_secret_name(name):
            continue
        seen[name] = seen.get(name, 0) + 1
        fields[name if seen[name] == 1 else f"{name}.{seen[name]}_"] = value
    return urlencode(fields)


def _leaves(value: Any) -> Iterator[tuple[str, str]]:
    """Every value that is no list or object, under the name of the nearest member that it is in, in document order."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed(value.items())
        elif isinstance(value, list):
            waiting += reversed([(name, each) for each in value])
        elif name:
            yield name, _as_javascript_has_it(value)


def _as_javascript_has_it(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _multipart(body: bytes, content_type: str) -> str:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise ValueError("the boundary is not there")
    fields = [(_part_name(part), bytes(part.get_payload(decode=True) or b"")) for part in message.iter_parts()]
    return urlencode([(name, value) for name, value in fields if not is_secret_name(name)])


def _part_name(part: Message) -> str:
    return str(part.get_param("name", "", header="content-disposition") or "")


_READERS: dict[str, Callable[[bytes], str]] = {
    "application/x-www-form-urlencoded": _form,
    "application/json": _json,
    "text/plain": _json,
}
