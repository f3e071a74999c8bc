"""What `crawlkit login` shows: as lines for a person, as one JSON line for a program. No value of a cookie is in it."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.cli import exit_codes
from crawlkit.cli.json_line import print_line
from crawlkit.cli.outputs import shown
from crawlkit.cli.secrecy import redact
from crawlkit.cli.terminal import console, is_terminal, safe
from crawlkit.crawl.quantities import span_text
from crawlkit.sessions.attempts import recent

if TYPE_CHECKING:
    from crawlkit.crawl.trial import Exchange, Look, Trial
    from crawlkit.sessions.cookie import Cookie
    from crawlkit.sessions.profile import Profile

_WIDTH = 14
_COLOURS = {"logged_in": "bold green", "saved": "bold green", "login_failed": "bold yellow"}


class LoginReport:
    """What is known of one try. `outcome`: "saved" (the saved session works), "logged_in" or "login_failed"."""

    def __init__(
        self, spider: str, profile: str, *, vault: Path, most_failed: int, path: str, options: Sequence[str]
    ) -> None:
        self.spider = spider
        self.profile = profile
        self.outcome = "saved"
        self.error: str | None = None
        self.trial: Trial | None = None
        self.look: Look | None = None
        self._vault = vault
        self._most_failed = most_failed
        self._path = path
        self._options = options
        self._failed = 0

    def count_failures(self, profile: Profile | None) -> None:
        """Note how many logins of the profile failed within this hour."""
        self._failed = len(recent(profile.state, time.time())) if profile is not None else 0

    # --- for a person ----------------------------------------

    def headline(self) -> str:
        """One line: how it ended."""
        if self.error is not None:
            return f"{self.spider}: profile {self.profile!r} is not logged in"
        if self.outcome == "saved":
            return f"{self.spider}: profile {self.profile!r} is logged in already; the saved session works"
        if not self._proven:
            return f"{self.spider}: the login as profile {self.profile!r} went well, as far as can be seen"
        return f"{self.spider}: logged in as profile {self.profile!r}"

    def details(self) -> Iterator[str]:
        """The lines under it."""
        exchanges = self.trial.exchanges if self.trial is not None else []
        yield from _rows("sent", [_exchange_line(each) for each in exchanges])
        yield from _rows("cookies", self._cookie_lines())
        if self.look is not None:
            yield _row("page", f"{self.look.url}  {self.look.status}")
            yield _row("", f"{_VERDICTS[self.look.verdict.value]}: {self.look.why}")
            if self.look.sends:
                yield _row("headers", ", ".join(self.look.sends))
        if self._failed:
            yield _row("failed", f"{self._failed} of the {self._most_failed} logins that may fail within an hour")
        if self.error is not None:
            return
        yield _row("saved", f"profile {self.profile} in {shown(self._vault)}")
        if not self._proven:
            yield _row("", "define logged_in(), or set [login] canary to a page that only a member sees")
        yield _row("next", " ".join(["crawlkit", "run", shlex.quote(self._path), *map(shlex.quote, self._options)]))

    @property
    def _proven(self) -> bool:
        return self.look is not None and self.look.verdict.value == "member"

    def _cookie_lines(self) -> list[str]:
        if self.trial is None or not self.trial.exchanges:
            return []
        cookies = self.trial.cookies
        if not cookies:
            return ["none were set"]
        width = max(len(cookie.name) for cookie in cookies)
        return [f"{cookie.name:<{width}}  {cookie.host}{cookie.path}  {_lifetime(cookie)}" for cookie in cookies]

    # --- for a program ----------------------------------------

    def line(self) -> dict[str, Any]:
        """All of it as one object. `expires_in` of a cookie is in seconds, null for one of the session."""
        trial, look, now = self.trial, self.look, time.time()
        line: dict[str, Any] = {
            "spider": self.spider,
            "profile": self.profile,
            "outcome": self.outcome,
            "logged_in": self.error is None and (self._proven or None),
            "exchanges": [
                {"method": each.method, "hops": [hop._asdict() for hop in each.hops]}
                for each in (trial.exchanges if trial is not None else [])
            ],
            "cookies": [
                {
                    "name": cookie.name,
                    "domain": cookie.host,
                    "path": cookie.path,
                    "expires_in": None if cookie.expires is None else round(cookie.expires - now),
                }
                for cookie in (trial.cookies if trial is not None and trial.exchanges else [])
            ],
            "page": None
            if look is None
            else {
                "url": look.url,
                "status": look.status,
                "shows": look.verdict.value,
                "why": look.why,
                "headers": look.sends,
            },
            "failed_within_hour": self._failed,
            "vault": str(self._vault),
            "exit_code": exit_codes.COMPLETE if self.error is None else exit_codes.LOGIN_FAILED,
        }
        if self.error is not None:
            line["error"] = self.error
        return line


_VERDICTS = {"member": "shows a member", "stranger": "shows a stranger", "unknown": "does not tell"}


def show(report: LoginReport, *, as_json: bool) -> None:
    """Write the report to standard output."""
    if as_json:
        print_line(report.line())
        return
    lines = [safe(redact(line), one_line=True) for line in (report.headline(), *report.details())]
    if not is_terminal(sys.stdout):
        print("\n".join(lines), flush=True)
        return
    from rich.text import Text

    screen = console(stderr=False)
    screen.print(Text(lines[0], style=_COLOURS[report.outcome]))
    for line in lines[1:]:
        screen.print(Text(line))


def _exchange_line(exchange: Exchange) -> str:
    first, *onward = exchange.hops
    led = "".join(f" -> {hop.url}  {hop.status}" for hop in onward)
    return f"{exchange.method:<4} {first.url}  {first.status}{led}"


def _lifetime(cookie: Cookie) -> str:
    if cookie.expires is None:
        return "to the end of the session"
    return f"expires in {span_text(max(0.0, cookie.expires - time.time()))}"


def _rows(label: str, texts: list[str]) -> Iterator[str]:
    for index, text in enumerate(texts):
        yield _row("" if index else label, text)


def _row(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}}{text}"
