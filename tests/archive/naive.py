"""A search for secrets that shares nothing with the one that is tested: every form is made and looked for in the bytes."""

from __future__ import annotations

import base64
import json
from html import escape
from urllib.parse import quote, quote_plus


def written(secret: str) -> dict[str, bytes]:
    """The secret as it is usually written, by the name of the coding; mixtures of two codings, too."""
    data = secret.encode()
    simple = {
        "plain": secret,
        "percent": quote(data, safe=""),
        "percent, lower": quote(data, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
        "percent, all": "".join(f"%{byte:02x}" for byte in data),
        "form": quote_plus(data),
        "HTML": escape(secret),
        "HTML, decimal": "".join(f"&#{ord(letter)};" for letter in secret),
        "HTML, hexadecimal": "".join(f"&#x{ord(letter):X};" for letter in secret),
        "JSON": json.dumps(secret)[1:-1],
        "JSON, slashes": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "JSON, plain": json.dumps(secret, ensure_ascii=False)[1:-1],
        "JavaScript": "".join(f"\\u{ord(letter):04x}" for letter in secret if ord(letter) < 0x10000),
        "bytes": "".join(f"\\x{byte:02x}" for byte in data),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
    }
    mixed = {
        f"{outer} of {inner}": form
        for inner in ("percent", "HTML", "JSON", "percent, all")
        for outer, form in (
            ("percent", quote(simple[inner])),
            ("HTML", escape(simple[inner])),
            ("JSON", json.dumps(simple[inner])[1:-1]),
        )
    }
    return {
        **{name: form.encode() for name, form in {**simple, **mixed}.items()},
        **{
            f"base64 after {len(before)}": base64.b64encode(before + data + after)
            for before in (b"", b"u", b"u:")
            for after in (b"", b"+")
        },
        **{f"base64url after {len(before)}": base64.urlsafe_b64encode(before + data) for before in (b"", b"u", b"u:")},
        "UTF-16": secret.encode("utf-16-le"),
    }


def leaks(secret: str, data: bytes) -> list[str]:
    """How `secret` is in `data`, by the names of the codings."""
    found = [name for name, form in written(secret).items() if form in data]
    plain = secret.encode()
    for at in range(3):  # base64, wherever its groups begin
        for piece in _base64_pieces(data, at):
            if plain in piece:
                found.append("base64, decoded")
    return found


def _base64_pieces(data: bytes, at: int) -> list[bytes]:
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = data.translate(bytes.maketrans(b"-_", b"+/"))
    pieces, run = [], bytearray()
    for byte in text + b" ":
        if byte in letters:
            run.append(byte)
        else:
            pieces.append(bytes(run[at:]))
            run.clear()
    return [base64.b64decode(piece[: len(piece) & -4]) for piece in pieces if len(piece) > 8]
