"""Spiders from files: `file.py`, `file.py::Class` or a folder become classes, `-a key=value` attributes.

What belongs here: reading a spider file, choosing the class, the errors for what is wrong with it, which settings are
its. Running it is the engine's. The file's own folder comes first on `sys.path`, so that a spider may import its neighbours;
only classes
defined in the file itself count. No byte code is written beside the file.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from crawlkit.crawl.settings import Override, Settings, resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.crawl.spider import NAME, Spider
from crawlkit.exceptions import SpiderError
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.secretnames import is_secret_name
from crawlkit.url import has_scheme

#: How Python says that a module has no such name.
_NO_NAME = re.compile(r"cannot import name '(\w+)'")

#: Its database would be the vault's.
RESERVED_NAMES = frozenset({"sessions"})


@dataclass(frozen=True, slots=True)
class SpiderSource:
    """A spider class and the file that it is from."""

    spider: type[Spider]
    path: Path


def find_spider(target: str) -> SpiderSource:
    """The one spider that `file.py` or `file.py::Class` means.

    SpiderError says what is wrong and what to do.
    """
    path, _, wanted = _split(target)
    if path.is_dir():
        raise SpiderError(f"{path}: is a folder; name one spider file in it")
    return _choose(path, wanted)


def spider_files(target: str) -> list[str]:
    """The targets that `target` stands for: itself, or every Python file of a folder that may hold spiders.

    Files whose name starts with `_` or `.` are left out. SpiderError when there is no such file or folder.
    """
    path, separator, _ = _split(target)
    if not path.is_dir():
        return [target]
    if separator:
        raise SpiderError(f"{path}: is a folder; Class goes with a file: {path}/FILE.py::Class")
    files = sorted(entry for entry in path.glob("*.py") if entry.is_file() and entry.name[0] not in "_.")
    if not files:
        raise SpiderError(f"{path}: no Python file in this folder")
    return [str(entry) for entry in files]


def find_spiders(target: str) -> list[SpiderSource]:
    """Every spider that a file defines.

    Of `file.py::Class` that class. May be empty for a file without one.
    """
    path, separator, wanted = _split(target)
    if separator:
        return [_choose(path, wanted)]
    return [SpiderSource(kind, path) for kind in _classes(path, _load(path))]


def make_spider(source: SpiderSource, arguments: Mapping[str, str] | None = None) -> Spider:
    """An instance with its `-a` attributes set. SpiderError for a bad name, attribute or constructor."""
    kind = source.spider
    for key in arguments or {}:
        if not key.isidentifier() or key.startswith("_"):
            raise SpiderError(f"-a {key}=...: {key!r} cannot be an attribute; use letters, digits and _")
        if _is_method(kind, key):
            raise SpiderError(f"-a {key}=...: {key} is a method of {kind.__name__}; choose another attribute")
    try:
        spider = kind(**(arguments or {}))
    except Exception as error:
        raise SpiderError(_blame(source.path, error, f"{kind.__name__}() failed")) from error
    name = spider.name
    if not isinstance(name, str) or not NAME.match(name):
        raise SpiderError(
            f"{source.path}: {kind.__name__}.name is {name!r}; a name has lower-case letters, digits, . _ - "
            "and starts with a letter or digit"
        )
    if name in RESERVED_NAMES:
        raise SpiderError(f"{source.path}: {kind.__name__}.name is {name!r}, which is reserved; choose another")
    return spider


def settings_of(source: SpiderSource, spider: Spider, overrides: Iterable[Override] = ()) -> Settings:
    """The settings of `spider`: crawl.toml as it is found from its file upward, its custom_settings, `overrides` over both.

    ConfigError naming what is wrong.
    """
    config = find_config(source.path.resolve().parent)
    return resolve_settings(config, spider=spider.name, custom=spider.custom_settings, overrides=overrides)


def check_start_urls(spider: Spider, where: str) -> None:
    """SpiderError when `start_urls` is no list of absolute http(s) URLs; `where` is what to name."""
    urls = spider.start_urls
    if isinstance(urls, str):
        raise SpiderError(f"{where}: start_urls is one text; write a list: start_urls = [{urls!r}]")
    if not isinstance(urls, Iterable):
        raise SpiderError(f"{where}: start_urls is {urls!r}; write a list of URLs")
    for url in urls:
        if not isinstance(url, str) or not has_scheme(url):
            raise SpiderError(f"{where}: start_urls has {url!r}, which is no URL with http:// or https:// before it")


def parse_arguments(pairs: Iterable[str]) -> dict[str, str]:
    """`-a key=value` options as a dict. SpiderError for one without `=`, which it shows when it can only be a name."""
    arguments: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            named = f"-a {pair}" if pair.isidentifier() and not is_secret_name(pair) else "-a"
            raise SpiderError(f"{named}: write it as key=value, for example -a start=https://example.org/")
        arguments[key.strip()] = value
    return arguments


def place_of(error: BaseException, path: Path) -> str:
    """`file.py:LINE`: the last line of the spider file at `path` that `error` passed; the file when it passed none."""
    resolved = str(path.resolve())
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == resolved]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _is_method(kind: type[Spider], name: str) -> bool:
    value = getattr(kind, name, None)
    return callable(value) or isinstance(value, property)


def is_folder(target: str) -> bool:
    """Whether `target` is a folder of spiders. SpiderError when it names nothing."""
    return _split(target)[0].is_dir()


def _split(target: str) -> tuple[Path, str, str]:
    path, separator, wanted = target.partition("::")
    if has_scheme(target):
        raise SpiderError(
            f"{shown(target)}: is a URL; name a spider's file, such as spiders/site.py (crawlkit fetch shows a page)"
        )
    if not path.strip():
        raise SpiderError(f"{target!r} names no spider; name its file, such as spiders/site.py, or a folder of them")
    return Path(path).expanduser(), separator, wanted


def _choose(path: Path, wanted: str) -> SpiderSource:
    found = _classes(path, _load(path))
    names = [kind.__name__ for kind in found]
    if wanted:
        if wanted not in names:
            there = f"; there is {', '.join(names)}" if names else ""
            raise SpiderError(f"{path}: no Spider class {wanted!r} is defined in it{there}")
        return SpiderSource(found[names.index(wanted)], path)
    if not found:
        raise SpiderError(f"{path}: no Spider in it; define a class that inherits from crawlkit.Spider")
    if len(found) > 1:
        choices = " or ".join(f"{path}::{name}" for name in names)
        raise SpiderError(f"{path}: {len(found)} Spiders in it; choose one: {choices}")
    return SpiderSource(found[0], path)


def _classes(path: Path, module: ModuleType) -> list[type[Spider]]:
    """The Spider classes defined in `module` itself, in the order of the file.

    `_Name` marks a base of others.
    """
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Spider)
        and value.__module__ == module.__name__
        and value.__name__ == name
        and not name.startswith("_")
    ]


def _load(path: Path) -> ModuleType:
    if not path.exists():
        hint = f"; there is {path}.py" if path.with_name(path.name + ".py").is_file() else ""
        raise SpiderError(f"{path}: no such file{hint}")
    if path.suffix != ".py" or not path.is_file():
        raise SpiderError(f"{path}: not a Python file (.py)")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpiderError(f"{path}: cannot be read: {error.strerror}") from error
    return _execute(path, text)


def _execute(path: Path, text: bytes) -> ModuleType:
    # A name of its own: spider files are called site.py or queue.py and must not stand in for such a module.
    resolved = path.resolve()
    name = f"_spider_{hashlib.blake2b(bytes(resolved), digest_size=6).hexdigest()}_{path.stem}"
    folder = str(resolved.parent)
    if sys.path[:1] != [folder]:
        sys.path[:] = [folder, *(entry for entry in sys.path if entry != folder)]
    module = ModuleType(name)
    module.__file__ = str(resolved)
    module.__spec__ = ModuleSpec(name, None, origin=str(resolved))
    sys.modules[name] = module  # dataclasses and type hints look their module up
    try:
        exec(compile(text, str(resolved), "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise SpiderError(_blame(path, error, "cannot be loaded")) from error
    return module


def _blame(path: Path, error: BaseException, what: str) -> str:
    """One line that names the file, the line in it and what happened there."""
    if isinstance(error, SyntaxError):
        file = error.filename or str(path)
        where = path if Path(file) == path.resolve() else Path(file)
        return f"{where}:{error.lineno or 1}: syntax error: {error.msg}"
    where_text = place_of(error, path)
    if isinstance(error, SystemExit):
        return f"{where_text}: {what}: it calls exit(); keep that under if __name__ == '__main__'"
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "scrapy":
        return f"{where_text}: {what}: {error}; import Spider and Request from crawlkit in its place"
    if isinstance(error, ImportError) and (missing := _NO_NAME.match(str(error))):
        return f"{where_text}: {what}: {_missing_name(missing[1], error)}"
    if isinstance(error, ImportError):
        return f"{where_text}: {what}: {error} (is it installed in this environment?)"
    return f"{where_text}: {what}: {type(error).__name__}: {error}"


def _missing_name(wanted: str, error: ImportError) -> str:
    """`from module import wanted` where the module is there: its nearest name."""
    if "circular import" in str(error):
        return str(error)
    module = sys.modules.get(error.name or "")
    names = [name for name in dir(module) if not name.startswith("_")] if module is not None else []
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "; is it another version of it that is installed?"
    return f"{error.name or 'the module'} has no name {wanted!r}{hint}"
