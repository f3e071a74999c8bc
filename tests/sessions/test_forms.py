"""Forms: what a browser would send (HTML standard, 4.10.21.4), what an author may fill in, Scrapy's FormRequest."""

from __future__ import annotations

import io
from email import message_from_bytes
from urllib.parse import parse_qsl

import pytest

from crawlkit.exceptions import FormError
from crawlkit.html.document import parse
from crawlkit.html.selectors import Selector
from crawlkit.sessions.forms import Form, FormRequest, find_form
from crawlkit.sessions.request import Request

URL = "https://example.org/dir/page?next=1#part"

LOGIN = """<form id=login action=/login method=post><input type=hidden name=csrf value=tok3n>
<input name=user><input type=password name=password value=geheim><button name=go value=in>Log in</button></form>"""


def form(controls, attributes="", url=URL, before="", after=""):
    return find_form(parse(f"{before}<form id=f {attributes}>{controls}</form>{after}"), url, css="#f")


def entries(controls, *args, **kwargs):
    """Names and values of what is sent, as a server reads them."""
    sent = form(controls, 'method="post"').payload(*args, **kwargs)
    return parse_qsl(sent.body.decode(), keep_blank_values=True)


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ("<input name=a>", [("a", "")]),
        ("<input name=a value=1><input type=hidden name=b value=2>", [("a", "1"), ("b", "2")]),
        ("<input value=1><input name='' value=2>", []),
        ("<input name=a value=1 disabled>", []),
        ("<input name=a value=1 readonly>", [("a", "1")]),
        ("<input type=nosuch name=a value=1>", [("a", "1")]),
        ("<input name=a value='1&#10;2'>", [("a", "12")]),
        ("<input type=hidden name=a value='1&#10;2'>", [("a", "1\r\n2")]),
        ("<input type=email name=a value=' x@y '>", [("a", "x@y")]),
        ("<input type=number name=a value=12a><input type=number name=b value=-1.5e3>", [("a", ""), ("b", "-1.5e3")]),
        ("<input type=color name=a><input type=color name=b value=#ABCDEF>", [("a", "#000000"), ("b", "#abcdef")]),
        ("<input type=range name=a><input type=range name=b min=0 max=10 value=99>", [("a", "50"), ("b", "10")]),
        ("<input type=checkbox name=a><input type=checkbox name=b checked>", [("b", "on")]),
        ("<input type=checkbox name=a value=1 checked><input type=checkbox name=a value=2 checked>",
         [("a", "1"), ("a", "2")]),
        ("<input type=radio name=a value=1 checked><input type=radio name=a value=2 checked>", [("a", "2")]),
        ("<input type=radio name=a value=1><input type=radio name=a value=2>", []),
        ("<input type=checkbox name=a value='' checked>", [("a", "")]),
        ("<textarea name=a>\nx\ny</textarea>", [("a", "x\r\ny")]),
        ("<textarea name=a>\n\nx</textarea>", [("a", "\r\nx")]),
        ("<select name=a><option>1<option value=2>two</select>", [("a", "1")]),
        ("<select name=a><option value=1>one<option selected value=2>two</select>", [("a", "2")]),
        ("<select name=a><option selected>1<option selected>2</select>", [("a", "2")]),
        ("<select name=a><option disabled>1<option>2</select>", [("a", "2")]),
        ("<select name=a><option disabled selected>1<option>2</select>", []),
        ("<select name=a><optgroup disabled><option>1</optgroup><option>  2\n 3 </select>", [("a", "2 3")]),
        ("<select name=a size=2><option>1<option>2</select>", []),
        ("<select name=a multiple><option>1<option>2</select>", []),
        ("<select name=a multiple><option selected>1<option selected>2</select>", [("a", "1"), ("a", "2")]),
        ("<select name=a><option value>1</select>", [("a", "")]),
        ("<select name=a></select>", []),
        ("<fieldset disabled><input name=a><fieldset><input name=b></fieldset></fieldset><input name=c>", [("c", "")]),
        ("<fieldset disabled><legend><input name=a></legend><legend><input name=b></legend></fieldset>", [("a", "")]),
        ("<fieldset disabled><div><legend><input name=a></legend></div></fieldset>", []),
        ("<datalist><input name=a><option>x</datalist><input name=b>", [("b", "")]),
        ("<input name=a><input type=submit name=s value=1><input type=submit name=t value=2>", [("a", ""), ("s", "1")]),
        ("<button name=s value=1>x</button>", [("s", "1")]),
        ("<button name=s>x</button>", [("s", "")]),
        ("<input type=submit name=s>", [("s", "")]),
        ("<input type=submit value=go>", []),
        ("<button type=button name=a>x</button><button type=reset name=b>x</button><input type=button name=c>", []),
        ("<button disabled name=s value=1>x</button><button name=t value=2>y</button>", [("t", "2")]),
        ("<input type=image name=i value=x>", [("i.x", "0"), ("i.y", "0")]),
        ("<input type=image>", [("x", "0"), ("y", "0")]),
        ("<input type=hidden name=_charset_ value=x>", [("_charset_", "utf-8")]),
        ("<input type=file name=a>", [("a", "")]),
        ("<input name=a value=x dirname=a.dir>", [("a", "x"), ("a.dir", "ltr")]),
        ("<div><p><input name=a><table><tr><td><input name=b></table></div>", [("a", ""), ("b", "")]),
    ],
)  # fmt: skip
def test_a_form_sends_what_a_browser_sends(controls, expected):
    """The entry list, in the order of the page."""
    assert expected == entries(controls)


def test_controls_elsewhere_belong_to_the_form_that_they_name():
    """`form=` takes a control into a form, and out of the one around it; in tree order."""
    page = """<input name=before form=f><form id=f><input name=in><input name=out form=other><input name=lost form=none>
        </form><form id=other></form><input name=after form=f><input name=nobody>"""
    assert ["before", "in", "after"] == find_form(parse(page), URL, id="f").names()
    assert ["out"] == find_form(parse(page), URL, id="other").names()


def test_a_form_in_a_table_keeps_the_fields_that_the_parser_takes_out_of_it():
    """`<table><form><tr>` is usual on old pages; the tree has the form empty, browsers remember its fields."""
    page = """<table><form id=a action=/a><tr><td><input name=x></td></tr></form>
        <form id=b action=/b><tr><td><input name=y></td></tr></form></table><input name=z>"""
    assert ["x"] == find_form(parse(page), URL, id="a").names()
    assert ["y"] == find_form(parse(page), URL, id="b").names()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("action=/login", "https://example.org/login"),
        ("action=login", "https://example.org/dir/login"),
        ("action=?a=1", "https://example.org/dir/page?a=1"),
        ("action=//other.example/x", "https://other.example/x"),
        ("action='  /x '", "https://example.org/x"),
        ("action=''", "https://example.org/dir/page?next=1"),
        ("", "https://example.org/dir/page?next=1"),
        ("action='/x#part'", "https://example.org/x"),
    ],
)
def test_where_a_form_goes(action, expected):
    """Relative to the page; an empty action is the page itself, with its query."""
    assert expected == form("", f"method=post {action}").payload().url


def test_an_action_is_relative_to_the_base_of_the_page():
    """But an empty one is the page, not its base."""
    base = "<base href='https://cdn.example/b/'>"
    assert "https://cdn.example/b/x" == form("", "action=x", before=base).action
    assert URL == form("", "action=''", before=base).action
    tree = parse("<form action=x>")
    assert "https://b.example/x" == find_form(tree, URL, base_url="https://b.example/").action


def test_get_replaces_the_query():
    """As browsers do: what the action had in its query is lost."""
    sent = form("<input name=q value='a b&ü~*'>", "action='/s?old=1#x'").payload()
    assert ("GET", "https://example.org/s?q=a+b%26%C3%BC%7E*", None) == (sent.method, sent.url, sent.body)
    assert "https://example.org/s" == form("", "action='/s?old=1'").payload().url


@pytest.mark.parametrize(
    ("attributes", "method"),
    [("", "GET"), ("method=POST", "POST"), ("method=' Post '", "POST"), ("method=put", "GET"), ("method", "GET")],
)
def test_the_method_is_get_unless_it_is_post(attributes, method):
    """Whatever else stands there means GET."""
    assert method == form("", attributes).method


def test_a_form_that_is_no_submission_says_so():
    """A dialog, a script: with what to do about it."""
    with pytest.raises(FormError, match="dialog"):
        form("", "method=dialog").payload()
    for action in ("javascript:go()", "mailto:x@y", "http://[bad"):
        with pytest.raises(FormError, match="give url="):
            form("", f"action='{action}'").payload()
    assert "https://x.example/" == form("", "action='javascript:go()'").payload(url="https://x.example/").url


def test_a_button_can_send_the_form_elsewhere_and_otherwise():
    """formaction, formmethod, formenctype of the button that is pressed, and of no other."""
    page = form(
        "<button name=a>a</button><button name=b formaction=/b formmethod=post formenctype=text/plain>b</button>"
        "<input name=x value=1>",
        "action=/a",
    )
    assert "https://example.org/a?a=&x=1" == page.payload().url
    sent = page.payload(click="b")
    assert ("POST", "https://example.org/b", b"b=\r\nx=1\r\n") == (sent.method, sent.url, sent.body)
    assert "text/plain" == sent.headers["Content-Type"]
    assert "https://example.org/c" == page.payload(click="b", url="https://example.org/c").url
    assert "GET" == page.payload(click="b", method="get").method


BUTTONS = (
    "<input type=submit name=one value=First><button id=two name=b value=2>Second  one</button>"
    "<button name=b value=3 class=x>Third</button><input type=image name=four alt=Fourth>"
)


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        (None, [("one", "First")]),
        (False, []),
        ("one", [("one", "First")]),
        ("two", [("b", "2")]),
        ("b", [("b", "2")]),
        ("Second one", [("b", "2")]),
        ("3", [("b", "3")]),
        ("Fourth", [("four.x", "0"), ("four.y", "0")]),
        ({"name": "b", "value": "3"}, [("b", "3")]),
        ({"nr": 1}, [("b", "2")]),
        ({"class": "x"}, [("b", "3")]),
        ({"type": "image"}, [("four.x", "0"), ("four.y", "0")]),
        ({"name": "b", "nr": 2}, [("b", "3")]),
    ],
)
def test_the_button_to_press(click, expected):
    """By name, id, text, value, attributes; the first, or none."""
    assert expected == entries(BUTTONS, click=click)


def test_a_button_may_be_given_as_a_node():
    """What `css()` of the same page gave."""
    page = Selector(text=f"<form method=post>{BUTTONS}</form>")
    button = page.css("button.x")[0]
    for click in (button, button.node):
        assert b"b=3" == find_form(page, URL).payload(click=click).body


@pytest.mark.parametrize("click", ["nosuch", {"name": "b"}, {"name": "x"}, {"nr": 9}])
def test_a_button_that_is_not_there_or_not_clear_names_those_there_are(click):
    """Two that fit a mapping are as bad as none."""
    with pytest.raises(FormError, match=r"its buttons: 'one', 'b', 'b', 'four'"):
        entries(BUTTONS, click=click)


def test_fields_are_filled_in_at_their_place():
    """The order is the page's, whatever the order of the data."""
    controls = "<input name=a value=1><input name=b value=2><input name=c value=3>"
    assert [("a", "x"), ("b", "2"), ("c", "y")] == entries(controls, {"c": "y", "a": "x"})
    assert [("a", "1"), ("c", "3")] == entries(controls, {"b": None})
    assert [("a", "1"), ("b", "x"), ("b", "y"), ("c", "3")] == entries(controls, {"b": ["x", "y"]})
    assert [("a", "1"), ("b", "x"), ("b", "y"), ("c", "3")] == entries(controls, [("b", "x"), ("b", "y")])
    assert [("a", "7"), ("b", "1.5"), ("c", "ü")] == entries(controls, {"a": 7, "b": 1.5, "c": "ü".encode()})


def test_boxes_and_choices_are_filled_in_by_what_one_sees():
    """True and False check a box; of an option the label serves; what is hidden or disabled can be set as well."""
    boxes = "<input type=checkbox name=a value=yes><input type=checkbox name=b checked>"
    assert [("a", "yes")] == entries(boxes, {"a": True, "b": False})
    assert [("a", "other"), ("b", "on")] == entries(boxes, {"a": "other"})
    choice = "<select name=a><option value=1>One<option value=2>Two</select>"
    assert [("a", "2")] == entries(choice, {"a": "Two"}) == entries(choice, {"a": "2"}) == entries(choice, {"a": 2})
    assert [("a", "3")] == entries(choice, {"a": "3"})  # a script may have added it
    assert [("a", "1"), ("a", "2")] == entries(choice.replace("name", "multiple name"), {"a": ("One", "Two")})
    assert [("a", "x")] == entries("<input name=a disabled>", {"a": "x"})
    assert [("s", "x")] == entries("<button name=s value=1>go</button>", {"s": "x"})
    with pytest.raises(TypeError, match=r"'a' .* no checkbox"):
        entries("<input name=a>", {"a": True})


def test_a_field_that_the_form_does_not_have_is_an_error_that_names_those_it_has():
    """A form that was changed must not be sent without its password; `extra` sends all the same."""
    login = find_form(parse(LOGIN), URL)
    with pytest.raises(
        FormError, match=r"no field 'usr'; it has: csrf, user, password, go .did you mean 'user'"
    ) as caught:
        login.payload({"usr": "me"})
    assert "tok3n" not in str(caught.value) and "geheim" not in str(caught.value)
    assert login.payload({"usr": "me"}, extra=True).body.endswith(b"&usr=me")


def test_no_value_is_in_a_repr():
    """Hidden fields are tokens, and browsers fill in passwords; what is filled in is worse."""
    login = find_form(parse(LOGIN), URL)
    assert "<POST form #login to https://example.org/login (csrf, user, password, go)>" == repr(login)
    shown = repr([login, login.controls, login.payload({"password": "secret"}), login.request({"password": "secret"})])
    for secret in ("tok3n", "geheim", "secret"):
        assert secret not in shown


def test_fields_are_what_the_form_holds():
    """Name → value, a list where a name comes twice; without pressing anything but the first button."""
    page = form(
        "<input name=a value=1><input name=b value=2><input name=b value=3><input name=b value=4><button name=c>"
    )
    assert {"a": "1", "b": ["2", "3", "4"], "c": ""} == page.fields
    assert ["a", "b", "c"] == list(page.fields) == page.names()


PAGE = f"""<form name=search action=/search><input name=q></form>{LOGIN}
<form name=search id=second action=/other><input name=z></form><div id=none></div>"""


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "/login"),  # of several, the one that asks for a password
        ({"css": "#login"}, "/login"),
        ({"css": "input[name=z]"}, "/other"),
        ({"css": "[action='/search']"}, "/search"),
        ({"xpath": "//input[@name='z']"}, "/other"),
        ({"name": "search"}, "/search"),
        ({"id": "second"}, "/other"),
        ({"name": "search", "id": "second"}, "/other"),
        ({"number": 0}, "/search"),
        ({"number": 2}, "/other"),
        ({"number": -1}, "/other"),
    ],
)
def test_a_form_is_found(how, expected):
    """By a selector of it or of something in it, by name, id, place; or because no other can be meant."""
    assert "https://example.org" + expected == find_form(parse(PAGE), URL, **how).action


@pytest.mark.parametrize(
    "how", [{"css": "#none"}, {"css": "i"}, {"name": "x"}, {"id": "x"}, {"number": 3}, {"number": -4}]
)
def test_a_form_that_is_not_there_names_those_there_are(how):
    """With id, name, action and fields, and the page's URL."""
    with pytest.raises(FormError) as caught:
        find_form(parse(PAGE), URL, **how)
    message = str(caught.value)
    assert "0: form name='search' to https://example.org/search (q); 1: form #login to" in message
    assert repr(next(iter(how.values()))) in message and "https://example.org/dir/page" in message


def test_which_form_must_be_clear():
    """No form, several without a password, several with one: no guessing."""
    with pytest.raises(FormError, match=r"there is no form on https://example.org"):
        find_form(parse("<p>"), URL)
    for page in ("<form></form>" * 2, LOGIN * 2):
        with pytest.raises(FormError, match=r"several forms .* say which: 0: form"):
            find_form(parse(page), URL)
    assert "POST" == find_form(parse(LOGIN), URL).method


@pytest.mark.parametrize(
    ("head", "attributes", "encoding", "expected"),
    [
        ("", "", None, b"a=%C3%BC%E2%82%AC%D0%B6"),
        ("<meta charset=latin1>", "", None, b"a=%FC%80%26%231078%3B"),
        (
            "<meta http-equiv=content-type content='text/html; charset=koi8-r'>",
            "",
            None,
            b"a=%26%23252%3B%26%238364%3B%D6",
        ),
        ("<meta charset=koi8-r>", "", "windows-1252", b"a=%FC%80%26%231078%3B"),
        ("", "accept-charset='nosuch latin1'", "utf-8", b"a=%FC%80%26%231078%3B"),
        ("", "accept-charset=utf-16", "latin1", b"a=%C3%BC%E2%82%AC%D0%B6"),
    ],
)
def test_a_form_is_sent_in_its_pages_encoding(head, attributes, encoding, expected):
    """accept-charset, else what the caller knows, else the page's <meta>; what it cannot write becomes a reference."""
    page = parse(f"{head}<form method=post {attributes}><input name=a>")
    assert expected == find_form(page, URL, encoding=encoding).payload({"a": "ü€ж"}).body


def parts(sent):
    """Name, file name, type and content of the parts of a multipart body."""
    message = message_from_bytes(f"Content-Type: {sent.headers['Content-Type']}\r\n\r\n".encode() + sent.body)
    found = []
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        kind = part.get_content_type() if part["content-type"] else None
        found.append((name, part.get_filename(), kind, part.get_payload(decode=True)))
    return found


def test_multipart_keeps_the_order_and_sends_files(tmp_path):
    """Bytes, an open file, a path, a tuple; a file field that is left alone sends an empty file, as browsers do."""
    (tmp_path / "a.txt").write_text("path")
    page = form("<input name=a value='x&#10;y'><input type=file name=f><textarea name=t>1\n2</textarea>",
                "method=post enctype=multipart/form-data")  # fmt: skip
    assert [
        ("a", None, None, b"xy"),
        ("f", "", "application/octet-stream", b""),
        ("t", None, None, b"1\r\n2"),
    ] == parts(page.payload())
    opened = io.BytesIO(b"open")
    opened.name = "/some/where/o.bin"
    for given, expected in [
        (b"bytes", ("f", "f", "application/octet-stream", b"bytes")),
        (opened, ("f", "o.bin", "application/octet-stream", b"open")),
        (tmp_path / "a.txt", ("f", "a.txt", "text/plain", b"path")),
        (("n.png", b"png"), ("f", "n.png", "image/png", b"png")),
        (("n", "text", "text/x"), ("f", "n", "text/x", b"text")),
    ]:
        assert expected == parts(page.payload({"f": given}))[1]
    assert 4 == len(parts(page.payload({"f": [b"1", b"2"]})))
    with pytest.raises(TypeError, match="the file for 'f'"):
        page.payload({"f": 1})


def test_the_referer_is_the_page_without_its_query():
    """Django refuses forms over https without one; queries hold secrets, other origins learn the origin alone."""
    assert {"Referer": "https://example.org/dir/page"} == form("", "action=/x").payload().headers
    assert {"Referer": "https://example.org/"} == form("", "action=https://other.example/").payload().headers
    assert {} == form("", "action=http://example.org/").payload().headers
    assert {"Referer": "http://127.0.0.1:81/"} == form("", url="http://u:p@127.0.0.1:81").payload().headers


def test_a_form_becomes_a_spiders_request():
    """Method, URL, body, headers; the rest is the author's."""
    request = find_form(parse(LOGIN), URL).request(
        {"user": "me"}, callback="parse", headers={"referer": "x"}, meta={"a": 1}, priority=3
    )
    assert type(request) is Request
    assert ("POST", "https://example.org/login") == (request.method, request.url)
    assert b"csrf=tok3n&user=me&password=geheim&go=in" == request.body
    assert "application/x-www-form-urlencoded" == request.headers["content-type"]
    assert ("parse", "x", {"a": 1}, 3) == (request.callback, request.headers["Referer"], request.meta, request.priority)


def test_a_form_outlives_its_page():
    """It is a value: the parser may be gone."""
    made = Form.from_node(parse(LOGIN).css_first("form"), URL)
    assert "tok3n" == made.fields["csrf"]


# --- Scrapy's FormRequest -----------------------------------------------------------------------------------------


class Page:
    """As much of a Response as FormRequest asks for."""

    def __init__(self, markup, url=URL, encoding="utf-8"):
        self.selector, self.url, self.encoding = Selector(text=markup), url, encoding


@pytest.mark.parametrize(
    ("arguments", "method", "url", "body"),
    [
        ({"formdata": {"a": "1", "b": ["2", "3"]}}, "POST", "https://e.org/", b"a=1&b=2&b=3"),
        ({"formdata": [("a", "ü"), ("a", None), ("n", 1)]}, "POST", "https://e.org/", b"a=%C3%BC&n=1"),
        ({"formdata": {"a": "1"}, "method": "GET"}, "GET", "https://e.org/?a=1", b""),
        ({"formdata": {"a": "ü"}, "encoding": "latin-1"}, "POST", "https://e.org/", b"a=%FC"),
        ({}, "GET", "https://e.org/", b""),
        ({"formdata": {}}, "GET", "https://e.org/", b""),
        ({"method": "PUT", "body": b"x"}, "PUT", "https://e.org/", b"x"),
    ],
)
def test_form_request(arguments, method, url, body):
    """Form data make it a POST unless it is said to be something else."""
    request = FormRequest("https://e.org/", **arguments)
    assert (method, url, body) == (request.method, request.url, request.body)
    if body and "formdata" in arguments:
        assert "application/x-www-form-urlencoded" == request.headers["Content-Type"]
    assert (method, url, body) == tuple(
        getattr(request.replace(priority=1), name) for name in ("method", "url", "body")
    )


@pytest.mark.parametrize(
    ("arguments", "url", "body"),
    [
        ({}, "/search?q=", b""),
        ({"formname": "search"}, "/search?q=", b""),
        ({"formid": "login"}, "/login", b"csrf=tok3n&user=&password=geheim&go=in"),
        ({"formnumber": 1, "dont_click": True}, "/login", b"csrf=tok3n&user=&password=geheim"),
        ({"formcss": "input[name=user]", "formdata": {"user": "me", "csrf": None}}, "/login",
         b"user=me&password=geheim&go=in"),
        ({"formxpath": "//form[@id='login']", "formdata": {"new": "x"}}, "/login",
         b"csrf=tok3n&user=&password=geheim&go=in&new=x"),
        ({"formid": "login", "clickdata": {"name": "go"}}, "/login", b"csrf=tok3n&user=&password=geheim&go=in"),
        ({"formid": "login", "url": "https://example.org/else"}, "/else", b"csrf=tok3n&user=&password=geheim&go=in"),
        ({"formid": "login", "method": "GET", "dont_click": True}, "/login?csrf=tok3n&user=&password=geheim", b""),
    ],
)  # fmt: skip
def test_form_request_from_a_response(arguments, url, body):
    """Every way in which Scrapy finds a form, fills it in and presses its button."""
    request = FormRequest.from_response(Page(PAGE), callback="parse", **arguments)
    assert type(request) is FormRequest and "parse" == request.callback
    assert ("https://example.org" + url, body) == (request.url, request.body)


def test_form_request_from_a_response_is_in_its_encoding():
    """The response knows it from HTTP."""
    page = Page("<form method=post><input name=a>", encoding="windows-1252")
    assert b"a=%FC" == FormRequest.from_response(page, formdata={"a": "ü"}).body


@pytest.mark.parametrize(
    "arguments",
    [{"formname": "x"}, {"formid": "x"}, {"formnumber": 9}, {"formcss": "i"}, {"clickdata": {"name": "x"}}],
)
def test_form_request_does_not_guess(arguments):
    """Where Scrapy would take the first form instead, the error names those there are."""
    with pytest.raises(FormError):
        FormRequest.from_response(Page(PAGE), **arguments)


def test_a_page_without_a_url_has_forms_too():
    """Markup from elsewhere: an absolute action is all that it takes."""
    sent = find_form(parse("<form method=post action=https://e.org/x><input name=a>"), "about:blank").payload()
    assert ("https://e.org/x", b"a=") == (sent.url, sent.body)
    assert "Referer" not in sent.headers
