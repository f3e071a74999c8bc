"""WARC files and packages of them, for tests that need no network."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crawlkit.archive.datapackage import About
from crawlkit.archive.exchange import Exchange
from crawlkit.archive.records import as_revisit, pack
from crawlkit.archive.wacz import Package, package
from crawlkit.archive.warcfile import WarcFile
from tests.archive.exchanges import NOW, exchange, page

HOME = "http://site.example/"


def site() -> list[Exchange]:
    """A small site: a page, a redirect to another, an image, what is missing, a form's answer."""
    return [
        exchange(page(b"<title>Home</title><p>Welcome"), url=HOME),
        exchange(page(b"", "Location: /b", status="302 Found"), url=HOME + "a"),
        exchange(page("<title>Bücher</title><p>Lesen".encode()), url=HOME + "b?y=2&x=1"),
        exchange(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x89PNG", url=HOME + "i.png"),
        exchange(page(b"<h1>gone", status="404 Not Found"), url=HOME + "missing"),
        exchange(
            page(b"<title>Found</title>"),
            method="POST",
            url=HOME + "search",
            request=b"POST /search HTTP/1.1\r\nHost: site.example\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 30\r\n\r\nq=books&csrf_token=sekret-4711",
        ),
    ]


def is_page(url: str) -> bool:
    """The site's pages, by their URL."""
    return not url.endswith((".png", "search", "missing"))


def warc(folder: Path, exchanges: Iterable[Exchange], *, revisit_of: dict[str, str] | None = None) -> Path:
    """`data-00000.warc.gz` in `folder` of these exchanges; a URL in `revisit_of` becomes a revisit of that other URL."""
    file = WarcFile(folder, fields={"isPartOf": "tests"}, clock=lambda: NOW)
    file.begin()
    for each in exchanges:
        packed = pack(each, warcinfo_id=file.warcinfo_id)
        if revisit_of and each.url in revisit_of:
            packed = as_revisit(packed, revisit_of[each.url], "2023-11-14T22:13:20.125000Z")
        file.append(packed)
        packed.close()
        each.close()
    file.sync()
    file.close()
    return file.path


def packaged(folder: Path, exchanges: Iterable[Exchange] | None = None, **options: Any) -> Package:
    """The package `site.wacz` in `folder` of these exchanges, or of the small site's."""
    path = warc(folder / "site.wacz.part", site() if exchanges is None else exchanges)
    options = {"is_page": is_page, "about": About(title="Site", main_page=HOME)} | options
    return package(folder / "site.wacz", [path], **options)


def member(path: Path, name: str) -> bytes:
    """The bytes of one member of a package."""
    with zipfile.ZipFile(path) as zipped:
        return zipped.read(name)


def index(path: Path) -> list[tuple[str, str, dict[str, str]]]:
    """The plain index of a package: key, moment, fields."""
    lines = [line.split(" ", 2) for line in member(path, "indexes/index.cdx").decode().splitlines()]
    return [(key, moment, json.loads(fields)) for key, moment, fields in lines]


def pages(path: Path) -> list[dict[str, str]]:
    """The pages of a package, without the first line."""
    return [json.loads(line) for line in member(path, "pages/pages.jsonl").decode().splitlines()[1:]]
