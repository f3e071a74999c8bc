"""A site on loopback as demo_site.py and trap_site.py have it: a server in a thread of its own, from its start to its end.

What belongs here: opening and closing it, who may log in. What does not: what it answers.
"""

from __future__ import annotations

import socketserver
import threading
from http.server import HTTPServer
from types import TracebackType
from typing import Self

from crawlkit.testing.members import Account, Members


class LocalServer(socketserver.ThreadingMixIn, HTTPServer):
    """A thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # HTTPServer's own asks DNS for the name of the address, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name = str(self.server_address[0])
        self.server_port = int(self.server_address[1])


class LocalSite:
    """A running site: `url` is its root without a slash at the end. Safe from any thread; ends with `close()` or a `with`
    block.
    """

    members: Members

    def _open(self, server: LocalServer, name: str) -> None:
        """Let `server` answer from now on, in a thread that is called `name`."""
        self._server = server
        self.port = server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.05,), name=f"{name}-{self.port}", daemon=True
        )
        self._thread.start()

    @property
    def account(self) -> Account:
        """The username and password that open the site."""
        return self.members.account

    def close(self) -> None:
        """Stop answering, close every connection and free the port. Without effect the second time."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
