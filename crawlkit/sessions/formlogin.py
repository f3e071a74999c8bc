"""FormLogin: logs in by the form of a login page, in one step or two, with a one-time code where one is asked for.

What belongs here: the order of the exchanges, and what their answers mean. What does not: which form it is
(loginform.py), what a form sends (form.py), what the site says (complaint.py), when to log in (membership.py).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import ConfigError, FormError, LoginError, UnsafeMarkup
from crawlkit.sessions.boundauth import absolute
from crawlkit.sessions.complaint import complaint
from crawlkit.sessions.leaks import same_origin, shown
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.loginform import (
    LoginForm,
    find_code_form,
    find_login_form,
    no_login_form,
    read_login_form,
)
from crawlkit.sessions.loginhops import Confidants
from crawlkit.sessions.response import Response
from crawlkit.sessions.session import Session
from crawlkit.sessions.totp import Totp

if TYPE_CHECKING:
    from crawlkit.sessions.form import Form, Payload

log = logging.getLogger(__name__)

#: The page itself may be asked for again when the server stumbles. What is posted is posted once.
_PAGE_RETRIES = 3

_PLAIN_NAME = re.compile(r"[\w-]+")


class FormLogin(Login):
    """Logs in by the form on the page `url`: `login = FormLogin("https://forum.example.org/login")`.

    `username` and `password` are those of the account; without them, `credentials` have them. (When both are names of
    fields of the form, and the credentials have a user name and a password, they are taken for the fields' names.)

    The form is the page's that asks for one password, and a user name on the same page or the page before; `form`, its
    id, name or a CSS selector, says it outright, and `username_field`, `password_field`, `otp_field` name its fields.
    Hidden fields and the default button go along as in a browser; `click` is another button, as in `Session.submit`;
    `extra` are more fields (name → value). A one-time code, on the same page or the next, comes from `totp`, a TOTP
    secret, else from `credentials.otp()`.

    What is filled in goes to the origin of `url` (scheme, host, port) and to `origins` (URLs), whatever the page's form and
    redirects say: a login that ends elsewhere, as a single sign-on does, is a LoginError that says which to add.

    One object serves any number of sessions and threads. Its repr shows the URL alone.
    """

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        form: str | None = None,
        username_field: str | None = None,
        password_field: str | None = None,
        otp_field: str | None = None,
        totp: str | None = None,
        click: Any = None,
        extra: Mapping[str, Any] | None = None,
        origins: Iterable[str] = (),
    ) -> None:
        self.url: str = url
        self._username = username
        self._password = password
        self._form = form
        self._username_field = username_field
        self._password_field = password_field
        self._otp_field = otp_field
        self._totp = totp
        self._click = click
        self._extra = dict(extra or {})
        self._origins = (origins,) if isinstance(origins, str) else tuple(origins)

    def __repr__(self) -> str:
        return f"<FormLogin {shown(self.url)}>"

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        """Fetch the page, fill its form in and send it. Does nothing when the site leads on, as it does for members.

        Raises LoginError when the form is shown again, with what the site says, or would go to another origin; FormError
        when there is no such form or field, with those there are; ConfigError when a credential is missing;
        RequestException when the exchange failed.
        """
        confidants = self._confidants(session)
        page = session.get(self.url, retries=_PAGE_RETRIES, check_hop=confidants.check_page)
        if page.status_code >= 500:
            page.raise_for_status()
        found = self._find(page)
        if found is None:
            if self._led_on(page):
                log.info("%s leads on to %s: logged in already", shown(self.url), shown(page.url))
                return
            if page.status_code >= 400:
                raise LoginError(
                    f"the login page {shown(page.url)} answered {page.status_code}{complaint(page, session)}"
                )
            raise no_login_form(page.url, _forms(page))
        username, password, found = self._account(found, credentials)
        session._own_redactor().learn(password, sure=True)
        if found.password is None and not found.form.has_password:
            found = self._first_step(session, found, username, password)
            username = ""
        answer = self._second_step(session, found, username, password, credentials)
        self._third_step(session, answer, found, password, credentials)

    # --- the form ---------------------------------------------------------------------------------------------

    def _find(self, page: Response) -> LoginForm | None:
        names = {"user": self._username_field, "password": self._password_field, "code": self._otp_field}
        if self._form is None:
            return find_login_form(_forms(page), **names)
        chosen = None
        if _PLAIN_NAME.fullmatch(self._form):
            chosen = next((form for form in _forms(page) if self._form in (form.id, form.name)), None)
        if chosen is None and self._led_on(page) and not page.css(self._form):
            return None
        return read_login_form(chosen if chosen is not None else page.form(self._form), **names)

    def _account(self, found: LoginForm, credentials: Credentials | None) -> tuple[str, str, LoginForm]:
        """User name, password, and the form with its fields as the author means them."""
        username, password, names = self._username, self._password, found.form.names()
        if credentials is not None and username in names and password in names:
            try:
                given = credentials.username, credentials.password
            except ConfigError:
                pass  # there are no others: these are they
            else:
                return *given, found._replace(user=username, password=password)
        if (username is None or password is None) and credentials is None:
            raise LoginError(f"there are no credentials for {shown(self.url)}: FormLogin(url, username, password)")
        if username is None:
            assert credentials is not None
            username = credentials.username
        if password is None:
            assert credentials is not None
            password = credentials.password
        return username, password, found

    def _led_on(self, page: Response) -> bool:
        """Whether the login page sends its visitor elsewhere on the same site, as it does with members."""
        first = page.history[0].url if page.history else page.url
        return page.ok and same_origin(first, page.url) and page.url.partition("?")[0] != first.partition("?")[0]

    # --- the exchanges ----------------------------------------------------------------------------------------

    def _first_step(self, session: Session, found: LoginForm, username: str, password: str) -> LoginForm:
        """Send the user name alone; the form of the next page, which asks for the password."""
        if found.user is None:
            raise _no_field(found.form, self._username_field, "username_field")
        answer = self._send(session, found, {found.user: username})
        after = find_login_form(_forms(answer), user=self._username_field, password=self._password_field)
        if after is not None and after.password is not None:
            return after
        if after is not None and after.user == found.user:
            raise LoginError(
                f"{shown(found.form.url)} asks for the user name again{complaint(answer, session)}: is it right?"
            )
        wanted = f"no form that asks for a password (the user name was sent, {answer.status_code} came back)"
        raise no_login_form(answer.url, _forms(answer), wanted)

    def _second_step(
        self, session: Session, found: LoginForm, username: str, password: str, credentials: Credentials | None
    ) -> Response:
        """Send the password, with the user name unless that was sent, and the code if it is asked for beside them."""
        form = found.form
        if found.password is None:
            raise _no_field(form, self._password_field, "password_field")
        data: dict[str, Any] = {found.password: password}
        if username:
            if found.user is None:
                raise _no_field(form, self._username_field, "username_field")
            data[found.user] = username
        if found.code is not None and found.code not in data:
            code = self._code(credentials, needed=self._otp_field is not None)
            if code is not None:
                data[found.code] = code
        return self._send(session, found, data)

    def _third_step(
        self, session: Session, answer: Response, found: LoginForm, password: str, credentials: Credentials | None
    ) -> None:
        """What the answer to the password means; send the code when it asks for one."""
        if self._is_shown_again(answer, found):
            raise LoginError(
                f"the login form on {shown(found.form.url)} is shown again{complaint(answer, session)}: "
                "wrong user name or password?"
            )
        asking = find_code_form(_forms(answer), code=self._otp_field)
        if asking is not None and asking.code is not None:
            code = self._code(credentials, needed=True)
            answer = self._send(session, asking, {asking.code: code})
            again = find_code_form(_forms(answer), code=self._otp_field)
            if again is not None and again.code == asking.code:
                raise LoginError(
                    f"{shown(asking.form.url)} asks for the one-time code again{complaint(answer, session)}: "
                    "is the TOTP secret right, and this machine's clock?"
                )
        if answer.status_code >= 400:
            raise LoginError(
                f"{shown(answer.url)} answered {answer.status_code} to the login{complaint(answer, session)}"
            )

    def _is_shown_again(self, answer: Response, found: LoginForm) -> bool:
        """Whether the answer asks for the password anew: by the fields that were sent, or on the login page itself."""
        sent = {name for name in (found.user, found.password) if name is not None}
        forms = _forms(answer)
        if any(sent <= set(form.names()) and form.has_password for form in forms):
            return True
        if answer.url.partition("?")[0] != found.form.url.partition("?")[0]:
            return False
        again = find_login_form(forms)
        return again is not None and again.password is not None

    def _send(self, session: Session, found: LoginForm, data: dict[str, Any]) -> Response:
        form, confidants = found.form, self._confidants(session)

        def check(filled: Payload) -> None:  # by what is sent: a button, or the page's base, may lead elsewhere
            confidants.check_form(form.url, filled.url)
            if filled.method == "GET" and found.password in data:
                raise _into_a_url(form)

        extra = {name: value for name, value in self._extra.items() if name not in data}
        sent = session._submit_form(
            form,
            {**extra, **data},
            click=self._click,
            extra=True,
            check=check,
            retries=0,
            check_hop=confidants.check_hop,
        )
        if sent.status_code >= 500:
            sent.raise_for_status()
        return sent

    def _confidants(self, session: Session) -> Confidants:
        return Confidants(absolute(session, self.url), (absolute(session, each) for each in self._origins))

    def _code(self, credentials: Credentials | None, *, needed: bool) -> str | None:
        """A one-time code; None when there is none and none is needed."""
        if self._totp is not None:
            return Totp(self._totp).code()
        if credentials is None:
            if needed:
                raise LoginError(f"{shown(self.url)} asks for a one-time code: FormLogin(…, totp=SECRET)")
            return None
        try:
            return credentials.otp()
        except ConfigError:
            if needed:
                raise
            return None  # many forms have the field for those who need it


def _forms(page: Response) -> list[Form]:
    try:
        return page.forms
    except UnsafeMarkup:
        return []  # no login page is as large


def _into_a_url(form: Form) -> FormError:
    return FormError(
        f"the {form.describe()} on {shown(form.url)} would put the password into a URL: a script sends it in a "
        "browser; look where to (TokenLogin may serve), or write login() yourself"
    )


def _no_field(form: Form, wanted: str | None, argument: str) -> FormError:
    what = f"no field {wanted!r}" if wanted is not None else "no such field to be found"
    return FormError(
        f"the {form.describe()} on {shown(form.url)} has {what} for {argument}; its fields are: "
        f"{', '.join(form.names()) or 'none'}"
    )
