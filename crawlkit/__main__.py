"""`python -m crawlkit` is the `crawlkit` command."""

from __future__ import annotations

import sys

from crawlkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
