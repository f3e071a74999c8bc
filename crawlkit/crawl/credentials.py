"""Credentials: a profile's user name, password and one-time secret, read from the environment when they are used."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crawlkit.exceptions import ConfigError


@dataclass(frozen=True, slots=True)
class CredentialNames:
    """What `[profiles.NAME]` of crawl.toml names. The fields hold names of environment variables, never a secret."""

    profile: str
    username_variable: str | None = None
    password_variable: str | None = None
    totp_variable: str | None = None

    @property
    def username(self) -> str:
        """The user name. ConfigError names the key or variable that is missing."""
        return self._read("username", self.username_variable)

    @property
    def password(self) -> str:
        """The password. ConfigError names the key or variable that is missing."""
        return self._read("password", self.password_variable)

    def _read(self, key: str, variable: str | None) -> str:
        if not variable:
            raise ConfigError(
                f'profile {self.profile!r} has no {key}: add {key} = "NAME_OF_A_VARIABLE" to '
                f"[profiles.{self.profile}] in crawl.toml and set that environment variable"
            )
        value = os.environ.get(variable)
        if not value:
            raise ConfigError(f"the {key} of profile {self.profile!r}: the environment variable {variable} is not set")
        return value


class Credentials:
    """`spider.credentials`: those of the profile that this thread is logging in as, elsewhere the spider's own.

    One spider object logs in for several profiles, each in a thread of its own; any thread may read.
    """

    def __init__(self, own: CredentialNames) -> None:
        self._own = own
        self._local = threading.local()

    @contextmanager
    def of(self, names: CredentialNames) -> Iterator[None]:
        """Within it, this thread reads the credentials of another profile."""
        before = self._names
        self._local.names = names
        try:
            yield
        finally:
            self._local.names = before

    @property
    def _names(self) -> CredentialNames:
        names: CredentialNames = getattr(self._local, "names", self._own)
        return names

    @property
    def profile(self) -> str:
        """The profile whose credentials these are."""
        return self._names.profile

    @property
    def username(self) -> str:
        """The user name. ConfigError names the key or variable that is missing."""
        return self._names.username

    @property
    def password(self) -> str:
        """The password. ConfigError names the key or variable that is missing."""
        return self._names.password

    def __repr__(self) -> str:
        return f"<Credentials of profile {self.profile!r}>"
