"""Settings: every layer of configuration resolved once into frozen values.

What belongs here: which layer wins, and the errors that name layer, key and nearest neighbour. The keys are
in settings_sections, what a value may be in settings_kinds, Scrapy's names in settings_scrapy, the file in
settings_file.

The layers, strongest first: command line, `custom_settings`, `[spiders.NAME]`, crawl.toml, defaults.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crawlkit.crawl.settings_file import ConfigFile
from crawlkit.crawl.settings_kinds import Explained, Kind, certificates
from crawlkit.crawl.settings_scrapy import is_scrapy_name, translate
from crawlkit.crawl.settings_sections import (
    SECTIONS,
    ArchiveSettings,
    CrawlSettings,
    FetchSettings,
    JobSettings,
    LoginSettings,
    ProfileSettings,
    RunSettings,
    StoreSettings,
)
from crawlkit.exceptions import ConfigError
from crawlkit.sessions.secretnames import is_secret_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One spider's settings, resolved.

    `folder` is where relative paths start; `warnings` are lines for the log.
    """

    crawl: CrawlSettings = field(default_factory=CrawlSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    login: LoginSettings = field(default_factory=LoginSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    run: RunSettings = field(default_factory=RunSettings)
    job: JobSettings = field(default_factory=JobSettings)
    profiles: Mapping[str, ProfileSettings] = field(default_factory=lambda: MappingProxyType({}))
    folder: Path = field(default_factory=Path.cwd)
    warnings: tuple[str, ...] = ()

    @property
    def data_folder(self) -> Path:
        """The folder of the databases."""
        return self.folder / Path(self.store.dir).expanduser()

    @property
    def vault(self) -> Path:
        """The database of saved sessions."""
        return self.data_folder / "sessions.db"

    def database(self, spider_name: str) -> Path:
        """The database of the spider of that name."""
        return self.data_folder / f"{spider_name}.db"


@dataclass(frozen=True, slots=True)
class Override:
    """One setting of the command line. `where` is the option as typed, for errors."""

    key: str
    value: Any
    where: str


def parse_override(text: str) -> Override:
    """`--set section.key=value`: the value is read as TOML where it is TOML, else taken as text."""
    key, equals, value = text.partition("=")
    key = key.strip()
    where = f"--set {key}"
    if not equals or "." not in key:
        where = "--set" if is_secret_name(key) else where
        raise ConfigError(f"{where}: write it as section.key=value, for example --set crawl.max_depth=2")
    section, _, rest = key.partition(".")
    kind = _kinds(SECTIONS[section]).get(rest) if section in SECTIONS else None
    if kind is not None and kind.literal:
        return Override(key, value, where)
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    return Override(key, parsed, where)


def resolve_settings(
    config: ConfigFile | None = None,
    *,
    spider: str | None = None,
    custom: Mapping[str, Any] | None = None,
    overrides: Iterable[Override] = (),
) -> Settings:
    """All layers as one value.

    `spider` is the name whose `[spiders.NAME]` counts, `custom` the spider's `custom_settings`. Every table
    of the file is checked, those of other spiders too. Raises ConfigError naming the layer, the key and its
    nearest neighbour.
    """
    config = config or ConfigFile(folder=Path.cwd())
    layers = _Layers()
    spiders = layers.read_file(config)
    if spider in spiders:
        layers.take(spiders[spider])
    layers.read_custom(custom or {})
    for override in overrides:
        layers.read_override(override)
    return layers.settle(config.folder)


_Values = dict[tuple[str, ...], Any]  # (section, key) or ("profiles", name, key) → value as read


class _Layers:
    """The values of the layers read so far; a later one wins, tables of headers are united."""

    def __init__(self) -> None:
        self.values: _Values = {}
        self.warnings: list[str] = []

    def read_file(self, config: ConfigFile) -> dict[str, _Values]:
        """Take the file's own sections.

        Its `[spiders.NAME]` tables come back unread into the layer, but checked.
        """
        tables = dict(config.tables)
        spiders = _table(config.label, "spiders", tables.pop("spiders", {}))
        self.take(_sections(config.label, "", tables, extra=("spiders",)))
        found: dict[str, _Values] = {}
        for name, entry in spiders.items():
            _check_name(f"{config.label}: [spiders.{name}]", name)
            prefix = f"spiders.{name}."
            entries = dict(_table(config.label, f"spiders.{name}", entry))
            own = {key: entries.pop(key) for key in list(entries) if key in _kinds(JobSettings)}
            values = _section(config.label, f"spiders.{name}", ("job",), JobSettings, own)
            values.update(_sections(config.label, prefix, entries, extra=tuple(_kinds(JobSettings))))
            found[name] = values
        return found

    def read_custom(self, custom: Mapping[str, Any]) -> None:
        """Take a spider's `custom_settings`; Scrapy's names count less than crawlkit's own beside them."""
        if not isinstance(custom, Mapping):
            raise ConfigError(f"custom_settings must be a dict, not {type(custom).__name__}")
        theirs = {key: value for key, value in custom.items() if isinstance(key, str) and is_scrapy_name(key)}
        changes, warnings = translate(theirs)
        self.warnings.extend(warnings)
        for name, dotted, value in changes:
            section, _, key = dotted.partition(".")
            where = f"custom_settings: {name}"
            self.take({(section, key): _read(where, _kinds(SECTIONS[section])[key], value)})
        ours = {key: value for key, value in custom.items() if key not in theirs}
        own = {key: ours.pop(key) for key in list(ours) if key in _kinds(JobSettings)}
        self.take(_section("custom_settings", "", ("job",), JobSettings, own))
        self.take(_sections("custom_settings", "", ours, extra=tuple(_kinds(JobSettings))))

    def read_override(self, override: Override) -> None:
        """Take one option of the command line.

        A third part names an entry of a table, as in fetch.headers.Accept.
        """
        parts = override.key.split(".")
        nested: Any = override.value
        for part in reversed(parts):
            nested = {part: nested}
        self.take(_sections(override.where, "", nested, bare=True))

    def take(self, values: _Values) -> None:
        """Lay `values` over what is there."""
        for key, value in values.items():
            below = self.values.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                value = MappingProxyType(_united(below, value))
            self.values[key] = value

    def settle(self, folder: Path) -> Settings:
        """The frozen result."""
        made: dict[str, Any] = {}
        for section, made_of in {**SECTIONS, "job": JobSettings}.items():
            given = {path[1]: value for path, value in self.values.items() if path[0] == section}
            made[section] = made_of(**{key: _without_none(value) for key, value in given.items()})
        profiles: dict[str, dict[str, Any]] = {}
        for path, value in self.values.items():
            if path[0] == "profiles":
                profiles.setdefault(path[1], {})[path[2]] = _without_none(value)
        made["fetch"] = replace(made["fetch"], verify=certificates(made["fetch"].verify, folder))
        made["profiles"] = MappingProxyType({name: ProfileSettings(**keys) for name, keys in profiles.items()})
        return Settings(folder=folder, warnings=tuple(self.warnings), **made)


def _united(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one. Names differ in more than case (header names do not tell cases apart)."""
    names = {name.lower() for name in above}
    return {**{name: value for name, value in below.items() if name.lower() not in names}, **above}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({name: entry for name, entry in value.items() if entry is not None})
    return value


def _check_name(where: str, name: object) -> None:
    from crawlkit.crawl.spider import NAME

    if not isinstance(name, str) or not NAME.match(name):
        raise ConfigError(f"{where}: a name is lower-case letters, digits, . _ - and starts with a letter or digit")


def _kinds(section: type[Any]) -> dict[str, Kind]:
    return {entry.name: entry.metadata["kind"] for entry in fields(section)}


def _table(where: str, name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: [{name}] must be a table of keys, not {_shown(value)}")
    return value


def _sections(
    where: str, prefix: str, tables: Mapping[str, Any], *, extra: Sequence[str] = (), bare: bool = False
) -> _Values:
    """The values of all sections in `tables`.

    `prefix` is written before section names, `extra` are other keys there.
    """
    values: _Values = {}
    for name, table in tables.items():
        label = f"{prefix}{name}"
        if name == "profiles":
            for profile, keys in _table(where, label, table).items():
                _check_name(f"{where}: [{label}.{profile}]", profile)
                path = ("profiles", profile)
                values.update(_section(where, f"{label}.{profile}", path, ProfileSettings, keys, bare=bare))
        elif name in SECTIONS:
            values.update(_section(where, label, (name,), SECTIONS[name], table, bare=bare))
        else:
            known = (*SECTIONS, "profiles", *extra)
            raise ConfigError(f"{where}: there is no section {label!r}{_nearest(str(name), known)}")
    return values


def _section(
    where: str, label: str, path: tuple[str, ...], section: type[Any], table: Any, *, bare: bool = False
) -> _Values:
    kinds = _kinds(section)
    values: _Values = {}
    for key, value in _table(where, label, table).items():
        dotted = f"{label}.{key}" if label else str(key)
        if key not in kinds:
            place = f"[{label}] has no key" if label else "there is no key"
            raise ConfigError(f"{where}: {place} {key!r}{_nearest(str(key), kinds)}")
        # A command-line option names its key already.
        values[(*path, key)] = _read(where if bare else f"{where}: {dotted}", kinds[key], value)
    return values


def _read(where: str, kind: Kind, value: Any) -> Any:
    try:
        return kind.read(value)
    except ValueError as error:
        private = kind.private or is_secret_name(where.rpartition(".")[2])
        given = "" if private else f", not {_shown(value)}"
        why = f": {error}" if isinstance(error, Explained) else ""
        raise ConfigError(f"{where} must be {kind.words}{given}{why}") from None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _nearest(wrong: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(wrong.lower(), names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}"
