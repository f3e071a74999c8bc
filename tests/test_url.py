"""URLs: what is answered without the library is what the library answers."""

from __future__ import annotations

import ada_url
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawlkit import url as urls

PIECES = st.lists(
    st.sampled_from(
        (
            *("a", "B", "0", ".", "..", "/", "//", "../", "./", ".a", "a..", "a.b", "x.html", "%20", "%2e", "%", "é"),
            *("?", "#", "=", "&", "~", "@", ":", ";", "+", "'", '"', "(", ",", "!", "$", "*", "-", "_", "\\"),
            *("[", "]", "{", "|", "}", "^", "`", " ", "\t", "\n", "http:", "https://h/", "mailto:x"),
        )
    ),
    max_size=6,
).map("".join)
BASES = st.sampled_from(
    (
        "http://h/a/b/c.html",
        "http://h",
        "HTTP://Ex.org:80/a/../b/?q=1#f",
        "https://127.1/x/y/",
        "https://u:p@h/a/b",
        "http://h/a/b?x=/../y",
        "http://h/a//b/c",
        "http://h/a/%2e%2e/b",
        "http://h/a;p/b",
        "http://[::1]:8080/x/y",
        "http://h/%7Ea/b c/d",
        "http://exämple.org/ä/b",
        "file:///C:/a/b",
        "mailto:x",
        "data:text/html,x",
        "nonsense",
    )
)
ROOTS = st.sampled_from(
    (
        *(
            "http://h/",
            "http://H/",
            "https://h:443/",
            "http://127.1/",
            "http://127.0.0.1:80/",
            "http://127.0.0.1:8000/",
        ),
        *(
            "https://ex.org",
            "http://ex.org./",
            "http://1.2.3/",
            "http://0x7f.1/",
            "http://h:/",
            "http://a b/",
            "http://xn--a/",
        ),
        *("http://u@h/", "http://h\\", "HTTP://h/", "http:/h/", ""),
    )
)


@given(BASES, PIECES)
@example("http://h/a/b", "../../../c?d#e")
@example("http://h/a/b", "/")
def test_links_mean_what_the_standard_says(base: str, link: str) -> None:
    try:
        expected = ada_url.join_url(base, link)
    except ValueError:
        expected = None
    assert expected == urls.join(base, link)


@given(ROOTS, PIECES)
@example("http://127.0.0.1:8000/", "a/b.html?c=d#e")
def test_the_canonical_form_is_the_standard_s_without_the_fragment(root: str, rest: str) -> None:
    try:
        expected = ada_url.normalize_url(root + rest).partition("#")[0]
    except ValueError:
        expected = None
    assert expected == urls.canonical(root + rest)


def test_plain_links_of_a_page_are_not_asked_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would let the other threads run a dozen times for each, and wait for its turn as often."""
    base = "http://plain.example/library/index.html"
    assert urls.join(base, "a.html") == "http://plain.example/library/a.html"
    assert urls.join(base, "../a.html") == "http://plain.example/a.html"
    assert urls.canonical("http://plain.example/") == "http://plain.example/"
    monkeypatch.setattr(urls, "ada_url", None)
    assert "http://plain.example/library/json.html#json.dump" == urls.join(base, "json.html#json.dump")
    assert "http://plain.example/howto/regex.html?x=1" == urls.join(base, "../howto/regex.html?x=1")
    assert "http://plain.example/howto/regex.html" == urls.canonical("http://plain.example/howto/regex.html#top")
