"""requests.help: what a bug report should say about the installation. `python -m crawlkit.requests.help`
prints it.
"""

from __future__ import annotations

import json
import platform
import ssl
from importlib import metadata
from typing import Any

try:
    import idna
except ImportError:
    idna = None  # type: ignore[assignment]  # crawlkit does without it

from crawlkit.requests.__version__ import __version__ as requests_version
from crawlkit.version import VERSION

__all__ = ["info", "main", "requests_version"]


def info() -> dict[str, Any]:
    """Versions of Python, of TLS, and of the packages that an exchange passes through; None where one is not
    installed.
    """
    return {
        "platform": {"system": platform.system(), "release": platform.release()},
        "implementation": {"name": platform.python_implementation(), "version": platform.python_version()},
        "system_ssl": {"version": f"{ssl.OPENSSL_VERSION_NUMBER:x}"},
        "using_pyopenssl": False,
        "using_charset_normalizer": True,
        "pyOpenSSL": {"version": None, "openssl_version": ""},
        "urllib3": {"version": _version("urllib3")},
        "chardet": {"version": None},
        "charset_normalizer": {"version": _version("charset-normalizer")},
        "cryptography": {"version": _version("cryptography") or ""},
        "idna": {"version": getattr(idna, "__version__", "")},
        "requests": {"version": requests_version},
        "crawlkit": {"version": VERSION},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def main() -> None:
    """Print it as JSON."""
    print(json.dumps(info(), sort_keys=True, indent=2))


if __name__ == "__main__":
    main()
