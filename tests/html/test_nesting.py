"""Nesting: the measure against the trees that lexbor really makes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawlkit.html.matching import tags_match
from crawlkit.html.nesting import Measure
from crawlkit.html.tags import raw_text_end

WORDS = """
div p span b i a li ul dl dd dt table tr td th tbody caption select option optgroup svg math foreignObject desc title
style script textarea button form h1 h2 section br hr input template x-y font nobr object mi path body head noscript
ruby rt pre center
"""
NAMES = WORDS.split()
ADDED = 4  # <html>, <body>, an implied section of a table, an element that has no children


def depth(markup: str) -> int:
    """How deep the elements nest in lexbor's tree."""
    root = LexborHTMLParser(markup).root
    depths = {root.mem_id: 1}
    for node in root.traverse():
        if node.mem_id != root.mem_id:
            depths[node.mem_id] = depths.get(node.parent.mem_id, 0) + 1
    return max(depths.values())


def measured(markup: str) -> int:
    """How deep they nest by the measure."""
    measure = Measure(max_depth=10**9, max_attributes=1000)
    measure.read(markup.encode())
    return measure.deepest


@st.composite
def soup(draw):
    """Tags of a few names without any order, and what can be taken for tags."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6))
    pieces = st.one_of(
        st.builds("<{}>".format, st.sampled_from(names)),
        st.builds("<{}>".format, st.sampled_from(names)),
        st.builds("</{}>".format, st.sampled_from(names)),
        st.builds("<{} a={}>".format, st.sampled_from(names), st.integers(0, 3)),
        st.builds("<{}/>".format, st.sampled_from(names)),
        st.sampled_from(["x", "<!-- </div> -->", "<![CDATA[</div></g>]]>", '<div title="</div>">', "</p>", "<!-->"]),
    )
    return "".join(draw(st.lists(pieces, max_size=60)))


@settings(max_examples=300, deadline=None)
@given(soup())
def test_the_measure_is_never_less_than_the_truth(markup):
    """Whatever the parser does with broken markup, it does not nest deeper than was measured."""
    assert depth(markup) <= measured(markup) + ADDED


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<div><p>a<p>b<p>c</div>", 2),
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", 4),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", 2),
        ("<b>a</b><b>b</b><i>c</i>", 1),
        ("<br><br><hr><img><input>", 1),
        ("<p>a<div>b</div>", 1),
        ("<script>'<div><div>'</script><div>", 1),
        ("<textarea><div><div></textarea><p>", 1),
        ("<svg><path/><path/><path/></svg>", 4),  # an <svg> counts as a table with its implied parts
        ("<select><option>a<option>b</select>", 2),
        ("<div><span><i></div><p>", 4),  # the span is closed with its div, the i opened again
        ("<p><b>1<p>2<p>3<p>4", 2),
        ("<p><b a=1>1<p><b a=2>2<p><b a=3>3", 4),
    ],
)
def test_the_measure_is_the_truth_of_tidy_markup(markup, expected):
    """Elements that the standard closes without an end tag are closed here, too."""
    assert expected - 1 <= measured(markup) <= expected


@pytest.mark.parametrize(
    ("script", "rest"),
    [
        (b"a</script>", b"</script>"),
        (b"<!-- </script> -->", b"</script> -->"),
        (b"<!-- <script> </script> --> </script>", b"</script>"),
        (b"<!-- <script> --> </script>", b"</script>"),
        (b"<!--> <script> </script>", b"</script>"),
        (b"<script> </script>", b"</script>"),
        (b"<!-- <scripts> </script> -->", b"</script> -->"),
        (b"never ends", b""),
    ],
)
def test_where_a_script_ends(script, rest):
    """The standard's escaped states: a script within a comment within a script has an end tag of its own."""
    end = raw_text_end(script, b"script", 0)
    assert rest == script[end:]
    text = LexborHTMLParser(b"<body><script>" + script).css_first("script").text()
    assert script[:end].decode() == text


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<div><p>a</p><br><img src='x'></div>", True),
        ("<div>a</span>", False),
        ("<div><p>a</div>", False),
        ("</div>", False),
        ('<div title="</p>"></div>', False),
        ("<p><!-- </p> --></p>", False),
        ("<p><!-- x --></p>", True),
        ("<script>'</p>'</script>", False),
        ("<script>x</script><title>y</title>", True),
        ("<svg viewBox='0'><path d='M'></path><path/></svg>", True),
        ("<svg><div></div></svg>", False),
        ("<template></template>", False),
        ("<plaintext><p></p>", False),
        ("<p>" * 40_000 + "</p>" * 40_000, False),  # so deep for so many tags that the exact measure must decide
        ("<p>x</p>" * 40_000, True),
    ],
)
def test_where_all_end_tags_match(markup, expected):
    """False also where something could be taken for a tag that is none."""
    assert expected is tags_match(markup.encode())


@settings(max_examples=200, deadline=None)
@given(soup())
def test_markup_whose_tags_match_nests_as_its_tags_do(markup):
    """At most: a form within a form ends the outer one, so that the tree is up to twice as deep."""
    if tags_match(markup.encode()):
        assert depth(markup) <= 2 * markup.count("<") + ADDED
