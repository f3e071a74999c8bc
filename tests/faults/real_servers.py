"""Servers that others wrote: httpbin behind certificates of the test's own, and proxy.py as a process.

What belongs here: starting and ending them. What does not: what is asked of them (test_real_servers.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpbin
from pytest_httpbin.serve import SecureWSGIServer, Server, WSGIServer

from tests.servers import wait_for


class CertifiedServer(Server):
    """httpbin over TLS with a context of the caller's."""

    def __init__(self, context: ssl.SSLContext) -> None:
        class WithContext(SecureWSGIServer):
            def get_request(self) -> Any:
                sock, address = WSGIServer.get_request(self)
                sock.settimeout(5.0)
                try:
                    return context.wrap_socket(sock, server_side=True), address
                except OSError:
                    sock.close()
                    raise

        super().__init__(application=httpbin.app, server_class=WithContext)
        self.protocol = "https"


@contextlib.contextmanager
def httpbin_with(context: ssl.SSLContext) -> Iterator[CertifiedServer]:
    """httpbin on a free port until the end of the block."""
    with CertifiedServer(context) as server:
        yield server


@dataclass(frozen=True)
class RealProxy:
    """proxy.py; `log` has a line for each request or tunnel, once it is over."""

    port: int
    log: Path

    def url(self, userinfo: str = "") -> str:
        return f"http://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}"

    def wait_for_line(self, text: str, patience_seconds: float = 5.0) -> str:
        """The first line with `text` in it; it is written when the connection closes."""
        until = time.monotonic() + patience_seconds
        while time.monotonic() < until:
            for line in self.log.read_text(encoding="utf-8").splitlines():
                if text in line:
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no line with {text!r} in {self.log.read_text(encoding='utf-8')}")


@contextlib.contextmanager
def proxy_py(folder: Path, credentials: str | None = None) -> Iterator[RealProxy]:
    """proxy.py as a process of its own on a free port; with `credentials` ("user:password") it asks for them."""
    port_file, log = folder / "port", folder / "proxy.log"
    words = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file)]
    words += ["--threaded", "--num-workers", "1", "--num-acceptors", "1", "--data-dir", str(folder)]
    words += ["--log-file", str(log)]
    if credentials is not None:
        words += ["--basic-auth", credentials]
    process = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until = time.monotonic() + 30
        while not (port_file.exists() and port_file.read_text().strip()):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{words} did not start: {process.poll()}")
            time.sleep(0.02)
        port = int(port_file.read_text().split()[0])
        wait_for(port, process)
        yield RealProxy(port, log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it and its workers, which take seconds to end when asked
        process.wait(timeout=10)
