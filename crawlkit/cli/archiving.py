"""An archive as a command makes it: the recorder of a run, by its settings and options.

What belongs here: what the settings and options mean for a recorder. What does not: the commands' options (run.py,
archive.py), the recorder (archive/recorder.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.cli.outputs import refuse_taken
from crawlkit.cli.secrecy import redactor
from crawlkit.crawl.envfile import read_env_file
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import ConfigError

if TYPE_CHECKING:
    from crawlkit.archive.contents import Contents
    from crawlkit.archive.recorder import ArchiveRecorder


def recorder_of(
    spider: Spider,
    settings: Settings,
    *,
    output: Path | None,
    taken: Mapping[Path, str],
    profile: str | None = None,
    overwrite: bool = False,
    contents: Contents | None = None,
    note: Mapping[str, Any] | None = None,
) -> ArchiveRecorder:
    """The recorder of a run of `spider` into `output`; None: NAME-CRAWL.wacz beside the databases.

    `taken`: files that it may not replace, each with what it is; `contents`: what the package says of itself, None: what it
    does for a spider; `note`: what the unfinished archive's note says beside that. UsageError for an output that cannot be,
    ConfigError when one of `[archive] secrets` has no value.
    """
    from crawlkit.archive.contents import Contents
    from crawlkit.archive.recorder import ArchiveRecorder

    if output is not None:
        refuse_taken(f"--archive {output}", output, taken)
    if contents is None:
        start = next(iter(spider.start_urls), None)
        contents = Contents(spider.name, f"What a run of the spider {spider.name} fetched.", main_page=start)
    said = {"spider": spider.name, "profile": profile or spider.profile or spider.name, "title": contents.title,
            "vault": str(settings.vault.absolute())}  # fmt: skip
    return ArchiveRecorder(
        output,
        name=spider.name,
        folder=settings.data_folder,
        contents=contents,
        note={**said, "description": contents.description, **(note or {})},
        redact=settings.archive.redact,
        sure=secrets_of(settings),
        max_size=settings.archive.max_size,
        overwrite=overwrite,
    )


def secrets_of(settings: Settings) -> Sequence[str]:
    """The values of `[archive] secrets`, which from now on no log shows either. ConfigError when one has none."""
    names = settings.archive.secrets
    if not names:
        return ()
    env_file = settings.login.env_file
    file = read_env_file(settings.folder / Path(env_file).expanduser()) if env_file is not None else {}
    found = {name: os.environ.get(name) or file.get(name) for name in names}
    for name, value in found.items():
        if not value:
            raise ConfigError(
                f"[archive] secrets: the environment variable {name} is not set"
                + (f", and {env_file} has no line {name}=" if env_file is not None else "")
            )
        redactor().learn(value, sure=True)
    return [value for value in found.values() if value]
