"""`crawlkit run --archive` as a process: where the archive ends up, what is refused, and that nothing is lost."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]


def pages(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as package:
        lines = package.read("pages/pages.jsonl").splitlines()[1:]
    return sorted(json.loads(line)["title"] for line in lines)


def run(crawlkit: Command, site: Site, *words: str, expect: int = 0) -> Any:
    done = crawlkit("run", "pages.py", "-a", f"base={site.url}", "--json", *words, exit_code=expect)
    return json.loads(done.stdout)


def test_the_archive_is_at_the_named_place(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """It has the pages, and the JSON line says so."""
    write_spider(SPIDER, name="pages.py")
    line = run(crawlkit, site, "--archive", "site.wacz")

    output = crawlkit.folder / "site.wacz"
    assert (str(output), True, output.stat().st_size) == tuple(
        line["archive"][name] for name in ("output", "finished", "size")
    )
    assert 3 == len(pages(output))
    assert not (crawlkit.folder / "site.wacz.part").exists()


def test_a_spider_may_ask_for_its_archive(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Each crawl has its own, beside the database."""
    write_spider(SPIDER.replace('key = "url"', 'key = "url"\n    archive = True'), name="pages.py")
    run(crawlkit, site)
    run(crawlkit, site)

    assert ["pages-1.wacz", "pages-2.wacz"] == sorted(path.name for path in (crawlkit.folder / "data").glob("*.wacz"))


def test_an_output_that_is_there_is_refused_before_anything_is_fetched(
    crawlkit: Command, write_spider: Write, site: Site
) -> None:
    """With the way out; --overwrite replaces it."""
    write_spider(SPIDER, name="pages.py")
    (crawlkit.folder / "site.wacz").write_bytes(b"last month")
    line = run(crawlkit, site, "--archive", "site.wacz", expect=2)

    assert "--overwrite" in line["error"]
    assert b"last month" == (crawlkit.folder / "site.wacz").read_bytes()
    assert not (crawlkit.folder / "data").exists()
    run(crawlkit, site, "--archive", "site.wacz", "--overwrite")
    assert 3 == len(pages(crawlkit.folder / "site.wacz"))


def test_names_that_cannot_be_are_refused(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Another suffix, the database, a folder that cannot be."""
    write_spider(SPIDER, name="pages.py")
    (crawlkit.folder / "folder.wacz").mkdir()
    errors = [
        run(crawlkit, site, "--archive", name, expect=2)["error"]
        for name in ("site.zip", "folder.wacz", "pages.py/site.wacz")
    ]

    assert ".wacz or a .warc.gz" in errors[0]
    assert "is a folder" in errors[1]
    assert "is no folder" in errors[2]


def test_a_run_that_was_cut_off_goes_on_with_its_archive(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """It says where what there is lies, and how to make a package of it."""
    write_spider(SPIDER, name="pages.py")
    first = run(crawlkit, site, "--archive", "site.wacz", "--max-pages", "1", expect=5)
    second = run(crawlkit, site, "--archive", "site.wacz")

    assert (False, None) == (first["archive"]["finished"], first["archive"]["size"])
    assert (True, 3) == (second["archive"]["finished"], len(pages(crawlkit.folder / "site.wacz")))


def test_an_archive_without_a_page_is_none(crawlkit: Command, site: Site) -> None:
    """A site that does not answer leaves the name free for the day it does, and what is there under --overwrite stays."""
    (crawlkit.folder / "old.wacz").write_bytes(b"last month")
    for words in (["new.wacz"], ["old.wacz", "--overwrite"]):
        done = crawlkit("archive", f"{site.url}/nothing", "--json", "--fresh", "-o", *words, exit_code=1)
        told = json.loads(done.stdout)["archive"]
        assert (False, True, None) == (told["finished"], told["empty"], told["size"])
        assert "no page was fetched" in done.stderr
    assert ["old.wacz"] == [path.name for path in crawlkit.folder.iterdir() if "wacz" in path.name]
    assert b"last month" == (crawlkit.folder / "old.wacz").read_bytes()


def test_secrets_that_the_user_names_are_taken_out(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """By the names of environment variables; one that is not set is an error."""
    write_spider(SPIDER, name="pages.py")
    words = ("--archive", "site.warc.gz", "--set", 'archive.secrets=["WORD_OF_MINE"]')
    line = run(crawlkit, site, *words, expect=2)

    assert "WORD_OF_MINE is not set" in line["error"]


def test_a_dry_run_makes_no_archive(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """It stores nothing."""
    write_spider(SPIDER, name="pages.py")
    run(crawlkit, site, "--archive", "site.wacz", "--dry-run")

    assert [] == list(crawlkit.folder.glob("site.*"))


def test_a_folder_of_spiders_has_no_one_archive(crawlkit: Command, write_spider: Write) -> None:
    """Name it on the spider."""
    write_spider(SPIDER, name="pages.py")
    done = crawlkit("run", ".", "--archive", "site.wacz", exit_code=2)

    assert "--archive are for one spider" in done.stderr
