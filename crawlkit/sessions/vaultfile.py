"""The vault's file: made so that nobody else can ever read it, and refused when somebody else can.

What belongs here: creating the file, checking it and its folder. What does not: what is in it (vault.py).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from crawlkit.exceptions import StorageError

_POSIX = os.name == "posix"
_MAX_LINKS = 40

# Closing a descriptor drops every lock that this process holds on the file, SQLite's too (POSIX advisory locks). So no
# code here opens the vault itself: it is made under another name, closed, and only then appears under its own, where
# another thread may take it into use in the same instant.


def place(path: Path) -> Path:
    """The real path of a vault, and the links that lead to it checked; it, too, when it is there; when it is not, its
    folder is, as far as that exists.
    """
    _check_links(path)
    path = Path(os.path.realpath(path))
    if path.exists():
        check(path)
    elif path.parent.is_dir():
        _check_folder(path.parent)
    return path


def create(path: Path) -> None:
    """Make the vault, empty, and its folder where that is missing: mode 0600 from its first byte on.

    StorageError says what is wrong and the command that puts it right.
    """
    prepare_folder(path.parent)
    try:
        _create(path)
    except OSError as error:
        raise StorageError(f"the vault {path} could not be created: {error.strerror}") from error
    check(path)


def prepare_folder(folder: Path) -> None:
    """Make a vault's folder where it is missing. StorageError when it cannot be made, or others can write it."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        _check_folder(folder)
    except OSError as error:
        raise StorageError(f"{folder}, the folder of the vault, could not be made: {error.strerror}") from error


def check(path: Path) -> None:
    """StorageError when the vault is no plain file, others own it, can read or write it, or own its folder, can write
    that, or can put another folder in its place.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise StorageError(f"the vault {path} could not be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise StorageError(f"the vault {path} is not a file; name a file for it")
    if _POSIX and _is_foreign(status):
        raise StorageError(
            f"the vault {path} belongs to {_name(status)}, who can read the logins in it and change them: run "
            f"`chown {_me()} {path}` if it is yours, or name another file"
        )
    if _POSIX and status.st_mode & 0o077:
        raise StorageError(
            f"the vault {path} holds logins and others can read it (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"run `chmod 600 {path}` and, if others use this machine, log those sessions out"
        )
    _check_folder(path.parent)


def _check_folder(folder: Path) -> None:
    # A sticky folder such as /tmp is refused as well: nobody could remove the vault there, but anybody could
    # lay a journal beside it, which SQLite would roll back into it.
    if not _POSIX:
        return
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    if _is_foreign(status):
        raise StorageError(
            f"{folder}, the folder of the vault, belongs to {_name(status)}, who could replace the vault in it: run "
            f"`chown {_me()} {folder}` if it is yours, or keep the vault in a folder of your own"
        )
    if mode & 0o002 or (mode & 0o020 and not _is_private_group(status.st_uid, status.st_gid)):
        raise StorageError(
            f"others can write in {folder} (mode {mode:04o}), and so could replace the vault in it: "
            f"run `chmod go-w {folder}`, or keep the vault in a folder of your own"
        )

    real = Path(os.path.realpath(folder))
    for entry in (real, *real.parents[:-1]):
        _check_place(entry)


def _check_place(entry: Path) -> None:
    """StorageError when anybody could put something else in the place of `entry`: its folder is open to all, and not
    sticky, or it is and `entry` is another's.
    """
    folder = entry.parent
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o002:
        return
    status = entry.lstat()
    if mode & stat.S_ISVTX and not _is_foreign(status):
        return
    if mode & stat.S_ISVTX:
        raise StorageError(
            f"{entry}, on the way to the vault, belongs to {_name(status)}, who could replace it: keep the vault in a "
            "folder of your own"
        )
    raise StorageError(
        f"others can write in {folder} (mode {mode:04o}), and so could replace {entry.name}, which leads to the vault: "
        f"run `chmod o-w {folder}`, or keep the vault elsewhere"
    )


def _check_links(path: Path, depth: int = 0) -> None:
    """StorageError when a symbolic link on the way to `path` is another's, or could be replaced by anybody."""
    if not _POSIX or depth > _MAX_LINKS:  # what is looked at next says that it is a circle
        return
    path = path.absolute()
    for part in (*reversed(path.parents), path):
        if not part.is_symlink():
            continue
        status = part.lstat()
        if _is_foreign(status):
            raise StorageError(
                f"{part}, a link on the way to the vault, belongs to {_name(status)}, who decides where it leads: name "
                "the file itself, in a folder of your own"
            )
        _check_place(part)
        _check_links(part.parent / part.readlink(), depth + 1)


def _is_foreign(status: os.stat_result) -> bool:
    return _owner(status) not in (0, os.geteuid())


def _owner(status: os.stat_result) -> int:
    return status.st_uid


def _name(status: os.stat_result) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(_owner(status)).pw_name}"
    except KeyError:
        return f"the user with number {_owner(status)}"


def _me() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _is_private_group(user: int, group: int) -> bool:
    """Whether a group is its user's own, as many systems make one for each user and let it write by default."""
    import grp
    import pwd

    try:
        name, members = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return members.gr_name == name and not set(members.gr_mem) - {name}


def _create(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    _create_empty(draft)
    try:
        os.link(draft, path)
    except FileExistsError:  # another thread or process was faster
        return
    except OSError:  # a file system without hard links
        with contextlib.suppress(FileExistsError):
            _create_empty(path)
    finally:
        draft.unlink()


def _create_empty(path: Path) -> None:
    # The umask can only take permissions away; O_EXCL does not follow a link that somebody laid there.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if _POSIX:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
