"""`crawlkit session show`: what a profile holds and what each of it is for. Values stay hidden unless they are asked for.

What belongs here: words for cookies, headers and logins. What does not: reading them (crawlkit.sessions.contents).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import debug_option, json_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.session_vault import find_vault, print_object, vault_option
from crawlkit.cli.tables import print_table
from crawlkit.cli.terminal import counted, safe
from crawlkit.crawl.quantities import span_text

if TYPE_CHECKING:
    from crawlkit.sessions.contents import Contents
    from crawlkit.sessions.cookie import Cookie

_COOKIE_COLUMNS = ("cookie", "value", "sent to", "kept", "attributes")
#: Entries of the state that `login_fields` tells of; the others are listed by name.
_LOGIN, _TOKEN = "login", "token"


@click.command("show")
@click.argument("name")
@click.option("--reveal", is_flag=True, help="Show the values too. They are as good as a password.")
@vault_option
@json_option
@debug_option
def command(name: str, reveal: bool, file: Path | None, as_json: bool, debug: bool) -> int:
    """Show what the profile NAME holds: each cookie with where it is sent and until when, headers, the login."""
    vault = find_vault(file)
    vault.require(name)
    from crawlkit.sessions.contents import contents

    now = time.time()
    held = contents(vault, name)
    if as_json:
        print_object({"vault": str(vault.path), "profile": name, **_fields(held, now, reveal=reveal)})
        return exit_codes.COMPLETE
    headers = counted(len(held.headers), "header")
    click.echo(f"{name} in {shown(vault.path)}: {counted(len(held.cookies), 'cookie')}, {headers}")
    for line in _login_lines(login_fields(held, now), now):
        click.echo(line)
    if held.cookies:
        click.echo()
        print_table(_COOKIE_COLUMNS, [_cookie_row(cookie, now, reveal=reveal) for cookie in held.cookies])
    rows = [(_safe(header), _value(value, reveal=reveal)) for header, value in held.headers.items()]
    if rows:
        click.echo()
        print_table(("header", "value"), rows)
    others = [(_safe(entry), _state_value(value, reveal=reveal)) for entry, value in _others(held).items()]
    if others:
        click.echo()
        print_table(("kept for logins", "value"), others)
    return exit_codes.COMPLETE


# --- the login ----------------------------------------


def login_fields(held: Contents, now: float) -> dict[str, Any]:
    """What is known of a profile's login. Times in seconds since 1970, None where they are not known; nothing secret."""
    from crawlkit.sessions.attempts import recent

    token = held.state.get(_TOKEN)
    token = token if isinstance(token, dict) and isinstance(token.get("access"), str) else None
    return {
        "since": held.changed.get(_LOGIN),
        "failed_last_hour": len(recent(held.state, now)),
        "token": None if token is None else {"expires": token.get("expires"), "renewable": bool(token.get("refresh"))},
    }


def login_text(login: Mapping[str, Any], now: float) -> str:
    """The same in a cell of a table."""
    parts = []
    if login["since"] is not None:
        parts.append(f"logged in {span_text(now - login['since'])} ago")
    if login["token"] is not None and login["token"]["expires"] is not None:
        parts.append(f"token {_until(login['token']['expires'], now)}")
    if login["failed_last_hour"]:
        parts.append(f"{counted(login['failed_last_hour'], 'failed login')} in the last hour")
    return ", ".join(parts)


def _login_lines(login: Mapping[str, Any], now: float) -> Iterator[str]:
    if login["since"] is not None:
        at = datetime.fromtimestamp(login["since"])
        yield f"logged in since {at:%Y-%m-%d %H:%M} ({span_text(now - login['since'])} ago), as far as was seen"
    if login["token"] is not None:
        expires, renewable = login["token"]["expires"], login["token"]["renewable"]
        until = "does not say until when it holds" if expires is None else _until(expires, now)
        yield f"token: {until}{', is renewed by a refresh token' if renewable else ''}"
    if login["failed_last_hour"]:
        yield f"{counted(login['failed_last_hour'], 'failed login')} in the last hour"


# --- cookies, headers, state ----------------------------------------


def _cookie_row(cookie: Cookie, now: float, *, reveal: bool) -> tuple[str, ...]:
    host = _safe(cookie.host) or "the first host that it is sent to"
    below = "" if cookie.host_only else " and hosts under it"
    path = "" if cookie.path == "/" else f", {_safe(cookie.path)}"
    kept = "to the end of the session" if cookie.expires is None else _until(cookie.expires, now)
    attributes = [
        *(["Secure"] if cookie.secure else []),
        *(["HttpOnly"] if cookie.httponly else []),
        *([f"SameSite={cookie.samesite}"] if cookie.samesite else []),
    ]
    return (
        _safe(cookie.name),
        _value(cookie.value, reveal=reveal),
        f"{host}{below}{path}",
        kept,
        ", ".join(attributes),
    )


def _value(value: str | bytes | None, *, reveal: bool) -> str:
    if value is None:
        return "not sent"
    if not reveal:
        return counted(len(value), "character")
    return _safe(_text(value))


def _state_value(value: Any, *, reveal: bool) -> str:
    import json

    text = json.dumps(value, sort_keys=True)
    return _value(text, reveal=reveal)


def _others(held: Contents) -> dict[str, Any]:
    """The entries of the state that no line above tells of; with the token, for whoever wants to see it."""
    from crawlkit.sessions.attempts import is_attempt

    return {name: value for name, value in held.state.items() if name != _LOGIN and not is_attempt(name)}


def _until(expires: float, now: float) -> str:
    if expires <= now:
        return f"expired {span_text(now - expires)} ago"
    return f"expires in {span_text(expires - now)}"


def _safe(text: str) -> str:
    return safe(text, one_line=True)


def _text(value: str | bytes) -> str:
    """A value's bytes as UTF-8 where they are."""
    raw = value if isinstance(value, bytes) else value.encode("latin-1", "replace") if _is_latin(value) else None
    if raw is None:
        return str(value)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _is_latin(value: str) -> bool:
    return all(ord(char) < 256 for char in value)


# --- JSON ----------------------------------------


def _fields(held: Contents, now: float, *, reveal: bool) -> dict[str, Any]:
    """Everything as one object; with `reveal` each `value` too."""
    cookies = [_cookie_fields(cookie, now) for cookie in held.cookies]
    headers: list[dict[str, Any]] = [
        {"name": name, "length": None if value is None else len(value)} for name, value in held.headers.items()
    ]
    others = _others(held)
    state: list[dict[str, Any]] = [{"name": name} for name in others]
    if reveal:
        for fields, cookie in zip(cookies, held.cookies, strict=True):
            fields["value"] = cookie.value
        for fields, value in zip(headers, held.headers.values(), strict=True):
            fields["value"] = None if value is None else _text(value)
        for fields, value in zip(state, others.values(), strict=True):
            fields["value"] = value
    return {"login": login_fields(held, now), "cookies": cookies, "headers": headers, "state": state}


def _cookie_fields(cookie: Cookie, now: float) -> dict[str, Any]:
    return {
        "name": cookie.name,
        "host": cookie.host,
        "host_only": cookie.host_only,
        "path": cookie.path,
        "session": cookie.expires is None,
        "expires": cookie.expires,
        "expired": cookie.is_expired(now),
        "secure": cookie.secure,
        "http_only": cookie.httponly,
        "same_site": cookie.samesite,
        "length": len(cookie.value),
    }
