"""Bodies as cassettes keep them: content codings undone, with header fields to match.

What belongs here: decoding, and the fields that say how long a body is. What does not: secrets, the file.

A reader of a cassette wants to read, and a secret in a compressed body could not be found. vcrpy itself keeps decoded
bodies under a Content-Encoding that they are not in any more; so what is not in its coding counts as decoded.
"""

from __future__ import annotations

from types import SimpleNamespace

from crawlkit.exceptions import RequestException
from crawlkit.sessions.made import made_raw
from crawlkit.testing.cassette_file import Fields, Interaction

#: Fields that say how the body came over the wire, and those that are of its bytes.
_CODED = ("content-encoding", "transfer-encoding")
_MEASURED = ("content-length", "content-md5", "digest", "content-digest")
_GZIP = b"\x1f\x8b"
_MAX_BODY = 256 * 1024 * 1024


def plain(one: Interaction) -> tuple[Fields, bytes]:
    """Fields and body of the answer, decoded. A compressed body that is broken, or too long, stays as it came."""
    if not any(name.lower() in _CODED for name, _ in one.fields):
        return one.fields, one.content
    content = one.content
    if content and any(name.lower() == "content-encoding" for name, _ in one.fields):
        request = SimpleNamespace(method=one.method, url=one.url, headers={})
        raw = made_raw(
            request, status=one.status, reason=one.reason, fields=one.fields, body=content, max_body=_MAX_BODY
        )
        try:
            content = raw.read(decode_content=True)
        except RequestException:
            if content.startswith(_GZIP):
                return [pair for pair in one.fields if pair[0].lower() != "transfer-encoding"], content
    kept = [pair for pair in one.fields if pair[0].lower() not in _CODED]
    return (kept if bodiless(one) else with_length(kept, content)), content


def bodiless(one: Interaction) -> bool:
    """Whether the answer has no body by its kind: its length is that of another."""
    return one.method == "HEAD" or one.status in (204, 304) or one.status < 200


def with_length(fields: Fields, content: bytes) -> Fields:
    """The fields with the length of `content`, where they tell one."""
    if not any(name.lower() in _MEASURED for name, _ in fields) and not content:
        return fields
    kept = [pair for pair in fields if pair[0].lower() not in _MEASURED]
    return [*kept, ("Content-Length", str(len(content)))]
