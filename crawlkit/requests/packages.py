"""requests.packages: `requests.packages.urllib3` is urllib3, with every module of it that is loaded, and so
are the others.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import urllib3

_OTHERS = {"chardet": "charset_normalizer", "charset_normalizer": "charset_normalizer", "idna": "idna"}


def _alias(package: str, name: str) -> None:
    """Make `crawlkit.requests.packages.NAME` and what is loaded below it importable: the very same modules."""
    for module in list(sys.modules):
        if module == package or module.startswith(f"{package}."):
            sys.modules[f"{__name__}.{name}{module[len(package) :]}"] = sys.modules[module]


def __getattr__(name: str) -> ModuleType:
    package = _OTHERS.get(name)
    if package is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(package)
    except ImportError:
        raise AttributeError(f"{package} is not installed; crawlkit does not need it") from None
    _alias(package, name)
    return module


_alias("urllib3", "urllib3")
