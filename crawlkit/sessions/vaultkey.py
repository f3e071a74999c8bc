"""Where the key of an encrypted vault comes from: an environment variable, else the keyring of the system.

What belongs here: finding it, keeping it in the keyring, and what to do when there is none. What does not: what is done
with it (vaultcipher.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from crawlkit.exceptions import ConfigError
from crawlkit.sessions import systemkeyring

VARIABLE = "CRAWLKIT_VAULT_KEY"
#: The keyring's service; an entry is named after the vault's salt, so that the file may be moved.
_SERVICE = "crawlkit vault"


def from_environment() -> str | None:
    """The key or passphrase that the environment has, without blanks around it; None when it has none."""
    return os.environ.get(VARIABLE, "").strip() or None


def find(path: Path, salt: bytes) -> tuple[str, str]:
    """The key of an encrypted vault and where it was found. ConfigError, which says what to do, when there is none."""
    text = from_environment()
    if text is not None:
        return text, f"the one in the environment variable {VARIABLE}"
    if not systemkeyring.is_installed():
        raise _missing(path, "")
    try:
        text = systemkeyring.read(_SERVICE, salt.hex())
    except ConfigError as error:
        raise _missing(path, f" ({str(error).partition(';')[0]})") from error
    if text is None:
        raise _missing(path, " (nor has the keyring)")
    return text, "the one in the keyring"


def keep(salt: bytes, text: str) -> None:
    """Put a vault's key into the keyring. ConfigError when that cannot be."""
    systemkeyring.write(_SERVICE, salt.hex(), text)


def forget(salt: bytes) -> None:
    """Take a vault's key out of the keyring, if it was used: the environment has none, and there is a keyring."""
    if from_environment() is None and systemkeyring.is_installed():
        systemkeyring.delete(_SERVICE, salt.hex())


def wrong(path: Path, source: str) -> ConfigError:
    """The key is not the vault's."""
    return ConfigError(
        f"the vault {path} is encrypted with another key than {source}: give the one that it was encrypted with"
    )


def _missing(path: Path, more: str) -> ConfigError:
    return ConfigError(
        f"the vault {path} is encrypted and {VARIABLE} is not set{more}: set it to the vault's key or passphrase "
        "(for cron, in the file that login.env_file names)"
    )
