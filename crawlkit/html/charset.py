"""Charset: which encoding the bytes of a page are in, and the text they mean.

What belongs here: byte order marks, charset labels, what a page or style sheet says of itself, detection. What does
not: the encoding of other answers (sessions/), and encodings of what is sent. The order is BOM, HTTP, meta, XML declaration,
detection (HTML standard, "encoding sniffing algorithm", with detection where a browser takes the user's locale).
Nothing here raises for any bytes or any label. All functions may be called from any thread.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_PRESCAN_BYTES = 1024  # where the HTML standard stops looking for <meta charset>
_DETECT_BYTES = 32_768  # detection is slow (about 1 ms a KB) and no surer with more

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that one's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Labels that mean another encoding on the web than in Python's table (WHATWG Encoding standard, "names and labels").
# What is labelled latin-1 is windows-1252 in fact, and decoding as its superset loses nothing; and so for the others.
_WEB_LABELS = {
    "windows-1252": "ascii us-ascii ansi_x3.4-1968 iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 iso-ir-100 "
    "latin1 latin-1 latin_1 l1 cp819 ibm819 csisolatin1 x-cp1252 cp1252 windows-1252 ansi 8859-1",
    "windows-1254": "iso-8859-9 iso8859-9 iso88599 iso_8859-9 latin5 l5 csisolatin5 x-cp1254 cp1254 windows-1254",
    "windows-1250": "x-cp1250 cp1250 windows-1250",
    "windows-1251": "x-cp1251 cp1251 windows-1251 win-1251 win1251",
    "windows-1253": "x-cp1253 cp1253 windows-1253",
    "windows-1255": "x-cp1255 cp1255 windows-1255",
    "windows-1256": "x-cp1256 cp1256 windows-1256",
    "windows-1257": "x-cp1257 cp1257 windows-1257",
    "windows-1258": "x-cp1258 cp1258 windows-1258",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "gb18030": "gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 csiso58gb231280 iso-ir-58 x-gbk cp936 windows-936",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji ms932 csshiftjis windows-31j",
    "cp949": "euc-kr euckr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean cseuckr iso-ir-149 windows-949 uhc",
    "euc-jp": "x-euc-jp x-euc cseucpkdfmtjapanese",
    "iso-8859-8": "iso-8859-8-i iso-8859-8-e logical visual csisolatinhebrew hebrew",
    "utf-16-le": "utf-16 utf16 utf-16le ucs-2 unicode iso-10646-ucs-2 csunicode unicodefeff",
    "utf-16-be": "utf-16be unicodefffe",
    "utf-8": "utf8 utf-8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf-8-sig utf8mb4 utf_8",
    "koi8-r": "koi koi8 koi8_r cskoi8r",
    "koi8-u": "koi8-ru",
    "mac-roman": "macintosh mac x-mac-roman csmacintosh",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
}
_ENCODING_OF_LABEL = {label: name for name, labels in _WEB_LABELS.items() for label in labels.split()}

# Codecs of Python that are no charsets of pages: transforms, escapes, and UTF-7, which smuggles markup.
_NO_CHARSETS = frozenset(
    ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7", "mbcs", "oem")
)

_LABEL = re.compile(r"[A-Za-z0-9][\w.:+-]{0,63}", re.ASCII)
_CHARSET_PARAMETER = re.compile(r""";\s*charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,"']+))""", re.IGNORECASE | re.ASCII)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta[\s/]((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"([^\s=/\"'>]+)\s*(?:=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_CHARSET_IN_CONTENT = re.compile(rb"charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;\"']+))", re.IGNORECASE)
_CHARSET_IN_CSS = re.compile(rb'@charset "([^"]{1,64})";')
_XML_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)


def decode(body: bytes, content_type: str | None = None) -> tuple[str, str]:
    """The text of a page and the name of the encoding it was read in. Never raises.

    `content_type` is the value of the HTTP header, None when there is none. Bytes that the encoding does not have
    become U+FFFD. A byte order mark is not part of the text.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace"), encoding
    found = (
        known(charset_of(content_type) or "")
        or _charset_in_meta(body[:_PRESCAN_BYTES])
        or _charset_in_xml(body[:_PRESCAN_BYTES])
    )
    if found is None:
        try:
            return body.decode("utf-8"), "utf-8"  # text that is valid UTF-8 by chance does not occur
        except UnicodeDecodeError:
            found = _guess(body)
    return body.decode(found, "replace"), found


def charset_of(content_type: str | None) -> str | None:
    """The charset that a Content-Type names, in lower case and as it was sent; None when it names none."""
    if not content_type:
        return None
    match = _CHARSET_PARAMETER.search(content_type)
    if match is None:
        return None
    return (match[1] or match[2] or match[3] or "").strip().lower() or None


@lru_cache(maxsize=256)
def known(label: str) -> str | None:
    """The encoding that a charset label means on the web, as a name for `bytes.decode`; None when it is unknown."""
    label = label.strip().lower()
    if not _LABEL.fullmatch(label):
        return None
    name = _ENCODING_OF_LABEL.get(label)
    if name is not None:
        return name
    try:
        codec = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    if codec.name.replace("_", "-") in _NO_CHARSETS or not getattr(codec, "_is_text_encoding", True):
        return None
    return _ENCODING_OF_LABEL.get(codec.name, codec.name)


def decode_css(body: bytes, content_type: str | None = None) -> str:
    """The text of a style sheet: by its byte order mark, by HTTP, by `@charset`, else UTF-8 (CSS Syntax Level 3, 3.2)."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    declared = _CHARSET_IN_CSS.match(body)
    encoding = known(charset_of(content_type) or "") or (_readable(declared[1]) if declared else None) or "utf-8"
    return body.decode(encoding, "replace")


def detect(body: bytes) -> str:
    """The encoding that the bytes look like: UTF-8 when they are valid as that, else the likeliest other one."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return encoding
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _guess(body)
    return "utf-8"


def _guess(body: bytes) -> str:
    sample = body[:_DETECT_BYTES]
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":  # the cut went through a character
            return "utf-8"
    else:
        return "utf-8"  # the few bytes that are not come later, and would be as wrong in any other
    # Imported late: 20 ms, and most pages say what they are.
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return (known(best.encoding) if best is not None else None) or "windows-1252"


def _charset_in_meta(head: bytes) -> str | None:
    """What the first `<meta>` that names a known charset says (HTML standard, "prescan a byte stream")."""
    if b"<meta" not in head.lower():
        return None
    for meta in _META.finditer(_COMMENT.sub(b"", head)):
        found: dict[bytes, bytes] = {}
        for name, *values in _ATTRIBUTE.findall(meta[1]):
            found.setdefault(name.lower(), b"".join(values))
        label = found.get(b"charset")
        if label is None and found.get(b"http-equiv", b"").strip().lower() == b"content-type":
            match = _CHARSET_IN_CONTENT.search(found.get(b"content", b""))
            label = b"".join(part or b"" for part in match.groups()) if match else None
        encoding = _readable(label)
        if encoding is not None:
            return encoding
    return None


def _charset_in_xml(head: bytes) -> str | None:
    match = _XML_DECLARATION.match(head)
    return _readable(match[1] or match[2]) if match else None


def _readable(label: bytes | None) -> str | None:
    """The encoding of a label that was itself read as ASCII: it cannot be UTF-16, so UTF-8 is meant then."""
    if not label:
        return None
    text = label.decode("latin-1").strip().lower()
    if text == "x-user-defined":
        return "windows-1252"
    encoding = known(text)
    return "utf-8" if encoding is not None and encoding.startswith(("utf-16", "utf-32")) else encoding
