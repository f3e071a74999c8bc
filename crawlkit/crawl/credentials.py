"""Credentials: a profile's user name, password and one-time secret, read from the environment when they are used."""

from __future__ import annotations

import os
from dataclasses import dataclass

from crawlkit.exceptions import ConfigError


@dataclass(frozen=True, slots=True)
class Credentials:
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
