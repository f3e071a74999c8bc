"""Redactor: no form of a secret survives, ordinary words do, and it costs next to nothing."""

from __future__ import annotations

import base64
import json
import threading
import time
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.sessions.redactor import SHORTEST, Redactor
from crawlkit.sessions.secretforms import CODINGS, forms_of
from crawlkit.sessions.secretnames import HIDDEN, is_common, is_secret_name

SECRET = "s3cr3t/Val+ue=="
AROUND = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
#: What a person or a server may make up, with all that needs escaping somewhere.
SECRETS = st.text(
    st.characters(codec="utf-8", min_codepoint=0x21, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Zs")),
    min_size=SHORTEST,
    max_size=40,
).filter(lambda secret: secret not in HIDDEN)


def knowing(*secrets: str | bytes, sure: bool = True) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret, sure=sure)
    return redactor


# --- forms -----------------------------------------------------------------------------------------------------------


@given(secret=SECRETS, before=AROUND, after=AROUND)
@settings(max_examples=60)
def test_no_form_of_a_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever surrounds it: plain, percent-encoded, HTML- and JSON-escaped, base64 and hex, read as text or bytes."""
    redactor = knowing(secret)
    for form in forms_of(secret):
        try:
            text = form.decode()
        except UnicodeDecodeError:
            text = form.decode("latin-1")
        told = redactor.redact(f"{before} {text} {after}")
        assert HIDDEN in told
        assert text not in told


@given(secret=SECRETS, data=st.data())
@settings(max_examples=60)
def test_mixtures_of_plain_and_escaped_do_not_survive(secret: str, data: st.DataObject) -> None:
    """Each byte may be escaped or not, in either case, and the whole escaped once more."""
    pieces = []
    for byte in secret.encode():
        needed = not 0x20 < byte < 0x7F or chr(byte) in "%&#"
        style = data.draw(st.sampled_from((True, False))) or needed
        pieces.append(data.draw(st.sampled_from((f"%{byte:02x}", f"%{byte:02X}"))) if style else chr(byte))
    text = "".join(pieces)
    redactor = knowing(secret)
    for form in (text, quote(text), escape(text), json.dumps(text)[1:-1], repr(text)[1:-1]):
        assert f"a {HIDDEN} b" == redactor.redact(f"a {form} b")


@given(secret=SECRETS, before=st.binary(max_size=9), after=st.binary(max_size=9))
@settings(max_examples=60)
def test_base64_of_something_around_a_secret_gives_nothing_of_it_away(secret: str, before: bytes, after: bytes) -> None:
    """As in Basic, where a user name stands before the password: at any of the three places, in either alphabet."""
    redactor = knowing(secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        told = redactor.redact(f"token {text}.")
        left = told.replace(HIDDEN, "")
        assert HIDDEN in told
        assert len(left) <= len(text) - len(secret.encode()) * 8 // 6 + len("token .")


@pytest.mark.parametrize(
    "text",
    [
        repr("pässword'\"\\x€"),
        ascii("pässword'\"\\x€"),
        repr("pässword'\"\\x€".encode()),
        json.dumps({"password": "pässword'\"\\x€"}),
        quote_plus("pässword'\"\\x€", encoding="utf-8").lower(),
        escape(json.dumps("pässword'\"\\x€")),
    ],
    ids=["repr", "ascii", "repr of bytes", "JSON", "form", "JSON in HTML"],
)
def test_a_secret_with_letters_beyond_ascii_is_found_as_python_and_the_web_write_it(text: str) -> None:
    told = knowing("pässword'\"\\x€").redact(f"failed: {text}")
    assert HIDDEN in told
    assert "ssword" not in told.replace('"password":', "")


def test_a_space_may_be_a_plus() -> None:
    """In the body of a form; without such a secret, a plus means itself."""
    assert f"q={HIDDEN}&x=1" == knowing("correct horse").redact("q=correct+horse&x=1")


def test_an_escaped_cookie_is_found_decoded() -> None:
    """Frameworks percent-encode what they put into a cookie, and authors decode it."""
    assert f"got {HIDDEN}" == knowing("s%3Aabc.Def123", sure=False).redact("got s:abc.Def123")


def test_bytes_may_be_learnt_and_text_may_have_been_read_in_the_wrong_encoding() -> None:
    for secret in ("pä$$wörd", "pä$$wörd".encode()):
        assert f"{HIDDEN} {HIDDEN}" == knowing(secret).redact("pä$$wörd pÃ¤$$wÃ¶rd")


@pytest.mark.parametrize("keep", [12, 14])
def test_what_a_cut_left_of_a_secret_at_the_edge_of_a_line_is_hidden(keep: int) -> None:
    """Messages are cut to 200 characters, tracebacks to their end."""
    redactor = knowing("abcdefgh12345678XYZ", sure=False)
    assert f"ValueError: {HIDDEN}\nnext" == redactor.redact(f"ValueError: {'abcdefgh12345678XYZ'[:keep]}\nnext")
    assert f"KeyError: '{HIDDEN}'..." == redactor.redact(f"KeyError: '{'abcdefgh12345678XYZ'[:keep]}'...")
    escaped = "".join(f"%{byte:02x}" for byte in b"abcdefgh12345678XYZ")
    assert f"ValueError: {HIDDEN}%3" == redactor.redact(f"ValueError: {escaped[: 3 * 13 - 1]}")
    assert f"first\n{HIDDEN} is wrong" == redactor.redact(f"first\n{'abcdefgh12345678XYZ'[-keep:]} is wrong")


def test_everything_else_stays_as_it_is() -> None:
    """Text without a secret comes back as the same object, whatever it holds."""
    redactor = knowing(SECRET)
    for text in ("", "plain", "50 % &amp; \\n \\u00e9 %41 +", "é\udcff\ud800", "x" * 10_000):
        assert text is redactor.redact(text)
    assert f"\ud800 é {HIDDEN} \udcff" == redactor.redact(f"\ud800 é {SECRET} \udcff")


@given(text=st.text(max_size=80), secret=SECRETS)
@settings(max_examples=60)
def test_redacting_twice_changes_nothing_more(text: str, secret: str) -> None:
    redactor = knowing(secret)
    once = redactor.redact(f"{text}{secret}{text}")
    assert once == redactor.redact(once)


# --- which values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "12345678",
        "2026-01-31T12:00:00Z",
        "192.168.100.200",
        "accepted",
        "Solarized",
        "/threads/12",
        "forum.example.org",
    ],
)
def test_ordinary_values_hide_nothing_unless_the_user_gave_them(word: str) -> None:
    """A cookie `consent=accepted` must not black out a word of the language; a password must."""
    text = f"it says {word} here"
    assert text == knowing(word, sure=False).redact(text)
    assert f"it says {HIDDEN} here" == knowing(word).redact(text)


def test_the_site_of_a_url_in_a_cookie_stays_to_be_read() -> None:
    """Its beginning at the end of a line is no cut secret."""
    redactor = knowing("https://example.org/return/Zx81kQ", sure=False)
    assert "GET https://example.org/" == redactor.redact("GET https://example.org/")
    assert f"GET {HIDDEN}" == redactor.redact("GET https://example.org/return/Zx81kQ")


def test_what_is_short_once_it_is_decoded_is_no_secret() -> None:
    assert "ABCDE" == knowing("%41%42%43%44%45", sure=False).redact("ABCDE")


@pytest.mark.parametrize("value", ["a1b2c3d4", "hunter2-hunter", "canary-cookie", "eyJhbGci.eyJzdWIi", "XkQzPwVvBn"])
def test_other_values_of_eight_characters_are_hidden(value: str) -> None:
    assert not is_common(value)
    assert HIDDEN == knowing(value, sure=False).redact(value)


@pytest.mark.parametrize(
    ("secret", "sure", "hidden"), [("abc1", True, True), ("ab1", True, False), ("a1b2c3d", False, False)]
)
def test_short_values_are_left_to_their_own_places(secret: str, sure: bool, hidden: bool) -> None:
    assert hidden == (HIDDEN in knowing(secret, sure=sure).redact(f"x {secret} y"))


def test_a_value_that_is_learnt_as_sure_later_is_hidden_from_then_on() -> None:
    redactor = knowing("accepted", sure=False)
    redactor.redact("accepted")
    redactor.learn("accepted", sure=True)
    assert HIDDEN == redactor.redact("accepted")


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Cookie: sid=abc; theme=dark", f"Cookie: sid={HIDDEN}; theme={HIDDEN}"),
        ("set-cookie: sid=abc; Path=/; HttpOnly", f"set-cookie: sid={HIDDEN}; Path=/; HttpOnly"),
        (
            "Set-Cookie: a=b; Expires=Wed, 01 Jan 2031 00:00:00 GMT; c=d",
            f"Set-Cookie: a={HIDDEN}; Expires=Wed, 01 Jan 2031 00:00:00 GMT; c={HIDDEN}",
        ),
        ("Authorization: Basic dTpw", f"Authorization: Basic {HIDDEN}"),
        ("> proxy-authorization:abc", f"> proxy-authorization:{HIDDEN}"),
        ("X-Auth-Token: abc\nX-Age: 3", f"X-Auth-Token: {HIDDEN}\nX-Age: 3"),
        (
            r"b'GET / HTTP/1.1\r\nCookie: a=b\r\nHost: x\r\n'",
            rf"b'GET / HTTP/1.1\r\nCookie: a={HIDDEN}\r\nHost: x\r\n'",
        ),
        ("{'Cookie': 'a=b', 'Host': 'x'}", f"{{'Cookie': 'a={HIDDEN}', 'Host': 'x'}}"),
        ("[('Authorization', 'Bearer a b')]", f"[('Authorization', 'Bearer {HIDDEN}')]"),
        ('{"user": "u", "password": "p\\"q"}', f'{{"user": "u", "password": "{HIDDEN}"}}'),
        ("ValueError('Cookie: a=b') at 1", f"ValueError('Cookie: a={HIDDEN}') at 1"),
        ("http://u:p@host/x", f"http://{HIDDEN}@host/x"),
        ("http://u@b:p@host:1/x?y=@", f"http://{HIDDEN}@host:1/x?y=@"),
        ("http:/u:p@host/x: no such file", f"http:/{HIDDEN}@host/x: no such file"),
        ("https://h/?a=1&token=abc&b=2#f", f"https://h/?a=1&token={HIDDEN}&b=2#f"),
        ("https://h/cb#access_token=abc&x=1", f"https://h/cb#access_token={HIDDEN}&x=1"),
        ("login(password='a b', user='c')", f"login(password='{HIDDEN}', user='c')"),
        ("csrfmiddlewaretoken=x&otp=123456", f"csrfmiddlewaretoken={HIDDEN}&otp={HIDDEN}"),
    ],
)
def test_a_secret_is_hidden_by_its_place(text: str, told: str) -> None:
    """Whatever the value, and nothing but it; a second time changes nothing."""
    redactor = Redactor()
    assert told == redactor.redact(text)
    assert told == redactor.redact(told)


@pytest.mark.parametrize(
    "text",
    [
        "a cookie from example.org was refused: the jar's policy",
        "the token has expired, log in again",
        "https://example.org/?page=2&page_token=abc&monkey=1",
        "mail me: someone@example.org",
        "max_tokens=100, sort_key=name, passenger=3",
        "12:30 https://example.org/a@b",
        "file:/home/me@work/spider.py",
    ],
)
def test_innocent_texts_are_left_alone(text: str) -> None:
    assert text == Redactor().redact(text)


@pytest.mark.parametrize(
    "name", ["password", "user[passwd]", "new_pwd", "X-Amz-Signature", "JSESSIONID", "_csrf", "apiKey"]
)
def test_names_that_say_that_their_value_is_secret(name: str) -> None:
    assert is_secret_name(name)


# --- many, and in threads --------------------------------------------------------------------------------------------


def test_of_values_that_are_in_force_nowhere_the_newest_are_remembered() -> None:
    """And what the user gave always is: a site that sets a new cookie with each answer fills no memory."""
    redactor = Redactor(most=100)
    redactor.learn("the-Pass-w0rd", sure=True)
    redactor.redact("")
    for number in range(2000):
        redactor.learn(f"cookie-{number:05}-x")
    redactor.redact("")
    assert len(redactor._known) <= 1024
    assert HIDDEN == redactor.redact("the-Pass-w0rd")
    assert HIDDEN == redactor.redact("cookie-01999-x")
    for number in range(2000, 2070):
        redactor.learn(f"cookie-{number:05}-x" if number != 2030 else "accepted")
    assert "accepted" == redactor.redact("accepted")
    assert "cookie-00000-x" == redactor.redact("cookie-00000-x")


def test_what_a_source_still_has_is_never_forgotten() -> None:
    """However much else comes and goes: after a clearing it is asked again."""

    class Source:
        def tell_secrets(self, learn: object, *, everything: bool) -> bool:
            if everything:
                learn("in-force-7f3a9c")  # type: ignore[operator]
            return True

    redactor, source = Redactor(most=100), Source()
    redactor.learn("in-force-7f3a9c")
    redactor.watch(source)
    for number in range(2000):
        redactor.learn(f"cookie-{number:05}-x")
        if number % 100 == 0:
            redactor.redact("x")
    assert HIDDEN == redactor.redact("in-force-7f3a9c")


def test_a_line_without_a_secret_costs_microseconds_with_ten_thousand_known() -> None:
    """The bound is ten times what it takes, so that a busy machine does not fail it; the rule is not in doubt then."""
    redactor = Redactor(most=20_000)
    for number in range(3000):
        redactor.learn(f"{number:04}-Qk9vX2FzZGZn-{number * 7919:06}")
    line = "2026-01-31 12:00:01 WARNING crawlkit: https://forum.example.org/threads/view?page=12: no answer in 30 s"
    redactor.redact(line)
    taken = []
    for _ in range(50):
        began = time.perf_counter()
        redactor.redact(line)
        taken.append(time.perf_counter() - began)
    assert min(taken) < 200e-6


def test_many_threads_learn_and_redact() -> None:
    """No exception, and each sees at once what it has learnt itself."""
    redactor = Redactor(most=500)
    wrong: list[str] = []

    def work(name: int) -> None:
        try:
            for number in range(60):
                secret = f"{name}-secret-{number}-x9"
                redactor.learn(secret)
                if secret in redactor.redact(f"a {secret} b"):
                    wrong.append(secret)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            wrong.append(repr(error))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_whoever_listens_hears_what_is_known_and_what_is_learnt_later() -> None:
    """Words and numbers too, and what a source tells when it is asked: what to do with them is theirs to decide."""

    class Source:
        value = "first-7f3a9c"

        def tell_secrets(self, learn: object, *, everything: bool) -> bool:
            learn(self.value)  # type: ignore[operator]
            return True

    heard: list[str] = []
    redactor, source = knowing(SECRET), Source()
    redactor.watch(source)
    redactor.pass_on(heard.append)
    assert {SECRET, "first-7f3a9c"} == set(heard)
    redactor.learn("accepted")
    source.value = "second-7f3a9c"
    redactor.ask()
    assert {"accepted", "second-7f3a9c"} <= set(heard)


@given(text=st.text('a%&;#x4\\u0AZ"/', max_size=60), data=st.data())
@settings(max_examples=60)
def test_escaped_text_can_be_rewritten_in_the_same_length(text: str, data: st.DataObject) -> None:
    """Whatever its escapes are: what did not change keeps its spelling."""
    for coding in CODINGS:
        plain = coding.decoded(text)
        assert text == coding.rewritten(text, plain)
        fresh = "".join(data.draw(st.sampled_from((letter, "Z"))) for letter in plain)
        assert len(text) == len(coding.rewritten(text, fresh))


@pytest.mark.parametrize(
    ("text", "plain", "fresh"),
    [("a%2fb%2Fc", "aZbKc", "a%5ab%4Bc"), ("&#65;&quot;&#x41;", "BKz", "&#66;&#075;&#x7a;"), ("&lt;x", "KY", "KKKKY")],
)
def test_what_changed_is_escaped_as_it_was(text: str, plain: str, fresh: str) -> None:
    """And filled where no such escape is as short."""
    coding = next(coding for coding in CODINGS if coding.marker in text)
    assert fresh == coding.rewritten(text, plain)


def test_the_repr_tells_no_secret() -> None:
    redactor = knowing(SECRET)
    redactor.redact("")
    assert "<Redactor of 1 secrets>" == repr(redactor)
