"""Keeping: the half of a Session that outlives it: its jar, its profile and the headers that belong to it.

What belongs here: joining a Session and a Profile. What does not: when to save (autosave.py), what is saved
(profile.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import cookiejar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.sessions.cookies import CookieJar, cookiejar_from_dict, merge_cookies
from crawlkit.sessions.defaults import default_headers
from crawlkit.sessions.headers import CaseInsensitiveDict, HeaderValue
from crawlkit.sessions.offered import offered

if TYPE_CHECKING:
    from crawlkit.sessions.autosave import Autosave
    from crawlkit.sessions.profile import Profile
    from crawlkit.sessions.vault import Vault
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Autosave = Profile = Vault = Any

DEFAULT_VAULT = Path("data", "sessions.db")


class Keeping:
    """A session's memory. Without a profile it ends with the session."""

    headers: Any
    _usual_headers: CaseInsensitiveDict[HeaderValue]
    _autosave: Autosave | None = None
    _session_jar: Any

    if TYPE_CHECKING:

        def _confide_jar(self) -> None: ...

    @property
    def cookies(self) -> Any:
        """The jar: ours, or any of http.cookiejar that was assigned; a mapping that is assigned becomes a jar of
        ours.
        """
        return self._session_jar

    @cookies.setter
    def cookies(self, jar: Any) -> None:
        self._session_jar = jar if isinstance(jar, cookiejar.CookieJar) else cookiejar_from_dict(jar)
        self._confide_jar()
        if self._autosave is not None:
            self._join_jar(self._autosave.profile)

    @offered
    def profile(self) -> Profile | None:
        """What outlives this session, None when it has no name."""
        return self._kept_profile

    @property
    def _kept_profile(self) -> Profile | None:
        return None if self._autosave is None else self._autosave.profile

    @property
    def default_headers(self) -> CaseInsensitiveDict[HeaderValue]:
        """The headers that are sent when neither program nor profile say otherwise; they are not kept in the
        profile.
        """
        own = self.__dict__.get("default_headers")
        return self._usual_headers.copy() if own is None else own

    @default_headers.setter
    def default_headers(self, headers: Mapping[str, HeaderValue]) -> None:
        if "_usual_headers" not in self.__dict__:  # a subclass has an attribute of this name, set before our __init__
            self.__dict__["default_headers"] = headers
            return
        self._set_default_headers(headers)

    def _set_default_headers(self, headers: Mapping[str, HeaderValue]) -> None:
        before, self._usual_headers = self._usual_headers, default_headers()
        self._usual_headers.update(headers)
        for name, value in self._usual_headers.items():
            if name not in self.headers or self.headers[name] == before.get(name):
                self.headers[name] = value
        if self._autosave is not None:
            self._autosave.see(self.headers, self._usual_headers)

    def _load_profile(self, name: str, vault: str | Path | Vault | None) -> None:
        from crawlkit.sessions.autosave import Autosave
        from crawlkit.sessions.vault import Vault

        if vault is None or isinstance(vault, (str, Path)):
            vault = Vault.open(DEFAULT_VAULT if vault is None else vault, make=False)
        profile = vault.profile(name)
        self._session_jar = profile.jar
        self._autosave = Autosave(profile)
        self._autosave.load(self.headers, self._usual_headers)

    def save(self) -> None:
        """Writes what changed to the vault. Nothing happens without a profile. Raises StorageError."""
        self._save_profile()

    def _save_profile(self) -> None:
        if self._autosave is not None:
            self._join_jar(self._autosave.profile)
            self._autosave.save(self.headers, self._usual_headers)

    def forget_changes(self) -> None:
        """What changed since the last save will not be written at the end of the process, as it is otherwise."""
        if self._autosave is not None:
            self._autosave.cancel()

    def _join_jar(self, profile: Profile) -> None:
        """The profile keeps the session's jar, or the cookies of one that is not ours."""
        jar = self._session_jar
        if jar is not profile.jar:
            profile.jar = jar if isinstance(jar, CookieJar) else merge_cookies(CookieJar(), jar)

    # --- pickles ---------------------------------------------------------------------------------------------

    def _pickled_memory(self) -> Any:
        """What a pickle has of it: the profile's name and file, for the vault is where its cookies live; else the
        jar.
        """
        if self._autosave is None:
            return self._session_jar
        self._save_profile()
        profile = self._autosave.profile
        return profile.name, str(profile.vault.path.absolute())

    def _unpickle_memory(self, memory: Any) -> None:
        if isinstance(memory, tuple):
            self._load_profile(*memory)
        else:
            self._session_jar = memory
