"""requests.sessions."""

import sys
import time
from datetime import timedelta
from http import cookiejar as cookielib
from urllib.parse import urljoin, urlparse

from crawlkit.exceptions import ChunkedEncodingError, ContentDecodingError, InvalidSchema, TooManyRedirects
from crawlkit.requests.adapters import HTTPAdapter
from crawlkit.requests.cookies import (
    RequestsCookieJar,
    cookiejar_from_dict,
    extract_cookies_to_jar,
    merge_cookies,
)
from crawlkit.requests.models import (
    DEFAULT_REDIRECT_LIMIT,
    REDIRECT_STATI,
    PreparedRequest,
    Request,
    Response,
)
from crawlkit.requests.utils import (
    DEFAULT_PORTS,
    default_headers,
    get_auth_from_url,
    get_environ_proxies,
    get_netrc_auth,
    requote_uri,
    resolve_proxies,
    rewind_body,
    should_bypass_proxies,
    to_key_val_list,
    to_native_string,
)
from crawlkit.sessions.auth import _basic_auth_str
from crawlkit.sessions.following import Redirects as SessionRedirectMixin
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.hooks import default_hooks, dispatch_hook, merge_hooks
from crawlkit.sessions.pairs import merge_setting
from crawlkit.sessions.session import Session, session
from crawlkit.sessions.status_codes import codes

preferred_clock = time.perf_counter if sys.platform == "win32" else time.time

__all__ = [
    "DEFAULT_PORTS",
    "DEFAULT_REDIRECT_LIMIT",
    "REDIRECT_STATI",
    "CaseInsensitiveDict",
    "ChunkedEncodingError",
    "ContentDecodingError",
    "HTTPAdapter",
    "InvalidSchema",
    "PreparedRequest",
    "Request",
    "RequestsCookieJar",
    "Response",
    "Session",
    "SessionRedirectMixin",
    "TooManyRedirects",
    "_basic_auth_str",
    "codes",
    "cookiejar_from_dict",
    "cookielib",
    "default_headers",
    "default_hooks",
    "dispatch_hook",
    "extract_cookies_to_jar",
    "get_auth_from_url",
    "get_environ_proxies",
    "get_netrc_auth",
    "merge_cookies",
    "merge_hooks",
    "merge_setting",
    "preferred_clock",
    "requote_uri",
    "resolve_proxies",
    "rewind_body",
    "session",
    "should_bypass_proxies",
    "timedelta",
    "to_key_val_list",
    "to_native_string",
    "urljoin",
    "urlparse",
]
