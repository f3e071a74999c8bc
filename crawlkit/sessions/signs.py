"""Signs: what shows, with no help from an author, that an answer was given to somebody who is not logged in.

A redirect to the login page, 401, a cookie of the login taken back, a password form where none was, 403 or 419 with one.
What belongs here: the signs and what a login teaches about them. What does not: what is done about it (membership.py),
the author's own `logged_in`.

A false alarm costs one login, and teaches: after a login that worked, a page that still shows its form has one for
members too, and a cookie that is still taken back is none of the login's.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from crawlkit import url as urls
from crawlkit.exceptions import UnsafeMarkup
from crawlkit.sessions import foreignanswers
from crawlkit.sessions.setcookie import CookieRefused, parse

if TYPE_CHECKING:
    from crawlkit.sessions.form import Form
    from crawlkit.sessions.response import Response

#: Read in a body before it is parsed: most pages have none.
_PASSWORD_FIELD = re.compile(rb"type\s*=\s*[\"']?password", re.IGNORECASE)
#: Laravel's "page expired" (419) and the statuses with which frameworks refuse who is nobody.
_REFUSING = frozenset((403, 419))
#: Parts of a query that say which page of a script is meant: /index.php?action=login.
_COMMANDS = frozenset(
    ("a", "act", "action", "cmd", "controller", "do", "m", "mode", "module", "op", "option", "p", "page", "q", "r")
) | frozenset(("route", "sub", "task", "view"))
#: Cookies that a login sets and that come and go without a meaning for it.
_PASSING = re.compile(r"csrf|xsrf|messages|flash|notice|toast|lang|locale|theme|consent|timezone|redirect|next", re.I)


class _FormMark(NamedTuple):
    """By what a form is known again: where it goes and what it asks."""

    action: str
    names: tuple[str, ...]


class Sign(NamedTuple):
    """Why an answer counts as logged out. `form` and `cookies` are what `false_alarm` takes back."""

    reason: str
    form: _FormMark | None = None
    cookies: frozenset[str] = frozenset()
    #: The login page itself was asked for: it may be a site's front page, or show its form to members as well.
    asked: bool = False


class Signs:
    """What is known of one session's login. Any thread may call."""

    def __init__(self, login_url: str | None = None) -> None:
        self._lock = threading.Lock()
        self._pages: frozenset[_Place] = frozenset()
        self._cookies: frozenset[str] = frozenset()
        self._login_forms: set[_FormMark] = set()
        self._members_forms: set[_FormMark] = set()
        if login_url is not None and (place := _place(login_url)) is not None:
            self._pages = frozenset((place,))

    # --- judging ----------------------------------------

    def is_login_page(self, url: str) -> bool:
        """Whether `url` is a login page, wherever it is to lead afterwards."""
        if not self._pages or (place := _place(url)) is None:
            return False
        return any(place.path == page.path and page.commands <= place.commands for page in self._pages)

    def of(self, response: Response, *, body: bool = True) -> Sign | None:
        """The sign in `response` that nobody is logged in; None when there is none. `body=False`: it is a stream, which
        is not read.
        """
        if response.status_code == 401:
            return Sign("answered 401")
        asked = response.history[0] if response.history else response
        if asked.request.method == "GET" and self.is_login_page(asked.url):
            form = _login_form(response) if body and response.ok else None
            if form is None or not self.is_login_form(form):
                return None
            return Sign(f"answered {response.status_code} with the login form", form, asked=True)
        if self._led_to_login(response):
            form = _login_form(response) if body else None
            if not body or form is not None or not _is_root(response.url):
                return Sign("led to the login page", form)
        taken = self._taken_back(response)
        if taken:
            return Sign(f"took the cookie {sorted(taken)[0]!r} of the login back", None, taken)
        if not body or not (response.ok or response.status_code in _REFUSING):
            return None
        form = _login_form(response)
        if form is None or form in self._members_forms:
            return None
        return Sign(f"answered {response.status_code} with a login form", form)

    def _led_to_login(self, response: Response) -> bool:
        if not self._pages:
            return False
        if response.history and self.is_login_page(response.url):
            return True
        location = response.headers.get("Location") if response.is_redirect else None
        onward = urls.join(response.url, location) if location else None
        return onward is not None and self.is_login_page(onward)

    def _taken_back(self, response: Response) -> frozenset[str]:
        """The cookies of the login that this answer, or a hop on the way to it, deletes."""
        if not self._cookies:
            return frozenset()
        gone: set[str] = set()
        for answer in (*response.history, response):
            for line in foreignanswers.set_cookie_lines(answer):
                try:
                    name, value, attributes = parse(line)
                except CookieRefused:
                    continue
                if name not in self._cookies:
                    continue
                past = attributes.expires is not None and attributes.expires <= 86400
                if (attributes.max_age is not None and attributes.max_age <= 0) or past:
                    gone.add(name)
                elif value:
                    gone.discard(name)
        return frozenset(gone)

    def is_login_form(self, form: _FormMark) -> bool:
        """Whether a form is the login's: it goes where the login's goes, or is all that is known of one."""
        known = self._login_forms
        return not known or any(form == mark or form.action == mark.action for mark in known)

    # --- learning ----------------------------------------

    def learn_answer(self, response: Response) -> None:
        """`response` came in the course of a login, before anything was posted: a page with a form is the login page."""
        form = _login_form(response)
        with self._lock:
            if form is not None and (place := _place(response.url)) is not None:
                self._pages |= {place}
                self._login_forms.add(form)

    def learn_cookies(self, names: Iterable[str]) -> None:
        """The login set these cookies."""
        with self._lock:
            self._cookies |= {name for name in names if not _PASSING.search(name)}

    def false_alarm(self, sign: Sign) -> bool:
        """The session lives, and its answer has this sign: whether it is none, and none any more from now on.

        The login's own form stays a sign, as do a redirect to it and 401.
        """
        if sign.asked:
            return True  # of this answer only: to a stranger it would be the same
        with self._lock:
            if sign.cookies:
                self._cookies -= sign.cookies
                return True
            if sign.form is not None and sign.reason.endswith("form") and not self.is_login_form(sign.form):
                self._members_forms.add(sign.form)
                return True
        return False

    # --- between runs ----------------------------------------

    def kept(self) -> dict[str, Any]:
        """What a profile keeps: pages and forms of the login and names of its cookies. JSON, nothing of it secret."""
        forms = sorted([form.action, *form.names] for form in self._login_forms)
        return {"pages": sorted(map(str, self._pages)), "cookies": sorted(self._cookies), "forms": forms}

    def remember(self, kept: Mapping[str, Any]) -> None:
        """Take over what an earlier run kept."""
        with self._lock:
            places = (_place(str(page)) for page in kept.get("pages", ()))
            self._pages |= {place for place in places if place is not None}
            self._cookies |= {str(name) for name in kept.get("cookies", ())}
            for action, *names in kept.get("forms", ()):
                self._login_forms.add(_FormMark(str(action), tuple(map(str, names))))


class _Place(NamedTuple):
    """A page without what varies: where it is, and those pairs of its query that say which page it is."""

    path: str
    commands: frozenset[tuple[str, str]]

    def __str__(self) -> str:
        return f"{self.path}?{urlencode(sorted(self.commands))}" if self.commands else self.path


def _place(url: str) -> _Place | None:
    href = urls.canonical(url)
    if href is None:
        return None
    path, _, query = urls.split_userinfo(href)[0].partition("?")
    commands = [(name, value) for name, value in parse_qsl(query) if name.lower() in _COMMANDS] if query else ()
    return _Place(path, frozenset(commands))


def _is_root(url: str) -> bool:
    """A site's front page may show the form to strangers and be somebody's destination all the same."""
    place = _place(url)
    return place is not None and place.path == urls.root(place.path) + "/"


def _login_form(response: Response) -> _FormMark | None:
    """The form of a page that asks for one password; a change of password asks for two or three."""
    if not response.is_html or not _PASSWORD_FIELD.search(response.body):
        return None
    try:
        forms = [form for form in response.forms if _asks_one_password(form)]
    except UnsafeMarkup:
        return None  # whoever reads the page next says so
    if not forms:
        return None
    action = (forms[0].action or response.url).partition("?")[0]
    return _FormMark(action, tuple(sorted({control.name for control in forms[0].controls if control.name})))


def _asks_one_password(form: Form) -> bool:
    return sum(control.kind == "password" for control in form.controls) == 1
