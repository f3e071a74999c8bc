"""new: a spider that runs as it was written."""

from __future__ import annotations

import pytest

from crawlkit.cli.new import class_name
from tests.cli.small_site import Site
from tests.conftest import Command


def test_a_new_spider_runs(crawlkit: Command, site: Site) -> None:
    """With the command that is told."""
    done = crawlkit("new", "my-shop", f"{site.url}/")
    assert "wrote spiders/my-shop.py; run it with: crawlkit run spiders/my-shop.py\n" == done.stdout
    line = crawlkit.run("spiders/my-shop.py")
    assert (3, 3, "my-shop") == (line["pages"], line["items"], line["spider"])


def test_a_file_is_never_overwritten(crawlkit: Command) -> None:
    """It may be somebody's work."""
    crawlkit("new", "shop", "https://example.org/")
    path = crawlkit.folder / "spiders" / "shop.py"
    path.write_text("mine\n")
    assert "is there already" in crawlkit("new", "shop", exit_code=2).stderr
    assert "mine\n" == path.read_text()


@pytest.mark.parametrize("name", ["Shop", "../shop", "sessions", "a b", ".x", ""])
def test_names_that_no_spider_can_have(crawlkit: Command, name: str) -> None:
    """Nothing is written."""
    crawlkit("new", name, exit_code=2)
    assert [] == list(crawlkit.folder.iterdir())


@pytest.mark.parametrize("url", ["example.org", 'https://example.org/"+x+"', "https://example.org/\n"])
def test_urls_that_cannot_be_written_into_a_file(crawlkit: Command, url: str) -> None:
    """No text of the command line becomes code."""
    crawlkit("new", "shop", url, exit_code=2)
    assert [] == list(crawlkit.folder.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"), [("my-shop", "MyShop"), ("shop", "Shop"), ("2000ad", "Spider2000ad"), ("a.b_c", "ABC")]
)
def test_class_names(name: str, expected: str) -> None:
    """An identifier that reads like the name."""
    assert expected == class_name(name)
    assert expected.isidentifier()
