"""The keyring of the operating system, with the extra [keyring]: the one place that knows the package.

What belongs here: reading, writing and deleting an entry, and what its failures mean. What does not: what is kept in it.
"""

from __future__ import annotations

from types import ModuleType

from crawlkit.exceptions import ConfigError


def is_installed() -> bool:
    """Whether the extra is there. Imports nothing."""
    from importlib.util import find_spec

    return find_spec("keyring") is not None


def read(service: str, name: str) -> str | None:
    """The entry's text, None when there is none. ConfigError when there is no keyring that answers."""
    keyring = _package()
    try:
        found: str | None = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        raise _no_answer(error) from error
    return found


def write(service: str, name: str, text: str) -> None:
    """Keep `text` as the entry. ConfigError when there is no keyring that takes it."""
    keyring = _package()
    try:
        keyring.set_password(service, name, text)
    except keyring.errors.KeyringError as error:
        raise _no_answer(error) from error


def delete(service: str, name: str) -> None:
    """Delete the entry, if there is one. ConfigError when there is no keyring that answers."""
    keyring = _package()
    try:
        keyring.delete_password(service, name)
    except keyring.errors.PasswordDeleteError:
        return
    except keyring.errors.KeyringError as error:
        raise _no_answer(error) from error


def _package() -> ModuleType:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise ConfigError("the keyring needs the extra [keyring]: pip install 'crawlkit[keyring]'") from None
    return keyring


def _no_answer(error: Exception) -> ConfigError:
    if type(error).__name__ == "NoKeyringError":  # its message is an advertisement
        return ConfigError("this system has no keyring; use an environment variable in its place")
    # The message names the backend and what is wrong with it, never an entry's text.
    told = " ".join(str(error).split()) or type(error).__name__
    return ConfigError(f"the keyring of this system does not answer ({told}); use an environment variable in its place")
