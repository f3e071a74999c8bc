"""Download: a URL into a file that is there whole or not at all.

What belongs here: asking for the rest of a file (RFC 9110 sections 13.1.5 and 14) and judging what comes.
What does not: the temporary file (partfile.py), sending (session.py).

A download that breaks off is taken up where it stopped, in the same call or a later one, when the server
named the version: by a strong ETag, or a Last-Modified that is old enough to be one (RFC 9110 section
8.8.2.2).
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions as errors
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.partfile import PartFile
from crawlkit.sessions.sending import WholeInstant

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

# A server that breaks off after a few bytes each time would otherwise be asked for ever.
MAX_RESUMES = 20

_STRONG_AFTER_SECONDS = 60.0
_BROKEN_OFF = (errors.ConnectionError, errors.ChunkedEncodingError, errors.ReadTimeout)
_RANGE = re.compile(r"bytes\s+(?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)\Z")


def download(session: Session, url: Any, path: str | Path, **kwargs: Any) -> Path:
    """Fetches `url` into `path` and returns that as a Path. `kwargs` are those of `Session.get()`.

    The folder is made. A file that is there already is replaced in one step, once the new one is whole and synced.
    A `deadline` among them, in seconds, is for the whole download, and `max_body` for the whole file; the session's are
    for neither. Raises HTTPError for an error status, what sending raises, and StorageError when the disk refuses.
    """
    target = Path(path)
    if isinstance(kwargs.get("deadline"), (int, float)):
        kwargs["deadline"] = WholeInstant(time.monotonic() + kwargs["deadline"])
    with PartFile(target, str(url)) as part:
        for resumed in range(MAX_RESUMES + 1):
            before = part.size
            try:
                while not _fetch(session, url, part, kwargs):
                    part.restart(None)
                break
            except _BROKEN_OFF:
                if part.validator is None or part.size <= before or resumed == MAX_RESUMES:
                    raise
        part.publish()
    return target


def _fetch(session: Session, url: Any, part: PartFile, kwargs: dict[str, Any]) -> bool:
    """One request for what is missing. False when what there is does not fit and has to go first."""
    # A range counts the bytes of the coded body, so a coding that changes between two answers would tear the file.
    headers = CaseInsensitiveDict({"Accept-Encoding": "identity"})
    headers.update(kwargs.get("headers") or {})
    start = part.size if part.validator is not None else 0
    if start:
        headers["Range"] = f"bytes={start}-"
        headers["If-Range"] = part.validator or ""
    with session.get(url, **{**kwargs, "headers": headers, "stream": True}) as response:
        if response.status_code == 416 and start:
            return _content_range(response) == (None, start)
        if response.status_code == 206 and start:
            first, total = _content_range(response)
            if first != start:
                return False
            _write(response, part, kwargs.get("max_body"))
            return total is None or _is_whole(response, part, total)
        response.raise_for_status()
        if response.status_code != 200:
            raise errors.HTTPError(
                f"{shown(response.url)} answered {response.status_code}, which brings no file", response=response
            )
        part.restart(validator_of(response))
        _write(response, part, kwargs.get("max_body"))
        return True


def _write(response: Response, part: PartFile, limit: Any) -> None:
    # As it arrives: pieces of a fixed size would lose what came before a break.
    for chunk in response.iter_content(None):
        if isinstance(limit, int) and part.size + len(chunk) > limit:
            raise errors.BodyTooLarge(
                f"{shown(response.url)} is larger than the limit of {limit} bytes (max_body)", response=response
            )
        part.write(chunk)


def _is_whole(response: Response, part: PartFile, total: int) -> bool:
    if part.size < total:
        raise errors.ChunkedEncodingError(f"{shown(response.url)} sent {part.size} of {total} bytes", response=response)
    return part.size == total


def _content_range(response: Response) -> tuple[int | None, int | None]:
    """First byte and total length of what came; None for what is not said."""
    found = _RANGE.match(response.headers.get("content-range", "").strip())
    if found is None:
        return None, None
    return (None if found[1] is None else int(found[1])), (None if found[3] == "*" else int(found[3]))


def validator_of(response: Response) -> str | None:
    """What If-Range may say to get the rest of exactly this version; None when nothing names it surely enough."""
    headers = response.headers
    if headers.get("content-encoding", "identity").lower() != "identity":
        return None
    tag = headers.get("etag")
    if tag is not None:
        return tag if tag.startswith('"') else None
    modified, date = headers.get("last-modified"), headers.get("date")
    if modified is None or date is None:
        return None
    try:
        age = parsedate_to_datetime(date) - parsedate_to_datetime(modified)
    except (ValueError, TypeError):
        return None
    return modified if age.total_seconds() >= _STRONG_AFTER_SECONDS else None
