"""Firefox: the cookies that a Firefox of this user keeps on the disk.

What belongs here: finding its profile, reading a copy of its cookies.sqlite. What does not: what is done with the
cookies.

Firefox holds its database locked while it runs, so a copy is read, in a folder that nobody else can enter, and deleted
again. Cookies to the end of the session are not in it: Firefox keeps those elsewhere. Rows of containers, of private
windows and of cookies partitioned by the site around them (originAttributes) belong to other worlds than the one a
session lives in; they are counted and left out.
"""

from __future__ import annotations

import configparser
import contextlib
import difflib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crawlkit.exceptions import StorageError, UsageError
from crawlkit.sessions.cookie import Cookie, SameSite, place

_DATABASE = "cookies.sqlite"
#: From this version of its tables on `expiry` is in milliseconds.
_MILLISECONDS_FROM = 16
_SAME_SITE: dict[int, SameSite] = {0: "None", 1: "Lax", 2: "Strict"}


class Found(NamedTuple):
    """`cookies` of the profile `folder`, and how many rows of containers and partitions were left out."""

    folder: Path
    cookies: list[Cookie]
    left_out: int


def firefox_cookies(profile: str | None = None, *, roots: list[Path] | None = None) -> Found:
    """The cookies of a profile of Firefox: by its name, the name of its folder, or the folder's path; None: the default.

    UsageError when there is no such profile, naming those that there are; StorageError when it cannot be read. `roots`
    are the folders that hold a profiles.ini; by default where Firefox, its snap and its flatpak have it.
    """
    folder = _folder(profile, _roots() if roots is None else roots)
    with _copy(folder / _DATABASE) as copy:
        return _read(folder, copy)


def _roots() -> list[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Application Support/Firefox"]
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA", home / "AppData/Roaming")) / "Mozilla/Firefox"]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    inside = ".mozilla/firefox"
    return [
        home / inside,
        config / "mozilla/firefox",
        home / "snap/firefox/common" / inside,
        home / ".var/app/org.mozilla.firefox" / inside,
    ]


def _folder(profile: str | None, roots: list[Path]) -> Path:
    if profile is not None and (Path(profile) / _DATABASE).is_file():
        return Path(profile)
    profiles: dict[str, Path] = {}
    default = None
    for root in roots:
        named, chosen = _profiles(root)
        profiles = {**named, **profiles}
        default = default or chosen
    with_cookies = {name: folder for name, folder in profiles.items() if (folder / _DATABASE).is_file()}
    if not with_cookies:
        looked = ", ".join(str(root) for root in roots)
        raise UsageError(f"there is no Firefox with cookies here (looked in {looked}); name its profile's folder")
    if profile is None:
        if default is not None and default in with_cookies.values():
            return default
        return max(with_cookies.values(), key=lambda folder: (folder / _DATABASE).stat().st_mtime)
    for name, folder in with_cookies.items():
        if profile in (name, folder.name):
            return folder
    names = sorted(with_cookies)
    near = difflib.get_close_matches(profile, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, names))}"
    raise UsageError(f"this Firefox has no profile {profile!r} with cookies; {hint}")


def _profiles(root: Path) -> tuple[dict[str, Path], Path | None]:
    """Names and folders of the profiles under `root`, and the default's folder."""
    ini = configparser.RawConfigParser(strict=False)
    try:
        if not ini.read(root / "profiles.ini", encoding="utf-8"):
            return {}, None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{root / 'profiles.ini'} could not be read; name the profile's folder") from error
    profiles: dict[str, Path] = {}
    installed, marked = None, None
    for section in map(ini.__getitem__, ini.sections()):
        if section.name.startswith("Install") and "Default" in section:
            installed = installed or root / section["Default"]
        elif section.name.startswith("Profile") and "Path" in section:
            folder = root / section["Path"]  # an absolute path stays one
            profiles[section.get("Name", folder.name)] = folder
            if section.get("Default") == "1":
                marked = folder
    return profiles, installed or marked


@contextlib.contextmanager
def _copy(database: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crawlkit-") as folder:  # mode 0700
        copy = Path(folder) / _DATABASE
        try:
            for suffix in ("", "-wal"):
                source = database.with_name(database.name + suffix)
                if not suffix or source.exists():
                    shutil.copyfile(source, copy.with_name(copy.name + suffix))
        except OSError as error:
            raise StorageError(f"{database} could not be copied: {error.strerror}") from error
        yield copy


def _read(folder: Path, copy: Path) -> Found:
    try:
        with contextlib.closing(sqlite3.connect(copy)) as db:
            db.text_factory = lambda data: data.decode("latin-1")  # each character a byte, as Firefox would send it
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            left_out: int = db.execute("SELECT count(*) FROM moz_cookies WHERE originAttributes <> ''").fetchone()[0]
            rows = db.execute(
                "SELECT name, value, host, path, expiry, isSecure, isHttpOnly, sameSite FROM moz_cookies"
                " WHERE originAttributes = '' ORDER BY id"
            ).fetchall()
    except sqlite3.Error as error:
        raise StorageError(
            f"{folder / _DATABASE} could not be read ({error}); it may have been written at this moment: close Firefox and "
            "try again"
        ) from error
    scale = 1000 if version >= _MILLISECONDS_FROM else 1
    return Found(folder, [_cookie(row, scale) for row in rows], left_out)


def _cookie(row: tuple[str, str, str, str, int, int, int, int], scale: int) -> Cookie:
    name, value, domain, path, expiry, secure, httponly, samesite = row
    host, only, dotted = place(domain)
    return Cookie(
        name,
        value,
        host,
        host_only=only or not domain.startswith("."),
        dotted=dotted,
        path=path,
        secure=bool(secure),
        httponly=bool(httponly),
        samesite=_SAME_SITE.get(samesite),
        expires=expiry // scale,
    )
