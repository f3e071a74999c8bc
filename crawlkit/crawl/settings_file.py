"""crawl.toml: where it is, and its text as tables. What the keys mean is in settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawlkit.exceptions import ConfigError

FILE_NAME = "crawl.toml"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration as read. `path` is None when there is no file; relative paths start at `folder`."""

    folder: Path
    path: Path | None = None
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How errors name it: the path from the working directory where that is shorter."""
        if self.path is None:
            return FILE_NAME
        try:
            return str(self.path.relative_to(Path.cwd()))
        except ValueError:
            return str(self.path)


def find_config(start: Path) -> ConfigFile:
    """The nearest crawl.toml in `start` or a folder above it.

    Without one: an empty configuration whose folder is the working directory. Raises ConfigError when the
    file cannot be read or is not TOML.
    """
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        path = candidate / FILE_NAME
        if path.is_file():
            return read_config(path)
    return ConfigFile(folder=Path.cwd())


def read_config(path: Path) -> ConfigFile:
    """The tables of one crawl.toml. Raises ConfigError naming the file, and the line where TOML breaks."""
    config = ConfigFile(folder=path.parent, path=path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{config.label}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config.label}: cannot be read: {error}") from error
    return ConfigFile(folder=path.parent, path=path, tables=tables)
