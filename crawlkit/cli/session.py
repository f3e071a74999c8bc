"""`crawlkit session`: the vault of saved sessions: which there are, copies of them, their end, encryption.

What belongs here: the group, and the commands that are a call of the vault. What one profile holds is session_show.py's,
cookies from elsewhere session_import.py's, cookies for elsewhere session_export.py's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.groups import CommandGroup
from crawlkit.cli.options import debug_option, json_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.session_vault import find_vault, print_object, vault_option, vault_settings
from crawlkit.cli.tables import print_table
from crawlkit.cli.terminal import counted, safe
from crawlkit.crawl.quantities import span_text
from crawlkit.exceptions import ConfigError, UsageError

if TYPE_CHECKING:
    from crawlkit.sessions.vault import Summary, Vault

_COMMANDS = {
    "list": ("session:list_profiles", "The profiles: cookies, hosts, age, login."),
    "show": ("session_show", "What each cookie and header of a profile is for; values only with --reveal."),
    "import": ("session_import", "Take cookies from cookies.txt, JSON, a cURL command or Firefox."),
    "export": ("session_export", "Write a profile's cookies to a file."),
    "fork": ("session:fork", "Save a profile once more under another name."),
    "forget": ("session:forget", "Delete a profile for good."),
    "key": ("session:key", "Print a new key for an encrypted vault."),
    "encrypt": ("session:encrypt", "Encrypt the vault."),
    "decrypt": ("session:decrypt", "Write the vault's values as they are."),
}

_COLUMNS = ("profile", "cookies", "hosts", "saved", "login")
_SHOWN_HOSTS = 3


@click.group("session", cls=CommandGroup, table=_COMMANDS)
@debug_option
def command(debug: bool) -> None:
    """The vault of saved sessions: data/sessions.db, or where [store] dir says.

    Values are secrets: they are shown with --reveal only, and kept from everyone but you.
    """


# --- list ----------------------------------------


@click.command("list")
@vault_option
@json_option
@debug_option
def list_profiles(file: Path | None, as_json: bool, debug: bool) -> int:
    """List the profiles: how many cookies of which hosts, when saved, whether logged in."""
    vault = find_vault(file, unlocked=False)
    now = time.time()
    summaries = vault.summaries()
    logins, problem = _logins(vault, summaries, now)
    if as_json:
        profiles = [_fields(summary, logins.get(summary.name)) for summary in summaries]
        print_object({"vault": str(vault.path), "encrypted": vault.encrypted, "profiles": profiles})
    elif not summaries:
        click.echo(f"{shown(vault.path)}: no profiles yet; a run that logs in makes one, or crawlkit session import")
    else:
        print_table(_COLUMNS, [_row(s, logins.get(s.name), now) for s in summaries], right={"cookies"})
    if problem is not None:
        click.echo(f"logins are not shown: {problem}", err=True)
    return exit_codes.COMPLETE


def _logins(vault: Vault, summaries: list[Summary], now: float) -> tuple[dict[str, dict[str, Any]], ConfigError | None]:
    """What is known of each profile's login, by name; why that is nothing, when the vault's key is missing."""
    from crawlkit.cli.session_show import login_fields
    from crawlkit.sessions.contents import contents

    try:
        return {s.name: login_fields(contents(vault, s.name), now) for s in summaries}, None
    except ConfigError as error:
        return {}, error


def _fields(summary: Summary, login: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "profile": summary.name,
        "cookies": summary.cookies,
        "hosts": list(summary.hosts),
        "created": summary.created,
        "saved": summary.saved,
        "login": login,
    }


def _row(summary: Summary, login: dict[str, Any] | None, now: float) -> tuple[str, ...]:
    from crawlkit.cli.session_show import login_text

    hosts = ", ".join(safe(host, one_line=True) for host in summary.hosts[:_SHOWN_HOSTS])
    more = len(summary.hosts) - _SHOWN_HOSTS
    return (
        summary.name,
        str(summary.cookies),
        f"{hosts} and {more} more" if more > 0 else hosts,
        f"{span_text(now - summary.saved)} ago",
        "" if login is None else login_text(login, now),
    )


# --- copies and ends ----------------------------------------


@click.command("fork")
@click.argument("source", metavar="A")
@click.argument("target", metavar="B")
@vault_option
@json_option
@debug_option
def fork(source: str, target: str, file: Path | None, as_json: bool, debug: bool) -> int:
    """Save the profile A once more as B: cookies, headers and login. From then on each goes its own way."""
    vault = find_vault(file)
    vault.copy(source, target)
    if as_json:
        print_object({"vault": str(vault.path), "profile": target, "forked": source})
    else:
        click.echo(f"forked {source} as {target}")
    return exit_codes.COMPLETE


@click.command("forget")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@vault_option
@json_option
@debug_option
def forget(name: str, yes: bool, file: Path | None, as_json: bool, debug: bool) -> int:
    """Delete the profile NAME for good. Needs no key. The site still knows the session: log out there if it matters."""
    vault = find_vault(file, unlocked=False)
    vault.require(name)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"forget {name}: there is nobody to ask; add --yes")
        yes = click.confirm(f"Forget the profile {name} in {shown(vault.path)} for good?", err=True)
    if yes:
        vault.delete(name)
    if as_json:
        print_object({"vault": str(vault.path), "profile": name, "forgotten": yes})
    else:
        click.echo(f"forgot {name}" if yes else f"kept {name}")
    return exit_codes.COMPLETE


# --- encryption ----------------------------------------


@click.command("key")
@json_option
@debug_option
def key(as_json: bool, debug: bool) -> int:
    """Print a new key, for the environment variable CRAWLKIT_VAULT_KEY. Without it an encrypted vault is lost: keep it
    where you keep passwords."""
    from crawlkit.sessions.vaultcipher import new_key

    if as_json:
        print_object({"key": new_key()})
    else:
        click.echo(new_key())
    return exit_codes.COMPLETE


@click.command("encrypt")
@click.option(
    "--keyring", "in_keyring", is_flag=True, help="Keep the key in the system's keyring; makes one if need be."
)
@vault_option
@json_option
@debug_option
def encrypt(in_keyring: bool, file: Path | None, as_json: bool, debug: bool) -> int:
    """Encrypt every value in the vault with the key or passphrase in CRAWLKIT_VAULT_KEY. Names, hosts and expiry times
    stay readable. A vault that is not there yet is made."""
    from crawlkit.crawl.vaults import vault_key
    from crawlkit.sessions import vaultkey
    from crawlkit.sessions.vaultcipher import new_key

    vault = find_vault(file, new=True, unlocked=False)
    text = vault_key(vault_settings()) or (new_key() if in_keyring or vault.encrypted else None)
    if text is None:
        raise ConfigError(
            f"there is no key: set {vaultkey.VARIABLE} to a long passphrase, or to what `crawlkit session key` prints; or "
            "add --keyring"
        )
    newly = vault.encrypt(text, in_keyring=in_keyring)
    return _told(vault, as_json, "encrypted" if newly else "is encrypted already;")


@click.command("decrypt")
@vault_option
@json_option
@debug_option
def decrypt(file: Path | None, as_json: bool, debug: bool) -> int:
    """Write every value in the vault as it is. Whoever can read the file can then read them."""
    vault = find_vault(file)
    return _told(vault, as_json, "decrypted" if vault.decrypt() else "is not encrypted;")


def _told(vault: Vault, as_json: bool, what: str) -> int:
    profiles = len(vault.names())
    if as_json:
        print_object({"vault": str(vault.path), "encrypted": vault.encrypted, "profiles": profiles})
    else:
        click.echo(f"{shown(vault.path)}: {what} {counted(profiles, 'profile')}")
    return exit_codes.COMPLETE
