"""A profile that is named on the command line: whether it is one that there is, or one that may be made.

What belongs here: the error. What does not: which name was meant (crawl/typos.py), what a profile holds (session_show.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.crawl.settings import Settings


def check_profile(name: str, settings: Settings) -> None:
    """UsageError when `name` is neither in the vault nor in crawl.toml, and looks like one that is. Writes nothing."""
    from crawlkit.crawl.typos import meant
    from crawlkit.sessions.vault import Vault, check_name

    check_name(name)
    near = meant(name, {*settings.profiles, *Vault(settings.vault, make=False).names()})
    if near is not None:
        raise UsageError(
            f"--profile {name}: there is no such profile; did you mean {near!r}? For a new one of that name add a "
            f"table [profiles.{name}] to crawl.toml"
        )
