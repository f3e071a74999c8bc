"""The door of the demo bookshop: logging in by form, code or token, logging out, the end of every login. No HTML."""

from __future__ import annotations

import json
import secrets
from abc import abstractmethod
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from crawlkit.testing import shop_pages

if TYPE_CHECKING:
    from crawlkit.testing.demo_site import DemoSite

_MONTH_SECONDS = 30 * 24 * 3600


class Door(BaseHTTPRequestHandler):
    """The half of the shop's handler that lets members in and out. The other half reads requests and sends answers."""

    site: DemoSite
    _body: bytes
    _cookies: dict[str, str]
    _query: dict[str, str]

    @abstractmethod
    def _send(
        self,
        text: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        kind: str = "text/html",
        cookies: list[str] | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> None: ...

    @abstractmethod
    def _redirect(self, path: str, *, cookies: list[str] | None = None) -> None: ...

    @abstractmethod
    def _send_json(
        self, value: Any, status: HTTPStatus = HTTPStatus.OK, *, headers: list[tuple[str, str]] | None = None
    ) -> None: ...

    # --- by form ---

    def _login_form(self, then: str, *, error: str = "", status: HTTPStatus = HTTPStatus.OK) -> None:
        visit = self._cookies.get("visit") or secrets.token_hex(8)
        html = shop_pages.login(self.site.members.csrf(visit), then, error=error)
        self._send(html, status, cookies=[f"visit={visit}; Path=/; HttpOnly; SameSite=Lax"])

    def _log_in(self) -> None:
        form, then = self._form()
        members, username = self.site.members, form.get("user", "")
        if not members.right_csrf(self._cookies.get("visit"), form.get("csrf", "")):
            self._login_form(then, error="This form is no longer valid. Try again.", status=HTTPStatus.FORBIDDEN)
        elif not members.knows(username, form.get("password", "")):
            self._login_form(then, error="That name and password do not belong together.")
        elif members.asks_code(username):
            self._code_form(then, members.ticket(username), form.get("remember", ""))
        else:
            self._let_in(username, then, form.get("remember", ""))

    def _code_form(self, then: str, ticket: str, remember: str, *, error: str = "") -> None:
        csrf = self.site.members.csrf(self._cookies.get("visit", ""))
        self._send(shop_pages.code(csrf, then, ticket, remember, error=error))

    def _take_code(self) -> None:
        form, then = self._form()
        members, ticket, remember = self.site.members, form.get("ticket", ""), form.get("remember", "")
        username = members.ticket_of(ticket)
        if username is None or not members.right_csrf(self._cookies.get("visit"), form.get("csrf", "")):
            self._login_form(then, error="This form is no longer valid. Try again.", status=HTTPStatus.FORBIDDEN)
        elif not members.right_code(username, form.get("otp", "")):
            self._code_form(then, ticket, remember, error="That code is not right, or not any more.")
        else:
            self._let_in(username, then, remember)

    def _let_in(self, username: str, then: str, remember: str) -> None:
        lasts = f"; Max-Age={_MONTH_SECONDS}" if remember else ""
        login = self.site.members.open(username)
        self._redirect(then, cookies=[f"member={login}; Path=/; HttpOnly; SameSite=Lax{lasts}"])

    def _form(self) -> tuple[dict[str, str], str]:
        """The fields that were sent, and the path to go to afterwards, which is never on another site."""
        form = {name: values[-1] for name, values in parse_qs(self._body.decode("utf-8", "replace")).items()}
        then = form.get("next", "/books")
        return form, then if then.startswith("/") and not then.startswith("//") else "/books"

    # --- by token ---

    def _token(self) -> None:
        try:
            given = json.loads(self._body)
            name, password, code = str(given["username"]), str(given["password"]), str(given.get("otp", ""))
        except (AttributeError, ValueError, KeyError, TypeError):
            self._send_json({"error": 'send {"username": …, "password": …}'}, HTTPStatus.BAD_REQUEST)
            return
        token = self.site.members.log_in(name, password, code)
        if token is None:
            self._send_json({"error": "wrong username or password"}, HTTPStatus.FORBIDDEN)
        else:
            self._send_json({"token": token})

    # --- out ---

    def _logged_out(self) -> None:
        """What a visitor gets in place of a members' page: a redirect, or the form itself with status 200."""
        if self.site.logged_out == "form":
            self._login_form(self.path)
        else:
            self._redirect(f"/login?next={quote(self.path, safe='')}")

    def _log_out(self) -> None:
        self.site.members.log_out(self._cookies.get("member"))
        self._redirect("/", cookies=["member=; Path=/; Max-Age=0"])

    def _expire(self) -> None:
        """The demo's own: no other site has such a page."""
        text = self._query.get("every", "")
        every = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
        self.site.members.expire(every)
        told = f", and from now on each ends after {every} members' pages" if every else ""
        self._send(f"every login has ended{told}\n", kind="text/plain")
