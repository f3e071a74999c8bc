"""The vault that a `crawlkit session` command means, and how such a command tells its result."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.outputs import check_vault
from crawlkit.crawl.settings import resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.crawl.settings import Settings
    from crawlkit.sessions.vault import Vault

vault_option = click.option(
    "--vault", "file", type=click.Path(path_type=Path), metavar="FILE", help="The vault, by its path."
)
domain_option = click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="HOST",
    help="Only cookies of this host and those under it; repeatable.",
)


def find_vault(file: Path | None, *, new: bool = False, unlocked: bool = True) -> Vault:
    """The vault `file`, else the one that runs in this folder use. Nothing is created.

    UsageError: there is no such `file` (unless the command may make a `new` one), or others can get at it. ConfigError:
    it is encrypted and its key is not there, unless the command does without (`unlocked` False).
    """
    settings = vault_settings()
    path = file if file is not None else settings.vault
    if file is not None and not new and not file.is_file():
        raise UsageError(f"--vault {file}: there is no such file")
    check_vault(path)
    from crawlkit.crawl.vaults import open_vault

    vault = open_vault(path, settings)
    if unlocked:
        vault.unlock()
    return vault


def vault_settings() -> Settings:
    """What crawl.toml says here. ConfigError when it is wrong."""
    return resolve_settings(find_config(Path.cwd()))


def print_object(fields: dict[str, Any]) -> None:
    """The object that --json ends with. What the user asked to see is in it as it is: no redactor comes between."""
    sys.stdout.write(json.dumps({**fields, "exit_code": exit_codes.COMPLETE}) + "\n")
    sys.stdout.flush()
