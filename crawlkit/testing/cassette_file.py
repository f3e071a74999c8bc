"""Cassette files: what vcrpy writes and reads, as interactions and back.

What belongs here: YAML and the shape of what is in it, errors that name the line. What does not: which interaction answers
a request (cassette.py), what must not be written (cassette_secrets.py).

The format is vcrpy's version 1: `interactions`, `metadata`, `version`, in this order, so that a file that was cut short
lacks its last line. Bodies are text where they are UTF-8, which reads well in a review, else `!!binary`. It is read by
PyYAML's safe loader, which makes nothing but plain values; a tag of Python's is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawlkit.exceptions import CassetteError, StorageError, UsageError
from crawlkit.testing.wholefile import write_whole

_VERSION = 1

#: Header fields as pairs, in order.
Fields = list[tuple[str, str]]


@dataclass(slots=True)
class Interaction:
    """One request and its answer. `body` and `content` are bytes as sent; `content` as Content-Encoding says."""

    method: str
    url: str
    request_fields: Fields
    body: bytes
    status: int
    reason: str
    fields: Fields
    content: bytes


def read(path: Path) -> tuple[list[Interaction], str | None] | None:
    """The interactions of the cassette at `path`, and the spider that it is of; None when there is no such file, or an
    empty one.

    CassetteError, naming file and line, when it is no whole cassette; UsageError without PyYAML.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path}: the cassette cannot be read ({error.strerror})") from error
    if not data.strip():
        return None
    text = _decoded(path, data)
    loaded = _loaded(path, text)
    if not isinstance(loaded, dict) or not isinstance(loaded.get("interactions"), list | None):
        raise _broken(path, text, (), "has no list of interactions; is it a cassette of vcrpy 1.0 or newer?")
    if "version" not in loaded:
        line = text.count("\n") + 1
        raise CassetteError(
            f"{path}:{line}: the cassette is cut short: its last line, `version: 1`, is missing. {_AGAIN}"
        )
    if loaded["version"] != _VERSION:
        raise _broken(path, text, ("version",), f"is of version {loaded['version']!r}; {_VERSION} is what can be read")
    found = []
    for number, entry in enumerate(loaded["interactions"] or ()):
        try:
            found.append(_interaction(entry))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _broken(
                path, text, ("interactions", number), f"is no request with its response ({error!r})"
            ) from error
    metadata = loaded.get("metadata")
    spider = metadata.get("spider") if isinstance(metadata, dict) else None
    return found, spider if isinstance(spider, str) else None


def line_of(path: Path, *keys: str | int) -> int:
    """The line, from 1, where the value under `keys` begins, or the nearest thing around it."""
    return _line(path.read_text(encoding="utf-8", errors="replace"), keys)


def write(path: Path, interactions: Sequence[Interaction], spider: str | None) -> None:
    """Write a cassette, in one step. StorageError when it cannot be."""
    content: dict[str, Any] = {"interactions": [_entry(one) for one in interactions]}
    if spider is not None:
        content["metadata"] = {"spider": spider}
    content["version"] = _VERSION
    yaml = _yaml()

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        # Lines as lines, where YAML can have them so: a body is to be read and compared.
        style = "|" if "\n" in value and value.isascii() else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    # ASCII only: vcrpy opens files in whatever encoding the system has.
    write_whole(path, yaml.dump(content, Dumper=Dumper, sort_keys=False).encode("ascii"))


_AGAIN = "Delete it and record it again, or take it from version control; it was not changed"


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise UsageError("cassettes need PyYAML: pip install 'crawlkit[cassette]'") from error
    return yaml


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CassetteError(f"{path}:{line}: the cassette is not UTF-8. {_AGAIN}") from error


def _loaded(path: Path, text: str) -> Any:
    yaml = _yaml()
    try:
        return yaml.load(text, Loader=_loader(yaml))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        line = mark.line + 1 if mark is not None else text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise CassetteError(f"{path}:{line}: the cassette cannot be read: {problem}. {_AGAIN}") from error
    except (ValueError, RecursionError) as error:  # a date or a number that is none; a list of lists of lists
        raise CassetteError(f"{path}: the cassette cannot be read: {error}. {_AGAIN}") from error


def _loader(yaml: Any) -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _broken(path: Path, text: str, keys: Sequence[str | int], what: str) -> CassetteError:
    return CassetteError(f"{path}:{_line(text, keys)}: the cassette {'here ' if keys else ''}{what}. {_AGAIN}")


def _line(text: str, keys: Sequence[str | int]) -> int:
    yaml = _yaml()
    node = yaml.compose(text, Loader=_loader(yaml))
    line = 0
    for key in keys:
        if node is None:
            break
        line = node.start_mark.line
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key] if key < len(node.value) else None
        else:
            node = None
    return int(node.start_mark.line if node is not None else line) + 1


# --- one interaction ----------------------------------------


def _interaction(entry: Mapping[str, Any]) -> Interaction:
    request, response = entry["request"], entry["response"]
    status = response["status"]
    body = response.get("body")
    return Interaction(
        method=_text(request["method"]),
        url=_text(request["uri"]),
        request_fields=list(_fields(request.get("headers"))),
        body=_bytes(request.get("body")),
        status=int(status["code"]),
        reason=_text(status.get("message") or ""),
        fields=list(_fields(response.get("headers"))),
        content=_bytes(body.get("string") if isinstance(body, dict) else body),
    )


def _fields(headers: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for name, values in (headers or {}).items():
        for value in values if isinstance(values, list | tuple) else (values,):
            yield _text(name), _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"a {type(value).__name__} where a text should be")


def _bytes(value: Any) -> bytes:
    if value is None:
        return b""
    return value if isinstance(value, bytes) else _text(value).encode("utf-8", "surrogatepass")


def _entry(one: Interaction) -> dict[str, Any]:
    return {
        "request": {
            "body": _written(one.body) if one.body else None,
            "headers": _grouped(one.request_fields),
            "method": one.method,
            "uri": one.url,
        },
        "response": {
            "body": {"string": _written(one.content)},
            "headers": _grouped(one.fields),
            "status": {"code": one.status, "message": one.reason},
        },
    }


def _grouped(fields: Fields) -> dict[str, list[str]]:
    """As vcrpy has them: the values of a name together, under its first spelling."""
    names: dict[str, str] = {}
    grouped: dict[str, list[str]] = {}
    for name, value in fields:
        grouped.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return grouped


def _written(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data
