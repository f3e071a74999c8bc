"""Archives of live sites, replayed: by pywb, drawn by a browser. No judgement here.

What belongs here: fetching pages with all that they need into a WARC file, the tools of others, their servers, pictures.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tarfile
import threading
import time
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
from tests.cli.pictures import browser
from tests.servers import DocsSite, MissingPackage, free_port, serve_folder, wait_for

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
def serve_pywb(tools: Path, folder: Path, *packages: Path) -> Iterator[Callable[[str], str]]:
    """pywb with the packages as its collection; a function from a URL to the address where its latest capture is."""
    folder.mkdir()
    for words in (["init", "site"], *(["add", "--unpack-wacz", "site", str(each.resolve())] for each in packages)):
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
            yield lambda url: f"http://127.0.0.1:{port}/site/2999/{url}"
        finally:
            server.terminate()
            server.wait(timeout=20)


# --- ReplayWeb.page ---------------------------------------------------------------------------------------------------

#: The program of https://replayweb.page as its makers publish it, to be put on one's own server.
REPLAY_WEB_PAGE = "replaywebpage@2.5.3"

#: The replayed document is in a frame in a frame, below shadow roots. What is there when it has loaded is reported as the
#: path of a request, which the server's log has: its title, the number of its style sheets, of its images, and of those
#: that have a size.
_VIEWER = """<!doctype html><script src="/ui.js"></script>
<replay-web-page source="/{package}" url="{url}" embed="replayonly" replaybase="/replay/"></replay-web-page>
<script>
function replayed(root) {{
  for (const node of root.querySelectorAll("*")) {{
    const inner = node.shadowRoot || (node.tagName === "IFRAME" && node.contentDocument);
    if (inner && inner.location && inner.location.href.includes("mp_/")) return inner;
    const found = inner && replayed(inner);
    if (found) return found;
  }}
}}
setInterval(() => {{
  const page = replayed(document);
  if (!page || page.readyState !== "complete") return;
  const drawn = [...page.images].filter(image => image.naturalWidth);
  const said = [page.title, page.styleSheets.length, page.images.length, drawn.length];
  fetch("/report/" + said.map(encodeURIComponent).join("|"));
}}, 200);
</script>"""


def replay_web_page(folder: Path) -> Path:
    """The folder with the program's files, fetched with npm. Raises MissingPackage."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingPackage("npm is not installed (apt-get install npm)")
    folder.mkdir()
    done = subprocess.run(
        [npm, "pack", "--silent", REPLAY_WEB_PAGE], cwd=folder, capture_output=True, text=True, timeout=300
    )
    [packed] = folder.glob("*.tgz")
    assert done.returncode == 0, done.stderr
    with tarfile.open(packed) as files:
        files.extractall(folder, filter="data")
    return folder / "package"


def seen_in_replay_web_page(program: Path, folder: Path, package: Path, url: str) -> list[str]:
    """What ReplayWeb.page shows of `url` in `package` in a browser: title, style sheets, images, images that are drawn."""
    site = folder / "site"
    (site / "replay").mkdir(parents=True)
    (folder / "nginx").mkdir()
    shutil.copy(program / "ui.js", site / "ui.js")
    shutil.copy(program / "sw.js", site / "replay" / "sw.js")
    shutil.copy(package, site / package.name)
    (site / "index.html").write_text(_VIEWER.format(package=package.name, url=url), encoding="utf-8")
    with serve_folder(site, folder / "nginx") as server, (folder / "log").open("w") as log:
        words = browser(folder / "browser", "--remote-debugging-port=0", server.url)
        showing = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            return _report(server)
        finally:
            showing.terminate()
            showing.wait(timeout=20)


def _report(server: DocsSite, *, patience_seconds: float = 90) -> list[str]:
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until:
        for path in server.asked():
            if path.startswith("/report/"):
                return path.removeprefix("/report/").split("|")
        time.sleep(0.1)
    raise AssertionError(f"nothing was replayed within {patience_seconds} s; asked for: {sorted(server.asked())}")
