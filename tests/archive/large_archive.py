"""A crawl that archives files of any size: python -m tests.archive.large_archive FOLDER URL

Prints the most memory that it took, in MiB. Exits as `crawlkit run` would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.archive.killed_archive import Address
from tests.archive.recorded import Studio, Walker
from tests.faults.consumer import most_memory


class Frugal(Walker):
    """Keeps no body that is no page."""

    def wants_body(self, response: Any) -> bool:
        return False


if __name__ == "__main__":
    folder, url = sys.argv[1:]
    studio = Studio(Path(folder))
    result = studio.run(Frugal(Address(url)), sure=("a-secret-of-the-user",), crawl__robots=False)
    print(most_memory() >> 20)
    print(result.reason, file=sys.stderr)
    sys.exit(result.exit_code)
