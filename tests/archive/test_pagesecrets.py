"""Page secrets: tokens are learnt where a page uses them, and nowhere else."""

from __future__ import annotations

import pytest

from crawlkit.archive.pagesecrets import page_tokens, parameter_tokens

TOKEN = "Zx81kQ-4f9c"


@pytest.mark.parametrize(
    "markup",
    [
        '<input type="hidden" name="csrfmiddlewaretoken" value="Zx81kQ-4f9c">',
        "<INPUT value='Zx81kQ-4f9c' NAME='authenticity_token' type=hidden/>",
        "<input name=_token value=Zx81kQ-4f9c>",
        '<input id="_wpnonce" name="_wpnonce" value="Zx81kQ-4f9c" />',
        '<meta name="csrf-token" content="Zx81kQ-4f9c" />',
        '<meta content="Zx81kQ-4f9c" name="xsrf-token">',
        '<form data-csrf="Zx81kQ-4f9c" action="/x">',
        '<body data-csrf-token = "Zx81kQ-4f9c">',
        '<a href="/edit?id=3&amp;token=Zx81kQ-4f9c">edit</a>',
        "<a href='/page;jsessionid=Zx81kQ-4f9c?x=1'>next</a>",
        '<form action="/x?sid=Zx81kQ-4f9c#top">',
        '<script>var config = {"csrfToken": "Zx81kQ-4f9c"};</script>',
        "<script>window.csrf_token='Zx81kQ-4f9c'</script>",
        '<script type="application/json">{"a":"{\\"xsrf\\":\\"Zx81kQ-4f9c\\"}"}</script>',
        '<script>fetch("/x?session_id=Zx81kQ-4f9c&y=1")</script>',
    ],
)
def test_a_token_is_learnt_where_a_page_uses_it(markup: str) -> None:
    page = f"<html><p>some text about tokens</p>{markup}<p>more of it</p></html>".encode()
    assert {TOKEN} == set(page_tokens(page, markup=True)[0])


@pytest.mark.parametrize(
    "markup",
    [
        "<p>call it with csrf_token=Zx81kQ-4f9c, or token: Zx81kQ-4f9c</p>",
        '<pre>{"csrf_token": "Zx81kQ-4f9c"}</pre>',
        "<p>https://example.org/?token=Zx81kQ-4f9c</p>",
        '<input name="csrf_token" value="accepted">',
        '<input name="csrf_token" value="12345678">',
        '<input name="csrf_token" value="Zx81kQ">',
        '<input name="colour" value="Zx81kQ-4f9c">',
        '<input name="password" value="Zx81kQ-4f9c">',
        '<a href="/list?page_token=Zx81kQ-4f9c">next page</a>',
        '<a name="csrf-token" title="Zx81kQ-4f9c">tokens</a>',
        '<script>x = 1</script><b>"csrfToken": "Zx81kQ-4f9c"</b>',
        '<script>names = ["library/token","library/tokenize","PyContextToken","PyContextToken_CheckExact"]</script>',
    ],
)
def test_what_is_only_told_of_tokens_is_none(markup: str) -> None:
    assert [] == page_tokens(f"<html>{markup}</html>".encode(), markup=True)[0]


def test_members_of_json_are_learnt_by_their_names() -> None:
    data = b'{"items": [], "csrfToken": "Zx81kQ-4f9c", "nextPageToken": "Yx81kQ-4f9c", "name": "Xx81kQ-4f9c"}'
    assert {TOKEN} == set(page_tokens(data, markup=False)[0])


def test_a_token_is_learnt_as_it_is_sent() -> None:
    """What stands in an attribute is escaped there."""
    found, _ = page_tokens(b'<input name="csrf" value="Zx81&#43;&amp;kQ4f9c">', markup=True)
    assert "Zx81+&kQ4f9c" in found


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("GET /a?sid=Ab12Cd34Ef&page=2 HTTP/1.1", ["Ab12Cd34Ef"]),
        ("Location: https://h/cb#access_token=Ab12Cd34Ef&state=1", ["Ab12Cd34Ef"]),
        ("/a;jsessionid=Ab12Cd34Ef", ["Ab12Cd34Ef"]),
        ("/a?session=3&token=accepted&page_token=Ab12Cd34Ef&password=Ab12Cd34Ef", []),
    ],
)
def test_tokens_of_urls_are_known_by_their_parameters(text: str, tokens: list[str]) -> None:
    assert tokens == list(parameter_tokens(text))


@pytest.mark.parametrize(
    "page",
    [
        r"""<script>var page = {"csrfToken": "Zx81+\/kQ4f9c=="}</script>""",
        r"""<script>var page = {"csrfToken": "Zx81\u002b/kQ4f9c\u003D\u003d"}</script>""",
        r"""<script>var page = JSON.parse("{\"csrfToken\":\"Zx81\\u002b\\/kQ4f9c==\"}")</script>""",
        """<div data-page="{&quot;props&quot;: {&quot;csrfToken&quot;: &quot;Zx81+/kQ4f9c==&quot;}}"></div>""",
        """<div data-page='{&#34;csrf_token&#34;:&#34;Zx81+\\/kQ4f9c==&#34;,&#34;a&#34;:"""
        + "1" * 9000
        + """}'></div>""",
    ],
    ids=["PHP", ".NET", "JSON in JSON", "attribute", "long attribute"],
)
def test_a_token_in_json_is_learnt_however_it_is_escaped(page: str) -> None:
    assert {"Zx81+/kQ4f9c=="} == set(page_tokens(page.encode(), markup=True)[0])


def test_json_in_the_text_of_a_page_is_documentation() -> None:
    page = "<pre>{&quot;csrfToken&quot;: &quot;Zx81+/kQ4f9c==&quot;}</pre>"
    assert ([], []) == page_tokens(page.encode(), markup=True)


def test_the_token_that_resets_a_password_is_one() -> None:
    """Otherwise its link would lead nowhere: in the address it is hidden for its name."""
    page = "<a href='/x?reset_password_token=Zx81kQ-4f9c'>"
    assert ["Zx81kQ-4f9c"] == page_tokens(page.encode(), markup=True)[0]
    assert [] == page_tokens(b"<a href='/x?password=Zx81kQ-4f9c'>", markup=True)[0]


def test_a_password_in_a_link_is_hidden_as_in_the_address_that_it_leads_to() -> None:
    page = b"<a href='/x?password=Zx81kQ-4f9c&amp;pwd=short'>?password=documented</a>"
    tokens, places = page_tokens(page, markup=True)
    assert ([], [b"Zx81kQ-4f9c", b"short"]) == (tokens, [page[start:end] for start, end in places])


@pytest.mark.parametrize("piece", [b"pwd=", b"?passw=1", b"?token=1&", b"&#9", b"csrf", b"<input name=csrf value="])
def test_hostile_pages_take_linear_steps(piece: bytes) -> None:
    page_tokens(b"<p>" + piece * ((1 << 20) // len(piece)), markup=True)


def test_a_number_of_thousands_of_digits_in_a_field_is_read() -> None:
    field = b'<input name=csrf_token value="&#' + b"1" * 5000 + b';abcdefgh1234">'
    assert ["\ufffdabcdefgh1234"] == page_tokens(field, markup=True)[0]


def test_tokens_beyond_the_thousandth_are_hidden_where_they_stand() -> None:
    """Nobody looks for thousands of them everywhere, and none may stay."""
    fields = [b'<input name=csrf_token value="tok%08dabcdefgh">' % (number * 7919) for number in range(1500)]
    tokens, places = page_tokens(b"".join(fields), markup=True)
    assert 1000 == len(tokens)
    assert [b"".join(fields)[start:end].decode() for start, end in places] == [
        f"tok{number * 7919:08d}abcdefgh" for number in range(1000, 1500)
    ]


def test_a_name_that_is_longer_than_names_are_is_looked_at_from_its_end_as_well() -> None:
    script = b"<script>session" + b"x" * 57 + b'token="qwer-1234-zxcv-77"</script>'
    assert ["qwer-1234-zxcv-77"] == page_tokens(script, markup=True)[0]


def test_what_a_script_sends_as_bearer_and_keys_of_interfaces() -> None:
    page = b"""<p>Send it as Bearer anything-you-like-to-call-it.</p><script>
    fetch("/x", {headers: {Authorization: "Bearer eyJhbGciOi.eyJzdWIi-1234_5678.abcDEF123"}})</script>
    <script type=application/json>{"apiKey": "qk-77ab12cd34ef"}</script>"""
    assert ["eyJhbGciOi.eyJzdWIi-1234_5678.abcDEF123", "qk-77ab12cd34ef"] == page_tokens(page, markup=True)[0]


def test_a_ticket_in_an_address() -> None:
    """A single sign-on's; that of a bug tracker is none."""
    assert ["ST-48-x9Kq2LmTz77ab12"] == list(
        parameter_tokens("https://site.example/done?ticket=ST-48-x9Kq2LmTz77ab12&a")
    )
    assert [] == list(parameter_tokens("https://site.example/show?ticket=CRAWL-1234"))
