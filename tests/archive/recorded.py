"""Runs spiders with an archive, and reads what became of it."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawlkit.archive import reading
from crawlkit.archive.contents import Contents
from crawlkit.archive.recorder import ArchiveRecorder
from crawlkit.crawl.engine import Engine
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import ConfigFile, Override, resolve_settings
from crawlkit.crawl.spider import Spider
from tests.crawl.loopback import Site
from tests.sessions.scripted import Scripted


class Walker(Spider):
    """Follows every link."""

    name = "walker"

    def __init__(self, site: Site | Scripted, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_urls = [site.url + "/"]

    def parse(self, response: Any) -> Any:
        yield from response.follow_all("a", self.parse)


@dataclass
class Kept:
    """A record as a test looks at it: path and query of its URL, head and payload of its block."""

    kind: str
    path: str
    status: int | None
    fields: dict[str, str]
    head: bytes
    payload: bytes


class Studio:
    """Runs spiders in one folder, each run into an archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "site.wacz"
        self.engine: Engine
        self.recorder: ArchiveRecorder

    def run(
        self,
        spider: Spider,
        *,
        output: Path | None = None,
        fresh: bool = False,
        overwrite: bool = False,
        redact: bool = True,
        sure: tuple[str, ...] = (),
        recorded: bool = True,
        max_size: int | None = None,
        **settings: Any,
    ) -> Result:
        self.recorder = ArchiveRecorder(
            output or self.output,
            name=spider.name,
            folder=self.folder,
            contents=Contents(spider.name),
            note={"spider": spider.name},
            redact=redact,
            sure=sure,
            max_size=max_size,
            overwrite=overwrite,
        )
        overrides = [Override(key.replace("__", "."), value, key) for key, value in settings.items()]
        self.engine = Engine(
            spider,
            resolve_settings(ConfigFile(folder=self.folder), custom=spider.custom_settings, overrides=overrides),
            db=self.folder / f"{spider.name}.db",
            source=f"{self.folder}/spider.py::{type(spider).__name__}",
            vault=self.folder / "sessions.db",
            fresh=fresh,
            recorder=self.recorder if recorded else None,
        )
        return self.engine.run()

    def query(self, spider: Spider, sql: str) -> list[Any]:
        connection = sqlite3.connect(self.folder / f"{spider.name}.db")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def warcs(self, output: Path | None = None) -> list[Path]:
        """The WARC files of an output, taken out of its package; of one that is not finished, where they are made."""
        output = output or self.output
        if not output.exists():
            return sorted(output.with_name(output.name + ".part").glob("*.warc.gz"))
        if output.name.endswith(".warc.gz"):
            return [output]
        out = []
        with zipfile.ZipFile(output) as package:
            for name in sorted(package.namelist()):
                if name.startswith("archive/"):
                    path = self.folder / f"taken-{output.stem}-{Path(name).name}"
                    path.write_bytes(package.read(name))
                    out.append(path)
        return out

    def records(self, output: Path | None = None) -> list[Kept]:
        """All records, in their order."""
        return [kept(record) for path in self.warcs(output) for record in reading.records(path)]

    def answers(self, output: Path | None = None) -> dict[str, int | None]:
        """Path of each response or revisit, with its status."""
        return {it.path: it.status for it in self.records(output) if it.kind in ("response", "revisit")}

    def description(self, output: Path | None = None) -> str:
        """What the package says of itself."""
        with zipfile.ZipFile(output or self.output) as package:
            return package.read("datapackage.json").decode()

    def pages(self, output: Path | None = None) -> list[dict[str, Any]]:
        """The pages that a reader lists."""
        with zipfile.ZipFile(output or self.output) as package:
            lines = package.read("pages/pages.jsonl").splitlines()
        return [json.loads(line) for line in lines[1:]]


@contextmanager
def nothing_rewritten(files: Sequence[Path], *_: Any) -> Iterator[Sequence[Path]]:
    """In place of `rewritten`: leaves the files as they are."""
    yield files


def kept(record: reading.Record) -> Kept:
    """Read one record whole."""
    fields = dict(record.fields)
    block = b"".join(record.block())
    head, _, payload = block.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if record.kind in ("response", "revisit") and head.startswith(b"HTTP/") else None
    path = "/" + record.url.split("/", 3)[3] if record.url.count("/") >= 3 else record.url
    return Kept(record.kind, path, status, fields, head, payload)
