"""Words of a command as bash or cmd.exe would split it. Nothing is run, no variable and no command is put in.

What belongs here: quoting. What does not: what the words mean (curlcommand.py).
"""

from __future__ import annotations

import re

_CMD_LINE_END = re.compile(r"\^\r?\n")
_C_QUOTE = re.compile(r'(\\*)"')
_ENDS = "|;&<>()"
#: What follows a backslash within $'…' (bash manual, 3.1.2.4).
_ANSI_C = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.S)
_ANSI_C_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


def is_cmd(text: str) -> bool:
    """Whether a command was written for cmd.exe: it quotes with `^"`, or its lines end in `^`."""
    quote = re.search(r"\^\"|[\"']", text)
    if quote is not None and quote[0] == "'":
        return False
    return (quote is not None and quote[0] == '^"') or _CMD_LINE_END.search(text) is not None


def split_bash(text: str) -> tuple[list[str], str]:
    """The words of the first command, and what follows it. ValueError for a quote without an end, and for what bash
    would replace: `$NAME`, `$(…)`, backticks."""
    words: list[str] = []
    word: str | None = None
    at = 0
    while at < len(text):
        char = text[at]
        if char in " \t\r":
            if word is not None:
                words.append(word)
                word = None
            at += 1
        elif char == "\n" or char in _ENDS or (char == "#" and word is None):
            break
        elif char == "\\":
            follows = text[at + 1 : at + 3]
            at += 3 if follows == "\r\n" else 2
            if not follows.startswith(("\n", "\r\n")):
                word = (word or "") + follows[:1]
        else:
            part, at = _bash_part(text, at)
            word = (word or "") + part
    if word is not None:
        words.append(word)
    return words, text[at:]


def _bash_part(text: str, at: int) -> tuple[str, int]:
    """A quoted part, or one character, that begins at `at`; and where it ends."""
    if text.startswith("'", at):
        end = text.find("'", at + 1)
        if end < 0:
            raise ValueError("a single quote has no end")
        return text[at + 1 : end], end + 1
    if text.startswith("$'", at):
        return _ansi_c(text, at + 2)
    if text.startswith('"', at):
        return _double(text, at + 1)
    _refuse_expansion(text, at)
    return text[at], at + 1


def _double(text: str, at: int) -> tuple[str, int]:
    part = ""
    while at < len(text):
        char = text[at]
        if char == '"':
            return part, at + 1
        if char == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
            part += text[at + 1].replace("\n", "")
            at += 2
            continue
        _refuse_expansion(text, at)
        part += char
        at += 1
    raise ValueError("a double quote has no end")


def _ansi_c(text: str, at: int) -> tuple[str, int]:
    found = re.compile(r"((?:[^'\\]|\\.)*)'", re.S).match(text, at)
    if found is None:
        raise ValueError("a single quote has no end")
    return _ANSI_C.sub(_ansi_c_char, found[1]), found.end()


def _ansi_c_char(escape: re.Match[str]) -> str:
    hexadecimal = escape[1] or escape[2] or escape[3]
    if hexadecimal or escape[4]:
        number = int(hexadecimal, 16) if hexadecimal else int(escape[4], 8)
        if number > 0x10FFFF:
            raise ValueError("there is no such character")
        return chr(number)
    return _ANSI_C_NAMED.get(escape[5], escape[5])


def _refuse_expansion(text: str, at: int) -> None:
    if text[at] == "`" or (text[at] == "$" and re.match(r"[A-Za-z_0-9{(]", text[at + 1 : at + 2])):
        raise ValueError("it has a variable or a command in it, which are not put in: paste it with values")


def split_cmd(text: str) -> tuple[list[str], str]:
    """The words of the first command as cmd.exe hands it on and a C program splits it, and what follows it. ValueError
    for a quote without an end."""
    line, rest = _without_carets(text)
    return _c_words(line), rest


def _without_carets(text: str) -> tuple[str, str]:
    """cmd.exe's part: a caret outside of quotes makes the next character an ordinary one, and joins two lines."""
    line = ""
    quoted = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "^" and not quoted:
            at += 1
            if text.startswith(("\r\n", "\n"), at):
                at += 2 if text[at] == "\r" else 1
                if text.startswith(("\r\n", "\n"), at):  # twice: a line break that is meant
                    line += "\n"
                    at += 2 if text[at] == "\r" else 1
                continue
            line += text[at : at + 1]
        elif char in "\r\n" or (char in "|&<>" and not quoted):
            break
        else:
            quoted ^= char == '"'
            line += char
        at += 1
    return line, text[at:]


def _c_words(line: str) -> list[str]:
    r"""The rules of Microsoft's C runtime: backslashes count only before a quote, `\"` and, in quotes, `""` are one."""
    words: list[str] = []
    word: str | None = None
    quoted = False
    at = 0
    while at < len(line):
        quote = _C_QUOTE.match(line, at)
        if quote is None:
            if quoted or line[at] not in " \t":
                word = (word or "") + line[at]
            elif word is not None:
                words.append(word)
                word = None
            at += 1
            continue
        at = quote.end()
        slashes = len(quote[1])
        word = (word or "") + "\\" * (slashes // 2)
        if slashes % 2:
            word += '"'
        elif quoted and line.startswith('"', at):
            word += '"'
            at += 1
        else:
            quoted = not quoted
    if quoted:
        raise ValueError("a double quote has no end")
    if word is not None:
        words.append(word)
    return words
