"""Charset: BOM, then HTTP, then meta, then the XML declaration, then detection; and never an exception."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.html.charset import charset_of, decode, detect, known

TEXT = "Größe: 10 €"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("utf-8", "utf-8"),
        ("UTF8", "utf-8"),
        (" latin1 ", "windows-1252"),
        ("ISO-8859-1", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("iso-8859-9", "windows-1254"),
        ("gb2312", "gb18030"),
        ("GBK", "gb18030"),
        ("shift_jis", "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("tis-620", "cp874"),
        ("utf-16", "utf-16-le"),
        ("x-cp1251", "windows-1251"),
        ("koi8-r", "koi8-r"),
        ("iso-8859-15", "iso8859-15"),
        ("cp1252", "windows-1252"),
        ("macintosh", "mac-roman"),
    ],
)
def test_a_label_means_what_it_means_on_the_web(label, expected):
    """WHATWG Encoding's aliases: latin-1 is windows-1252, gb2312 is gb18030, and so on."""
    assert expected == known(label)
    assert "" == b"".decode(expected)


@pytest.mark.parametrize(
    "label",
    [
        *("", "nosuch", "base64", "hex", "rot13", "zlib", "idna", "punycode", "utf-7", "unicode_escape", "undefined"),
        *("a\x00b", "ü", "x" * 1000, "../utf-8", "utf 8", "raw_unicode_escape"),
    ],
)
def test_what_is_no_charset_is_unknown(label):
    """Python's transforms and escapes are no charsets of pages, and UTF-7 smuggles markup."""
    assert None is known(label)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("text/html", None),
        ("text/html; charset=UTF-8", "utf-8"),
        ('text/html;charset="utf-8"', "utf-8"),
        ("text/html; charset='utf-8'", "utf-8"),
        ("text/html ; Charset = latin1 ; x=y", "latin1"),
        ("text/html; charset=", None),
        ('text/html; charset=""', None),
        ("text/html; boundary=x; charset=koi8-r", "koi8-r"),
        ("text/html; xcharset=utf-8", None),
    ],
)
def test_the_charset_of_a_content_type(header, expected):
    """Quoted or not, whatever the case, wherever it stands."""
    assert expected == charset_of(header)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_a_byte_order_mark_beats_all(mark, encoding):
    """Also what HTTP says; and it is not part of the text."""
    body = mark + f"<meta charset=koi8-r>{TEXT}".encode(encoding)
    assert (f"<meta charset=koi8-r>{TEXT}", encoding) == decode(body, "text/html; charset=iso-8859-5")


def test_http_beats_meta():
    """The second of the four."""
    body = f"<meta charset=utf-8>{TEXT}".encode("windows-1252")
    assert (f"<meta charset=utf-8>{TEXT}", "windows-1252") == decode(body, "text/html; charset=latin1")


def test_an_unknown_charset_of_http_is_passed_over():
    """What the page says of itself is the better guess then."""
    assert "koi8-r" == decode(b"<meta charset=koi8-r>\xc1", "text/html; charset=nosuch")[1]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<meta charset=koi8-r>", "koi8-r"),
        ("<META CHARSET='koi8-r' />", "koi8-r"),
        ('<meta name=x content="y"><meta charset="koi8-r">', "koi8-r"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        ("<meta content='text/html;charset=koi8-r' http-equiv=content-type>", "koi8-r"),
        ('<meta content="text/html; charset=koi8-r">', None),
        ("<!-- <meta charset=koi8-r> -->", None),
        ('<meta name="description" content="charset=koi8-r">', None),
        ("<meta charset=nosuch><meta charset=koi8-r>", "koi8-r"),
        ("<meta charset=utf-16>", "utf-8"),
        ("<meta charset=x-user-defined>", "windows-1252"),
        (" " * 1010 + "<meta charset=koi8-r>", None),
        ('<?xml version="1.0" encoding="koi8-r"?><html>', "koi8-r"),
        ("<?xml version='1.0' encoding='UTF-16'?><html>", "utf-8"),
        ('<?xml version="1.0"?><html>', None),
        ('<?xml version="1.0" encoding="koi8-r"?><meta charset=iso-8859-5>', "iso8859-5"),
    ],
)
def test_what_a_page_says_of_itself(head, expected):
    """<meta charset>, http-equiv, an XML declaration, in the first 1024 bytes."""
    assert (expected or "utf-8") == decode(head.encode() + b"<p>text")[1]


def test_detection_comes_last():
    """UTF-8 when it is valid, else what it looks like."""
    assert (TEXT, "utf-8") == decode(TEXT.encode())
    russian = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 20
    text, encoding = decode(russian.encode("windows-1251"), "text/html")
    assert russian == text and encoding == "windows-1251"
    assert "utf-8" == detect(b"plain") == detect("é".encode())
    assert "windows-1251" == detect(russian.encode("windows-1251"))


def test_a_character_cut_off_at_the_end_of_the_sample_does_not_make_it_another_encoding():
    """Detection reads a piece of a long page, and UTF-8 with one wrong byte later on is still UTF-8."""
    page = b"x" * 32_767 + "é".encode() + b"x" * 100 + b"\xff"
    assert "utf-8" == decode(page)[1]


LABELS = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from(
        ["text/html; charset=" + name for name in ("utf-16", "hz", "iso-2022-jp", "utf-7", "idna", "big5")]
    ),
    st.text(max_size=20).map("text/html; charset={}".format),
)


@given(st.binary(max_size=300), LABELS, st.sampled_from([b"", b"<meta charset=", b"<?xml encoding='", b"\xff\xfe"]))
def test_no_bytes_and_no_label_raise(body, content_type, head):
    """Whatever a server sends, there is a text and the name of an encoding that Python has."""
    text, encoding = decode(head + body, content_type)
    assert isinstance(text, str)
    codecs.lookup(encoding)
    codecs.lookup(detect(head + body))


@given(st.text(max_size=60))
def test_no_label_raises(label):
    """`known` answers for any text."""
    known(label)
    charset_of(label)
