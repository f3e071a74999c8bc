"""The keys of an index, as pywb computes them: recorded from the library that pywb itself asks."""

from __future__ import annotations

import pytest

from crawlkit.archive.surt import surt

# What the library of that name (version 0.3.1) answered; tests/integration/test_replay_tools.py asks it again, and more.
KEYS = {
    "http://www.Example.com/": "com,example)/",
    "http://www2.example.com:80/A/B/?b=2&a=1": "com,example)/a/b?a=1&b=2",
    "https://example.com:443/x/": "com,example)/x",
    "https://example.com:80/x/": "com,example:80)/x",
    "http://example.com:8080/x//y/../z/./": "com,example:8080)/x/z",
    "http://example.com": "com,example)/",
    "http://example.com?x=1": "com,example)/?x=1",
    "http://example.com/a/?": "com,example)/a",
    "http://example.com//": "com,example)/",
    "http://example.com/a%20b%2Fc%7ed%zz%25": "com,example)/a%20b/c~d%25zz%25",
    "http://example.com/%C3%A9/é": "com,example)/%c3%a9/%c3%a9",
    "http://example.com/?q=%C3%A9&b=é": "com,example)/?b=%c3%a9&q=%c3%a9",
    "http://éxample.com/": "com,xn--xample-9ua)/",
    "http://user:pw@example.com/": "com,example)/",
    "http://127.0.0.1:8763/books?page=2": "1,0,0,127:8763)/books?page=2",
    "http://2130706433/": "1,0,0,127)/",
    "http://[::1]:80/x": "::1)/x",
    "http://[2001:DB8::1]:8080/x": "2001:db8::1:8080)/x",
    "http://example.com/a?x=1&PHPSESSID=0123456789abcdef0123456789abcdef": "com,example)/a?&x=1",
    "http://example.com/a?x=1&sid=0123456789abcdef0123456789abcdef&y=2": "com,example)/a?x=1&y=2",
    "http://example.com/a?ASPSESSIONIDAQBSDSRT=EOHBLBDDPFCLHKPGGKLILNAM": "com,example)/a",
    "http://example.com/a?CFID=1&CFTOKEN=2&x=3": "com,example)/a?x=3",
    "http://example.com/(S(4hqa0555fwsecu455xqckv45))/mileg.aspx": "com,example)/mileg.aspx",
    "http://example.com/(4hqa0555fwsecu455xqckv45)/mileg.html": "com,example)/(4hqa0555fwsecu455xqckv45)/mileg.html",
    "http://example.com/a?b&a&c=&=d&&": "com,example)/a?&&=d&a&b&c=",
    "http://example.com/a?a&a=1&a-b=1": "com,example)/a?a&a=1&a-b=1",
    "http://example.com/a?x=%26&y=%3D&z=+%20": "com,example)/a?&x=&y==&z=+%20",
    "http://.example..com./a": "com,example)/a",
    "http://www.com/": "com)/",
    "http://www.www.example.org/": "org,example,www)/",
    "http://example.com/a?x#frag": "com,example)/a?x",
    "http://example.com/a%2525b": "com,example)/a%25b",
    "http://example.com/../../x": "com,example)/x",
    "http://example.com/../x": "com,example)/../x",
    "http://example.com/b/../;+/.//../": "com,example)/;+",
    "http://example.com/a%3Fb": "com,example)/a?b",
    "http://example.com/a%23b": "com,example)/a%23b",
    "http://example.com/a?u=http://b.com//c/../d": "com,example)/a?u=http://b.com//c/../d",
    "https://web.archive.org/web/2020/http://example.com/": "org,archive,web)/web/2020/http:/example.com",
    "http://example.com/a?%E9": "com,example)/a?%e9",
    "urn:uuid:1234": "urn:uuid:1234",
}


@pytest.mark.parametrize("url", KEYS)
def test_the_key_is_the_one_that_a_replayer_looks_for(url: str) -> None:
    assert KEYS[url] == surt(url)


def test_a_url_that_is_escaped_a_thousand_times_over_ends() -> None:
    assert "org,example)/a" == surt("http://example.org/%" + "25" * 1000 + "61")
