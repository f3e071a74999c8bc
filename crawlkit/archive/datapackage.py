"""Data package: what a package says about itself: each file with its size and digest, and where it all came from.

What belongs here: `datapackage.json` and `datapackage-digest.json` (WACZ 1.1.1, sections 5.2.4 and 5.2.5), written and
read. What does not: the zip that they lie in (wacz.py, zipreading.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from crawlkit.version import VERSION

NAME = "datapackage.json"
DIGEST_NAME = "datapackage-digest.json"
WACZ_VERSION = "1.1.1"


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of a package: its path in the zip, its size in bytes and its digest (`sha256:` and hexadecimal digits)."""

    path: str
    size: int
    digest: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in `datapackage.json`."""
        # The name has to be in lower case; the path keeps it apart from others.
        name = PurePosixPath(self.path).name.lower()
        return {"name": name, "path": self.path, "hash": self.digest, "bytes": self.size}


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a package as a whole.

    `main_page`: the URL that a reader opens first, fetched at `main_page_date`; `redacted`: whether secrets were
    replaced, which is said in so many words either way; `more`: further members, whose names are no one else's.
    """

    title: str
    description: str = ""
    created: str = ""
    main_page: str | None = None
    main_page_date: str | None = None
    redacted: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)


_REDACTED = "Cookies, credentials and other secrets of the session were replaced before anything was written."
_NOT_REDACTED = (
    "SECRETS WERE KEPT: cookies, credentials and tokens are in this package as they were sent. "
    "Whoever has it can act as the account. Do not publish it."
)


def described(about: About, resources: Sequence[Resource]) -> bytes:
    """The bytes of `datapackage.json`."""
    said: dict[str, Any] = {
        "profile": "data-package",
        "wacz_version": WACZ_VERSION,
        "software": f"crawlkit {VERSION}",
        "created": about.created,
        "title": about.title,
    }
    said["description"] = about.description
    if not about.redacted:
        said["description"] = f"{_NOT_REDACTED} {about.description}".rstrip()
    if about.main_page is not None:
        said["mainPageUrl"] = about.main_page
        if about.main_page_date is not None:
            said["mainPageDate"] = about.main_page_date
    said["redaction"] = {"applied": about.redacted, "note": _REDACTED if about.redacted else _NOT_REDACTED}
    said |= about.more
    said["resources"] = [resource.as_json() for resource in resources]
    return json.dumps(said, indent=2).encode() + b"\n"


def digested(package: bytes) -> bytes:
    """The bytes of `datapackage-digest.json` for those of `datapackage.json`."""
    return json.dumps({"path": NAME, "hash": sha256(package)}, indent=2).encode() + b"\n"


def sha256(data: bytes) -> str:
    """The digest of `data` as a package writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_resources(package: bytes) -> tuple[dict[str, Any], list[Resource]]:
    """What `datapackage.json` says, and the files that it names. ValueError when it is no data package."""
    said = json.loads(package)
    if not isinstance(said, dict) or not isinstance(said.get("resources"), list):
        raise ValueError("it names no resources")
    return said, [_resource(each) for each in said["resources"]]


def _resource(said: Any) -> Resource:
    try:
        return Resource(path=str(said["path"]), size=int(said["bytes"]), digest=str(said["hash"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"a resource has no {error}") from error
