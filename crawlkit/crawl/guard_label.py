"""What a link says that it does: its text, its icon's label, how it is marked up, and where on the page it stands.

What belongs here: reading one `<a>`. What does not: its URL (guard_url.py), the links of a whole page (anchors.py), and
what is decided in the end (guard.py).

A label is a command when the phrase is all of it, or all but companions ("Log out now", "Delete this post"). A sentence
or a title in which the words occur is none ("Logout button design", "How to delete a branch").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_command import (
    LOGS_OUT,
    Command,
    Form,
    companions_of,
    find_phrase,
)
from crawlkit.crawl.guard_markup import (
    attributes_of,
    ligatures,
    of_classes,
    script_command,
    value_of,
)
from crawlkit.crawl.guard_spelling import fold, split_words

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: A longer text is a sentence.
_LONGEST_LABEL = 60
_MOST_WORDS = 6
_ANCESTORS = 10
#: A manual's index: removeHandler(), os.remove, clear_cache.
_CODE = re.compile(r"\(\)|\w_\w|\w\.\w|::|[a-z][A-Z]\w*[A-Z(]|\b(?!log|sign)[a-z]+[A-Z]")
_ARTICLES = frozenset(("the", "this", "that", "my", "your"))
_ASIDE = re.compile(r"[\[(（【][^\])）】]*[\])）】]")  # Logout [ reader ]
_IN_BRACKETS = re.compile(r"[\[(（【]([^\])）】]*)[\])）】]")
_ENDS = re.compile(r"[?!,;|·•»>:–—]\s*")
LABELS = (
    "title",
    "aria-label",
    "alt",
    "data-tooltip",
    "data-original-title",
    "data-bs-title",
    "data-title",
    "data-tip",
    "data-tippy-content",
    "data-tooltip-content",
    "data-hint",
    "data-label",
    "aria-description",
)
METHODS = ("data-method", "data-turbo-method", "data-http-method", "data-verb", "up-method", "data-request-method")
SENDS = ("hx-post", "hx-put", "hx-patch", "hx-delete", "data-post", "data-ajax-post")
CONFIRMS = (
    "data-confirm",
    "data-turbo-confirm",
    "hx-confirm",
    "up-confirm",
    "data-confirmation",
    "data-confirm-message",
)
#: Labels that are looked up on one page, at most.
_MOST_LABELS = 20_000
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "dt"))
_CORNERS = frozenset(("nav", "header", "menu"))


class Anchor(NamedTuple):
    """What one link of a page says. `command` is None when it says nothing of that kind.

    `text` is what to show of it. `method` is what a script would send it by, "" for a plain link. `acts`: a script of
    the page does it. `named`: it stands as the name of a thing, in a heading. `corner`: in the page's head or
    navigation. `account`: where the visitor's own links are. `button`: it is made to be pressed.
    """

    href: str
    text: str
    command: Command | None
    method: str = ""
    confirms: bool = False
    acts: bool = False
    named: bool = False
    corner: bool = False
    account: bool = False
    button: bool = False

    @property
    def suspicious(self) -> bool:
        """Whether anything about it asks for a closer look."""
        return self.command is not None or bool(self.method) or self.confirms


class Labels:
    """The elements of one page by their ids, for the links that point at their label. Looked for when first asked."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._by_id: dict[str, Any] | None = None

    def text(self, ids: str) -> tuple[str, bool]:
        """The text of these elements, and whether it is a heading: the name of a thing."""
        if self._by_id is None:
            self._by_id = {}
            for node in self._tree.css("[id]")[:_MOST_LABELS]:
                self._by_id.setdefault(node.attributes.get("id") or "", node)
        nodes = [node for each in ids.split() if (node := self._by_id.get(each)) is not None]
        text = " ".join(" ".join(node.text()[: 4 * _LONGEST_LABEL].split()) for node in nodes)
        return text, any(node.tag in _HEADINGS for node in nodes)


@lru_cache(maxsize=16384)
def label_command(text: str) -> Command | None:
    """The command that a link's text or label is, None when it is none."""
    if text[:1] in words.SIGNS and len(text.rstrip("\ufe0f")) == 1:
        return _whole(words.SIGNS[text[0]])
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


def read(node: LexborNode, labels: Labels | None = None) -> Anchor:
    """What this `<a>` or `<area>` says. Where it stands is looked at only when that matters.

    `labels` are the page's elements that a link may point at for its label (`aria-labelledby`).
    """
    markup = node.html or ""
    own, inner = attributes_of(markup)
    icons = ligatures(markup)
    text = " ".join(word for word in node.text().split() if word not in icons)
    command = None if "<code" in markup or "<kbd" in markup else label_command(text)
    named = False
    for name, value in (*own, *inner):
        if name in LABELS:
            label = " ".join(value.split())
        elif name == "aria-labelledby" and labels:
            label, named = labels.text(value)
        else:
            continue
        found = label_command(label)
        if found is not None and not found.weak and (command is None or found.form > command.form):
            command, text = found, text or label
        elif not text:
            text = label
    scripted = next((found for each in (*own, *inner) if (found := script_command(*each)) is not None), None)
    acts = scripted is not None and not scripted.weak
    if acts or command is None:
        command = scripted or command
    if command is None or command.form is Form.LOOSE:
        command = of_classes(own, inner, text, icons) or command
    method, confirms = _sent(own)
    if command is None and not method and not confirms:
        return _PLAIN
    return _placed(node, own, Anchor(value_of(own, "href"), text, command, method, confirms, acts, named))


def _sent(own: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """What a script would send the link by, and whether it asks before."""
    method = ""
    confirms = False
    for name, value in own:
        if name in METHODS and value.upper() not in ("", "GET", "HEAD"):
            method = value.upper()
        elif name in SENDS:
            method = name.partition("-")[2].upper()
        elif (name in CONFIRMS and value) or (name == "onclick" and "confirm(" in value):
            confirms = True
    return method, confirms


def _placed(node: LexborNode, own: list[tuple[str, str]], anchor: Anchor) -> Anchor:
    """The anchor with what its surroundings say."""
    marks = _marks(value_of(own, "class"), value_of(own, "id"))
    named = anchor.named or value_of(own, "itemprop") == "name" or bool(marks & words.NAME_PLACES)
    corner = account = False
    button = (
        bool(marks & words.BUTTONS)
        or value_of(own, "role") in ("button", "menuitem")
        or ("nofollow" in value_of(own, "rel").split())
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
