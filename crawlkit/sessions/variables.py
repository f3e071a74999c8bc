"""Environment variables, asked cheaply: what belongs here is only whether and as what a variable is set."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any


def undecoded(name: str) -> Any:
    """The variable's value as the operating system holds it, None when it is not set.

    `os.environ.get` of a variable that is not set raises and catches twice; asked for a dozen names before
    every request, that costs more than preparing it. The inner dict is CPython's own name for it since 3.0;
    without it, the slow way.
    """
    held = getattr(os.environ, "_data", None)
    return os.environ.get(name) if held is None else held.get(_key(name))


@lru_cache(maxsize=64)
def _key(name: str) -> Any:
    return os.environ.encodekey(name)
