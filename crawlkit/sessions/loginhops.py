"""Loginhops: where a request that carries a password may be redirected.

307 and 308 repeat a request with its body: a login page with an open redirect would hand the password to whoever the
redirect names. A browser does that; a program that nobody watches must not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlkit.exceptions import LoginError
from crawlkit.sessions.leaks import authorization_stays, origin_of

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
