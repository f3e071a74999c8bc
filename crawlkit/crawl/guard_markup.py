"""What a link's markup orders: the names of its styles and icons, and the scripts that a click runs.

What belongs here: attributes and what they mean. What does not: texts and labels, and where the link stands
(guard_label.py).

A script counts when what it calls is an order (`logout()`, `deleteItem(3)`, Livewire's and Vue's bare `delete`), sends a
form that is called so, or goes to an address that is one; never for the words in its strings alone
(`track('delete-article')`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape

from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_command import DELETES, LOGS_OUT, Command, Form, command_of
from crawlkit.crawl.guard_spelling import split_words
from crawlkit.crawl.guard_thing import SHORT
from crawlkit.crawl.guard_url import Leaning, suspect

Attributes = list[tuple[str, str]]

_SCRIPTED = (
    r"onclick|@click[\w.-]*|\(click\)|ng-click|phx-click|jsaction|(?:wire|x-on|v-on|on|hx-on|data-on):+click[\w.-]*"
)
_ATTRIBUTE = re.compile(
    rf"""\s(title|aria-[a-z]+|alt|class|id|rel|role|href|src|xlink:href|(?:data|hx|up)-[\w-]+|{_SCRIPTED})="([^"]*)\""""
)
_TELLING = r"title|aria-[a-z]+|alt|class|id|(?:data|hx|up)-[\w-]+"
_TELLS = re.compile(rf' ({_TELLING})="([^"]*)"')
_TELLS_SCRIPTED = re.compile(rf' ({_TELLING}|{_SCRIPTED})="([^"]*)"')
#: An icon font whose icons are written as words: <i class="material-icons">logout</i>.
_LIGATURE = re.compile(r'<(?:i|span) [^>]*?class="[^">]*\bmaterial-(?:icons|symbols)[^">]*"[^>]*>\s*(\w+)\s*<')
_LONGEST_NAME = 60
_LONGEST_SCRIPT = 500
_DATA_ACTIONS = words.ACTIONS | {"click", "on-click"}
_CALL = re.compile(r"(?<![\w$])(?:([\w$]+)(?:\(\))?\s*\??\.\s*)?([A-Za-z_$][\w$]*)\s*\(\s*([^()]{0,80})")
_GOES = re.compile(r"location(?:\.href)?\s*=\s*['\"]([^'\"]+)")
_SENT = re.compile(r"([\w$]+)\s*\.\s*(?:requestS|s)ubmit\s*\(")
_STRING = re.compile(r"['\"]([^'\"]+)['\"]")
_ORDERS = re.compile(r"[\s;]+")


def attributes_of(markup: str) -> tuple[Attributes, Attributes]:
    """The attributes of the link itself and of what is in it, as far as they matter."""
    head = markup[: markup.find(">") + 1]  # lexbor writes ">" in a value as &gt;
    own = [(name, unescape(value) if "&" in value else value) for name, value in _ATTRIBUTE.findall(head)]
    if markup.find("<", len(head)) == len(markup) - 4:  # only its own end: </a>
        return own, []
    inner = _ATTRIBUTE.findall(markup, len(head))
    return own, [(name, unescape(value) if "&" in value else value) for name, value in inner]


def telling(markup: str) -> Iterator[re.Match[str]]:
    """The attributes that may tell anything, name and value, of the markup of all of a page's links at once."""
    scripted = "click" in markup or "jsaction" in markup  # most pages have none, and looking costs
    return (_TELLS_SCRIPTED if scripted else _TELLS).finditer(markup)


def value_of(attributes: Attributes, name: str) -> str:
    """The value of the first attribute of this name, "" without one."""
    return next((value for each, value in attributes if each == name), "")


# --- names and icons ----------------------------------------


def ligatures(markup: str) -> list[str]:
    """The icons that are written as words."""
    return _LIGATURE.findall(markup) if "material-" in markup else []


def of_classes(own: Attributes, inner: Attributes, text: str, icons: list[str]) -> Command | None:
    """What the link is called in the page's style sheets: `class="logout"`, `<i class="fa fa-sign-out">`."""
    names = [name for each, value in own if each in ("class", "id") for name in value.split()]
    if text and len(split_words(text)) > 2:
        return None  # a title whose list is styled "delete-items"
    for name in names:
        command = class_command(name)
        if command is not None and (command.kind == LOGS_OUT or not text):
            return command
    return None if text else _of_icons(names, inner, icons)


def _of_icons(names: list[str], inner: Attributes, icons: list[str]) -> Command | None:
    """What the icons of a link without a text stand for."""
    names = names + icons
    for each, value in inner:
        if each in ("class", "href", "xlink:href", "data-icon", "data-lucide", "data-feather"):
            names += [name.rpartition("#")[2] for name in value.split()]
        elif each == "src":
            names.append(value.rpartition("/")[2].partition(".")[0][:_LONGEST_NAME])
    found = (class_command(name) or icon_command(name) for name in names)
    return next((command for command in found if command is not None), None)


@lru_cache(maxsize=4096)
def class_command(name: str) -> Command | None:
    """The command that a class or id is named after."""
    spoken = [word for word in split_words(name) if word not in words.ICONS]
    command = command_of("-".join(spoken)) if spoken else None
    if command is None or command.weak or command.form is Form.LOOSE:
        parts = {word.rstrip("0123456789") for word in spoken}
        bin_ = parts == {"remove"} or (parts & words.BINS and parts <= words.BINS | words.BIN_PARTS)
        return Command(DELETES, Form.EXACT, False) if bin_ else None
    return command


@lru_cache(maxsize=4096)
def icon_command(name: str) -> Command | None:
    """The command that an icon shows: a door, an arrow out of a box, a power switch. The last two show other things too."""
    spoken = split_words(name)
    while spoken and (spoken[-1].isdigit() or spoken[-1] in words.ICON_STYLES):
        spoken.pop()
    plain = f"-{'-'.join(spoken)}"
    for icons, weak in ((words.EXITS, False), (words.EXITS_WEAK, True)):
        if any(plain.endswith(f"-{icon}") for icon in icons):
            return Command(LOGS_OUT, Form.EXACT, weak)
    return None


# --- scripts ----------------------------------------


@lru_cache(maxsize=4096)
def script_command(name: str, value: str) -> Command | None:
    """The command that an attribute has a script do, None when it is no such attribute or has it do something else."""
    if name.startswith("data-") and not name.startswith("data-on:"):
        key = name[5:]
        if key in _DATA_ACTIONS:
            return _strong(_ordered(value))
        return _strong(command_of(key)) if not value or value.isdigit() else None  # data-logout, data-delete="7"
    if "click" not in name and name != "jsaction":
        return None
    value = value[:_LONGEST_SCRIPT]
    if "(" not in value and "=" not in value:
        return _strong(_ordered(value))
    return _of_script(value)


def _strong(command: Command | None) -> Command | None:
    return None if command is None or command.weak or command.form is Form.LOOSE else command


def _ordered(value: str) -> Command | None:
    """Of `logout`, `auth:logout`, Stimulus' `click->session#logout click->menu#close`."""
    if "->" not in value and "#" not in value:
        return command_of(re.split(r"[.:/]", value)[-1])
    parts = [re.split(r"->|[.:/#]", order)[-1] for order in _ORDERS.split(value)]
    return next((command for command in map(command_of, parts) if _strong(command) is not None), None)


def _of_script(script: str) -> Command | None:
    for target in _GOES.findall(script):
        if (command := _of_target(target)) is not None:
            return command
    if "ubmit" in script and "(" in script:
        for form in (*_SENT.findall(script), *_STRING.findall(script)):
            name = "-".join(word for word in split_words(form) if word not in ("form", "frm"))
            if (command := _strong(class_command(name))) is not None:
                return command
    for receiver, verb, arguments in _CALL.findall(script):
        if receiver not in words.STORES and (command := _of_call(verb, arguments, free=not receiver)) is not None:
            return command
    return None


def _of_call(verb: str, arguments: str, *, free: bool) -> Command | None:
    first = _STRING.match(arguments)
    if first is not None and verb in words.CARRIERS:
        return _strong(_ordered(first[1].rpartition("$")[2]))
    if first is not None and verb in words.SENDERS:
        return _of_target(first[1])
    command = command_of(verb)
    if command is None or "cookie" in verb.lower():
        return None
    if not command.weak:
        return command if command.form is not Form.LOOSE else None
    if command.kind == LOGS_OUT:
        return command if free else None
    # `remove()` takes an element away, `remove(7)` more likely a record.
    deletes = command.kind == DELETES and (command.form is not Form.LOOSE or len(verb) < SHORT)
    return command._replace(form=Form.WITH_OBJECT, weak=False) if deletes and free and arguments.strip() else None


def _of_target(target: str) -> Command | None:
    """What the address does that a script goes to."""
    path = target.partition("://")[2].partition("/")[2] if "://" in target else target.lstrip("/")
    suspicion = suspect(f"script://host/{path}")
    if suspicion is None or suspicion.leaning is not Leaning.CERTAIN:
        return None
    return Command(suspicion.kind, Form.WITH_OBJECT, False)
