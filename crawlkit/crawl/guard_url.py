"""What a URL says about what a GET of it would do, by itself.

What belongs here: path segments and query parameters, and what stands around them. What does not: reading one of them as
words (guard_command.py), link texts (guard_label.py), the author's patterns, and what is decided in the end (guard.py).

Where a name and a command look the same ("/products/delete"), the URL is no more than LIKELY or UNLIKELY and the links to
it decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_command import DELETES, LOGS_OUT, Command, Form, command_of
from crawlkit.crawl.guard_spelling import NO_WORD, fold
from crawlkit.crawl.guard_thing import SHORT, dated, is_aimed, is_id, is_many, is_page, is_persons, plain

CSRF = "carries a CSRF parameter"


class Leaning(IntEnum):
    """What a URL is taken for when nothing else is known of it."""

    UNLIKELY = 1  # a page, unless a link to it says otherwise
    LIKELY = 2  # a trap, unless a link to it says otherwise
    CERTAIN = 3  # a trap


class Suspicion(NamedTuple):
    """What a URL may do, and how sure that is. `reference`: it lies where words are explained."""

    kind: str
    leaning: Leaning
    reference: bool = False


_SERVLET_ENDING = re.compile(r"\.(?:do|action|jspa|ashx)\Z", re.IGNORECASE)
_JOOMLA_TOKEN = re.compile(r"[0-9a-f]{32}")
_PATH_TOKENS = frozenset(("formkey", "csrftoken", "sesskey", "authenticitytoken"))
_TOKEN = re.compile(r"(?=\D*\d)\w{8,}")
_DRAWN = 16
_NO = frozenset(("false", "0", "no", "off"))
_MOST_PARAMETERS = 500


def suspect(url: str) -> Suspicion | None:
    """What a GET of this canonical URL may do, None when nothing about it says anything."""
    rest = url.partition("://")[2]
    path, _, query = rest.partition("?")
    segments = [segment for segment in path.split("/")[1:] if segment]
    parameters = list(islice(_parameters(query), _MOST_PARAMETERS)) if query else []
    return _surest(_of_path(segments, parameters), _of_query(segments, parameters))


def _surest(*found: Suspicion | None) -> Suspicion | None:
    return max((each for each in found if each is not None), key=lambda each: each.leaning, default=None)


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Names and values, decoded; SMF and others part them with `;`, and `&amp;` is a page's mistake."""
    for pair in re.split("[&;]", query.replace("&amp;", "&")):
        if pair:
            name, _, value = pair.partition("=")
            yield unquote_plus(name), unquote_plus(value)


# --- the path ---------------------------------------------------------------------------------------------------------


def _of_path(segments: Sequence[str], parameters: Sequence[tuple[str, str]]) -> Suspicion | None:
    found: Suspicion | None = None
    for index, segment in enumerate(segments):
        if ":" in segment and (special := _special(segment)) is not None:
            return special
        if fold(segment).replace("_", "") in _PATH_TOKENS and _TOKEN.fullmatch(
            "".join(segments[index + 1 : index + 2])
        ):
            return Suspicion(CSRF, Leaning.CERTAIN)
        if index and plain(segment) in words.SESSION_VERBS and plain(segments[index - 1]) in words.SESSION_PARENTS:
            explained = any(plain(earlier) in words.REFERENCE for earlier in segments[:index])
            found = _surest(found, Suspicion(LOGS_OUT, Leaning.UNLIKELY if explained else Leaning.CERTAIN, explained))
            continue
        command = command_of(segment)
        if command is None:
            continue
        if segment[0] in "~@" and segment[1:2] != "@":  # somebody's home: /~logout, /@delete
            found = _surest(found, Suspicion(command.kind, Leaning.UNLIKELY))
        else:
            found = _surest(found, _weighed(command, segments, index, parameters))
    return found


def _special(segment: str) -> Suspicion | None:
    """MediaWiki's Special:UserLogout, in any of its languages that says Special; Google's `items/7:delete`."""
    head, _, tail = unquote(segment).partition(":")
    command = command_of(tail)
    if command is None or command.form < Form.WITH_OBJECT:
        return None
    if fold(head) in ("special", "spezial", "speciaal", "specjalna", "especial", "speciale", "служебная") or is_id(
        head
    ):
        return Suspicion(command.kind, Leaning.CERTAIN)
    return None


def _weighed(
    command: Command, segments: Sequence[str], index: int, parameters: Sequence[tuple[str, str]]
) -> Suspicion | None:
    """What a command at this place of a path means."""
    before = [plain(segment) for segment in segments[:index]]
    after = segments[index + 1 :]
    parent = before[-1] if before else ""
    reference = any(word in words.REFERENCE for word in before)
    kind = command.kind
    if kind == LOGS_OUT:
        return _session(command, segments, index, parent, reference=reference)
    guarded = any(fold(name) in words.TOKENS and value for name, value in parameters)
    aimed = guarded or _has_id(parameters) or is_aimed(after)
    in_archive = dated(segments[:index])
    numbered = bool(before) and is_id(segments[index - 1]) and not in_archive
    if reference:
        page = is_page(segments[index])
        told = numbered or any(fold(name) in words.TOKENS and _is_drawn(value) for name, value in parameters)
        sure = command.form is Form.EXACT and not page and told and not after
        return Suspicion(kind, Leaning.CERTAIN if sure else Leaning.UNLIKELY, not sure)
    if command.form is Form.LOOSE:
        if numbered and len(before) > 1 and len(plain(segments[index])) < SHORT and is_many(before[-2]):
            return Suspicion(kind, Leaning.CERTAIN)  # /users/5/ban
        return Suspicion(kind, Leaning.CERTAIN if aimed and parent not in words.COLLECTIONS else Leaning.UNLIKELY)
    if numbered and command.form is Form.WITH_OBJECT and len(before) > 1 and before[-2] in words.COLLECTIONS:
        # /news/123/delete-account is how some write an article's number and title.
        return Suspicion(kind, Leaning.CERTAIN if aimed else Leaning.LIKELY)
    if aimed or numbered or parent in words.SINGLETONS:
        return Suspicion(kind, Leaning.CERTAIN)
    if (
        command.weak
        or in_archive
        or (parent in words.COLLECTIONS and (not after or plain(after[0]) in words.COLLECTIONS))
    ):
        return Suspicion(kind, Leaning.UNLIKELY)  # also /products/delete/reviews
    named = len(before) > 1 and before[-2] in words.COLLECTIONS  # /posts/my-first-post/delete
    return Suspicion(kind, Leaning.CERTAIN if named else Leaning.LIKELY)


def _session(command: Command, segments: Sequence[str], index: int, parent: str, *, reference: bool) -> Suspicion:
    if reference and not _SERVLET_ENDING.search(segments[index]):
        return Suspicion(LOGS_OUT, Leaning.UNLIKELY, reference=True)
    if command.weak and parent not in words.SESSION_PARENTS:
        alone = (
            command.form is Form.EXACT
            and index == len(segments) - 1
            and (not parent or parent in words.ACCOUNT_PARENTS)
        )
        return Suspicion(LOGS_OUT, Leaning.LIKELY if alone else Leaning.UNLIKELY)
    if command.form is Form.LOOSE:
        return Suspicion(LOGS_OUT, Leaning.UNLIKELY)
    if is_persons(segments, index) or dated(segments[:index]) or parent in words.COLLECTIONS - words.MOUNTS:
        return Suspicion(LOGS_OUT, Leaning.UNLIKELY)
    return Suspicion(LOGS_OUT, Leaning.CERTAIN)


def _is_drawn(value: str) -> bool:
    """Whether a value was drawn at random: nobody explains a word by such a one."""
    return len(value) >= _DRAWN and _TOKEN.fullmatch(value) is not None


def _has_id(parameters: Iterable[tuple[str, str]]) -> bool:
    """Whether a parameter names a thing."""
    for name, value in parameters:
        folded = fold(name)
        if folded in words.PAGING:
            continue
        if (
            (value and folded.rstrip("s[]").endswith("id"))
            or folded == "pk"
            or is_id(value)
            or (not value and is_id(name))
        ):
            return True
    return False


# --- the query --------------------------------------------------------------------------------------------------------


def is_csrf(name: str) -> bool:
    """Whether a parameter of this name only guards against requests that a page of another site makes."""
    joined = NO_WORD.sub("", fold(name))
    return joined in words.CSRF or "csrf" in joined or "xsrf" in joined


def _of_query(segments: Sequence[str], parameters: Sequence[tuple[str, str]]) -> Suspicion | None:
    found: Suspicion | None = None
    for name, value in parameters:
        if is_csrf(name) or (_JOOMLA_TOKEN.fullmatch(name) and value == "1"):
            found = _surest(found, Suspicion(CSRF, Leaning.CERTAIN))
        elif value and (told := _of_value(NO_WORD.sub("", fold(name)), value, parameters)) is not None:
            found = _surest(told, found)
        elif value.lower() not in _NO:
            found = _surest(_of_name(name, value), found)
    emptied = any(fold(name) in ("quantity", "qty") and value == "0" for name, value in parameters)
    if found is None and emptied and "cart" in map(fold, segments):
        return Suspicion(DELETES, Leaning.CERTAIN)
    return found


def _of_value(name: str, value: str, parameters: Sequence[tuple[str, str]]) -> Suspicion | None:
    """`action=logout`, `task=user.logout`, `route=account/logout`, `title=Special:UserLogout`."""
    if ":" in value and (special := _special(value)) is not None:
        return special
    acts = name in words.ACTIONS
    if not acts and name not in words.VIEWS:
        return None
    if "/" in value:
        if value.startswith(("http:", "https:", "//")):
            return None  # where to go afterwards
        steps = [part for part in value.split("/") if part]
        if name == "q" and fold(steps[0]) not in words.ROUTES:
            return None  # a search for "delete/insert"
        return _of_path(steps, [parameter for parameter in parameters if parameter[1] != value])
    parts = [part for part in re.split(r"[.:,|!]", value) if part]
    command = command_of(value)
    if len(parts) > 1 and (command is None or command.kind == LOGS_OUT):
        command = command_of(parts[-1]) or command  # user.signOut
    if command is None:
        return None
    if acts:
        return Suspicion(command.kind, Leaning.CERTAIN if _acts(name, command) else Leaning.UNLIKELY)
    sure = command.form is Form.EXACT and not command.weak and (command.kind == LOGS_OUT or _has_id(parameters))
    return Suspicion(command.kind, Leaning.CERTAIN if sure and name != "q" else Leaning.UNLIKELY)


def _acts(name: str, command: Command) -> bool:
    """Whether it is an order: `a=delete_widget` is, `a=exit` may be a page."""
    if command.kind == LOGS_OUT:
        return command.form > Form.LOOSE and not (command.weak and len(name) == 1)
    return True


def _of_name(name: str, value: str) -> Suspicion | None:
    """`?logout`, `?delete=7`, `?remove_item=5f2a`."""
    command = command_of(name)
    if command is None:
        return None
    if command.form is Form.LOOSE:
        return Suspicion(command.kind, Leaning.CERTAIN) if value.isdigit() else None  # ?del=7
    if command.kind == LOGS_OUT:
        return Suspicion(LOGS_OUT, Leaning.UNLIKELY if command.weak else Leaning.CERTAIN)
    aimed = not value or is_id(value) or value.lower() in ("true", "yes", "on")
    if command.weak and not (aimed and (value or command.form is Form.WITH_OBJECT)):
        return Suspicion(command.kind, Leaning.UNLIKELY)
    return Suspicion(command.kind, Leaning.CERTAIN if aimed else Leaning.LIKELY)
