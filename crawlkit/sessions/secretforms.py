"""Secret forms: the ways in which one secret may be written.

What belongs here: percent-, HTML-, JSON-, base64- and hex-encoding of a secret, and undoing the first three in a text
of any kind. What does not: which values are secret, and looking for them (redactor.py).

Everything works on *flat* text: the bytes of its UTF-8, each as one character (latin-1). So a `%C3%A9` in a URL, the `é`
of a log line and the two bytes of a header come to be the same two characters, and bytes can be looked through as well
as text. ASCII is flat as it is.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import quote, quote_plus

_URLSAFE = str.maketrans("+/", "-_")
#: Characters of base64 that say nothing of the secret at its begin, by how many bytes stand before it (modulo 3).
_UNDETERMINED = (0, 2, 3)
#: A piece of base64 that is shorter than this says too little to be looked for.
_SHORTEST_BASE64 = 6
#: A number in HTML of more digits would not be read again.
_LONGEST_ESCAPE = 260

Span = tuple[int, int]


def flat(text: str) -> str:
    """`text` with a character for each byte of its UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def unflat(text: str) -> str:
    """The text again; half a character, which a cut may leave, becomes U+FFFD."""
    if text.isascii():
        return text
    data = text.encode("latin-1")
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


# --- writing ---------------------------------------------------------------------------------------------------------


def readings(secret: str) -> set[str]:
    """What the characters of a secret may be as bytes, flat: UTF-8; UTF-8 that somebody took for latin-1, as headers
    are; latin-1; without `%XX`.
    """
    found = {flat(secret), flat(flat(secret))}
    if all(ord(character) < 256 for character in secret):
        found.add(secret)
    if "%" in secret:
        found |= {PERCENT.decoded(reading) for reading in found}
    return found


def base64_pieces(reading: str) -> Iterator[tuple[int, int, str]]:
    """How the bytes may stand within the base64 of something longer: how many bytes are before them (modulo 3), how many
    characters these take, and the characters that are determined by them alone.
    """
    data = reading.encode("latin-1")
    for before, first in enumerate(_UNDETERMINED):
        yield before, first, b64encode(bytes(before) + data).decode("ascii")[first : (before + len(data)) * 8 // 6]


def base64_forms(reading: str) -> list[str]:
    """What of the base64 of anything that contains the bytes is theirs alone: at each of three places, in both
    alphabets.
    """
    data = reading.encode("latin-1")
    found: dict[str, None] = {}
    if len(data) < _SHORTEST_BASE64:
        found[b64encode(data).decode("ascii")] = None
    for _, _, text in base64_pieces(reading):
        if len(text) >= _SHORTEST_BASE64:
            found[text] = None
    return [*found, *(changed for text in found if (changed := text.translate(_URLSAFE)) != text)]


def hex_forms(reading: str) -> list[str]:
    """The bytes as hexadecimal digits, in lower and in upper case."""
    digits = reading.encode("latin-1").hex()
    return [digits] if digits.isdigit() else [digits, digits.upper()]


def forms_of(secret: str | bytes) -> list[bytes]:
    """Every way in which a secret is usually written, longest first: plain, percent-encoded (all, what must be, form
    style; either case), HTML- and JSON-escaped, base64, hex.

    Mixtures, such as `%41bc` with only one letter escaped, are without number: a Redactor finds them by decoding.
    """
    text = secret.decode("latin-1") if isinstance(secret, bytes) else secret
    found: set[str] = set()
    for reading in readings(text):
        data = reading.encode("latin-1")
        every = "".join(f"%{byte:02X}" for byte in data)
        percent = {every, quote(data, safe=""), quote(data, safe="/~!*'()"), quote_plus(data)}
        found |= {reading, *percent, *(_lower_hex(form) for form in percent)}
        found |= {escape(reading), escape(reading, quote=False), escape(reading).replace("&#x27;", "&#39;")}
        found |= {*base64_forms(reading), *hex_forms(reading)}
    for written in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        found |= {flat(written), flat(written.replace("/", "\\/"))}
    found.add("".join(f"\\u{unit:04x}" for unit in _utf16(text)))
    return sorted((form.encode("latin-1") for form in found), key=lambda form: (-len(form), form))


def _lower_hex(form: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form)


def _utf16(text: str) -> Iterator[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    return (data[at] << 8 | data[at + 1] for at in range(0, len(data), 2))


# --- reading ---------------------------------------------------------------------------------------------------------


class Coding(NamedTuple):
    """A way of escaping characters. `marker` is in every text that uses it; `pattern` finds an escape, `plain` is what
    it stands for.
    """

    marker: str
    pattern: re.Pattern[str]
    plain: Callable[[re.Match[str]], str]

    def decoded(self, text: str) -> str:
        """`text` with its escapes undone."""
        return self.pattern.sub(self.plain, text)

    def places(self, text: str, spans: Iterable[Span]) -> list[Span]:
        """Where spans of the decoded text are in `text` itself; an escape belongs to them whole or not at all."""
        begins: list[int] = []  # of the escapes, in the decoded text
        ends: list[int] = []
        raw: list[Span] = []
        shift = 0
        for match in self.pattern.finditer(text):
            begins.append(match.start() - shift)
            ends.append(begins[-1] + len(self.plain(match)))
            raw.append(match.span())
            shift = match.end() - ends[-1]
        return [(_begin(at, begins, ends, raw), _end(to, begins, ends, raw)) for at, to in spans]

    def rewritten(self, text: str, plain: str) -> str:
        """`text` changed so that it decodes to `plain`, which is as long as what it decodes to now; its length stays.

        Escapes of what changed are written anew, as the kind that they are; one for which that is too long is filled
        with letters and digits of `plain`.
        """
        pieces: list[str] = []
        done = at = 0
        for match in self.pattern.finditer(text):
            pieces.append(plain[at : at + match.start() - done])
            at += match.start() - done
            before = self.plain(match)
            fresh = plain[at : at + len(before)]
            pieces.append(match[0] if fresh == before else _escape_like(match[0], fresh))
            at += len(before)
            done = match.end()
        return "".join((*pieces, plain[at:]))


def _escape_like(raw: str, fresh: str) -> str:
    """`fresh` as an escape of the kind and length of `raw`."""
    size, form = len(raw), ""
    if len(fresh) == 1 and size > 2:
        number = ord(fresh)
        if raw[0] == "%":
            form = f"%{number:02X}" if raw == raw.upper() else f"%{number:02x}"
        elif raw[:3] in ("&#x", "&#X"):
            form = f"{raw[:3]}{number:0{size - 4}x};" if raw[-1] == ";" else f"{raw[:3]}{number:0{size - 3}x}"
        elif raw[0] == "&":
            form = f"&#{number:0{size - 3}d};" if raw[-1] == ";" else f"&#{number:0{size - 2}d}"
        elif raw[1].isdigit():  # of CSS, with the space that ends it
            digits = raw[1:].rstrip()
            form = f"\\{number:0{len(digits)}x}{raw[1 + len(digits) :]}"
        else:
            form = f"{raw[:2]}{number:0{size - 2}x}"
    if len(form) == size and len(form) <= _LONGEST_ESCAPE:
        return form
    filling = "".join(character for character in fresh if character.isascii() and character.isalnum()) or "x"
    return (filling + filling[-1] * size)[:size]


def _begin(at: int, begins: list[int], ends: list[int], raw: list[Span]) -> int:
    which = bisect_right(begins, at) - 1
    if which < 0:
        return at
    return raw[which][0] if at < ends[which] else raw[which][1] + at - ends[which]


def _end(to: int, begins: list[int], ends: list[int], raw: list[Span]) -> int:
    which = bisect_left(begins, to) - 1
    return to if which < 0 else raw[which][1] + max(0, to - ends[which])


def _percent(match: re.Match[str]) -> str:
    return " " if match[0] == "+" else chr(int(match[0][1:], 16))


def _code_point(match: re.Match[str]) -> str:
    return chr(int(match[0][1:], 16))


def _entity(match: re.Match[str]) -> str:
    return flat(unescape(match[0]))


_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}


def _escaped_byte(match: re.Match[str]) -> str:
    """`\\xe9` as the byte, as in the repr of bytes."""
    return chr(int(match[0][2:], 16)) if match[0].startswith("\\x") else _escaped(match)


def _escaped(match: re.Match[str]) -> str:
    """`\\xe9` as the character, as in the repr of text."""
    code = match[0][1:]
    if len(code) == 1:
        return _LETTERS.get(code, code)
    if "\\" in code:  # a pair of surrogates
        high, low = code[1:].split("\\u")
        return flat(chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00))
    number = int(code[1:], 16)
    return flat(chr(number)) if number < 0x110000 else match[0]


_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}"
    r"|[^uUx\n])"
)

PERCENT = Coding("%", re.compile("%[0-9a-fA-F]{2}"), _percent)
#: As in the body of a form: `+` is a space. Only worth trying where a secret has a space.
FORM = Coding("+", re.compile(r"%[0-9a-fA-F]{2}|\+"), _percent)
HTML = Coding("&", re.compile(r"&(?:#[0-9]{1,256};?|#[xX][0-9a-fA-F]{1,256};?|[a-zA-Z][a-zA-Z0-9]{1,31};)"), _entity)
BYTES = Coding("\\", _ESCAPE, _escaped_byte)
CHARACTERS = Coding("\\x", _ESCAPE, _escaped)
#: ASCII in CSS (CSS Syntax 3, section 4.3.7), and the space that ends an escape. Only worth trying in what a browser reads.
CSS = Coding("\\", re.compile(r"\\0{0,4}[2-7][0-9a-fA-F](?:[ \t\n\f]|(?![0-9a-fA-F]))"), _code_point)
CODINGS = (PERCENT, HTML, BYTES, CHARACTERS)
