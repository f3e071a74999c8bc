"""requests.compat: names of the standard library that once differed between Pythons, kept for programs that
use them.
"""

import json
import sys
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from http import cookiejar as cookielib
from http.cookies import Morsel
from io import StringIO
from json import JSONDecodeError
from typing import Any
from urllib.parse import (
    quote,
    quote_plus,
    unquote,
    unquote_plus,
    urldefrag,
    urlencode,
    urljoin,
    urlparse,
    urlsplit,
    urlunparse,
)
from urllib.request import getproxies, getproxies_environment, parse_http_list, proxy_bypass

from urllib3._version import __version__ as urllib3_version

proxy_bypass_environment = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]

is_py2 = False
is_py3 = True
is_urllib3_1 = False
has_simplejson = False

builtin_str = str
str = str
bytes = bytes
basestring = (str, bytes)
numeric_types = (int, float)
integer_types = (int,)

_ver = sys.version_info


def __getattr__(name: builtin_str) -> Any:
    # Detection costs 20 ms to import and is needed by few.
    if name == "chardet":
        import charset_normalizer

        return charset_normalizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Callable",
    "JSONDecodeError",
    "Mapping",
    "Morsel",
    "MutableMapping",
    "OrderedDict",
    "StringIO",
    "basestring",
    "builtin_str",
    "bytes",
    "cookielib",
    "getproxies",
    "getproxies_environment",
    "has_simplejson",
    "integer_types",
    "is_py2",
    "is_py3",
    "is_urllib3_1",
    "json",
    "numeric_types",
    "parse_http_list",
    "proxy_bypass",
    "proxy_bypass_environment",
    "quote",
    "quote_plus",
    "str",
    "unquote",
    "unquote_plus",
    "urldefrag",
    "urlencode",
    "urljoin",
    "urllib3_version",
    "urlparse",
    "urlsplit",
    "urlunparse",
]
