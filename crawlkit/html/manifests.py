"""Manifests: JSON documents that name files which a browser fetches: web app manifests and import maps.

What belongs here: the addresses in them. What does not: finding manifests (requisites.py), fetching what they name. What is
no JSON, or not of the shape that it should have, names nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crawlkit.html.references import Reference, reference


def requisites_of_manifest(text: str) -> Iterator[Reference]:
    """The pictures of a web app manifest (Web Application Manifest, sections 1 and 3)."""
    manifest = _json(text)
    for part in (manifest, *_list(manifest, "shortcuts")):
        for member in ("icons", "screenshots"):
            for picture in _list(part, member):
                if isinstance(picture, dict) and isinstance(picture.get("src"), str):
                    yield from reference(picture["src"], "icon" if member == "icons" else "image")


def requisites_of_import_map(text: str) -> Iterator[Reference]:
    """Where an import map says that modules are (HTML standard, 8.1.6.2)."""
    for value in _values(_json(text), "imports"):
        yield from reference(value, "script")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _list(value: Any, member: str) -> list[Any]:
    found = value.get(member) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _values(value: Any, member: str) -> list[str]:
    found = value.get(member) if isinstance(value, dict) else None
    return [each for each in found.values() if isinstance(each, str)] if isinstance(found, dict) else []
