"""Spiders from files: which class is meant, and one clear line for each thing that can be wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlkit.crawl.loading import (
    SpiderSource,
    check_start_urls,
    find_spider,
    find_spiders,
    make_spider,
    parse_arguments,
    spider_files,
)
from crawlkit.exceptions import SpiderError

ONE = "from crawlkit import Spider\nclass Shop(Spider):\n    start_urls = ['https://example.org/']\n"
TWO = ONE + "class Other(Spider):\n    pass\n"

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def path_as_before() -> Iterator[None]:
    """Loading puts folders on sys.path; no test sees another's."""
    before = list(sys.path)
    yield
    sys.path[:] = before


def refused(target: object) -> str:
    with pytest.raises(SpiderError) as caught:
        find_spider(str(target))
    return str(caught.value)


def make(source: SpiderSource, *pairs: str) -> str:
    with pytest.raises(SpiderError) as caught:
        make_spider(source, parse_arguments(pairs))
    return str(caught.value)


def test_the_only_spider_is_taken(write_spider: Write) -> None:
    """A file with one Spider needs no class; its name is the class's in snake_case."""
    source = find_spider(str(write_spider(ONE)))
    assert "Shop" == source.spider.__name__
    assert "shop" == make_spider(source).name


def test_a_class_is_chosen_by_name(write_spider: Write) -> None:
    """`file.py::Class`."""
    assert "Other" == find_spider(f"{write_spider(TWO)}::Other").spider.__name__


def test_two_spiders_say_how_to_choose(write_spider: Write) -> None:
    """The line can be copied."""
    path = write_spider(TWO)
    assert f"{path}: 2 Spiders in it; choose one: {path}::Shop or {path}::Other" == refused(path)


def test_only_classes_defined_in_the_file_count(write_spider: Write) -> None:
    """An imported base, a class whose name starts with _ and an alias are none of the file's spiders."""
    write_spider(ONE.replace("Shop", "Base"), name="neighbour_of_spiders.py")
    path = write_spider(
        "from neighbour_of_spiders import Base\nfrom crawlkit import Spider\nclass _Hidden(Spider): pass\n"
        "class Shop(Base): name = 'shop'\nAlias = Shop\n"
    )
    assert "Shop" == find_spider(str(path)).spider.__name__


def test_errors_of_paths(tmp_path: Path, write_spider: Write) -> None:
    """No such file, a folder, no Python file, no such class."""
    assert "no such file" in refused(tmp_path / "none.py")
    assert "is a folder" in refused(tmp_path)
    assert "not a Python file" in refused(write_spider("", name="data.txt"))
    path = write_spider(ONE)
    assert f"no such file; there is {path}" in refused(str(path).removesuffix(".py"))
    assert "no Spider class 'Shup' is defined in it; there is Shop" in refused(f"{path}::Shup")


def test_no_spider_in_it(write_spider: Write) -> None:
    """The error says what would be one."""
    assert "no Spider in it; define a class that inherits from crawlkit.Spider" in refused(write_spider("x = 1\n"))


def test_errors_in_the_file_name_its_line(write_spider: Write) -> None:
    """Syntax, imports and anything else that is raised while it is loaded."""
    assert "spider.py:2: syntax error:" in refused(write_spider("x = 1\nclass (:\n"))
    assert "spider.py:1: cannot be loaded: No module named 'no_such_thing'" in refused(
        write_spider("import no_such_thing\n")
    )
    assert "spider.py:3: cannot be loaded: ZeroDivisionError: division by zero" in refused(
        write_spider("def f():\n    pass\n1 / 0\n")
    )
    assert "spider.py:2: cannot be loaded: it calls exit()" in refused(write_spider("import sys\nsys.exit(3)\n"))
    assert "null bytes" in refused(write_spider("x = '\0'\n"))


def test_a_spider_of_scrapy_is_told_what_to_change(write_spider: Write) -> None:
    """Where Scrapy is not installed, the import is the first thing that a ported spider stumbles over."""
    path = write_spider("raise ModuleNotFoundError('No module named scrapy', name='scrapy')\n")
    assert "import Spider and Request from crawlkit" in refused(path)


def test_nothing_is_written_beside_the_file(write_spider: Write) -> None:
    """No byte code."""
    path = write_spider(ONE)
    find_spider(str(path))
    assert ["spider.py"] == [entry.name for entry in path.parent.iterdir()]


def test_neighbours_can_be_imported_and_modules_keep_their_names(tmp_path: Path, write_spider: Write) -> None:
    """The folder is first on sys.path; a spider called json.py does not become the module json."""
    write_spider("VALUE = 'from a neighbour'\n", name="a_neighbour_module.py")
    path = write_spider("import a_neighbour_module\n" + ONE + "    v = a_neighbour_module.VALUE\n", name="json.py")
    found = find_spider(str(path)).spider
    assert "from a neighbour" == found.v  # type: ignore[attr-defined]
    assert str(tmp_path.resolve()) == sys.path[0]
    import json

    assert hasattr(json, "loads")


def test_dataclasses_of_a_spider_file_work(write_spider: Write) -> None:
    """Types written as text are looked up in the module, which must be known by then."""
    path = write_spider(
        "from __future__ import annotations\nfrom dataclasses import dataclass, field\n" + ONE
        + "@dataclass\nclass Row:\n    a: list[int] = field(default_factory=list)\n"
    )  # fmt: skip
    assert "Shop" == find_spider(str(path)).spider.__name__


def test_a_folder_is_its_files(tmp_path: Path, write_spider: Write) -> None:
    """Sorted, without those that start with _; a file may hold several spiders or none."""
    write_spider(TWO, name="b.py")
    write_spider("x = 1\n", name="a.py")
    write_spider("x = 1\n", name="_private.py")
    files = spider_files(str(tmp_path))
    assert ["a.py", "b.py"] == [Path(file).name for file in files]
    assert [[], ["Shop", "Other"]] == [[source.spider.__name__ for source in find_spiders(file)] for file in files]
    assert ["x.py::A"] == spider_files("x.py::A")


def test_a_folder_without_spiders_is_an_error(tmp_path: Path) -> None:
    """A typing error in a cron line must not look like success."""
    with pytest.raises(SpiderError, match="no Python file"):
        spider_files(str(tmp_path))


def test_a_url_is_no_spider() -> None:
    """And the password in it is not shown."""
    with pytest.raises(SpiderError, match=r"^http://h/x: is a URL; name a spider's file"):
        find_spider("http://u:PW1@h/x")


def test_arguments_become_attributes(write_spider: Write) -> None:
    """`-a key=value`, the value as text, an equals sign in it and all."""
    spider = make_spider(find_spider(str(write_spider(ONE))), parse_arguments(["start=a=b", "tag=", "name=other"]))
    assert ("a=b", "", "other") == (spider.start, spider.tag, spider.name)  # type: ignore[attr-defined]


def test_arguments_that_cannot_be_attributes(write_spider: Write) -> None:
    """No equals sign, no identifier, a method's name."""
    source = find_spider(str(write_spider(ONE)))
    with pytest.raises(SpiderError, match="-a start: write it as key=value"):
        parse_arguments(["start"])
    for typed in ("passwordPW1", "PW1!", "=PW1", "token: PW1"):
        with pytest.raises(SpiderError, match=r"^-a: write it as key=value") as caught:
            parse_arguments([typed])
        assert "PW1" not in str(caught.value)
    assert "cannot be an attribute" in make(source, "a-b=1")
    assert "parse is a method of Shop" in make(source, "parse=1")


@pytest.mark.parametrize("name", ["Shop", "a/b", "", ".hidden", "a b", "../x"])
def test_names_that_no_database_can_have(write_spider: Write, name: str) -> None:
    """A name is a file's name, in lower case."""
    path = write_spider(
        ONE + f"    def __init__(self, **kw):\n        super().__init__(**kw)\n        self.name = {name!r}\n"
    )
    assert "a name has lower-case letters" in make(find_spider(str(path)))


def test_sessions_is_reserved(write_spider: Write) -> None:
    """Its database would be the vault's."""
    assert "is reserved" in make(find_spider(str(write_spider(ONE + "    name = 'sessions'\n"))))


def test_a_constructor_that_raises_is_named(write_spider: Write) -> None:
    """With the line in the spider."""
    path = write_spider(ONE + "    def __init__(self, **kw):\n        raise KeyError('token')\n")
    assert "spider.py:5: Shop() failed: KeyError: 'token'" in make(find_spider(str(path)))


@pytest.mark.parametrize(
    ("urls", "match"),
    [("'https://example.org/'", "write a list"), ("['example.org']", "'example.org', which is no URL with http")],
)
def test_start_urls_are_checked(write_spider: Write, urls: str, match: str) -> None:
    """One text in place of a list, and a URL without a scheme."""
    spider = make_spider(find_spider(str(write_spider(ONE + f"    start_urls = {urls}\n"))))
    with pytest.raises(SpiderError, match=match):
        check_start_urls(spider, "spider.py")
