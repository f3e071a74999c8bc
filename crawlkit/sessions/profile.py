"""Profile: what of a session outlives a run: its cookies, its headers, the state of its login.

What belongs here: what a row of the vault means, and finding out what changed. What does not: SQL
(vaultrows.py), how cookies behave (the jar), when to save (the session).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from crawlkit.exceptions import UsageError
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.forklock import new_lock
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.vault import Sight, Vault, check_name
from crawlkit.sessions.vaultrows import COOKIES, HEADERS, STATE, TABLES, Changes, Key, Record

HeaderValue = str | bytes | None

# What belongs to one request only. (httpie's rule, and the ones that say which part of which body is meant.)
_NEVER_KEPT = frozenset(("connection", "cookie", "expect", "host", "range", "transfer-encoding"))
_NEVER_KEPT_PREFIXES = ("content-", "if-", "proxy-")

_STALE_SECONDS = 3600.0  # times of access alone are written at most so often
_FARTHEST = 2.0**53


class Profile:
    """A named set of rows in the vault: `jar`, `headers` and `state`, which may be changed freely and by any
    thread.

    `save()` writes what changed and takes over what other processes saved; of two changes to one cookie,
    header or entry of `state` the later one stays. `headers` are names and values; a value of None says that
    a session does not send its default of this name. `state` holds JSON values under a name each, such as
    {"login": {"epoch": 3}}.

    A save has a turn (a lock held during I/O): two threads that save do so one after the other. The jar's
    lock is taken in it for moments, never the other way round.
    """

    def __init__(self, vault: Vault, name: str) -> None:
        self.vault = vault
        self.name = check_name(name)
        self.headers: CaseInsensitiveDict[HeaderValue] = CaseInsensitiveDict()
        self.state: dict[str, Any] = {}
        self.jar = CookieJar()
        self._turn = new_lock()
        self._seen = Sight()
        self._handed: CaseInsensitiveDict[HeaderValue] = CaseInsensitiveDict()  # what the session has of `headers`
        self._synced: Changes = {table: {} for table in TABLES}
        self._version = 0

    @property
    def jar(self) -> CookieJar:
        """The cookies. Another jar may be assigned: the next save writes the difference."""
        return self._jar

    @jar.setter
    def jar(self, jar: CookieJar) -> None:
        jar.track_deletions()
        self._jar = jar
        self._version = -1

    def __repr__(self) -> str:
        return f"<Profile {self.name} of {self.vault.path}>"

    @property
    def changed(self) -> bool:
        """Whether there is something to save. (Attributes assigned on cookies are not seen here; `save()`
        sees them.)"""
        now = time.time()
        return self._jar.version != self._version or bool(self._header_changes(now) or self._state_changes(now))

    def load(self) -> None:
        """Take over what is in the vault. What was changed here and not saved yet stays, unless it was
        changed there later. StorageError when the vault cannot be read."""
        with self._turn:
            unsaved = self._jar.version != self._version
            version, mine, _ = self._changes()
            seen, theirs = self.vault.pull(self.name, self._seen)
            self._take_over(seen, theirs, {table: {} for table in TABLES}, version, mine)
            if unsaved:
                self._version = -1

    def save(self) -> bool:
        """Write what changed and take over what others changed; whether anything was written. StorageError
        when the vault cannot be written: nothing is lost then, the next save tries again. UsageError when
        `state` is not JSON."""
        with self._turn:
            version, ours, accessed = self._changes()
            if any(ours.values()) or accessed:
                seen, theirs = self.vault.push(self.name, self._seen, ours, accessed)
                for key, when in accessed.items():
                    self._synced[COOKIES][key] = self._synced[COOKIES][key]._replace(notes=(when,))
            else:
                seen, theirs = self.vault.pull(self.name, self._seen)
            self._take_over(seen, theirs, ours, version, {table: {} for table in TABLES})
            return any(ours.values())

    def keep_headers(self, headers: Mapping[str, HeaderValue], defaults: Mapping[str, HeaderValue]) -> None:
        """Keep what changed in `headers`, a session's, since the last call: values that differ from its
        `defaults`, None for a default that it has no more. What other processes saved under other names
        stays. Content-*, If-*, Host and what else belongs to one exchange is left out."""
        present = CaseInsensitiveDict(headers)
        usual = CaseInsensitiveDict(defaults)
        wanted: CaseInsensitiveDict[HeaderValue] = CaseInsensitiveDict()
        for name, value in present.items():
            if _is_kept(name) and (name not in usual or usual[name] != value):
                wanted[name] = value
        for name in usual:
            if name not in present:
                wanted[name] = None
        for name, value in wanted.items():
            if name not in self._handed or self._handed[name] != value:
                self.headers[name] = value
        for name in self._handed:
            if name not in wanted:
                self.headers.pop(name, None)
        self._handed = wanted

    def headers_over(self, defaults: Mapping[str, HeaderValue]) -> CaseInsensitiveDict[HeaderValue]:
        """`defaults` with the profile's headers over them, for a session to start with. None stays None: it
        is not sent.
        """
        merged: CaseInsensitiveDict[HeaderValue] = CaseInsensitiveDict(defaults)
        merged.update(self.headers)
        self._handed = CaseInsensitiveDict(self.headers)
        return merged

    # --- what changed here
    # ----------------------------------------------------------------------------------------

    def _changes(self) -> tuple[int, Changes, dict[Key, float]]:
        """The jar's version, the rows that differ from what was last synced, and times of access."""
        now = time.time()
        version, cookies, gone = self._jar.snapshot()
        synced = self._synced[COOKIES]
        rows = {cookie.key: _record(cookie) for cookie in cookies}
        changed = {key: record for key, record in rows.items() if not record.same(synced.get(key))}
        for key, record in changed.items():
            before = synced.get(key)
            if before is not None and before.modified == record.modified:  # an attribute was assigned to
                changed[key] = record._replace(modified=self._jar.mark_changed(key))
        for key, before in synced.items():
            if key not in rows and key not in gone and not _expired(before, now):
                gone[key] = max(now, before.modified)
        changed.update({key: Record(COOKIES.blank, when, True) for key, when in gone.items() if key not in rows})
        ours = {COOKIES: changed, HEADERS: self._header_changes(now), STATE: self._state_changes(now)}
        return version, ours, self._accesses(rows, bool(any(ours.values())))

    def _accesses(self, rows: Mapping[Key, Record], writing: bool) -> dict[Key, float]:
        """Times of access that are new, if something else is written or one of them is much newer."""
        synced = self._synced[COOKIES]
        newer = {
            key: (record.notes[0], record.notes[0] - synced[key].notes[0])
            for key, record in rows.items()
            if key in synced and record.notes[0] > synced[key].notes[0]
        }
        if not writing and not any(difference > _STALE_SECONDS for _, difference in newer.values()):
            return {}
        return {key: when for key, (when, _) in newer.items()}

    def _header_changes(self, now: float) -> dict[Key, Record]:
        rows: dict[Key, tuple[Any, ...]] = {
            (name.lower(),): (name, value) for name, value in list(self.headers.items()) if _is_kept(name)
        }
        return _differences(rows, self._synced[HEADERS], HEADERS.blank, now)

    def _state_changes(self, now: float) -> dict[Key, Record]:
        rows: dict[Key, tuple[Any, ...]] = {}
        for name, value in list(self.state.items()):
            try:
                rows[(name,)] = (json.dumps(value, sort_keys=True, allow_nan=False),)
            except (TypeError, ValueError) as error:
                raise UsageError(f"state[{name!r}] of profile {self.name} is not JSON: {error}") from None
        return _differences(rows, self._synced[STATE], STATE.blank, now)

    # --- what changed elsewhere
    # -----------------------------------------------------------------------------------

    def _take_over(self, seen: Sight, theirs: Changes, ours: Changes, version: int, unsaved: Changes) -> None:
        """Bring jar, headers and state up to what the vault now says, and remember that it says so.

        `ours` is what was written, `unsaved` what was changed here and was not.
        """
        if self._seen.profile not in (None, seen.profile):
            self._forget_synced(theirs, ours, unsaved)
        cookies = [cookie_of(key, record) for key, record in theirs[COOKIES].items() if not record.deleted]
        deleted = {_jar_key(key): record.modified for key, record in theirs[COOKIES].items() if record.deleted}
        absorbed = self._jar.absorb(cookies, deleted)
        self._jar.forget_deletions({_jar_key(k): r.modified for k, r in ours[COOKIES].items() if r.deleted})
        for (name,), record in _later(theirs[HEADERS], unsaved[HEADERS]):
            self.headers.pop(name, None)
            if not record.deleted:
                spelling, value = record.values
                self.headers[spelling] = value
        for (name,), record in _later(theirs[STATE], unsaved[STATE]):
            self.state.pop(name, None)
            if not record.deleted:
                self.state[name] = json.loads(record.values[0])
        for table in TABLES:
            rows = {**self._synced[table], **ours[table], **theirs[table]}
            self._synced[table] = {key: record for key, record in rows.items() if not record.deleted}
        self._seen = seen
        self._version = version + absorbed if self._jar.version == version + absorbed else version

    def _forget_synced(self, theirs: Changes, ours: Changes, unsaved: Changes) -> None:
        """The profile was deleted (and perhaps made anew): what was loaded from it and not changed since goes
        too."""
        for table in TABLES:
            for key, record in self._synced[table].items():
                if key not in ours[table] and key not in unsaved[table]:
                    theirs[table].setdefault(key, record._replace(deleted=True))


def _later(theirs: Mapping[Key, Record], unsaved: Mapping[Key, Record]) -> list[tuple[Key, Record]]:
    """Theirs, without what was changed here later."""
    return [(k, r) for k, r in theirs.items() if k not in unsaved or unsaved[k].modified <= r.modified]


def _differences(
    rows: Mapping[Key, tuple[Any, ...]], synced: Mapping[Key, Record], blank: tuple[Any, ...], now: float
) -> dict[Key, Record]:
    changed: dict[Key, Record] = {}
    for key in {**rows, **synced}:
        before = synced.get(key)
        if before is None or key not in rows or rows[key] != before.values:
            modified = now if before is None else max(now, before.modified + 1e-6)
            changed[key] = Record(rows.get(key, blank), modified, key not in rows)
    return changed


def _is_kept(name: str) -> bool:
    return name.lower() not in _NEVER_KEPT and not name.lower().startswith(_NEVER_KEPT_PREFIXES)


def _expired(record: Record, now: float) -> bool:
    expires = record.values[COOKIES.values.index("expires")]
    return expires is not None and expires <= now


def _jar_key(key: Key) -> tuple[str, bool, str, str]:
    host, host_only, path, name = key
    return host, bool(host_only), path, name


def _record(cookie: Cookie) -> Record:
    extra = cookie.extra()
    values = (
        cookie.value,
        cookie.dotted,
        cookie.secure,
        cookie.httponly,
        cookie.samesite,
        None if cookie.expires is None else max(-_FARTHEST, min(cookie.expires, _FARTHEST)),
        not cookie.discard,
        cookie.creation,
        json.dumps(extra, sort_keys=True, default=str) if extra else None,
    )
    return Record(values, cookie.modified, notes=(cookie.accessed,))


def cookie_of(key: Key, record: Record) -> Cookie:
    """The cookie that a row of the vault means."""
    host, host_only, path, name = _jar_key(key)
    value, dotted, secure, httponly, samesite, expires, persistent, creation, extra = record.values
    return Cookie(
        name,
        value,
        host,
        host_only=host_only,
        path=path,
        secure=bool(secure),
        httponly=bool(httponly),
        samesite=samesite,
        expires=expires,
        discard=not persistent,
        dotted=bool(dotted),
        creation=creation,
        accessed=record.notes[0],
        modified=record.modified,
        extra=json.loads(extra) if extra else None,
    )
