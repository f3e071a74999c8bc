"""What a style sheet makes a browser fetch, of every way to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.html.charset import decode_css
from crawlkit.html.references import Reference, address
from crawlkit.html.stylesheets import references_of_css


def found(css: str) -> list[tuple[str, str]]:
    return [tuple(reference) for reference in references_of_css(css)]  # type: ignore[misc]


IMAGES = {
    "b{background:url(a.png)}": ["a.png"],
    "b{background:url('a b.png')}": ["a b.png"],
    'b{background:url( "a.png" )}': ["a.png"],
    "b{background:URL(a.png),uRl( b.png\n)}": ["a.png", "b.png"],
    "b{background:url(a.png) url(b.png)}": ["a.png", "b.png"],
    r"b{background:url(a\)b.png)}": ["a)b.png"],
    r"b{background:url(\61.png)}": ["a.png"],
    r"b{background:url(\000061 b.png)}": ["ab.png"],
    r"b{background:u\72l('a.png')}": ["a.png"],
    "b{background:url('a\\\nb.png')}": ["ab.png"],
    "b{background:url(a.png": ["a.png"],
    "b{background:image-set('a.png' 1x, \"b.png\" 2x)}": ["a.png", "b.png"],
    "b{background:-webkit-image-set(url(a.png) 1x, url(b.png) 2x)}": ["a.png", "b.png"],
    "b{background:image-set('a.avif' type('image/avif'), 'b.png' type('image/png'))}": ["a.avif", "b.png"],
    "b{background:image('a.png', red)}": ["a.png"],
    "b{background:cross-fade(url(a.png), 'b.png', 50%)}": ["a.png", "b.png"],
    "b{background:src('a.png')}": ["a.png"],
    "b{cursor:url(a.cur) 2 2, auto; list-style:url(b.png)}": ["a.cur", "b.png"],
    "background:url(a.png)": ["a.png"],  # what a style attribute holds
    ":root{--picture:url(a.png)}": ["a.png"],
    "@media (min-width:1px){@supports (x:y){b{background:url(a.png)}}}": ["a.png"],
    "b{mask:url(a.svg#part)}": ["a.svg"],
    "b{background:url(//cdn.example/a.png?x=1&y=(2)}": [],  # an address without quotes has no brackets
    "b{background:url(/a.png?x=1&y=2)}": ["/a.png?x=1&y=2"],
}
NOTHING = [
    "",
    "b{color:red}",
    "/* url(a.png) */ b{}",
    "/* url(a.png)",
    "b{content:'url(a.png)'}",
    'b{content:"a \\" url(a.png)"}',
    "b{background:url()}",
    "b{background:url('')}",
    "b{fill:url(#gradient)}",
    "b{background:url(data:image/png;base64,AAAA)}",
    "b{background:url('data:image/svg+xml;utf8,<svg xmlns=\"http://www.w3.org/2000/svg\"/>')}",
    "b{background:url(about:blank);c:url(blob:x);d:url(javascript:x)}",
    "@namespace svg url(http://www.w3.org/2000/svg); b{}",
    "@namespace 'http://www.w3.org/1999/xhtml';",
    "b{src:format('woff2');c:local('Font')}",
    "@font-face{src:local('a.woff')}",
    "b{x:curl(a.png)}",
    "b{x:xurl('a.png')}",
    "b{background:url(a b.png)}",
]


@pytest.mark.parametrize("css", IMAGES)
def test_pictures_are_found_however_they_are_written(css: str) -> None:
    assert [(url, "image") for url in IMAGES[css]] == found(css)


@pytest.mark.parametrize("css", NOTHING)
def test_what_fetches_nothing_is_left_out(css: str) -> None:
    assert [] == found(css)


@pytest.mark.parametrize(
    "css",
    [
        "@import 'a.css';",
        '@import "a.css";',
        "@import url(a.css);",
        "@import url('a.css') screen and (min-width:1px);",
        "@import url(a.css) layer(base) supports(background: url(no.png)) print;",
        "@IMPORT 'a.css' layer('no.css')",
        "@charset 'utf-8';\n@import\n'a.css'\n;",
        "@import/* url(no.css) */'a.css';",
    ],
)
def test_an_import_is_a_style_sheet_and_what_follows_it_is_none(css: str) -> None:
    assert [("a.css", "stylesheet")] == found(css)


def test_several_imports_and_what_comes_after_them() -> None:
    assert [("a.css", "stylesheet"), ("b.css", "stylesheet"), ("c.png", "image")] == found(
        "@import 'a.css'; @import url(b.css) print; b{background:url(c.png)}"
    )


def test_the_sources_of_a_font_are_fonts_and_end_with_its_block() -> None:
    css = (
        "@font-face{font-family:'A';src:local('A'),url(a.woff2) format('woff2'),url(a.woff)}"
        "@media print{@font-face{src:url('b.ttf')} b{background:url(c.png)}} b{background:url(d.png)}"
    )
    assert [
        ("a.woff2", "font"), ("a.woff", "font"), ("b.ttf", "font"), ("c.png", "image"), ("d.png", "image")
    ] == found(css)  # fmt: skip


def test_an_error_in_one_declaration_does_not_hide_the_next() -> None:
    assert ["a.png", "b.png"] == [
        url for url, _ in found("b{background:url('a.png';color:'broken\n}c{background:url(b.png)}")
    ]


@given(st.text(alphabet="url()'\"\\/*@{};, \n\r\fa1-import#é", max_size=200))
def test_any_text_is_read_to_its_end(css: str) -> None:
    for reference in references_of_css("url" + css):
        assert isinstance(reference, Reference)
        assert reference.url


@pytest.mark.parametrize("piece", ["url(", "'", '"', "/*", "\\", "(", "@import ", "url('", "a-", "é"])
def test_a_hostile_sheet_takes_linear_steps(piece: str) -> None:
    """A quadratic reader would need hours for it."""
    assert isinstance(found("url" + piece * 100_000), list)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"\xef\xbb\xbfa", "text/css; charset=latin-1", "a"),
        ("é".encode("latin-1"), "text/css; charset=iso-8859-1", "é"),
        (b'@charset "iso-8859-1";' + "é".encode("latin-1"), "text/css", '@charset "iso-8859-1";é'),
        ("é".encode(), None, "é"),
        (b"\xff", "text/css", "�"),
        ("é".encode(), "text/css; charset=nonsense", "é"),
    ],
)
def test_the_encoding_of_a_sheet(body: bytes, content_type: str | None, text: str) -> None:
    """Byte order mark, HTTP, @charset, UTF-8, in that order."""
    assert text == decode_css(body, content_type)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  a.png\n", "a.png"),
        ("a\n.p\tng", "a.png"),
        ("a.png#part", "a.png"),
        ("HTTPS://example.org/", "HTTPS://example.org/"),
        ("//example.org/a", "//example.org/a"),
        ("?q=a:b", "?q=a:b"),
        ("a:b.png", None),
        ("#top", None),
        ("", None),
        (None, None),
        (" ", None),
        ("java\nscript:x()", None),
        ("mailto:a@example.org", None),
    ],
)
def test_what_is_an_address(written: str | None, expected: str | None) -> None:
    assert expected == address(written)
