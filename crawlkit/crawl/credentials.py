"""Credentials: a profile's user name, password and one-time codes, found when they are used.

What belongs here: where each is looked for, and what an error says of the one that is missing. What does not: the file
(envfile.py), the keyring (sessions/systemkeyring.py), the codes (sessions/totp.py), drawing a question on a terminal (cli/).

In this order: the environment variable that `[profiles.NAME]` names; the same name in `[login] env_file`; the keyring,
when the profile names a service there; a question, when somebody sits at a terminal. No object here holds a secret where
`repr()`, `vars()` or a pickle would show it, and nothing is kept longer than the process.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from crawlkit.crawl.envfile import read_env_file
from crawlkit.crawl.settings_sections import ProfileSettings
from crawlkit.exceptions import ConfigError
from crawlkit.sessions import systemkeyring
from crawlkit.sessions.totp import Totp

if TYPE_CHECKING:
    from crawlkit.crawl.settings import Settings

log = logging.getLogger(__name__)

#: The secret in an otpauth:// URI: a site shows it by itself as well.
_IN_URI = re.compile(r"^\s*otpauth:.*[?&]secret=([^&#\s]+)", re.IGNORECASE)

#: (question, whether the answer is hidden) → the answer. ConfigError when there is none.
Prompt = Callable[[str, bool], str]

_NAMES = {"username": "user name", "password": "password", "totp": "TOTP secret"}

#: (profile, key) → what was answered: a process asks once, however many spiders it runs.
_answers: dict[tuple[str, str], str] = {}
_asking = threading.Lock()


class _NotPickled:
    __slots__ = ()

    def __reduce__(self) -> str:
        raise TypeError(f"{type(self).__name__} is not pickled: credentials do not leave the process")


class CredentialSources(_NotPickled):
    """Where a run finds the credentials of its profiles. Any thread.

    Reads `[login] env_file` at once: ConfigError when that cannot be trusted or read. `prompt` asks a question; None:
    nobody is there to answer. `learn` is told every secret that is read, so that no log shows it.
    """

    __slots__ = ("_env_file", "_file", "_learn", "_profiles", "_prompt")

    def __init__(
        self, settings: Settings, *, prompt: Prompt | None = None, learn: Callable[[str], object] | None = None
    ) -> None:
        self._profiles = settings.profiles
        self._prompt = prompt
        self._learn = learn
        name = settings.login.env_file
        self._env_file = None if name is None else settings.folder / Path(name).expanduser()
        self._file = _Hidden({} if self._env_file is None else read_env_file(self._env_file))

    def of(self, profile: str | None) -> ProfileCredentials:
        """Those of one profile; of a session without any: those of a profile called "default"."""
        return ProfileCredentials(self, profile or "default")

    def find(self, profile: str, key: str) -> str | None:
        """The value of `username`, `password` or `totp`, without asking anybody; None when it is nowhere."""
        named = self._profiles.get(profile, ProfileSettings())
        variable: str | None = getattr(named, key)
        value = None
        if variable is not None:
            value = os.environ.get(variable) or self._file.get(variable)
        if not value and named.keyring is not None:
            value = self._stored(profile, named.keyring, key)
        if not value:
            return None
        self._teach(key, value)
        return value

    def confide(self, profile: str | None) -> None:
        """Tell `learn` the secrets of a profile that can be had without asking anybody, whether or not they are to be used:
        pages show them also while a session lasts from an earlier login.
        """
        for key in ("password", "totp"):
            try:
                self.find(profile or "default", key)
            except ConfigError as error:  # of a keyring that does not answer: who needs what is in it is told so
                log.debug("%s", error)

    def ask(self, profile: str, key: str) -> str | None:
        """What is answered when somebody is asked; the same answer within the process. None: nobody is there."""
        if self._prompt is None:
            return None
        with _asking:
            if (profile, key) not in _answers:
                _answers[profile, key] = self._prompt(f"{_NAMES[key]} of profile {profile}", key == "password")
            value = _answers[profile, key]
        self._teach(key, value)
        return value

    def ask_code(self, profile: str) -> str | None:
        """A one-time code that somebody types. None: nobody is there."""
        if self._prompt is None:
            return None
        with _asking:
            return self._prompt(f"one-time code for profile {profile}", False)

    def missing(self, profile: str, key: str) -> NoReturn:
        """Raises ConfigError, which says what was looked for and what to set."""
        named = self._profiles.get(profile, ProfileSettings())
        variable: str | None = getattr(named, key)
        table = f"[profiles.{profile}]"
        if variable is None and named.keyring is None:
            raise ConfigError(
                f'profile {profile!r} has no {key}: add {key} = "NAME_OF_A_VARIABLE" to {table} in crawl.toml and set '
                "that environment variable" + (f", or write it into {self._env_file}" if self._env_file else "")
            )
        looked = []
        if variable is not None:
            looked.append(f"the environment variable {variable} is not set")
            if self._env_file is not None:
                looked.append(f"{self._env_file} has no line {variable}=")
        if named.keyring is not None:
            looked.append(
                f"the keyring has no {key!r} of {named.keyring!r} (to set it: keyring set {named.keyring} {key})"
            )
        raise ConfigError(f"the {key} of profile {profile!r}: {', and '.join(looked)}")

    @staticmethod
    def _stored(profile: str, service: str, key: str) -> str | None:
        try:
            return systemkeyring.read(service, key)
        except ConfigError as error:
            raise ConfigError(f"the {key} of profile {profile!r}: {error}") from error

    def _teach(self, key: str, value: str) -> None:
        if self._learn is None or key == "username":
            return
        self._learn(value)
        if key == "totp" and (alone := _IN_URI.search(value)) is not None:
            self._learn(alone[1])

    def __repr__(self) -> str:
        return f"<CredentialSources {len(self._profiles)} profiles>"


class ProfileCredentials(_NotPickled):
    """The credentials of one profile, looked for anew each time that one is read. Holds none of them. Any thread."""

    __slots__ = ("_sources", "profile")

    def __init__(self, sources: CredentialSources, profile: str) -> None:
        self._sources = sources
        self.profile = profile

    @property
    def username(self) -> str:
        """The user name. ConfigError names the key or variable that is missing."""
        return self._read("username")

    @property
    def password(self) -> str:
        """The password. ConfigError names the key or variable that is missing."""
        return self._read("password")

    def otp(self) -> str:
        """A one-time code for now (RFC 6238) from the profile's TOTP secret; without one, what is typed at a terminal.

        No code is given twice: asked again within the same period, it waits for the next, 30 seconds at most with the
        usual secrets. ConfigError names the key or variable that is missing, or says that the secret is none.
        """
        secret = self._sources.find(self.profile, "totp")
        if secret is None:
            return self._sources.ask_code(self.profile) or self._sources.missing(self.profile, "totp")
        try:
            return Totp(secret).code()
        except ConfigError as error:
            raise ConfigError(f"the totp of profile {self.profile!r}: {error}") from None

    def _read(self, key: str) -> str:
        sources, profile = self._sources, self.profile
        return sources.find(profile, key) or sources.ask(profile, key) or sources.missing(profile, key)

    def __repr__(self) -> str:
        return f"<Credentials of profile {self.profile!r}>"


class Credentials(_NotPickled):
    """`spider.credentials`: those of the profile that this thread is logging in as, elsewhere the spider's own.

    One spider object logs in for several profiles, each in a thread of its own; any thread may read.
    """

    __slots__ = ("_local", "_own")

    def __init__(self, own: ProfileCredentials) -> None:
        self._own = own
        self._local = threading.local()

    @contextmanager
    def of(self, other: ProfileCredentials) -> Iterator[None]:
        """Within it, this thread reads the credentials of another profile."""
        before = self._now
        self._local.now = other
        try:
            yield
        finally:
            self._local.now = before

    @property
    def _now(self) -> ProfileCredentials:
        now: ProfileCredentials = getattr(self._local, "now", self._own)
        return now

    @property
    def profile(self) -> str:
        """The profile whose credentials these are."""
        return self._now.profile

    @property
    def username(self) -> str:
        """The user name. ConfigError names the key or variable that is missing."""
        return self._now.username

    @property
    def password(self) -> str:
        """The password. ConfigError names the key or variable that is missing."""
        return self._now.password

    def otp(self) -> str:
        """A one-time code that was not given before; may wait for it, 30 seconds at most with the usual secrets.

        ConfigError names the key or variable that is missing.
        """
        return self._now.otp()

    def __repr__(self) -> str:
        return f"<Credentials of profile {self.profile!r}>"


class _Hidden(dict[str, str]):
    """Variables whose repr tells their number."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)

    def __repr__(self) -> str:
        return f"<{len(self)} variables>"
