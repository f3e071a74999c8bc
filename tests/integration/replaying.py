"""Archives of live sites, replayed: by pywb, drawn by a browser. No judgement here.

What belongs here: fetching pages with all that they need into a WARC file, the tools of others, their servers, pictures.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from crawlkit import Session
from crawlkit.archive.capture import Capture
from crawlkit.archive.exchange import Exchange
from crawlkit.archive.records import pack
from crawlkit.archive.warcfile import WarcFile
from crawlkit.html.requisites import requisites_of
from crawlkit.html.stylesheets import references_of_css
from crawlkit.url import join
from tests.servers import free_port, wait_for

#: pywb needs brotlipy, which overwrites the files of the brotli that crawlkit decodes with, and old versions of much
#: else: they cannot be in one environment. wacz brings forty packages that nothing else here needs.
TOOLS = ("pywb>=2.8", "wacz>=0.5", "warcio>=1.7")


def install_tools(folder: Path) -> Path:
    """An environment of its own with pywb, wacz and warcio; its folder of commands."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    words = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS]
    subprocess.run(words, check=True, timeout=600)
    return folder / "bin"


@contextlib.contextmanager
def archiving(session: Session, folder: Path) -> Iterator[WarcFile]:
    """Whatever the session fetches in the block is appended to the WARC file that this gives."""
    file = WarcFile(folder, fields={})
    file.begin()

    def append(exchange: Exchange) -> None:
        with pack(exchange, warcinfo_id=file.warcinfo_id) as packed:
            file.append(packed)
        exchange.close()

    adapters: list[Any] = list(session.adapters.values())
    for adapter in adapters:
        adapter.tee = lambda request: Capture(request.method, request.url, publish=append, folder=folder)
    try:
        yield file
    finally:
        for adapter in adapters:
            adapter.tee = None
        file.sync()
        file.close()


def fetch_whole(session: Session, pages: Iterable[str]) -> None:
    """Fetch the pages and all requisites of theirs."""
    seen: set[str] = set()
    for page in pages:
        waiting = deque([page])
        while waiting:
            url = waiting.popleft()
            if url in seen:
                continue
            seen.add(url)
            response = session.get(url)
            waiting.extend(_needed(response))


def _needed(response: Any) -> list[str]:
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        references: Iterable[Any] = requisites_of(response.tree)
    elif kind.startswith("text/css"):
        references = references_of_css(response.text)
    else:
        return []
    found = [join(response.url, reference.url) for reference in references]
    return [url.partition("#")[0] for url in found if url is not None and url.startswith("http")]


@contextlib.contextmanager
def as_seen_by(session: Session, site: str) -> Iterator[str]:
    """The address of a server that shows `site` to anybody as the session sees it: a browser has not its cookies."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = session.get(site + self.path, allow_redirects=False)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def serve_pywb(tools: Path, folder: Path, package: Path) -> Iterator[Callable[[str], str]]:
    """pywb with the package as its collection; a function from a URL to the address where it is replayed."""
    folder.mkdir()
    for words in (["init", "site"], ["add", "--unpack-wacz", "site", str(package.resolve())]):
        subprocess.run([tools / "wb-manager", *words], cwd=folder, check=True, capture_output=True, timeout=120)
    # Without the frame and the banner that pywb puts around a page: what is compared is the page.
    (folder / "config.yaml").write_text("framed_replay: false\nenable_banner: false\n", encoding="utf-8")
    (folder / "templates" / "banner.html").write_text("", encoding="utf-8")
    port = free_port()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [tools / "wayback", "-b", "127.0.0.1", "-p", str(port)], cwd=folder, stdout=log, stderr=log
        )
        try:
            wait_for(port, server)
            yield lambda url: f"http://127.0.0.1:{port}/site/2/{url}"
        finally:
            server.terminate()
            server.wait(timeout=20)
