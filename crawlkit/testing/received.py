"""A request as it came over the wire, and how it is read. What is answered is in hostile.py."""

from __future__ import annotations

import socket
from dataclasses import dataclass

_MOST_HEAD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: `head` are its bytes up to and with the empty line."""

    method: str
    target: str
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the first header of this name (any case), None when there is none."""
        wanted = name.lower().encode("latin-1")
        for line in self.head.split(b"\r\n")[1:]:
            key, colon, value = line.partition(b":")
            if colon and key.strip().lower() == wanted:
                return value.strip().decode("latin-1")
        return None


def read_request(connection: socket.socket, waiting: bytes) -> tuple[Received | None, bytes]:
    """One request off the wire, with what came after it; None when the client closed."""
    while b"\r\n\r\n" not in waiting:
        more = connection.recv(65536)
        if not more or len(waiting) > _MOST_HEAD_BYTES:
            return None, b""
        waiting += more
    head, _, rest = waiting.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    method, target, *_ = [*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
    request = Received(method, target, head, b"")
    length = int(request.header("Content-Length") or 0)
    while len(rest) < length:
        more = connection.recv(65536)
        if not more:
            return None, b""
        rest += more
    return Received(method, target, head, rest[:length]), rest[length:]
