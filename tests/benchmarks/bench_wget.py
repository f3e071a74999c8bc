"""The archive of Python's documentation: crawlkit archive against wget --mirror -p --warc-file, whole processes, in turns.

    python tests/benchmarks/bench_wget.py [--rounds 3] [--gzip] [--wait MILLISECONDS]

Needs Debian's nginx, wget and python3-doc. Prints of both the median seconds, the bytes that the server sent and received,
and the addresses that it answered with 200; fails when crawlkit misses one that wget has, or sends more bytes. With --gzip
the server compresses for who asks for it; wget cannot, when it writes a WARC file. With --wait (needs Debian's
libnginx-mod-http-echo) it answers after so long, as one does that is not on the same machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers import NGINX, MissingPackage, _running, free_port  # noqa: E402 - the folder above is not a package

_LOG = "log_format judge '$status $bytes_sent $request_length $uri'"
_ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
_GZIP = "gzip on; gzip_types text/css text/javascript application/javascript application/xml image/svg+xml;"


@dataclass(frozen=True)
class Site:
    """nginx with a log of bytes. `url` is the index of the documentation."""

    url: str
    log: Path


@dataclass(frozen=True)
class Taken:
    """What one run took: seconds, bytes both ways, the paths that were answered with 200."""

    seconds: float
    size: int
    paths: frozenset[str]


@contextmanager
def serving(folder: Path, *, compressing: bool, wait: int) -> Iterator[Site]:
    roots = sorted(Path("/usr/share/doc").glob("python3.*/html/library/index.html"))
    if not roots:
        raise MissingPackage("python3-doc is not installed (apt-get install python3-doc)")
    port = free_port()
    text = NGINX.format(folder=folder, port=port, root=roots[0].parents[1])
    text = text.replace("log_format judge '$request_method $status $uri'", _LOG)
    text = text.replace("charset utf-8;", f"charset utf-8; {_GZIP if compressing else ''}")
    if wait:
        if not _ECHO.exists():
            raise MissingPackage("libnginx-mod-http-echo is not installed (apt-get install libnginx-mod-http-echo)")
        root = f"root {roots[0].parents[1]};"
        text = text.replace(
            root, f"{root} location / {{ echo_sleep {wait / 1000}; echo_exec @file; }} location @file {{ }}"
        )
        text = f"load_module {_ECHO};\n{text}"
    config = folder / "nginx.conf"
    config.write_text(text, encoding="utf-8")
    with _running(["/usr/sbin/nginx", "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")], port):
        yield Site(f"http://127.0.0.1:{port}/index.html", folder / "access.log")


def taken(site: Site, words: list[str], folder: Path, codes: tuple[int, ...]) -> Taken:
    """Run a command in an empty folder."""
    with site.log.open("w"):
        pass
    began = time.perf_counter()
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)
    seconds = time.perf_counter() - began
    if done.returncode not in codes:
        raise SystemExit(f"{words[0]} ended with {done.returncode}\n{done.stderr[-2000:]}")
    lines = [line.split(" ", 3) for line in site.log.read_text(encoding="utf-8").splitlines()]
    size = sum(int(sent) + int(received) for _, sent, received, _ in lines)
    return Taken(seconds, size, frozenset(path for status, _, _, path in lines if status == "200"))


def wget(site: Site, folder: Path) -> Taken:
    words = ["wget", "--mirror", "-p", "--warc-file=docs", "-q", "-e", "robots=on", site.url]
    return taken(site, words, folder, (0, 8))  # 8: the documentation has dead links


def crawlkit(site: Site, folder: Path) -> Taken:
    command = str(Path(sys.executable).parent / "crawlkit")
    return taken(site, [command, "archive", site.url, "-o", "docs.wacz", "--quiet"], folder, (0,))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--wait", type=int, default=0)
    options = parser.parse_args()
    rounds: dict[str, list[Taken]] = {"wget": [], "crawlkit": []}
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), compressing=options.gzip, wait=options.wait) as site,
    ):
        for _ in range(options.rounds):
            for name, run in (("wget", wget), ("crawlkit", crawlkit)):
                with tempfile.TemporaryDirectory() as folder:
                    rounds[name].append(run(site, Path(folder)))
    for name, results in rounds.items():
        seconds = statistics.median(each.seconds for each in results)
        last = results[-1]
        print(f"{name:10}{seconds:8.2f} s {last.size:14,} bytes {len(last.paths):8,} addresses")
    ours, theirs = rounds["crawlkit"][-1], rounds["wget"][-1]
    missing = sorted(theirs.paths - ours.paths)
    print(f"only wget: {missing[:20]}")
    print(f"only crawlkit: {sorted(ours.paths - theirs.paths)[:20]}")
    if missing or ours.size > theirs.size:
        raise SystemExit("crawlkit took less of the site, or more bytes")


if __name__ == "__main__":
    main()
