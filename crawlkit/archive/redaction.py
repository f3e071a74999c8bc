"""Redaction: an exchange as it may be archived, without secrets.

What belongs here: the order of things, and the note of what was done. What does not: which values are secret
(registry.py, redacted_head.py, pagesecrets.py), how they are replaced (substitution.py).

First everything that the exchange itself tells is learnt: the cookies in its heads, the tokens in its page. Then each
part is looked at. What holds no secret keeps its bytes, and an exchange without one is given back as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from crawlkit.archive.chunkframes import ChunkFrames
from crawlkit.archive.exchange import Exchange
from crawlkit.archive.pagesecrets import page_tokens, parameter_tokens
from crawlkit.archive.redacted_body import BodyRedaction
from crawlkit.archive.redacted_head import HeadRedaction, fitted
from crawlkit.archive.redacted_request import MOST as MOST_BODY
from crawlkit.archive.redacted_request import masked_body
from crawlkit.archive.registry import Registry
from crawlkit.archive.spool import Spool
from crawlkit.archive.substitution import Seen, Substitution
from crawlkit.sessions import bodies
from crawlkit.sessions.secretforms import Span

_MARKUP = frozenset(("text/html", "application/xhtml+xml", ""))
_SCRIPTS = ("json", "javascript", "ecmascript")
_LONGEST_HEAD = 1 << 20
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RedactionNote:
    """What was taken out of an exchange: how many values of each part, and whether its body was compressed again.

    `str` says it in one line, for the record that goes with the exchange.
    """

    request_head: int = 0
    request_body: int = 0
    response_head: int = 0
    response_body: int = 0
    recoded: bool = False

    @property
    def count(self) -> int:
        """How many values were replaced."""
        return self.request_head + self.request_body + self.response_head + self.response_body

    def __str__(self) -> str:
        parts = {
            "head of the request": self.request_head,
            "body of the request": self.request_body,
            "head of the response": self.response_head,
            "body of the response": self.response_body,
        }
        told = ", ".join(f"{count} in the {part}" for part, count in parts.items() if count)
        anew = "; the body was compressed again and its length and framing written anew" if self.recoded else ""
        return f"secrets were replaced by pseudonyms of the same length: {told}{anew}"


class Redaction:
    """Takes secrets out of exchanges, URLs and texts. Any thread may call anything.

    `patterns`: names of secret headers beside the usual ones (`session.secret_headers`). `on=False`: everything stays as
    it is, for an archive of one's own; the package has to say so.
    """

    def __init__(self, registry: Registry, *, patterns: Iterable[str] = (), on: bool = True) -> None:
        self.registry = registry
        self.on = on
        self._heads = HeadRedaction(registry.pseudonyms, patterns)

    def _substitution(self) -> Substitution:
        return Substitution(self.registry.index(), self.registry.pseudonyms)

    def url(self, url: str) -> str:
        """A URL as it is in the archive: the one of an index, of a list of pages, of `via`."""
        if not self.on:
            return url
        for token in parameter_tokens(url):
            self.registry.learn(token)
        return self.text(self._heads.masked_url(url))

    def text(self, text: str) -> str:
        """Any text without the secrets that are known, such as a page's title or an error."""
        if not self.on:
            return text
        substitution = self._substitution()
        if not substitution.knows:
            return text
        data = text.encode("utf-8", "surrogatepass")
        clean = substitution.applied(data, Seen())
        return text if clean is data else clean.decode("utf-8", "replace")

    def apply(
        self, exchange: Exchange, folder: Path | None = None, *, known_only: bool = False
    ) -> tuple[Exchange, RedactionNote | None]:
        """The exchange as it may be archived, and what was done to it; `exchange` itself and None when it holds no
        secret.

        It takes `exchange` over: the result is what has to be closed. `folder` is where large bodies are spooled.
        `known_only`: for what was redacted once: nothing is learnt from it and nothing hidden for its place, for that is a
        pseudonym now. Memory does not grow with the body. StorageError when that folder is full.
        """
        if not self.on:
            return exchange, None
        body = BodyRedaction(exchange)
        head = exchange.response.read(0, exchange.head_length or _LONGEST_HEAD)  # all of an answer cut off in its head
        asked = _head_of(exchange.request)
        self._read(exchange, () if known_only else (asked, head), body)
        substitution = self._substitution()
        seen = [Seen() for _ in range(4)]
        fresh_asked = self._head(asked, substitution, seen[0], known_only)
        request = self._request(exchange.request, asked, fresh_asked, substitution, seen[1], folder, known_only)
        fresh_head = self._head(head, substitution, seen[2], known_only)
        changed = exchange.response.size > len(head) and body.changes(substitution, seen[3])
        counts = [one.total() for one in seen]
        clean_url = self.text if known_only else self.url
        via = None if exchange.via is None else clean_url(exchange.via)
        if not any(counts):
            return exchange if via == exchange.via else replace(exchange, via=via), None
        response = exchange.response
        if changed:
            response, fresh_head = self._response(fresh_head, body, substitution, folder)
        elif counts[2]:
            response = _joined(fresh_head, exchange.response.chunks(len(head)), folder)
        fresh = replace(
            exchange,
            url=clean_url(exchange.url),
            via=via,
            request=request,
            response=response,
            head_length=len(fresh_head) if exchange.head_length else 0,
        )
        for old, new in ((exchange.request, request), (exchange.response, response)):
            if old is not new:
                old.close()
        return fresh, RedactionNote(counts[0], counts[1], counts[2], counts[3], changed and body.recoded)

    def _read(self, exchange: Exchange, heads: Iterable[bytes], body: BodyRedaction) -> None:
        """Read the body once, and learn what it and `heads` tell, if these are given."""
        wanted = False
        for block in heads:
            wanted = True
            for secret in self._heads.secrets(block):
                self.registry.learn(secret)
        mime = exchange.mime
        markup = mime in _MARKUP
        wanted = wanted and (markup or mime.endswith(_SCRIPTS))

        def learn(data: bytes) -> list[Span]:
            tokens, places = page_tokens(data, markup=markup) if wanted else ([], [])
            for token in tokens:
                self.registry.learn(token, of_page=True)
            return places

        body.read(learn)

    def _head(self, head: bytes, substitution: Substitution, seen: Seen, known_only: bool) -> bytes:
        return substitution.applied(head if known_only else self._heads.masked(head, seen), seen)

    def _request(
        self,
        request: Spool,
        head: bytes,
        fresh: bytes,
        substitution: Substitution,
        seen: Seen,
        folder: Path | None,
        known_only: bool,
    ) -> Spool:
        """The request with its new head and without the secrets of its body; `request` itself when nothing changes."""
        out = Spool(folder)
        out.write(fresh)
        size = request.size - len(head)
        if _CHUNKED.search(head):
            frames = ChunkFrames(request, len(head))
            data = substitution.pieces(frames.data(), seen)
            frames.write(data, substitution.pieces(frames.framing(), seen), out)
        elif 0 < size <= MOST_BODY and not known_only:
            body = masked_body(request.read(len(head), size), self.registry.pseudonyms, seen)
            out.write(substitution.applied(body, seen))
        elif size:
            for piece in substitution.pieces(request.chunks(len(head)), seen):
                out.write(piece)
        if fresh == head and not seen:
            out.close()
            return request
        return out

    def _response(
        self, head: bytes, body: BodyRedaction, substitution: Substitution, folder: Path | None
    ) -> tuple[Spool, bytes]:
        """The answer with the new body, and its head as it is then."""
        with Spool(folder) as pieces:
            body.write(substitution, pieces)
            length = None if not body.recoded else bodies.CHUNKED if body.chunked else pieces.size
            head = fitted(head, self.registry.pseudonyms, length=length)
            return _joined(head, pieces.chunks(), folder), head


def _joined(head: bytes, pieces: Iterable[bytes], folder: Path | None) -> Spool:
    out = Spool(folder)
    out.write(head)
    for piece in pieces:
        out.write(piece)
    return out


def _head_of(request: Spool) -> bytes:
    """The head of a request, with its blank line; all of it when there is none."""
    start = request.read(0, _LONGEST_HEAD)
    end = start.find(b"\r\n\r\n")
    return start if end < 0 else start[: end + 4]
