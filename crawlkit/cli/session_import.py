"""`crawlkit session import`: cookies from elsewhere into a profile: cookies.txt, JSON, a cURL command, Firefox.

What belongs here: which of these is meant, what is taken of it, saying so. What does not: reading each (crawlkit.sessions:
cookiefiles, cookiejson, curlcommand, firefox).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import debug_option, json_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.session_vault import domain_option, find_vault, print_object, vault_option
from crawlkit.cli.terminal import counted, safe
from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.sessions.cookie import Cookie
    from crawlkit.sessions.profile import Profile

#: Browsers that keep their cookies encrypted for themselves.
_CLOSED = ("chrome", "chromium", "brave", "edge", "opera", "safari", "vivaldi")
#: The most that is read of a file: a browser's whole jar is a hundredth of it.
_MOST_BYTES = 64 * 1024 * 1024


@dataclass
class Found:
    """What a source holds. `alone`: the cookies are all that the source's host is sent, of whatever domain."""

    cookies: list[Cookie]
    headers: dict[str, str | bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    alone: bool = False


@dataclass
class Taken:
    """What became of it in the profile."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    expired: int = 0


@click.command("import")
@click.argument("name")
@click.argument("source", required=False)
@click.option("--from-browser", "browser", metavar="BROWSER", help="Take the cookies of this browser: firefox.")
@click.option("--browser-profile", "browser_profile", metavar="P", help="Its profile, by name or folder.")
@domain_option
@vault_option
@json_option
@debug_option
def command(
    name: str,
    source: str | None,
    browser: str | None,
    browser_profile: str | None,
    domains: tuple[str, ...],
    file: Path | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Put cookies into the profile NAME, which is made when there is none.

    SOURCE is a file (cookies.txt, the JSON that cookie extensions export, a cURL command), - for standard input, or the
    cURL command itself in quotes. What stands on a command line can be seen by everybody on this machine while it runs:
    prefer a file or -. Nothing of a command is run.
    """
    from crawlkit.sessions.vault import check_name

    check_name(name)
    if (source is None) == (browser is None):
        raise UsageError("name one source: a file, - or a cURL command; or --from-browser firefox")
    if browser_profile is not None and browser is None:
        raise UsageError("--browser-profile goes with --from-browser firefox")
    found = _from_browser(browser, browser_profile) if browser is not None else _from_source(str(source))
    if domains:
        found.cookies = within(found.cookies, domains)
    if not found.cookies and not found.headers:
        of = f" of {', '.join(domains)}" if domains else ""
        raise UsageError(f"{source or browser}: there is no cookie{of} in it; {name} was left as it is")
    vault = find_vault(file, new=True)
    profile = vault.profile(name)
    taken = _merge(profile, found)
    profile.save()
    if as_json:
        print_object(
            {
                "vault": str(vault.path),
                "profile": name,
                **vars(taken),
                "headers": list(found.headers),
                "notes": found.notes,
            }
        )
        return exit_codes.COMPLETE
    for note in found.notes:
        click.echo(safe(note, one_line=True), err=True)
    click.echo(f"{name} in {shown(vault.path)}: {_told(taken)}")
    if found.headers:
        click.echo(f"headers: {safe(', '.join(found.headers), one_line=True)}")
    return exit_codes.COMPLETE


def within(cookies: Sequence[Cookie], domains: Sequence[str]) -> list[Cookie]:
    """The cookies of these hosts and of those under them. UsageError for what is no host."""
    from crawlkit.sessions.cookie import place

    hosts = [place(domain)[0] for domain in domains]
    if not all(hosts):
        raise UsageError("--domain: name a host, such as example.org")
    return [c for c in cookies if any(c.host == host or c.host.endswith(f".{host}") for host in hosts)]


# --- sources ----------------------------------------


def _from_browser(browser: str, profile: str | None) -> Found:
    if browser.lower() in _CLOSED:
        raise UsageError(
            f"--from-browser {browser}: it keeps its cookies encrypted for itself alone; export a cookies.txt with an "
            "extension and import that file, or copy a request as cURL"
        )
    if browser.lower() != "firefox":
        raise UsageError(f"--from-browser {browser}: only firefox is known; import a cookies.txt or a cURL command")
    from crawlkit.sessions.firefox import firefox_cookies

    found = firefox_cookies(profile)
    notes = [f"from {found.folder}; cookies that end with Firefox's session are not in its file"]
    if found.left_out:
        notes.append(f"left out: {counted(found.left_out, 'cookie')} of containers and partitions")
    return Found(found.cookies, notes=notes)


def _from_source(source: str) -> Found:
    from crawlkit.sessions.curlcommand import is_curl

    if is_curl(source):
        found = _from_text(source.encode("utf-8", "surrogateescape"), "the cURL command")
        found.notes.insert(0, "others on this machine can see a command line; next time use a file, or - and paste it")
        return found
    if source == "-":
        if sys.stdin.isatty():
            click.echo("paste cookies.txt, JSON or a cURL command, then Ctrl-D on a line of its own:", err=True)
        return _from_text(sys.stdin.buffer.read(_MOST_BYTES + 1), "standard input")
    path = Path(source)
    try:
        with path.open("rb") as file:
            return _from_text(file.read(_MOST_BYTES + 1), source)
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {error.strerror}") from error


def _from_text(data: bytes, name: str) -> Found:
    """What kind of source it is shows in how it begins."""
    from crawlkit.sessions.cookiefiles import parse_cookies_txt
    from crawlkit.sessions.cookiejson import parse_cookie_json
    from crawlkit.sessions.curlcommand import is_curl, parse_curl

    if len(data) > _MOST_BYTES:
        raise UsageError(f"{name}: is longer than any list of cookies")
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith((b"[", b"{")) and not is_curl(start[:80].decode("latin-1")):
        return Found(parse_cookies_txt(data.decode("latin-1"), name=name))
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{name}: is not UTF-8") from None
    if not is_curl(text):
        lead = data.decode("utf-8")[: -len(text)].removeprefix("\ufeff")  # so that its lines are counted from the first
        return Found(parse_cookie_json(lead + text, name=name))
    command = parse_curl(text, name=name)
    notes = [f"left out: {', '.join(command.left_out)}"] if command.left_out else []
    return Found(command.jar_cookies(), dict(command.headers), notes, alone=True)


# --- taking over ----------------------------------------


def _merge(profile: Profile, found: Found) -> Taken:
    """Put what was found into the profile, which is not saved yet."""
    taken = Taken()
    now = time.time()
    jar = profile.jar
    own = {cookie.key: cookie for cookie in jar}
    named: dict[str, list[Cookie]] = {}
    for cookie in own.values() if found.alone else ():
        named.setdefault(cookie.name, []).append(cookie)
    for cookie in found.cookies:
        if cookie.is_expired(now):
            taken.expired += 1
            continue
        same = own.get(cookie.key)
        if same is not None and _same(same, cookie):
            taken.unchanged += 1
            continue
        # Of the same name, they would be sent as well.
        others = [
            other for other in named.pop(cookie.name, ()) if other.key != cookie.key and _goes_there(other, cookie)
        ]
        jar._delete(others)
        for other in others:
            del own[other.key]
        jar.set_cookie(cookie)
        own[cookie.key] = cookie
        if same is not None or others:
            taken.replaced += 1
        else:
            taken.added += 1
    if len(own) > len(jar):
        found.notes.append(f"there is a limit to the cookies of one site: {len(own) - len(jar)} were let go")
    profile.headers.update(found.headers)
    return taken


def _goes_there(own: Cookie, cookie: Cookie) -> bool:
    """Whether a cookie of the profile is sent to the host of `cookie` under the same name."""
    below = not own.host_only and cookie.host.endswith(f".{own.host}")
    return own.name == cookie.name and (own.host == cookie.host or below)


def _same(own: Cookie, cookie: Cookie) -> bool:
    return all(
        getattr(own, name) == getattr(cookie, name) for name in ("value", "expires", "secure", "httponly", "samesite")
    )


def _told(taken: Taken) -> str:
    parts = [f"{counted(taken.added, 'cookie')} added"]
    if taken.replaced:
        parts.append(f"{taken.replaced} replaced")
    if taken.unchanged:
        parts.append(f"{taken.unchanged} there already")
    if taken.expired:
        parts.append(f"{taken.expired} expired and left out")
    return ", ".join(parts)
