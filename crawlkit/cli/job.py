"""Job: one spider with all that its run needs, made ready by the command that wants it run.

What belongs here: the value. What does not: making it of a spider file (execution.py) or of a URL (archive_job.py), running
it (execution.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider

if TYPE_CHECKING:
    from crawlkit.archive.recorder import ArchiveRecorder


@dataclass(frozen=True, slots=True)
class Job:
    """`spider` with its `settings`, which came from the file `config` if there is one. `file`: where the author's code is;
    `source`: what the database remembers as its owner, None: the file, and the class of the spider. `recorder`: what makes
    an archive of it. `ledger`: its rows are notes of its own, and no items that anybody asked for.
    """

    spider: Spider
    settings: Settings
    database: Path
    file: Path
    config: Path | None = None
    source: str | None = None
    recorder: ArchiveRecorder | None = None
    ledger: bool = False
