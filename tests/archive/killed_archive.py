"""A crawl into an archive, to be killed: python -m tests.archive.killed_archive FOLDER URL

Exits as `crawlkit run` would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.archive.recorded import Studio, Walker


class Kept(Walker):
    """Yields a row a page, so that the database is killed as well."""

    def parse(self, response: Any) -> Any:
        yield {"url": response.url}
        yield from super().parse(response)


class Address:
    """A site, by its address."""

    def __init__(self, url: str) -> None:
        self.url = url


if __name__ == "__main__":
    folder, url = sys.argv[1:]
    result = Studio(Path(folder)).run(Kept(Address(url)), crawl__delay=0)
    sys.exit(result.exit_code)
