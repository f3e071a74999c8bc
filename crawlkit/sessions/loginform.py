"""LoginForm: which form of a page logs in, and which of its fields take the user name, the password and the code.

What belongs here: judging forms by what they ask and how they are named. What does not: filling them in and sending
(form.py), what the answer means (formlogin.py).

A page may have a search box, a newsletter, a registration beside its login. The tells are those that password managers
go by: one password field and not two, `autocomplete`, the words in names, ids, targets and buttons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from crawlkit.exceptions import FormError
from crawlkit.sessions.fields import Control
from crawlkit.sessions.form import Form
from crawlkit.sessions.leaks import shown

_LOGIN = re.compile(
    r"log.?[io]n|sign.?[io]n|\bauth|session|identif|einlog|anmeld|connexion|connecter|conectar|entrar|acced|accesso|"
    r"inlog|logga|logg.?inn|zalog|prihlas|přihl|giriş|kirjaudu|войти|вход|ログイン|登录|登入|로그인",
    re.IGNORECASE,
)
_NO_LOGIN = re.compile(
    r"regist|sign.?up|join|create|subscri|newsletter|forgot|reset|recover|search|inscri|s.enregistrer|neu anlegen|"
    r"vergessen|oubli|olvid|regíst|contact|comment",
    re.IGNORECASE,
)
_USER = re.compile(
    r"user|login|log.?on|e.?mail|account|identi|nick|member|benutzer|kennung|kunden|usuario|utente|uname|"
    r"\bid\b|_id\b|handle|phone",
    re.IGNORECASE,
)
_CODE = re.compile(r"otp|2fa|mfa|two.?factor|one.?time|verification.?code|auth.?code|authenticator|passcode", re.I)
_CODE_LOOSE = re.compile(r"code|token|pin", re.I)
_CODE_PLACE = re.compile(r"otp|2fa|mfa|factor|verif|challenge|one.?time|confirm|authent|security", re.I)
_SEARCH = re.compile(r"^(?:q|s|search.*|query|keywords?|term)$", re.I)
_NO_USER = re.compile(r"captcha|coupon|search", re.I)

_TYPED = frozenset(("text", "email", "tel", "number"))


class LoginForm(NamedTuple):
    """A form and the names of its fields; None for one that it does not have."""

    form: Form
    user: str | None
    password: str | None
    code: str | None


def find_login_form(
    forms: Iterable[Form], *, user: str | None = None, password: str | None = None, code: str | None = None
) -> LoginForm | None:
    """The form that logs in, of several the likeliest; None when there is none.

    `user`, `password`, `code`: the names of fields, where the author gave them. A form may lack one of them: the user's
    may be on an earlier page than the password's, and the code's on a later one.
    """
    best, most = None, 0
    for form in forms:
        found = read_login_form(form, user=user, password=password, code=code)
        points = _points(found)
        if points > most:
            best, most = found, points
    return best


def read_login_form(
    form: Form, *, user: str | None = None, password: str | None = None, code: str | None = None
) -> LoginForm:
    """The fields of a form that is known to log in; names that the author gave and the form has stand."""
    names = form.names()
    passwords = [control for control in _enabled(form) if control.kind == "password"]
    if password in names:
        chosen: str | None = password
    else:
        current = [control for control in passwords if "current-password" in _autocomplete(control)]
        chosen = (current or passwords)[0].name if passwords and password is None else None
    asked = code if code in names else _code(form) if code is None else None
    return LoginForm(
        form, user if user in names else _user(form, chosen, asked) if user is None else None, chosen, asked
    )


def find_code_form(forms: Iterable[Form], *, code: str | None = None) -> LoginForm | None:
    """The form that asks for a one-time code and no password; None when there is none."""
    for form in forms:
        if form.has_password:
            continue
        name = code if code in form.names() else None
        if code is None:
            name = _code(form) or _lone_code(form)
        if name is not None:
            return LoginForm(form, None, None, name)
    return None


def no_login_form(url: str, forms: list[Form], wanted: str | None = None) -> FormError:
    """The error that says which forms and fields there are."""
    what = wanted or "no form that asks for a user name and a password"
    if not forms:
        return FormError(f"there is {what} on {shown(url)}, and no other; a script may draw it in a browser")
    there = "; ".join(f"{number}: {form.describe()}" for number, form in enumerate(forms))
    return FormError(f"there is {what} on {shown(url)}; there are: {there} (form= says which one it is)")


# --- judging ----------------------------------------------------------------------------------------------------------


def _points(found: LoginForm) -> int:
    """How likely it is that a form logs in; 0 or less: it does not."""
    form = found.form
    words = _words(form)
    points = (2 if _LOGIN.search(words) else 0) - (4 if _NO_LOGIN.search(words) else 0)
    enabled = _enabled(form)
    if form.id and re.search(r"search", form.id, re.I):
        points -= 6
    if found.password is None:
        if found.user is None or form.method != "POST" or any(_SEARCH.match(c.name) for c in enabled):
            return 0
        # A user name alone, the password comes on the next page: a newsletter asks for no more either.
        control = next(control for control in form.controls if control.name == found.user)
        return points + (3 if "username" in _autocomplete(control) else 0)
    passwords = [control for control in enabled if control.kind == "password"]
    points += 4 if len(passwords) <= 1 else -6
    points += 2 if found.user is not None else 0
    for control in passwords:
        points += 2 if "current-password" in _autocomplete(control) else 0
        points -= 4 if "new-password" in _autocomplete(control) else 0
    return points


def _words(form: Form) -> str:
    """What a form is called: its id, name, the end of its target, its buttons."""
    target = (form.action or "").partition("?")[0].partition("://")[2].partition("/")[2]
    buttons = (f"{button.label} {button.value} {button.name}" for button in form.buttons)
    return " ".join((form.id, form.name, target, *buttons))


def _user(form: Form, password: str | None, code: str | None) -> str | None:
    typed = [
        control
        for control in _enabled(form)
        if control.kind in _TYPED and control.name not in (password, code) and not _NO_USER.search(control.name)
    ]
    tells = (
        lambda control: "username" in _autocomplete(control),
        lambda control: "email" in _autocomplete(control),
        lambda control: control.kind == "email",
        lambda control: _USER.search(f"{control.name} {control.attributes.get('id', '')}") is not None,
    )
    for tell in tells:
        for control in typed:
            if tell(control):
                return control.name
    if password is None:
        return None
    places = {control.name: place for place, control in reversed(list(enumerate(form.controls)))}
    before = [control.name for control in typed if places[control.name] < places[password]]
    return before[-1] if before else None


def _code(form: Form) -> str | None:
    typed = [control for control in _enabled(form) if control.kind in _TYPED or control.kind == "password"]
    for control in typed:
        if "one-time-code" in _autocomplete(control):
            return control.name
    for control in typed:
        if control.kind != "password" and _CODE.search(f"{control.name} {control.attributes.get('id', '')}"):
            return control.name
    return None


def _lone_code(form: Form) -> str | None:
    """The only field of a form that is called a code, where the form's own name says what for: no coupon's."""
    typed = [control for control in _enabled(form) if control.kind in _TYPED]
    if len(typed) != 1 or not _CODE_LOOSE.search(typed[0].name) or not _CODE_PLACE.search(_words(form)):
        return None
    return typed[0].name


def _enabled(form: Form) -> list[Control]:
    return [control for control in form.controls if control.name and not control.disabled]


def _autocomplete(control: Control) -> list[str]:
    return control.attributes.get("autocomplete", "").lower().split()
