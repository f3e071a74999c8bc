"""What a link says that it does: its text, its icon's label, how it is marked up, and where on the page it stands.

What belongs here: reading one `<a>`. What does not: its URL (guard_url.py), the links of a whole page (anchors.py), and
what is decided in the end (guard.py).

A label is a command when the phrase is all of it, or all but companions ("Log out now", "Delete this post"). A sentence
or a title in which the words occur is none ("Logout button design", "How to delete a branch").
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_command import (
    DELETES,
    LOGS_OUT,
    Command,
    Form,
    command_of,
    companions_of,
    find_phrase,
    telling_words,
)
from crawlkit.crawl.guard_spelling import fold, split_words

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: A longer text is a sentence.
_LONGEST_LABEL = 60
_MOST_WORDS = 6
_ANCESTORS = 10
_ATTRIBUTE = re.compile(
    r"""\s(title|aria-label|alt|class|id|rel|role|onclick|href|src|xlink:href|data-[\w-]+|hx-[\w-]+|up-[\w-]+)="([^"]*)\""""
)
_TELLING = re.compile(r' (title|aria-label|alt|class|id|onclick|(?:data|hx|up)-[\w-]+)="([^"]*)"')
#: A manual's index: removeHandler(), os.remove, clear_cache.
_CODE = re.compile(r"\(\)|\w_\w|\w\.\w|::|[a-z][A-Z]\w*[A-Z(]|\b(?!log|sign)[a-z]+[A-Z]")
_ARTICLES = frozenset(("the", "this", "that", "my", "your"))
_ASIDE = re.compile(r"[\[(（【][^\])）】]*[\])）】]")  # Logout [ reader ]
_IN_BRACKETS = re.compile(r"[\[(（【]([^\])）】]*)[\])）】]")
_ENDS = re.compile(r"[?!,;|·•»>:–—]\s*")
_LABELS = (
    "title",
    "aria-label",
    "alt",
    "data-tooltip",
    "data-original-title",
    "data-bs-title",
    "data-title",
    "data-tip",
)
_METHODS = ("data-method", "data-turbo-method", "data-http-method", "data-verb", "up-method", "data-request-method")
_SENDS = ("hx-post", "hx-put", "hx-patch", "hx-delete", "data-post", "data-ajax-post")
_CONFIRMS = (
    "data-confirm",
    "data-turbo-confirm",
    "hx-confirm",
    "up-confirm",
    "data-confirmation",
    "data-confirm-message",
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "dt"))
_CORNERS = frozenset(("nav", "header", "menu"))


class Anchor(NamedTuple):
    """What one link of a page says. `command` is None when it says nothing of that kind.

    `text` is what to show of it. `method` is what a script would send it by, "" for a plain link. `named`: it stands as
    the name of a thing, in a heading. `corner`: in the page's head or navigation. `account`: where the visitor's own
    links are. `button`: it is made to be pressed.
    """

    href: str
    text: str
    command: Command | None
    method: str = ""
    confirms: bool = False
    named: bool = False
    corner: bool = False
    account: bool = False
    button: bool = False

    @property
    def suspicious(self) -> bool:
        """Whether anything about it asks for a closer look."""
        return self.command is not None or bool(self.method) or self.confirms


@lru_cache(maxsize=16384)
def label_command(text: str) -> Command | None:
    """The command that a link's text or label is, None when it is none."""
    if not 1 < len(text) <= _LONGEST_LABEL or _CODE.search(text) is not None:
        return None
    command = _whole(text)
    if command is not None and command.form is not Form.LOOSE:
        return (_whole(without_asides(text)) or command) if "(" in text else command  # "Delete (1999)" is a film
    if "[" in text or "(" in text or "（" in text or "【" in text:
        parts = [_ASIDE.sub(" ", text), *_IN_BRACKETS.findall(text)]
        return next((found for found in map(_whole, parts) if found is not None and not found.weak), command)
    if command is not None:
        return command
    *_, last = _ENDS.split(text)  # Not Ada? Log out
    command = _whole(last) if last != text else None
    return command if command is not None and command.kind == LOGS_OUT and not command.weak else None


def without_asides(text: str) -> str:
    """A label without what it says in brackets."""
    return _ASIDE.sub(" ", text)


_PLAIN = Anchor("", "", None)


def _whole(text: str) -> Command | None:
    spoken = split_words(text, names=False)
    if not 0 < len(spoken) <= _MOST_WORDS:
        return None
    found = find_phrase(spoken)
    if found is None:
        return None
    start, end, kind, weak = found
    before, after = spoken[:start], spoken[end:]
    if weak and spoken[start:end] != ["remove"]:
        # "Cancel" closes a dialogue, "Clear" a filter, "Exit" is a film: only ending a session is said so shortly.
        return Command(kind, Form.EXACT, True) if kind == LOGS_OUT and not before and not after else None
    if not before and not after:
        return Command(kind, Form.EXACT, False)
    companions = companions_of(kind) | words.FILLERS
    if any(word in words.TOPICS for word in (*before, *after) if word not in companions):
        return None
    if kind != LOGS_OUT:
        companions |= words.FOREIGN_OBJECTS
        before = [word for word in before if word not in words.FILLERS]
        if any(word not in companions or word in _ARTICLES for word in before):
            return None  # "The Delete key"
    elif any(word not in companions for word in before):
        return None
    unknown = [word for word in after if word not in companions and not word.isdigit()]
    if not unknown:
        return Command(kind, Form.WITH_OBJECT, False)
    # "Log out reader" names the visitor; "Delete Facebook" may name a book.
    return Command(kind, Form.WITH_OBJECT if kind == LOGS_OUT and len(unknown) == 1 else Form.LOOSE, False)


def worth_reading(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Those of a page's links about which anything might tell. A page has hundreds: all are looked at in one go."""
    texts = [node.text() for node in nodes]
    found = {number for number, text in enumerate(texts) if not text or text.isspace()}
    spoken = fold("\0".join(texts))
    telling = telling_words(spoken)
    if telling:
        ends = _ends(spoken.split("\0"))
        for word in telling:
            at = spoken.find(word)
            while at >= 0:
                number = bisect_right(ends, at)
                found.add(number)
                at = spoken.find(word, ends[number])
    markups = [node.html or "" for node in nodes]
    ends = []
    for match in _TELLING.finditer("\0".join(markups)):
        if _tells(match[1], match[2]):
            ends = ends or _ends(markups)
            found.add(bisect_right(ends, match.start()))
    return [nodes[number] for number in sorted(found)]


def _ends(parts: Sequence[str]) -> list[int]:
    """Where each part ends when they are joined with one character between."""
    return list(accumulate(len(part) + 1 for part in parts))


@lru_cache(maxsize=4096)
def _tells(name: str, value: str) -> bool:
    """Whether an attribute may say anything. Most are the same on every page."""
    if name in ("class", "id"):
        return any(_class_command(each) is not None for each in value.split())
    if name == "onclick":
        return "confirm(" in value
    if name in _METHODS or name in _SENDS or name in _CONFIRMS:
        return True
    return name in _LABELS and bool(telling_words(fold(unescape(value))))


def read(node: LexborNode) -> Anchor:
    """What this `<a>` or `<area>` says. Where it stands is looked at only when that matters."""
    markup = node.html or ""
    text = " ".join(node.text().split())
    own, inner = _attributes(markup)
    command = None if "<code" in markup or "<kbd" in markup else label_command(text)
    method = ""
    confirms = False
    for name, value in (*own, *inner):
        if name in _LABELS:
            label = " ".join(value.split())
            found = label_command(label)
            if found is not None and not found.weak and (command is None or found.form > command.form):
                command, text = found, text or label
            elif not text:
                text = label
    for name, value in own:
        if name in _METHODS and value.upper() not in ("", "GET", "HEAD"):
            method = value.upper()
        elif name in _SENDS:
            method = name.partition("-")[2].upper()
        elif (name in _CONFIRMS and value) or (name == "onclick" and "confirm(" in value):
            confirms = True
    if command is None or command.form is Form.LOOSE:
        command = _of_classes(own, inner, text) or command
    if command is None and not method and not confirms:
        return _PLAIN
    return _placed(node, own, Anchor(_value(own, "href"), text, command, method, confirms))


def _attributes(markup: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The attributes of the link itself and of what is in it, as far as they matter."""
    head = markup[: markup.find(">") + 1]  # lexbor writes ">" in a value as &gt;
    own = [(name, unescape(value) if "&" in value else value) for name, value in _ATTRIBUTE.findall(head)]
    if markup.find("<", len(head)) == len(markup) - 4:  # only its own end: </a>
        return own, []
    inner = _ATTRIBUTE.findall(markup, len(head))
    return own, [(name, unescape(value) if "&" in value else value) for name, value in inner]


def _value(attributes: list[tuple[str, str]], name: str) -> str:
    return next((value for each, value in attributes if each == name), "")


def _of_classes(own: list[tuple[str, str]], inner: list[tuple[str, str]], text: str) -> Command | None:
    """What the link is called in the page's style sheets: `class="logout"`, `<i class="fa fa-sign-out">`."""
    names = [name for each, value in own if each in ("class", "id") for name in value.split()]
    if not text:
        names += [
            name.rpartition("#")[2]
            for each, value in inner
            if each in ("class", "href", "xlink:href", "data-icon")
            for name in value.split()
        ]
        names += [value.rpartition("/")[2].partition(".")[0][:_LONGEST_LABEL] for each, value in inner if each == "src"]
    elif len(split_words(text)) > 2:
        return None  # a title whose list is styled "delete-items"
    for name in names:
        command = _class_command(name)
        if command is not None and (command.kind == LOGS_OUT or not text):
            return command
    return None


@lru_cache(maxsize=4096)
def _class_command(name: str) -> Command | None:
    spoken = [word for word in split_words(name) if word not in words.ICONS]
    command = command_of("-".join(spoken)) if spoken else None
    if command is None or command.weak or command.form is Form.LOOSE:
        return Command(DELETES, Form.EXACT, False) if spoken in (["trash"], ["trash", "can"], ["remove"]) else None
    return command


def _placed(node: LexborNode, own: list[tuple[str, str]], anchor: Anchor) -> Anchor:
    """The anchor with what its surroundings say."""
    marks = _marks(_value(own, "class"), _value(own, "id"))
    named = _value(own, "itemprop") == "name" or bool(marks & words.NAME_PLACES)
    corner = account = False
    button = (
        bool(marks & words.BUTTONS)
        or _value(own, "role") in ("button", "menuitem")
        or ("nofollow" in _value(own, "rel").split())
    )
    inside: Any = node.parent
    for _ in range(_ANCESTORS):
        if inside is None or inside.tag in ("body", "html"):
            break
        attributes = inside.attributes
        around = _marks(attributes.get("class") or "", attributes.get("id") or "")
        named = (
            named
            or inside.tag in _HEADINGS
            or attributes.get("itemprop") == "name"
            or (bool(around & words.NAME_PLACES) and inside.tag != "header")
        )
        account = account or bool(around & words.ACCOUNT_PLACES)
        corner = corner or inside.tag in _CORNERS or attributes.get("role") in ("navigation", "banner", "menu")
        inside = inside.parent
    if not named and node.css_first("h1, h2, h3, h4, h5, h6, [itemprop=name]") is not None:
        named = True
    return anchor._replace(named=named, corner=corner, account=account, button=button)


def _marks(*values: str) -> set[str]:
    """The words of class names and ids, each alone and as it is written."""
    marks: set[str] = set()
    for value in values:
        for name in fold(value).split():
            marks.add(name)
            marks.update(split_words(name))
    return marks
