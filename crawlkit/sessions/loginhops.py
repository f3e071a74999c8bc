"""Loginhops: where a request that carries a password may go, by a form's action or by a redirect.

307 and 308 repeat a request with its body, and a page says by its markup where its form goes: an open redirect or a
line that somebody slipped into the page would hand the password to whoever they name. A browser does that, for people
who look at its address bar; a program that nobody watches must not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from crawlkit.exceptions import LoginError
from crawlkit.sessions.leaks import authorization_stays, origin_of
from crawlkit.sessions.target import prepare_url

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response


def keep_password_home(response: Response, following: PreparedRequest) -> None:
    """A `check_hop` for logins: LoginError when the next request takes the body along to another origin."""
    here, there = response.url, following.url or ""
    if following.body and not authorization_stays(here, there):
        raise LoginError(
            f"{origin_of(here)} redirects the login to {origin_of(there)} with the password in it: it was not sent "
            "there. If that is right, log in at that address"
        )


def refuse_downgrade(page: str, target: str) -> None:
    """LoginError when a page that came over https sends its password over http."""
    if page.startswith("https:") and target.startswith("http:"):
        raise LoginError(f"the login page of {origin_of(page)} sends the password unencrypted to {origin_of(target)}")


class Confidants:
    """The origins that a login may tell its password: that of its address `url`, and those that the author named.

    The step from http on port 80 to https on port 443 of the same host is always fine; one from https to http never.
    All URLs absolute. Any thread.
    """

    def __init__(self, url: str, origins: Iterable[str] = ()) -> None:
        self._url = url
        self._trusted = (url, *origins)

    def check_page(self, response: Response, following: PreparedRequest) -> None:
        """A `check_hop` for the login page: it may be elsewhere, but what came over https does not go on over http."""
        here, there = response.url, following.url or ""
        if here.startswith("https:") and there.startswith("http:"):
            raise LoginError(
                f"{origin_of(here)} redirects the login page to {origin_of(there)}, which is not encrypted: anybody on "
                "the way could have put a form of their own there"
            )

    def check_form(self, page: str, target: str) -> None:
        """LoginError when the form on `page`, filled in, would go to an origin that is not trusted."""
        there = prepare_url(target)
        for before in (self._url, page):
            refuse_downgrade(before, there)
        if not self._trusts(there):
            where = f", to which {origin_of(self._url)} led," if origin_of(page) != origin_of(self._url) else ""
            raise LoginError(
                f"the login form on {origin_of(page)}{where} goes to {origin_of(there)}: nothing was sent there. If that is "
                f'right, say so: origins=["{origin_of(there)}"]'
            )

    def check_hop(self, response: Response, following: PreparedRequest) -> None:
        """A `check_hop` for what was filled in: LoginError when the body goes along to an origin that is not trusted."""
        here, there = response.url, following.url or ""
        if not following.body:
            return
        refuse_downgrade(here, there)
        if not self._trusts(there):
            raise LoginError(
                f"{origin_of(here)} redirects the login to {origin_of(there)} with the password in it: it was not sent "
                f'there. If that is right, say so: origins=["{origin_of(there)}"]'
            )

    def _trusts(self, url: str) -> bool:
        return any(authorization_stays(trusted, url) for trusted in self._trusted)
