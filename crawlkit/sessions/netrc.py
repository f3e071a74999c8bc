"""netrc: user name and password for a host from the file that ftp, curl and requests read.

What belongs here: which file, which entry, and not reading it again while it has not changed. What does not:
deciding whether the environment is trusted at all (session.py).
"""

from __future__ import annotations

import netrc as stdlib_netrc
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawlkit.exceptions import RequestException
from crawlkit.sessions.target import prepare_url
from crawlkit.sessions.variables import undecoded

NETRC_FILES = (".netrc", "_netrc")

# A folder changed this recently may change again within the same tick of its clock: it is not remembered.
_SETTLED_NANOSECONDS = 2_000_000_000

# $HOME undecoded → the folder and its time of change, of homes without a netrc file: before every request,
# one stat.
_without: dict[Any, tuple[str, int]] = {}


def get_netrc_auth(url: str | bytes, raise_errors: bool = False) -> tuple[str, str] | None:
    """(user, password) for the host of `url`; None when there is no entry. Any thread.

    The file is $NETRC, else ~/.netrc, else ~/_netrc. The host is the one that will be connected to, by name
    alone, whatever else the URL holds (CVE-2024-47081). A file that cannot be read or parsed counts as empty
    unless `raise_errors`.
    """
    path = _file()
    if path is None:
        return None
    host = _host(url.decode("utf-8") if isinstance(url, bytes) else url)
    if host is None:
        return None
    try:
        change = path.stat()
        entry = _entries(str(path), change.st_mtime_ns, change.st_size, change.st_ino).authenticators(host)
    except (stdlib_netrc.NetrcParseError, OSError, UnicodeDecodeError):
        if raise_errors:
            raise
        return None
    if not entry or not any(entry):
        return None
    login, account, password = entry
    return login or account or "", password or ""


def _host(url: str) -> str | None:
    try:
        return urlsplit(prepare_url(url)).hostname
    except (RequestException, ValueError):
        return None


def _file() -> Path | None:
    if undecoded("NETRC") is not None:
        path = Path(_expanded(os.environ["NETRC"]))
        return path if path.exists() else None
    key = undecoded("HOME")
    known = _without.get(key)
    home = known[0] if known else _expanded("~")
    try:
        changed = os.stat(home).st_mtime_ns  # noqa: PTH116 - a third of Path's cost
    except OSError:
        return None
    if known and known[1] == changed:
        return None
    for name in NETRC_FILES:
        path = Path(home, name)
        if path.exists():
            return path
    if time.time_ns() - changed > _SETTLED_NANOSECONDS:
        _without[key] = (home, changed)
    return None


def _expanded(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 - netrc's name may be relative to another user's home


@lru_cache(maxsize=4)
def _entries(path: str, _changed: int, _size: int, _inode: int) -> stdlib_netrc.netrc:
    return stdlib_netrc.netrc(path)
