"""EnvFile: a file of NAME=value lines that stands in for the environment, which cron leaves empty.

What belongs here: who may read the file, and its lines. What does not: which names are asked for (credentials.py).

Lines are those of a shell: `NAME=value`, with or without `export`, comments after `#`, values in single quotes as they
are, in double quotes with `\\n`, `\\t`, `\\"`, `\\$` and `\\\\`. Nothing in a value is replaced: a password may hold a `$`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from crawlkit.exceptions import ConfigError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'\s*(?:#.*)?")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_COMMENT = re.compile(r"(?:^|\s)#.*")


def read_env_file(path: Path) -> Mapping[str, str]:
    """The variables of the file, of two with one name the last.

    ConfigError when it cannot be read, is another's or open to others, or has a line that is none: with file and line,
    never with what stands there.
    """
    try:
        with path.open("rb") as file:
            _check(os.fstat(file.fileno()), path)  # of what was opened, not of what bears the name by now
            data = file.read()
    except OSError as error:
        raise ConfigError(f"login.env_file: {path} cannot be read: {error.strerror}") from error
    variables: dict[str, str] = {}
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        pair = _pair(line)
        if isinstance(pair, str):
            raise ConfigError(f"login.env_file: {path}, line {number}: {pair}")
        if pair is not None:
            variables[pair[0]] = pair[1]
    return variables


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"login.env_file: {path} is no file")
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"login.env_file: {path} belongs to another user, who can read and change it: copy it to a file of your own "
            f"and chmod 600 that"
        )
    if status.st_mode & 0o077:
        raise ConfigError(
            f"login.env_file: {path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o}): chmod 600 {path}"
        )


def _pair(line: bytes) -> tuple[str, str] | str | None:
    """Name and value of a line, None for an empty one, what is wrong with it as text."""
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError:
        return "it is not UTF-8"
    if not text or text.startswith("#"):
        return None
    found = _LINE.fullmatch(text)
    if found is None or "\0" in text:
        return "write it as NAME=value"
    name, rest = found[1], found[2]
    if rest.startswith("'"):
        quoted = _SINGLE.fullmatch(rest)
        return (name, quoted[1]) if quoted else "the single quote has no end, or something follows it"
    if rest.startswith('"'):
        quoted = _DOUBLE.fullmatch(rest)
        if quoted is None:
            return "the double quote has no end, or something follows it"
        return name, _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted[1])
    return name, _COMMENT.sub("", rest).rstrip()
