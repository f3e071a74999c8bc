"""Exhibits: a finding's page is there as it was, harmless to look at; little is held, old ones go."""

from __future__ import annotations

import logging
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crawlkit.crawl.exhibits import LARGEST, Exhibits, folder_of
from crawlkit.crawl.finding import Finding
from tests.cli.pictures import photograph

FINDING = Finding("column:items.price", "column 'price' is empty", "0 %", "100 %", "https://shop.example/1")


def exhibits(*examples: str) -> Exhibits:
    return Exhibits(lambda: examples)


def as_they_are(text: str) -> str:
    return text


class _Frame(HTMLParser):
    """What a browser would have in the frame, and every tag around it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: dict[str, dict[str, str | None]] = {}
        self.text = ""
        self.policy: str | None = None
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = dict(attrs)
        if "http-equiv" in dict(attrs):
            self.policy = dict(attrs)["content"]

    def handle_data(self, data: str) -> None:
        self.text += data


NASTY = (
    '"><script>alert(1)</script></iframe><img src=x onerror=alert(1)>&quot;<meta http-equiv=refresh content="0;url=/">'
)


def kept(tmp_path: Path, content: bytes, kind: str | None = "text/html", finding: Finding = FINDING) -> _Frame:
    held = exhibits()
    held.hold(finding.example, content, kind)
    [found] = held.keep([finding], tmp_path / "shop.db", 4, as_they_are)
    assert str(tmp_path / "shop.examples" / "4-1.html") == found.kept
    return _Frame(Path(found.kept))


def test_the_page_is_there_as_it_was_and_cannot_do_anything(tmp_path: Path) -> None:
    """All of it is one attribute: it ends no frame, runs nothing, loads nothing, and leads nowhere."""
    page = kept(tmp_path, NASTY.encode(), finding=replace(FINDING, text=f"column {NASTY!r}"))

    assert NASTY == page.tags["iframe"]["srcdoc"]
    assert not page.tags["iframe"]["sandbox"]
    assert {"html", "head", "meta", "title", "style", "body", "p", "iframe"} == set(page.tags)
    assert (page.policy or "").startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert NASTY in page.text.replace("\\'", "'")


@pytest.mark.parametrize(
    ("content", "kind", "shown"),
    [
        ("<p>Grüße".encode("latin-1"), "text/html; charset=latin-1", "<p>Grüße"),
        (b'{"a": "<b>"}', "application/json", "<pre>{&quot;a&quot;: &quot;&lt;b&gt;&quot;}</pre>"),
        (b"<p>a\0b", None, "<p>a\ufffdb"),
        (b"<rss>", "application/rss+xml", "<pre>&lt;rss&gt;"),
        (b"plain", None, "<pre>plain"),
    ],
)
def test_what_kind_of_page_it_was(tmp_path: Path, content: bytes, kind: str | None, shown: str) -> None:
    """By its own charset; what is no HTML is shown as text."""
    assert (kept(tmp_path, content, kind).tags["iframe"]["srcdoc"] or "").startswith(shown)


def test_secrets_are_taken_out(tmp_path: Path) -> None:
    held = exhibits()
    finding = replace(FINDING, example="https://shop.example/?token=hush-hush")
    held.hold(finding.example, b"<input name=csrf value=hush-hush>", "text/html")
    [found] = held.keep([finding], tmp_path / "shop.db", 1, lambda text: text.replace("hush-hush", "[redacted]"))
    assert "hush-hush" not in Path(found.kept).read_text()


def test_what_is_held_is_bounded(tmp_path: Path) -> None:
    """The examples of now come before those of before; a body that is too large, or that there is not, is not held."""
    held = exhibits("https://shop.example/1")
    held.hold("https://shop.example/1", b"first", None)
    for number in range(2, 500):
        held.hold(f"https://shop.example/{number}", b"x", None)
    held.hold("https://shop.example/large", bytes(LARGEST + 1), None)
    held.hold("https://shop.example/none", None, None)

    wanted = [replace(FINDING, example=f"https://shop.example/{name}") for name in ("1", "499", "2", "large", "none")]
    found = held.keep(wanted, tmp_path / "shop.db", 1, as_they_are)
    assert [True, True, False, False, False] == [bool(finding.kept) for finding in found]


def test_findings_about_the_same_page_share_it_and_old_ones_go(tmp_path: Path) -> None:
    """The pages of ten runs stay, and those that a finding still names; nothing else in the folder is touched."""
    database = tmp_path / "shop.db"
    folder = folder_of(database)
    folder.mkdir()
    (folder / "notes.html").write_text("mine")
    held = exhibits()
    held.hold(FINDING.example, b"x", None)
    first = str(folder / "1-1.html")
    for run in range(1, 15):
        since = replace(FINDING, about="pages", example="", kept=first)
        found = held.keep([FINDING, replace(FINDING, about="type:parse"), since], database, run, as_they_are)
    assert found[0].kept == found[1].kept == str(folder / "14-1.html") and first == found[2].kept
    assert {"notes.html", "1-1.html", *(f"{run}-1.html" for run in range(5, 15))} == {p.name for p in folder.iterdir()}
    Path(first).unlink()
    assert "" == held.keep([since], database, 15, as_they_are)[0].kept


def test_a_page_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The finding stands all the same."""
    (tmp_path / "shop.examples").write_text("in the way")
    held = exhibits()
    held.hold(FINDING.example, b"x", None)
    with caplog.at_level(logging.WARNING):
        assert [FINDING] == held.keep([FINDING], tmp_path / "shop.db", 1, as_they_are)
    assert "could not be kept" in caplog.text


@pytest.mark.slow
def test_looked_at(tmp_path: Path) -> None:
    """A browser shows the page, and neither its script nor its <meta> has done anything."""
    held = exhibits()
    body = (
        b"<body style='background:#00f'><script>document.body.style.background='#f00'</script>"
        b"<meta http-equiv=refresh content='0;url=data:text/html,gone'>"
    )
    held.hold(FINDING.example, body, "text/html")
    [found] = held.keep([FINDING], tmp_path / "shop.db", 1, as_they_are)
    picture = photograph(Path(found.kept), tmp_path, width=400, height=300, dark=False)
    assert (0, 0, 255) == picture.pixel(200, 250)
