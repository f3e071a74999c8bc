"""The vault of a run or a command: which file, and which key opens it.

What belongs here: the key's way from `[login] env_file` to the vault: cron has no environment. What does not: the vault
itself (crawlkit.sessions).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crawlkit.crawl.envfile import read_env_file
from crawlkit.sessions import vaultkey
from crawlkit.sessions.vault import Vault

if TYPE_CHECKING:
    from crawlkit.crawl.settings import Settings


def open_vault(path: Path, settings: Settings) -> Vault:
    """The vault at `path`, which its first write makes when it is missing. ConfigError when the env_file cannot be
    trusted or read; StorageError as Vault does."""
    return Vault(path, make=False, key=_key_in_file(settings))


def vault_key(settings: Settings) -> str | None:
    """The key that the environment has, else the env_file; None when neither has one."""
    return vaultkey.from_environment() or _key_in_file(settings)


def _key_in_file(settings: Settings) -> str | None:
    """The key in the env_file, which is read only when the environment has none."""
    if settings.login.env_file is None or vaultkey.from_environment() is not None:
        return None
    variables = read_env_file(settings.folder / Path(settings.login.env_file).expanduser())
    return variables.get(vaultkey.VARIABLE) or None
