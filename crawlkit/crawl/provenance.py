"""Provenance: which source a spider was made of, as a hash: the file of its class and what that imports of its folder.

What belongs here: finding those files. What does not: what follows from another hash (unchanged.py).

Read from the text, not from what happens to be loaded: an import inside of a callback counts, and the hash is the same
whatever else runs in the process. Files that are no Python, and packages that are installed, do not count.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from crawlkit.crawl.spider import Spider

_OWN = Path(__file__).resolve().parent.parent


def source_hash(spider: Spider) -> str | None:
    """32 hexadecimal digits; None when the source of a class cannot be found, as of one typed at a prompt."""
    files: dict[Path, bytes] = {}
    for kind in type(spider).__mro__:
        if kind is object or kind.__module__.partition(".")[0] == "crawlkit":
            continue
        path = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if path is None:
            return None
        try:
            _collect(Path(path).resolve(), Path(path).resolve().parent, files)
        except OSError:
            return None
    hashed = hashlib.blake2b(type(spider).__qualname__.encode(), digest_size=16)
    for path in sorted(files):
        hashed.update(hashlib.blake2b(files[path], digest_size=16).digest())
    return hashed.hexdigest()


def _collect(path: Path, folder: Path, files: dict[Path, bytes]) -> None:
    """Read `path` and what it imports of `folder`, each once."""
    if path in files or path.is_relative_to(_OWN):
        return
    text = files[path] = path.read_bytes()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # a neighbour that nobody can import either
        return
    for node in ast.walk(tree):
        for base, name in _imported(node, path, folder):
            for found in _files(base, name):
                _collect(found, folder, files)


def _imported(node: ast.AST, path: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """Dotted names that the statement imports, each with the folder that it starts from."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield folder, alias.name
    elif isinstance(node, ast.ImportFrom):
        base = folder
        if node.level:
            base = path.parent
            for _ in range(node.level - 1):
                base = base.parent
        for alias in node.names:  # a name of a module may be a module itself
            yield base, f"{node.module}.{alias.name}" if node.module else alias.name


def _files(base: Path, name: str) -> Iterator[Path]:
    """The files that importing the dotted name runs, as far as there are such in `base`."""
    place = base
    for part in name.split("."):
        place = place / part
        for path in (place.with_name(f"{part}.py"), place / "__init__.py"):
            if path.is_file():
                yield path.resolve()
