"""Headers: the mapping beside requests', validation, and reading list-like values."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from typing import Any

import pytest
import requests.structures
import requests.utils
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.exceptions import InvalidHeader
from crawlkit.sessions import headers as module
from crawlkit.sessions.challenge import parse_challenges
from crawlkit.sessions.headers import (
    CaseInsensitiveDict,
    check_header_validity,
    checked_headers,
    parse_dict_header,
    parse_header_links,
    parse_list_header,
    unquote_header_value,
)
from crawlkit.sessions.status_codes import codes


def test_keys_are_equal_in_any_case_and_keep_the_last() -> None:
    """Reading does not care; iterating shows what was written last, where it was written first."""
    headers = CaseInsensitiveDict({"Accept": "a", "X-B": "b"})
    headers["ACCEPT"] = "c"
    assert ["ACCEPT", "X-B"] == list(headers)
    assert ("c", True, None, "d") == (
        headers["accept"],
        "aCCept" in headers,
        headers.get("none"),
        headers.get("none", "d"),
    )
    assert [("accept", "c"), ("x-b", "b")] == list(headers.lower_items())
    del headers["aCcEpT"]
    assert 1 == len(headers)
    with pytest.raises(KeyError):
        headers["accept"]


def test_it_is_a_mapping_in_every_other_way() -> None:
    """update, pop, setdefault, items, equality, repr, copies."""
    headers: CaseInsensitiveDict[Any] = CaseInsensitiveDict([("A", "1")], b="2")
    headers.update({"a": "3"}, C="4")
    assert {"a": "3", "b": "2", "C": "4"} == dict(headers)
    assert "{'a': '3', 'b': '2', 'C': '4'}" == repr(headers)
    assert headers == {"A": "3", "B": "2", "c": "4"}
    assert headers != {"A": "3"}
    assert headers != 3
    assert "3" == headers.pop("A")
    assert "2" == headers.setdefault("B", "9")
    assert (["2", "4"], [("b", "2"), ("C", "4")]) == (list(headers.values()), list(headers.items()))
    assert ("b", "2") in headers.items()
    assert (True, False) == ("4" in headers.values(), "9" in headers.values())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_pickles_and_copies(protocol: int) -> None:
    """With every protocol; a copy changes alone."""
    headers = CaseInsensitiveDict({"A": "1"})
    loaded = pickle.loads(pickle.dumps(headers, protocol))  # noqa: S301
    for twin in (loaded, copy.copy(headers), headers.copy()):
        assert headers == twin
        assert type(twin) is CaseInsensitiveDict
    twin = headers.copy()
    twin["b"] = "2"
    assert "b" not in headers


@given(st.lists(st.tuples(st.sampled_from(["set", "del", "get"]), st.sampled_from(["A", "a", "B", "ß", "ſ"]))))
def test_it_behaves_as_requests_does(operations: list[tuple[str, str]]) -> None:
    """Any sequence of operations leaves both with the same pairs in the same order."""
    ours: CaseInsensitiveDict[int] = CaseInsensitiveDict()
    theirs: requests.structures.CaseInsensitiveDict[int] = requests.structures.CaseInsensitiveDict()
    for number, (what, key) in enumerate(operations):
        if what == "set":
            ours[key] = theirs[key] = number
        elif what == "del":
            assert theirs.pop(key, None) == ours.pop(key, None)
        assert theirs.get(key) == ours.get(key)
    assert list(theirs.items()) == list(ours.items())


def test_it_may_be_read_while_another_thread_writes() -> None:
    """Copies, iteration and checks work on a snapshot: no RuntimeError."""
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict({f"X-{number}": "a" for number in range(50)})
    failures: list[BaseException] = []
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            headers[f"Y-{number % 500}"] = "b"
            headers.pop(f"Y-{(number + 250) % 500}", None)
            number += 1

    def read() -> None:
        try:
            for _ in range(200):
                dict(headers.items())
                list(headers.lower_items())
                headers.copy()
                checked_headers(headers)
        except RuntimeError as error:
            failures.append(error)

    writer, readers = threading.Thread(target=write), [threading.Thread(target=read) for _ in range(3)]
    for thread in (writer, *readers):
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    writer.join()
    assert [] == failures


def test_checked_headers_is_a_copy_with_names_in_text() -> None:
    """What comes back can be changed; the cache of valid pairs gives the same as checking."""
    given_headers = CaseInsensitiveDict({"A": "1", "B": b"2"})
    for _ in range(2):
        checked = checked_headers(given_headers)
        assert given_headers == checked
        checked["C"] = "3"
        assert "C" not in given_headers
    assert {"X": b"1"} == dict(checked_headers({b"X": b"1"}))


def test_the_cache_never_lets_an_invalid_pair_through() -> None:
    """A valid pair that was seen does not make its neighbour valid."""
    checked_headers(CaseInsensitiveDict({"A": "1"}))
    for bad in ("1\n", ["1"], None, 1):
        with pytest.raises(InvalidHeader):
            checked_headers(CaseInsensitiveDict({"A": "1", "B": bad}))


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers that are new for each request do not fill the memory."""
    monkeypatch.setattr(module, "_SEEN_MAX", 10)
    for number in range(100):
        checked_headers({"X": str(number)})
    assert len(module._seen) <= 10


@pytest.mark.parametrize("header", [("A", "b"), (b"A", b"b"), ("A", ""), (b"A", b""), ("A", "b c\td ")])
def test_valid_headers(header: Any) -> None:
    """Text and bytes, an empty value, white space within and after."""
    check_header_validity(header)


# --- list-like values ---------------------------------------------------------------------------------------

LISTS = ["", "a", "a, b", 'a, "b, c", d', '"quoted"', 'a="b, c", d', " spaces ,, x ", r'"es\"caped", y']
DICTS = [
    "",
    "a",
    "a=1",
    'a="1, 2", b=3',
    'realm="x", nonce="a=b==", qop="auth,auth-int", stale=FALSE',
    'foo="is a fish", bar="as well"',
    'a=""',
]
LINKS = [
    "",
    "<http:/.../front.jpeg>",
    "<http:/.../front.jpeg>;",
    '<http:/.../front.jpeg>; rel=front; type="image/jpeg"',
    '<http:/.../front.jpeg>; type="image/jpeg",<http://.../back.jpeg>;',
    '<https://example.org/?page=2>; rel="next", <https://example.org/?page=9>; rel="last"',
    "<a>;rel=x,<b>;rel='y'",
    "<a>; rel=next; title=two words",
    "<unclosed",
]


@pytest.mark.parametrize("value", LISTS)
def test_lists_as_requests_reads_them(value: str) -> None:
    """Commas within quotes do not divide."""
    assert requests.utils.parse_list_header(value) == parse_list_header(value)


@pytest.mark.parametrize("value", DICTS)
def test_dicts_as_requests_reads_them(value: str) -> None:
    """A name alone has the value None."""
    assert requests.utils.parse_dict_header(value) == parse_dict_header(value)


@pytest.mark.parametrize("value", LINKS)
def test_links_as_requests_reads_them(value: str) -> None:
    """URL and parameters of each."""
    assert requests.utils.parse_header_links(value) == parse_header_links(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<http://a/;p,q?x=1;y>; rel=next", [{"url": "http://a/;p,q?x=1;y", "rel": "next"}]),
        (
            '<a>; title="x; y, z"; rel=next, <b>; rel=prev',
            [{"url": "a", "title": "x; y, z", "rel": "next"}, {"url": "b", "rel": "prev"}],
        ),
        ('<a>; anchor; rel="n=1"', [{"url": "a", "rel": "n=1"}]),
        (",,<a>", [{"url": "a"}]),
        ("<>", []),
    ],
)
def test_links_that_requests_cuts_in_pieces(value: str, expected: list[dict[str, str]]) -> None:
    """RFC 8288: what stands in <> or quotes does not divide."""
    assert expected == parse_header_links(value)


@pytest.mark.parametrize("value", ["<" * 80_000, "<a" * 40_000, '<a>; b="' + "<" * 80_000, "<a>" + ";" * 80_000])
def test_a_hostile_link_header_costs_what_it_is_long(value: str) -> None:
    """Each `<` was followed to the end in search of its `>`."""
    begun = time.process_time()
    parse_header_links(value)
    assert time.process_time() - begun < 0.5


@given(st.text(alphabet="<>;,=\"' \\abc", max_size=40))
def test_no_link_header_breaks_the_reader(value: str) -> None:
    """It comes to an end, and every link has a URL."""
    assert all(link["url"] for link in parse_header_links(value))


@pytest.mark.parametrize("value", ["", "a", '"a"', r'"a\"b"', r'"a\\b"', r'"\\\\server\\x"', '"'])
@pytest.mark.parametrize("is_filename", [True, False])
def test_unquoting_as_requests(value: str, is_filename: bool) -> None:
    """With the exception for Windows paths."""
    assert requests.utils.unquote_header_value(value, is_filename) == unquote_header_value(value, is_filename)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="a"', [("basic", {"realm": "a"})]),
        (
            'Basic realm="a, b", Digest realm="c", nonce="n=="',
            [("basic", {"realm": "a, b"}), ("digest", {"realm": "c", "nonce": "n=="})],
        ),
        ("Negotiate abc==, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('NTLM, DIGEST Realm = "x" , NONCE=y', [("ntlm", {}), ("digest", {"realm": "x", "nonce": "y"})]),
        (r'Digest realm="q\"uote", nonce=1', [("digest", {"realm": 'q"uote', "nonce": "1"})]),
        ('Digest realm="a",,nonce="b",', [("digest", {"realm": "a", "nonce": "b"})]),
        ('@@@, Digest nonce="b"', [("digest", {"nonce": "b"})]),
    ],
)
def test_challenges(value: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """RFC 9110 section 11.6.1: several in one value, parameters in any case, blobs, mistakes passed over."""
    assert expected == [tuple(challenge) for challenge in parse_challenges(value)]


@given(st.text(alphabet='Digest realm="x",=\\/+@ ', max_size=60))
def test_no_challenge_breaks_the_reader(value: str) -> None:
    """It comes to an end."""
    parse_challenges(value)


# --- status codes -------------------------------------------------------------------------------------------


def test_every_name_of_requests_has_its_number() -> None:
    """In both cases, as attribute and as item."""
    for name, number in vars(requests.codes).items():
        if name != "name":
            assert number == getattr(codes, name) == codes[name] == codes.get(name)


def test_a_name_that_does_not_exist() -> None:
    """An item is None, an attribute raises."""
    assert (None, None, 5) == (codes["no_such"], codes.get("no_such"), codes.get("no_such", 5))
    with pytest.raises(AttributeError, match="no_such"):
        _ = codes.no_such
    assert "<lookup 'status_codes'>" == repr(codes)
