"""What a document needs, and where it leads, of every way to say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.html.document import parse
from crawlkit.html.feeds import is_feed, links_of_feed, requisites_of_feed
from crawlkit.html.manifests import requisites_of_manifest
from crawlkit.html.modules import requisites_of_script
from crawlkit.html.requisites import (
    candidates,
    links_of,
    requisites_of,
    requisites_of_svg,
)


def found(html: str) -> list[tuple[str, str]]:
    """What `requisites_of` finds: the same when it has the markup, by which it sees what it need not search for."""
    references = list(requisites_of(parse(html)))
    assert references == list(requisites_of(parse(html), html.encode()))
    return [(each.url, each.kind) for each in references]


ELEMENTS = {
    '<img src="a.png">': [("a.png", "image")],
    "<IMG SRC=a.png>": [("a.png", "image")],
    '<img src="a.png" srcset="b.png 2x, c.png 3x">': [("a.png", "image"), ("b.png", "image"), ("c.png", "image")],
    '<picture><source srcset="a.avif 1x, b.avif 2x" type="image/avif"><img src="c.png"></picture>': [
        ("a.avif", "image"),
        ("b.avif", "image"),
        ("c.png", "image"),
    ],
    '<video src="a.mp4" poster="a.jpg"><source src="b.webm"><track src="c.vtt"></video>': [
        ("a.mp4", "media"),
        ("a.jpg", "image"),
        ("b.webm", "media"),
        ("c.vtt", "track"),
    ],
    '<audio src="a.ogg"></audio>': [("a.ogg", "media")],
    '<link rel="stylesheet" href="a.css">': [("a.css", "stylesheet")],
    '<link rel="alternate STYLESHEET" href="a.css">': [("a.css", "stylesheet")],
    '<link rel="shortcut icon" href="a.ico">': [("a.ico", "icon")],
    '<link rel="apple-touch-icon" href="a.png">': [("a.png", "icon")],
    '<link rel="mask-icon" href="a.svg">': [("a.svg", "icon")],
    '<link rel="manifest" href="a.webmanifest">': [("a.webmanifest", "manifest")],
    '<link rel="preload" as="font" href="a.woff2">': [("a.woff2", "font")],
    '<link rel="preload" as="image" imagesrcset="a.png 1x, b.png 2x">': [("a.png", "image"), ("b.png", "image")],
    '<link rel="preload" as="fetch" href="a.json">': [("a.json", "data")],
    '<link rel="modulepreload" href="a.mjs">': [("a.mjs", "script")],
    '<link rel="search" type="application/opensearchdescription+xml" href="a.xml">': [("a.xml", "data")],
    '<link rel="search" title="Search" href="search.html">': [],
    '<link rel="preconnect" href="https://example.org">': [],
    '<link rel="next" href="b.html">': [],
    '<script src="a.js"></script>': [("a.js", "script")],
    '<script type="importmap">{"imports":{"a":"/a.js"},"scopes":{}}</script>': [("/a.js", "script")],
    '<script type="importmap">{broken</script>': [],
    "<script>var s = '<img src=no.png>'</script>": [],
    "<style>@import 'a.css';b{background:url(b.png)}</style>": [("a.css", "stylesheet"), ("b.png", "image")],
    '<p style="background:url(&quot;a.png&quot;)">': [("a.png", "image")],
    '<iframe src="a.html"></iframe>': [("a.html", "frame")],
    '<iframe srcdoc="<img src=a.png>"></iframe>': [("a.png", "image")],
    '<embed src="a.swf">': [("a.swf", "object")],
    '<object data="a.pdf"><param name="movie" value="b.swf"><param name="x" value="no"></object>': [
        ("a.pdf", "object"),
        ("b.swf", "object"),
    ],
    '<input type="image" src="a.png"><input type="text" src="no.png"><input src="no.png">': [("a.png", "image")],
    '<body background="a.png">': [("a.png", "image")],
    '<table background="a.png"><tr><td background="b.png">': [("a.png", "image"), ("b.png", "image")],
    '<svg><image href="a.png"/><image xlink:href="b.png"/><use href="c.svg#i"/><use href="#own"/></svg>': [
        ("a.png", "image"),
        ("b.png", "image"),
        ("c.svg", "image"),
    ],
    '<svg><filter><feImage href="a.png"/></filter><script href="b.js"/></svg>': [
        ("a.png", "image"),
        ("b.js", "script"),
    ],
    "<svg><style>b{fill:url(a.svg#g)}</style></svg>": [("a.svg", "image")],
    '<img data-src="a.png" data-srcset="b.png 1x">': [("a.png", "image"), ("b.png", "image")],
    '<iframe data-src="a.html"></iframe><video data-src="b.mp4"></video>': [("a.html", "frame"), ("b.mp4", "media")],
    '<div data-background="a.png" data-bg="url(b.png)">': [("a.png", "image"), ("b.png", "image")],
    '<p STYLE = "background:url(a.png)"><i DATA-LAZY-SRC\n=b.png data-src2="no.png"><b DATA-Large_Image=c.png>': [
        ("a.png", "image"),
        ("b.png", "image"),
        ("c.png", "image"),
    ],
    '<div data-src="word" data-image="{&quot;a&quot;:1}" data-lazy="true">': [],
    "<noscript><img src=a.png></noscript>": [("a.png", "image")],
    "<template><img src=a.png><template><img src=b.png></template></template>": [
        ("a.png", "image"),
        ("b.png", "image"),
    ],
    "<img src=a.png><img src=a.png>": [("a.png", "image")],
    '<img src="data:image/gif;base64,R0"><img src=""><img src><img src="blob:x">': [],
    '<a href="a.png">': [],
    "<form action=/delete><button formaction=/x>": [],
}


@pytest.mark.parametrize("html", ELEMENTS)
def test_requisites_are_found_wherever_they_are_written(html: str) -> None:
    assert ELEMENTS[html] == found(html)
    assert ELEMENTS[html] == [(each.url, each.kind) for each in requisites_of(parse(html), html.encode())]


def test_a_frameset_has_frames() -> None:
    assert [("a.html", "frame")] == found("<html><frameset><frame src=a.html></frameset></html>")


def test_documents_within_documents_end() -> None:
    """A srcdoc in a srcdoc may go on for ever: it is followed some levels down."""
    html = "<img src=deep.png>"
    for level in range(12):
        html = f"<img src={level}.png><iframe srcdoc='{html.replace('&', '&amp;').replace(chr(39), '&#39;')}'></iframe>"
    urls = [url for url, _ in found(html)]
    assert "11.png" in urls
    assert "deep.png" not in urls


SRCSETS = {
    "a.png": ["a.png"],
    "a.png 1x, b.png 2x": ["a.png", "b.png"],
    "a.png, b.png": ["a.png", "b.png"],
    "a.png,b.png": ["a.png,b.png"],  # no space: one address, by the standard
    "a,b.png 1x,c.png 2x": ["a,b.png", "c.png"],
    " , a.png 100w ,\n b.png 200w 50h,": ["a.png", "b.png"],
    "data:image/png;base64,AAA 1x, b.png 2x": ["b.png"],
    "a.png (1, 2) , b.png": ["a.png", "b.png"],
    "a.png (1, 2": ["a.png"],
    "": [],
    ",,,": [],
}


@pytest.mark.parametrize("srcset", SRCSETS)
def test_candidates_of_a_srcset(srcset: str) -> None:
    assert SRCSETS[srcset] == list(candidates(srcset))


@given(st.text(alphabet="a, ()\t1x", max_size=100))
def test_any_srcset_is_read_to_its_end(srcset: str) -> None:
    assert all(url and " " not in url for url in candidates(srcset))


@pytest.mark.parametrize("piece", ["a", ",", "(", "a,", "a (", " "])
def test_a_hostile_srcset_takes_linear_steps(piece: str) -> None:
    assert isinstance(list(candidates(piece * 200_000)), list)


LINKS = {
    "<a href=a.html>": ["a.html"],
    "<a href='a.html#part'>": ["a.html"],
    "<map><area href=a.html></map>": ["a.html"],
    "<svg><a xlink:href=a.html></a></svg>": ["a.html"],
    "<link rel=next href=a.html><link rel=canonical href=b.html><link rel=alternate href=feed.xml>": [
        "a.html",
        "b.html",
        "feed.xml",
    ],
    "<link rel=search href=search.html><link rel=search type='Application/OpenSearchDescription+xml' href=a.xml>": [
        "search.html"
    ],
    "<link rel=stylesheet href=a.css><link rel=pingback href=x><link rel=dns-prefetch href=//x>": [],
    '<meta http-equiv="Refresh" content="5; url=a.html">': ["a.html"],
    "<meta http-equiv=refresh content=\"0;URL='a.html'\">": ["a.html"],
    '<meta http-equiv=refresh content="0, a.html">': ["a.html"],
    "<meta http-equiv=refresh content=30>": [],
    "<meta http-equiv=content-type content='text/html'>": [],
    "<a href='#top'><a href='javascript:x()'><a href='mailto:a@b'><a name=x><a href=''>": [],
    "<form action=/search></form><img src=a.png>": [],
}


@pytest.mark.parametrize("html", LINKS)
def test_links_are_found_wherever_they_are_written(html: str) -> None:
    assert LINKS[html] == [url for url, _ in links_of(parse(html))]


def test_a_link_comes_with_its_element() -> None:
    """The guard reads what it says."""
    assert ["Sign out"] == [node.text() for _, node in links_of(parse("<a href=/end>Sign out</a>"))]


def test_requisites_of_an_svg_document() -> None:
    svg = (
        '<?xml version="1.0"?><?xml-stylesheet type="text/css" href="a.css"?><svg xmlns="http://www.w3.org/2000/svg">'
        '<style>@import url(b.css);</style><image href="c.png"/></svg>'
    )
    assert [("a.css", "stylesheet"), ("b.css", "stylesheet"), ("c.png", "image")] == [
        (each.url, each.kind) for each in requisites_of_svg(svg)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"icons":[{"src":"a.png"},{"src":"b.png","sizes":"1x1"}]}', ["a.png", "b.png"]),
        ('{"screenshots":[{"src":"a.png"}],"shortcuts":[{"icons":[{"src":"b.png"}]}]}', ["a.png", "b.png"]),
        ('{"icons":{"src":"a.png"},"shortcuts":7}', []),
        ('{"icons":["a.png",{"src":7}]}', []),
        ("[]", []),
        ("no JSON", []),
        ("[" * 100_000, []),
    ],
)
def test_pictures_of_a_manifest(text: str, expected: list[str]) -> None:
    assert expected == [each.url for each in requisites_of_manifest(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import './a.js'", ["./a.js"]),
        ('import a, {b as c} from "../b.js";export * from "/c.js"', ["../b.js", "/c.js"]),
        ("x();import*as a from'./a.js'", ["./a.js"]),
        ("import {\n a,\n b\n} from './a.js'", ["./a.js"]),
        ("import vue from 'vue'", []),
        ("import('./a.js')", []),
        ("s = \"import './a.js'\"; important './b.js'", []),
    ],
)
def test_modules_that_a_script_imports(text: str, expected: list[str]) -> None:
    assert expected == [each.url for each in requisites_of_script(text)]


@pytest.mark.parametrize("piece", ["import ", "\nimport a,", ";import {", "import '"])
def test_a_hostile_module_takes_few_steps(piece: str) -> None:
    assert isinstance(list(requisites_of_script(piece * 20_000)), list)


ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/><icon>i.png</icon>
<entry><link rel="alternate" href="a.html?x=1&amp;y=2"/><link rel="enclosure" href="a.mp3"/><content src="c.html"/></entry>
<link rel="hub" href="https://hub.example/"/></feed>"""
RSS = """<rss version="2.0"><channel><link>https://example.org/</link><image><url>logo.png</url></image>
<item><link><![CDATA[https://example.org/a]]></link><guid isPermaLink="false">7</guid><enclosure url="a.mp3"/>
<media:content url="b.mp4"/><media:thumbnail url="t.jpg"/></item>
<item><guid>https://example.org/b</guid></item></channel></rss>"""


def test_a_feed_leads_to_its_entries() -> None:
    assert ["/", "a.html?x=1&y=2", "c.html"] == list(links_of_feed(ATOM))
    assert ["https://example.org/", "https://example.org/a", "https://example.org/b"] == list(links_of_feed(RSS))


def test_a_feed_needs_its_pictures_and_what_it_encloses() -> None:
    assert [("i.png", "image"), ("a.mp3", "media")] == [(e.url, e.kind) for e in requisites_of_feed(ATOM)]
    assert [("logo.png", "image"), ("a.mp3", "media"), ("b.mp4", "media"), ("t.jpg", "image")] == [
        (e.url, e.kind) for e in requisites_of_feed(RSS)
    ]


def test_what_is_a_feed() -> None:
    assert is_feed(ATOM)
    assert is_feed(RSS)
    assert is_feed('<?xml version="1.0"?><rdf:RDF xmlns="http://purl.org/rss/1.0/">')
    assert not is_feed("<urlset></urlset>")
    assert not is_feed("<html><a href=feed></html>")


@pytest.mark.parametrize("piece", ["<link ", "<link a='", "<url>", "<![CDATA[", "<content src='"])
def test_a_hostile_feed_takes_linear_steps(piece: str) -> None:
    assert isinstance(list(links_of_feed(piece * 50_000)), list)
