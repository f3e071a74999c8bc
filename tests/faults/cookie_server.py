"""A server in a process of its own that sets the cookie a URL asks for: run as `python -m tests.faults.cookie_server`.

`GET /set?NAME=VALUE` is answered with that cookie, `GET /large` with a body of 1 MB. It prints its port, and when its
input ends what it has seen. It does so little else that the client is what a test measures.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

LARGE = b"x" * 1_000_000
_LARGE_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(LARGE), LARGE)


class Connection(asyncio.Protocol):
    """One connection; the counts are of all.

    The end of a connection may be noticed a moment after the beginning of the one that took its place. `most_open` is
    therefore counted a few turns of the loop later, of those that were there when a connection began.
    """

    requests = opened = most_open = 0
    there: set[Connection] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cls = Connection
        cls.opened += 1
        cls.there.add(self)
        self._count(set(cls.there), turns=5)
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._buffer = b""

    def _count(self, beside: set[Connection], turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._count, beside, turns - 1)
        else:
            Connection.most_open = max(Connection.most_open, len(beside & Connection.there))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1]
            Connection.requests += 1
            if target == b"/large":
                self._transport.write(_LARGE_ANSWER)
                continue
            cookie = target.partition(b"?")[2]
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: " + cookie + b"; Path=/\r\n\r\nok"
            )

    def connection_lost(self, exc: Exception | None) -> None:
        Connection.there.discard(self)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({"requests": Connection.requests, "opened": Connection.opened, "most_open": Connection.most_open}))
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
