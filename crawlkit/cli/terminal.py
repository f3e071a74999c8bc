"""What goes to the terminal: safe text, the consoles, whether there is a terminal at all.

Text from the web may carry escape sequences that rename windows, hide lines or answer questions; nothing of
it is printed before `safe` has seen it.
"""

from __future__ import annotations

import os
import re
import sys
from typing import IO, TYPE_CHECKING

from crawlkit.cli.secrecy import redact

if TYPE_CHECKING:
    from rich.console import Console

# C0 but tab and newline, DEL, C1, and the characters that turn the direction of text around.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def safe(text: str, *, one_line: bool = False) -> str:
    """`text` with control characters spelled out (`\\x1b`); with `one_line`, newlines and tabs too."""
    escaped = _CONTROL.sub(_spell, text)
    return escaped.replace("\n", "\\n").replace("\t", "\\t") if one_line else escaped


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def is_terminal(stream: IO[str] | None = None) -> bool:
    """Whether `stream` (standard error by default) is a terminal that can redraw lines."""
    stream = stream if stream is not None else sys.stderr
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = True) -> Console:
    """A rich console that writes text as it is.

    No markup, no emoji, no guessed colours. NO_COLOR is obeyed.
    """
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """The one line of an error on standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"crawlkit: error: {safe(redact(message), one_line=True)}\n")
    sys.stderr.flush()
