"""A profile that is named on the command line: whether it is one that there is, or one that may be made.

What belongs here: telling a mistyped name from a new one. What does not: what a profile holds (session_show.py).
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.crawl.settings import Settings

#: How like a name that there is another one must be to be taken for it, mistyped.
_LIKE = 0.75


def check_profile(name: str, settings: Settings) -> None:
    """UsageError when `name` is neither in the vault nor in crawl.toml, and looks like one that is. Writes nothing."""
    from crawlkit.sessions.vault import Vault, check_name

    check_name(name)
    saved = Vault(settings.vault, make=False).names()
    known = {*settings.profiles, *saved}
    near = difflib.get_close_matches(name, known, n=1, cutoff=_LIKE) if name not in known else []
    if near:
        raise UsageError(
            f"--profile {name}: there is no such profile; did you mean {near[0]!r}? For a new one of that name add a "
            f"table [profiles.{name}] to crawl.toml"
        )
