"""Servers that we did not write, started for tests and benchmarks: nginx with Python's documentation, Django's admin, an
API of Django REST framework.

Knows nothing of pytest, so that a benchmark can use it as a plain script does.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


class MissingPackage(Exception):
    """A Debian package is not installed; the message names it and the command that installs it."""


# --- Python's documentation behind nginx ------------------------------------------------------------------------------

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
  include /etc/nginx/mime.types;
  charset utf-8;
  log_format judge '$request_method $status $uri';
  access_log {folder}/access.log judge;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@dataclass(frozen=True)
class DocsSite:
    """nginx serving the folder `root`; `url` is the index of the documentation, `log` its access log."""

    root: Path
    port: int
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def url(self) -> str:
        return f"{self.base}index.html"

    def forget(self) -> None:
        """Empty the log, as between two crawls."""
        with self.log.open("w"):
            pass

    def asked(self) -> Counter[str]:
        """How often each path was asked for since `forget()`, but for robots.txt."""
        whole, _, _ = self.log.read_text(encoding="utf-8").rpartition("\n")  # the last line may be in the writing
        return Counter(line.split(" ", 2)[2] for line in whole.splitlines() if not line.endswith(" /robots.txt"))


@contextlib.contextmanager
def _running(words: list[str], port: int) -> Iterator[None]:
    """The command from when it listens on the port until the end of the block."""
    server = subprocess.Popen(words)
    try:
        wait_for(port, server)
        yield
    finally:
        server.terminate()
        server.wait(timeout=10)


def serve_docs(folder: Path) -> contextlib.AbstractContextManager[DocsSite]:
    """Debian's python3-doc behind Debian's nginx on a free port, its files in `folder`. Raises MissingPackage."""
    roots = sorted(Path("/usr/share/doc").glob("python3.*/html/index.html"))
    if not roots:
        raise MissingPackage("python3-doc is not installed (apt-get install python3-doc)")
    return serve_folder(roots[0].parent, folder)


def serve_folder(root: Path, folder: Path) -> contextlib.AbstractContextManager[DocsSite]:
    """What is in `root` behind Debian's nginx on a free port, its files in `folder`. Raises MissingPackage."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise MissingPackage("nginx is not installed (apt-get install nginx)")
    return _serve_folder(nginx, root, folder)


@contextlib.contextmanager
def _serve_folder(nginx: str, root: Path, folder: Path) -> Iterator[DocsSite]:
    site = DocsSite(root, free_port(), folder / "access.log")
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=site.port, root=root), encoding="utf-8")
    words = [nginx, "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    with _running(words, site.port):
        yield site


# --- Django's admin ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DjangoSite:
    """Django's admin on a threaded WSGI server; `log` has a line `METHOD STATUS PATH` for each request."""

    url: str
    log: Path
    database: Path
    username: str = "admin"
    password: str = "correct horse"

    def asked(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def forget(self) -> None:
        """Empty the log, as between two runs."""
        with self.log.open("w"):
            pass


@contextlib.contextmanager
def serve_django(folder: Path) -> Iterator[DjangoSite]:
    """The project in integration/djangosite as a process of its own, its database and log in `folder`."""
    port = free_port()
    site = DjangoSite(f"http://127.0.0.1:{port}", folder / "requests.log", folder / "db.sqlite3")
    script = HERE / "integration" / "djangosite" / "serve.py"
    words = [sys.executable, script, site.database, port, site.log, site.username, site.password]
    with _running([str(word) for word in words], port):
        yield site


@contextlib.contextmanager
def serve_tokens(folder: Path, *, lifetime_seconds: float) -> Iterator[DjangoSite]:
    """The API in integration/tokensite as a process of its own: the same objects, for whom has a JSON web token."""
    port = free_port()
    site = DjangoSite(f"http://127.0.0.1:{port}", folder / "requests.log", folder / "db.sqlite3")
    script = HERE / "integration" / "tokensite" / "serve.py"
    words = [sys.executable, script, site.database, port, site.log, site.username, site.password, lifetime_seconds]
    with _running([str(word) for word in words], port):
        yield site


# --- processes --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int, server: subprocess.Popen[bytes], *, patience_seconds: float = 60) -> None:
    """Until something listens on the port. RuntimeError when the server ends first, or patience does."""
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"{server.args} ended at once with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{server.args} did not listen on port {port} within {patience_seconds} s")
