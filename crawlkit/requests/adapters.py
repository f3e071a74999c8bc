"""requests.adapters."""

from urllib.parse import urlparse

from urllib3.exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    LocationValueError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    ResponseError,
)
from urllib3.poolmanager import PoolManager, proxy_from_url
from urllib3.util import Timeout as TimeoutSauce
from urllib3.util import parse_url
from urllib3.util.retry import Retry

from crawlkit.exceptions import (
    ConnectionError,
    ConnectTimeout,
    InvalidHeader,
    InvalidProxyURL,
    InvalidSchema,
    InvalidURL,
    ProxyError,
    ReadTimeout,
    RetryError,
    SSLError,
)
from crawlkit.requests.compat import basestring
from crawlkit.requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    get_auth_from_url,
    get_encoding_from_headers,
    prepend_scheme_if_needed,
    select_proxy,
    urldefragauth,
)
from crawlkit.sessions.adapter import DEFAULT_POOLSIZE, BaseAdapter, HTTPAdapter
from crawlkit.sessions.auth import _basic_auth_str
from crawlkit.sessions.cookies import extract_cookies_to_jar
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.response import Response

DEFAULT_POOLBLOCK = False
DEFAULT_RETRIES = 0
DEFAULT_POOL_TIMEOUT = None

__all__ = [
    "DEFAULT_CA_BUNDLE_PATH",
    "DEFAULT_POOLBLOCK",
    "DEFAULT_POOLSIZE",
    "DEFAULT_POOL_TIMEOUT",
    "DEFAULT_RETRIES",
    "BaseAdapter",
    "CaseInsensitiveDict",
    "ClosedPoolError",
    "ConnectTimeout",
    "ConnectTimeoutError",
    "ConnectionError",
    "HTTPAdapter",
    "InvalidHeader",
    "InvalidProxyURL",
    "InvalidSchema",
    "InvalidURL",
    "LocationValueError",
    "MaxRetryError",
    "NewConnectionError",
    "PoolManager",
    "ProtocolError",
    "ProxyError",
    "ReadTimeout",
    "ReadTimeoutError",
    "Response",
    "ResponseError",
    "Retry",
    "RetryError",
    "SSLError",
    "TimeoutSauce",
    "_basic_auth_str",
    "basestring",
    "extract_cookies_to_jar",
    "get_auth_from_url",
    "get_encoding_from_headers",
    "parse_url",
    "prepend_scheme_if_needed",
    "proxy_from_url",
    "select_proxy",
    "urldefragauth",
    "urlparse",
]
