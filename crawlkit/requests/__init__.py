"""requests' own names over crawlkit's sessions: `from crawlkit import requests` in place of `import
requests`.

What belongs in this folder: modules and names as requests 2.34 has them, and those functions of
`requests.utils` that crawlkit itself has no use for. What does not: a second implementation of anything.
Differences in behaviour are in the README's table; names that are missing on purpose are listed, each with
its reason, in tests/sessions/test_requests_names.py.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from logging import NullHandler

import urllib3

from crawlkit.requests import (
    adapters,
    api,
    auth,
    certs,
    compat,
    cookies,
    exceptions,
    hooks,
    models,
    packages,
    sessions,
    status_codes,
    structures,
    utils,
)
from crawlkit.requests.__version__ import (
    __author__,
    __author_email__,
    __build__,
    __cake__,
    __copyright__,
    __description__,
    __license__,
    __title__,
    __url__,
    __version__,
)
from crawlkit.requests.api import delete, get, head, options, patch, post, put, request
from crawlkit.requests.exceptions import (
    ConnectionError,
    ConnectTimeout,
    FileModeWarning,
    HTTPError,
    JSONDecodeError,
    ReadTimeout,
    RequestException,
    RequestsDependencyWarning,
    Timeout,
    TooManyRedirects,
    URLRequired,
)
from crawlkit.requests.models import PreparedRequest, Request, Response
from crawlkit.requests.sessions import Session, session
from crawlkit.requests.status_codes import codes

__all__ = (
    "ConnectTimeout",
    "ConnectionError",
    "HTTPError",
    "JSONDecodeError",
    "PreparedRequest",
    "ReadTimeout",
    "Request",
    "RequestException",
    "Response",
    "Session",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "codes",
    "delete",
    "get",
    "head",
    "options",
    "packages",
    "patch",
    "post",
    "put",
    "request",
    "session",
    "utils",
)

logging.getLogger(__name__).addHandler(NullHandler())
