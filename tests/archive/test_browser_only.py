"""What only a browser could have fetched, as scripts and pages say it."""

from __future__ import annotations

import pytest

from crawlkit.archive.browser_only import MADE_BY_SCRIPTS, calls_of_page, calls_of_script
from crawlkit.html.document import parse

CALLS: dict[str, list[tuple[str, str | None]]] = {
    "fetch('/api/a')": [("fetch()", "/api/a")],
    'window.fetch("/api/a", {method: "POST"})': [("fetch()", "/api/a")],
    "fetch(`/api/a`)": [("fetch()", "/api/a")],
    "fetch(`/api/${id}`)": [("fetch()", None)],
    "fetch(url)": [("fetch()", None)],
    "x.open('GET', '/api/a', true)": [("XMLHttpRequest", "/api/a")],
    "x.open(\"POST\", base + '/a')": [("XMLHttpRequest", None)],
    "axios.get('/api/a')": [("axios", "/api/a")],
    "$.getJSON('/api/a', f); jQuery.ajax({url: '/b'})": [("jQuery", "/api/a"), ("jQuery", None)],
    "const m = await import('./m.js')": [("import()", "./m.js")],
    "new Worker('w.js'); new EventSource('/events')": [("Worker", "w.js"), ("EventSource", "/events")],
    "new WebSocket('wss://example.org/s')": [("WebSocket", "wss://example.org/s")],
    "navigator.serviceWorker.register('/sw.js')": [("serviceWorker", "/sw.js")],
    "image.src = '/plus.png'; a.src == b; c.srcset = d": [("src", "/plus.png")],
    "el.src = `${el.src.slice(0, -9)}plus.png`": [("src", None)],
    "fetch('data:text/plain,x')": [],
    "prefetch('/a'); store.fetch('/a'); window.open('/a')": [],
    "": [],
}


@pytest.mark.parametrize("script", CALLS)
def test_requests_of_a_script(script: str) -> None:
    assert CALLS[script] == [tuple(call) for call in calls_of_script(script)]


def test_a_page_tells_by_its_own_scripts_and_by_the_attributes_of_libraries() -> None:
    html = (
        "<p>A text that is long enough to be no shell of anything at all.<script>fetch('/a')</script><i hx-get=/b></i>"
    )
    html += "<script type='application/ld+json'>{\"fetch('/no')\": 1}</script>"
    assert [("fetch()", "/a"), ("hx-get", "/b")] == [tuple(call) for call in calls_of_page(parse(html), html.encode())]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<div id=root></div><noscript>You need to enable JavaScript.</noscript><script src=a.js></script>", True),
        ("<div id=app>Loading…</div><script src=a.js></script>", True),
        ("<div id=root></div>", False),
        ("<p>This is a page with a sentence or two that anybody can read.</p><script src=a.js></script>", False),
        ("<img src=a.png><script src=a.js></script>", False),
    ],
)  # fmt: skip
def test_a_page_that_scripts_make(body: str, expected: bool) -> None:
    assert expected == ((MADE_BY_SCRIPTS, None) in list(calls_of_page(parse(body), body.encode())))


@pytest.mark.parametrize("piece", ["fetch(", "fetch('", "x.open('GET',", "$.get(`", "new "])
def test_a_hostile_script_takes_linear_steps(piece: str) -> None:
    assert isinstance(list(calls_of_script(piece * 30_000)), list)
