"""The command line.

This file answers `--version` and hands everything else on: it must stay cheap to import.
"""

from __future__ import annotations

import sys

from crawlkit.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    `arguments` without the program's name, by default sys.argv's.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"] and sys.stdout is not None:
        try:
            sys.stdout.write(f"crawlkit {VERSION}\n")
            sys.stdout.flush()
            return 0
        except OSError:
            pass  # a full disk, a pipe without a reader: the entry tells of it
    from crawlkit.cli.entry import invoke

    return invoke(given)
