"""Modules: what a script imports before it does anything.

What belongs here: static imports and exports. What does not: requests that a script makes when it runs
(archive/browser_only.py), import maps (manifests.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlkit.html.references import Reference, reference

_IMPORT = re.compile(
    r"(?:^|[;}\n])\s*+(?:import|export)\b(?:[\w\s{},*$]{1,2000}?\bfrom\b)?\s*+(?:\"([^\"\n]{1,2000})\"|'([^'\n]{1,2000})')"
)


def requisites_of_script(text: str) -> Iterator[Reference]:
    """The modules that a script imports by `import … from "./a.js"`, before it does anything (ECMAScript, 16.2)."""
    for match in _IMPORT.finditer(text):
        written = match[1] or match[2]
        if written.startswith(("/", "./", "../", "http://", "https://")):  # other names mean what an import map says
            yield from reference(written, "script")
