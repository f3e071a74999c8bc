"""cURL commands as browsers copy them: what is taken, what is left, and that a paste which is broken is told."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.exceptions import UsageError
from crawlkit.sessions import shellwords
from crawlkit.sessions.curlcommand import is_curl, parse_curl

# Chromium's "Copy as cURL (bash)".
BASH = r"""curl 'https://shop.example:8443/account?tab=1' \
  -H 'accept: text/html,*/*;q=0.8' \
  -H 'accept-language: de,en;q=0.9' \
  -b 'sid=abc%20def; theme="dark"; empty=; token=a=b==' \
  -H $'x-name: J\u00fcrgen\'s' \
  -H 'authorization: Bearer t0ken' \
  -H 'sec-ch-ua: "Chromium";v="140"' \
  -H 'referer: https://shop.example:8443/' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw 'q=curl -H x' --compressed
"""
# Chromium's "Copy as cURL (cmd)".
CMD = (
    'curl ^"https://shop.example/account?a=1^&b=^%^25^" ^\r\n'
    '  -H ^"accept: */*^" ^\r\n'
    '  -b ^"sid=abc^%^20def; theme=^\\^"dark^\\^"; empty=; token=a=b==^" ^\r\n'
    '  -H ^"authorization: Bearer t0ken^" ^\r\n'
    '  -H ^"user-agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64)^"'
)
# Firefox's "Copy as cURL (Windows)" of old.
OLD_CMD = 'curl.exe "https://shop.example/" ^\r\n -H "Cookie: sid=abc; theme=""dark""" ^\r\n -H "User-Agent: M"'


def test_for_bash() -> None:
    """Cookies as they are sent, headers that a session sends again; what belongs to one request is named and left."""
    command = parse_curl(BASH)
    assert "https://shop.example:8443/account?tab=1" == command.url
    assert [("sid", "abc%20def"), ("theme", '"dark"'), ("empty", ""), ("token", "a=b==")] == command.cookies
    assert {
        "accept-language": "de,en;q=0.9",
        "x-name": "Jürgen's",
        "authorization": "Bearer t0ken",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    } == dict(command.headers)
    assert ["accept", "sec-ch-ua", "referer"] == command.left_out
    assert "abc" not in repr(command) and "shop.example:8443" in repr(command)


def test_for_cmd() -> None:
    """Carets, doubled quotes and the percent signs that are kept from cmd.exe."""
    command = parse_curl(CMD)
    assert "https://shop.example/account?a=1&b=%25" == command.url
    assert [("sid", "abc%20def"), ("theme", '"dark"'), ("empty", ""), ("token", "a=b==")] == command.cookies
    assert {"authorization", "user-agent"} == set(command.headers)
    old = parse_curl(OLD_CMD)
    assert ([("sid", "abc"), ("theme", '"dark"')], "M") == (old.cookies, old.headers["user-agent"])


def test_cookies_are_for_the_host_alone() -> None:
    """A Cookie header does not say which other hosts they are for, nor for how long."""
    https = parse_curl("curl https://www.example.com/ -b 'a=1'").jar_cookies()[0]
    assert ("www.example.com", True, "/", "a") == https.key
    assert (True, None, True) == (https.secure, https.expires, https.discard)
    assert not parse_curl("curl http://www.example.com/ -b 'a=1'").jar_cookies()[0].secure


@pytest.mark.parametrize(
    ("command", "url", "cookies", "headers"),
    [
        ("$ curl example.com/a?x=1", "http://example.com/a?x=1", [], {}),
        ("curl -sSLb a=1 --url https://e.example", "https://e.example/", [("a", "1")], {}),
        ("curl -H'Cookie: a=1' -XPOST -d @body https://e.example", "https://e.example/", [("a", "1")], {}),
        ('curl -A "me \\"x\\" \\$5" https://e.example', "https://e.example/", [], {"User-Agent": 'me "x" $5'}),
        ("curl -u user:pa:ss https://e.example", "https://e.example/", [], {"Authorization": "Basic dXNlcjpwYTpzcw=="}),
        ("curl https://user:p%40ss@e.example", "https://e.example/", [], {"Authorization": "Basic dXNlcjpwQHNz"}),
        ("curl --oauth2-bearer tok https://e.example", "https://e.example/", [], {"Authorization": "Bearer tok"}),
        (
            "curl https://e.example -H 'X: ' -H 'Y;' -H 'X-Api-Key: k' | jq .",
            "https://e.example/",
            [],
            {"X-Api-Key": "k"},
        ),
        ("curl https://e.example -b a=1 -b jar.txt -b a=2", "https://e.example/", [("a", "2")], {}),
        ("curl --login-options k --tlsuser u --no-keepalive -ksS#4 https://e.example", "https://e.example/", [], {}),
        (
            "curl https://user:p%40ss@[::1]:8443/a://b",
            "https://[::1]:8443/a://b",
            [],
            {"Authorization": "Basic dXNlcjpwQHNz"},
        ),
        ("curl -- https://e.example", "https://e.example/", [], {}),
        ("curl https://e.example -b 'n=ü'", "https://e.example/", [("n", "Ã¼")], {}),
        ("curl https://e.example \\\r\n -b a=1", "https://e.example/", [("a", "1")], {}),
    ],
)
def test_options(command: str, url: str, cookies: list[tuple[str, str]], headers: dict[str, str]) -> None:
    found = parse_curl(command)
    assert (url, cookies, headers) == (found.url, found.cookies, dict(found.headers))


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("curl -H 'Cookie: s3cret", "quote has no end"),
        ('curl "https://e.example/?s3cret', "quote has no end"),
        ("curl $'s3cret", "quote has no end"),
        ('curl ^"https://e.example/?s3cret', "quote has no end"),
        ("curl -b 's3cret=1'", "no URL"),
        ("curl https://e.example -b", "-b has no value"),
        ("curl https://e.example --header", "--header has no value"),
        ('curl https://e.example -H "X: $S3CRET"', "a variable or a command"),
        ("curl https://e.example -H X:`cat s3cret`", "a variable or a command"),
        ("curl https://e.example -H X:$(cat s3cret)", "a variable or a command"),
        ("curl https://a.example https://b.example", "several hosts"),
        ("curl https://a.example; curl https://a.example", "several commands"),
        ("curl https://a.example http://s3cret/", "several hosts; give one"),
        ("curl https://a.example --new-option s3cret", "--new-option is no option of curl that is known"),
        ("curl https://a.example --new-option=s3cret", "--new-option is no option of curl that is known"),
        ("curl https://a.example --cookie=sid=s3cret", "--cookie: curl has the value after a space"),
        ("curl https://a.example -sWs3cret", "-W is no option of curl that is known"),
        ("curl https://a.example -H s3cret", "-H: a header has no colon"),
        ("curl file:///etc/passwd", "no http or https URL"),
        ("curl 'ht!tp://u:s3cret@x:99999/'", "no http or https URL"),
        ("curl http://u:s3cret@x:99999/", "no http or https URL"),
        ("curl 'ftp://u:s3cret@x/'", "no http or https URL"),
        ("curl 'x!s3cret'", "no http or https URL"),
        ("curl https:///s3cret", "no http or https URL"),
        ("curl 'https://[s3cret'", "no http or https URL"),
        ("curl https://e.example -b $'a=s3cret\\x07'", "control character"),
        ("curl https://e.example -H $'X: s3cret\\nY: 1'", "line break"),
        ("curl https://e.example -H $'\\Uffffffff s3cret'", "no such character"),
    ],
)
def test_what_is_broken_is_told_and_not_shown(command: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^a.txt: .*{problem}") as caught:
        parse_curl(command, name="a.txt")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("curl x", True), (" \n$ curl.exe x", True), ("curly", False), ("cookies.txt", False), ("# curl x", False)],
)
def test_what_a_command_begins_with(text: str, expected: bool) -> None:
    assert expected == is_curl(text)


WORDS = st.lists(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=8), max_size=4)


@given(WORDS)
def test_whatever_bash_quotes_comes_back(words: list[str]) -> None:
    """As Chromium quotes for it: single quotes, or $'…' where there is something to escape."""

    def quoted(word: str) -> str:
        if word.isalnum() and word.isascii():
            return word
        if "'" in word or "\n" in word or "!" in word:
            escaped = word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("!", "\\u0021")
            return f"$'{escaped}'"
        return f"'{word}'"

    assert (words, "") == shellwords.split_bash(" ".join(map(quoted, words)))


def test_bash_itself_agrees() -> None:
    """Words that we split are the words that bash splits."""
    text = r"""a 'b c' "d \" \\ \x $ '" $'e\'\t\x41\101\u00e9' f\ g"h"'i' '' \
 last"""
    printed = subprocess.run(
        ["bash", "-c", f"export LC_ALL=C.UTF-8; printf '%s\\0' {text}"], capture_output=True, check=True
    )
    assert printed.stdout.decode().split("\0")[:-1] == shellwords.split_bash(text)[0]
