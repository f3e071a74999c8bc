"""Contents: everything that a profile keeps, to be looked at: expired cookies too, and when what was changed.

What belongs here: reading it whole. What does not: using it (profile.py), showing it (cli/).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.profile import cookie_of
from crawlkit.sessions.vault import Sight, Vault
from crawlkit.sessions.vaultrows import COOKIES, HEADERS, STATE


class Contents(NamedTuple):
    """Cookies by host, path and name; headers (None: a default that is not sent); the state, and when each entry of it
    was written last (seconds since 1970)."""

    cookies: list[Cookie]
    headers: dict[str, str | bytes | None]
    state: dict[str, Any]
    changed: dict[str, float]

    def __repr__(self) -> str:
        return f"<Contents {len(self.cookies)} cookies, {len(self.headers)} headers>"  # never the values


def contents(vault: Vault, name: str) -> Contents:
    """What the profile `name` keeps; nothing when there is no such profile. StorageError, and ConfigError when the vault's
    key is missing. Any thread."""
    _, rows = vault.pull(name, Sight())
    present = {table: {key: r for key, r in rows[table].items() if not r.deleted} for table in rows}
    return Contents(
        [cookie_of(key, record) for key, record in sorted(present[COOKIES].items())],
        dict(record.values for _, record in sorted(present[HEADERS].items())),
        {key[0]: json.loads(record.values[0]) for key, record in sorted(present[STATE].items())},
        {key[0]: record.modified for key, record in present[STATE].items()},
    )
