"""Tables: on a narrow terminal no word of a run is cut short, and the reason has a line to itself."""

from __future__ import annotations

import pytest

from crawlkit.cli import tables

COLUMNS = ("run", "started", "outcome", "pages", "reason")
ROWS = [
    (
        "12",
        "2026-11-20 19:21:08",
        "unhealthy",
        "1234567",
        "column 'price' of table 'items' is empty in 100 % of 20 rows",
    ),
    ("11", "2026-11-20 19:21:07", "pages_failed", "2", ""),
]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(tables, "is_terminal", lambda stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    return monkeypatch


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    tables.print_table(COLUMNS, ROWS, right={"run", "pages"}, below="reason", spare=("pages",))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_wide_terminal_has_all_on_one_line(terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.setenv("COLUMNS", "140")
    lines = printed(capsys)
    assert 3 == len(lines) and lines[1].endswith("is empty in 100 % of 20 rows")


@pytest.mark.parametrize(("width", "pages"), [(80, True), (47, True), (46, False), (38, False)])
def test_a_narrow_one_has_the_reason_below(
    terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, pages: bool
) -> None:
    """And goes without what can be spared."""
    terminal.setenv("COLUMNS", str(width))
    lines = printed(capsys)
    assert max(map(len, lines)) <= width
    assert "run 12: column 'price' of table 'items' is empty in 100 % of 20 rows" == " ".join(lines[3:])
    assert lines[1].split()[:4] == ["12", "2026-11-20", "19:21:08", "unhealthy"]
    assert ("pages" in lines[0].split(), "1234567" in lines[1]) == (pages, pages)
