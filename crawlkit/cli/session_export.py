"""`crawlkit session export`: a profile's cookies as a file for curl, browsers' extensions and other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import debug_option, json_option
from crawlkit.cli.outputs import is_sqlite, refuse_taken, shown
from crawlkit.cli.session_import import within
from crawlkit.cli.session_vault import domain_option, find_vault, print_object, vault_option
from crawlkit.cli.terminal import counted
from crawlkit.exceptions import UsageError


@click.command("export")
@click.argument("name")
@click.option("-o", "output", required=True, metavar="FILE", help="Where to, with mode 0600; - for standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["netscape", "json"]),
    default="netscape",
    show_default=True,
    help="The format.",
)
@domain_option
@vault_option
@json_option
@debug_option
def command(
    name: str, output: str, form: str, domains: tuple[str, ...], file: Path | None, as_json: bool, debug: bool
) -> int:
    """Write the cookies of the profile NAME to FILE: as cookies.txt, or as the JSON that cookie extensions import.

    Whoever has the file is logged in. Headers and tokens are not in it.
    """
    if output == "-" and as_json:
        raise UsageError("-o - and --json both write to standard output; name a file")
    vault = find_vault(file)
    vault.require(name)
    from crawlkit.sessions.cookiefiles import format_cookies_txt, write_private
    from crawlkit.sessions.cookiejson import format_cookie_json

    cookies = [cookie for cookie in vault.profile(name).jar if cookie.host]
    if domains:
        cookies = within(cookies, domains)
    text = format_cookie_json(cookies) if form == "json" else format_cookies_txt(cookies)
    data = text.encode("latin-1")  # JSON is ASCII
    if output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return exit_codes.COMPLETE
    target = Path(output)
    _check(target, vault.path)
    write_private(target, data)
    if as_json:
        print_object({"vault": str(vault.path), "profile": name, "file": str(target), "cookies": len(cookies)})
    else:
        click.echo(f"wrote {counted(len(cookies), 'cookie')} to {shown(target)}", err=True)
    return exit_codes.COMPLETE


def _check(target: Path, vault: Path) -> None:
    """UsageError when the file could not be written, or is a database."""
    refuse_taken(f"-o {target}", target, {vault: "the vault of saved sessions"})
    if is_sqlite(target):
        raise UsageError(f"-o {target}: is a database, which it would replace; name another file")
    if target.is_dir():
        raise UsageError(f"-o {target}: is a folder; name a file")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"-o {target}: there is no folder {target.parent}")
