"""The hash of a spider's source: another when the file or what it imports of its folder is another, else the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit import Spider
from crawlkit.crawl.loading import find_spider, make_spider
from crawlkit.crawl.provenance import source_hash

SPIDER = "from crawlkit import Spider\nimport json\n%s\nclass Shop(Spider):\n    start_urls = ['https://a.example/']\n"


@pytest.fixture
def hashed(tmp_path: Path) -> Callable[[str], str | None]:
    """The hash of a spider whose file has these lines."""

    def load(lines: str = "") -> str | None:
        path = tmp_path / "shop.py"
        path.write_text(SPIDER % lines)
        return source_hash(make_spider(find_spider(str(path))))

    return load


def test_the_file_itself(hashed: Callable[[str], str | None]) -> None:
    assert hashed("A = 1") == hashed("A = 1")
    assert hashed("A = 1") != hashed("A = 2")


@pytest.mark.parametrize(
    ("lines", "file"),
    [
        ("import prices_a", "prices_a.py"),
        ("from prices_b import cost", "prices_b.py"),
        ("def late():\n    import prices_c", "prices_c.py"),
        ("import rules_d.money", "rules_d/money.py"),
        ("import rules_e.money", "rules_e/__init__.py"),
        ("from rules_f import money", "rules_f/money.py"),
    ],
)
def test_what_it_imports_of_its_folder(
    hashed: Callable[[str], str | None], tmp_path: Path, lines: str, file: str
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    for needed in (path, path.parent / "__init__.py", path.parent / "money.py"):
        if path.parent != tmp_path or needed == path:
            needed.write_text("cost = 1\n")
    before = hashed(lines)
    path.write_text("cost = 2\n")

    assert before != hashed(lines)


def test_what_a_neighbour_imports(hashed: Callable[[str], str | None], tmp_path: Path) -> None:
    """Circles included."""
    (tmp_path / "near_g.py").write_text("def use():\n    import far_g\n")
    (tmp_path / "far_g.py").write_text("import near_g\n")
    before = hashed("import near_g")
    (tmp_path / "far_g.py").write_text("import near_g  # another\n")

    assert before != hashed("import near_g")


def test_files_that_are_not_imported_do_not_count(hashed: Callable[[str], str | None], tmp_path: Path) -> None:
    before = hashed("")
    (tmp_path / "other.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("x =\n")

    assert before == hashed("")
    assert None is not hashed("def never():\n    import broken")


def test_a_class_without_a_file() -> None:
    scope: dict[str, type[Spider]] = {}
    exec("class Typed(Spider):\n    __module__ = 'typed_at_a_prompt'\n", {"Spider": Spider}, scope)

    assert source_hash(scope["Typed"]()) is None
