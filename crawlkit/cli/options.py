"""Options that several commands share, and what their values become."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from crawlkit.exceptions import UsageError
from crawlkit.url import has_scheme

_Command = Callable[..., Any]

#: Shown everywhere, read by the entry: what an error prints is decided there.
debug_option = click.option("--debug", is_flag=True, help="Show the traceback of an error, and debug lines in logs.")
json_option = click.option("--json", "as_json", is_flag=True, help="End with one JSON line on standard output.")
database_option = click.option(
    "--db", "database", type=click.Path(path_type=Path), metavar="FILE", help="The database, by its path."
)
profile_option = click.option("--profile", metavar="NAME", help="The saved session to use, and to save to.")
arguments_option = click.option(
    "-a", "arguments", multiple=True, metavar="KEY=VALUE", help="Set an attribute of the spider; repeatable."
)
set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Set one key of crawl.toml; repeatable.",
)


#: A scheme of something else; `localhost:8000` has none.
_OTHER_SCHEME = re.compile(
    r"(?!https?:)([a-z][a-z0-9+.-]*(?=://)|(?:about|data|file|javascript|mailto)(?=:))", re.IGNORECASE
)


def require_url(url: str) -> str:
    """The URL as typed. UsageError when it has no http(s) scheme or no host; it does not show the user's password."""
    from crawlkit.sessions.leaks import shown

    if not has_scheme(url):
        other = _OTHER_SCHEME.match(url)
        if other is not None:
            raise UsageError(f"{shown(url)}: {other[1].lower()}: is not fetched, only http:// and https:// are")
        rest = re.sub(r"^(?:https?:)?[/:]*", "", shown(url), flags=re.IGNORECASE)
        hint = f", such as https://{rest}" if rest else ""
        raise UsageError(f"{shown(url)}: not an absolute URL; write it with its scheme{hint}")
    if not url.partition("://")[2].lstrip("/"):
        raise UsageError(f"{shown(url)}: has no host")
    return url


def parse_headers(lines: tuple[str, ...]) -> dict[str, str]:
    """`-H "Name: value"` options. UsageError, which does not show it, for one without a colon."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UsageError('-H: there is no name, or no colon after it; write it as "Name: value"')
        headers[name.strip()] = value.strip()
    return headers
