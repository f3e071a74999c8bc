"""Packages, replayed: by pywb, by ReplayWeb.page. No judgement here.

What belongs here: the tools of others, their servers, what a package says of itself. What does not: a browser that draws
(devtools.py).
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

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


def warcs_of(package: Path, folder: Path) -> list[Path]:
    """The WARC files of a package, taken out of it into `folder`."""
    with zipfile.ZipFile(package) as files:
        names = [name for name in files.namelist() if name.startswith("archive/")]
        return [Path(files.extract(name, folder)) for name in names]


def said_to_be_lost(package: Path) -> set[str]:
    """The addresses that a package says only a browser could have fetched."""
    with zipfile.ZipFile(package) as files:
        listed = json.loads(files.read("reports/completeness.json"))["browser_only"]
    return {each["url"] for each in listed if "url" in each}


def replayed_url(asked: str) -> str | None:
    """The address whose replay is at this address of pywb; None for its own files."""
    found = re.search(r"/site/\d+(?:[a-z]+_)?/(.*)", asked)
    return found[1] if found else None


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
