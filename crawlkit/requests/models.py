"""requests.models."""

import datetime
from http import cookiejar as cookielib
from io import UnsupportedOperation
from json import JSONDecodeError
from urllib.parse import urlencode, urlsplit, urlunparse

from urllib3.exceptions import DecodeError, LocationParseError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata
from urllib3.util import parse_url

from crawlkit.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    HTTPError,
    InvalidJSONError,
    InvalidURL,
    MissingSchema,
    StreamConsumedError,
)
from crawlkit.exceptions import JSONDecodeError as RequestsJSONDecodeError
from crawlkit.exceptions import SSLError as RequestsSSLError
from crawlkit.requests._internal_utils import unicode_is_ascii
from crawlkit.requests.compat import basestring, builtin_str
from crawlkit.requests.utils import (
    check_header_validity,
    get_auth_from_url,
    guess_filename,
    guess_json_utf,
    iter_slices,
    parse_header_links,
    requote_uri,
    stream_decode_response_unicode,
    super_len,
    to_key_val_list,
    to_native_string,
)
from crawlkit.sessions.auth import HTTPBasicAuth
from crawlkit.sessions.cookies import cookiejar_from_dict, get_cookie_header
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.hooks import RequestHooksMixin, default_hooks
from crawlkit.sessions.models import Request
from crawlkit.sessions.prepared import PreparedRequest, RequestEncodingMixin
from crawlkit.sessions.redirects import MAX_REDIRECTS as DEFAULT_REDIRECT_LIMIT
from crawlkit.sessions.redirects import REDIRECT_STATUSES
from crawlkit.sessions.response import Response
from crawlkit.sessions.status_codes import codes

REDIRECT_STATI = tuple(sorted(REDIRECT_STATUSES))
CONTENT_CHUNK_SIZE = 10 * 1024
ITER_CHUNK_SIZE = 512


__all__ = [
    "CONTENT_CHUNK_SIZE",
    "DEFAULT_REDIRECT_LIMIT",
    "ITER_CHUNK_SIZE",
    "REDIRECT_STATI",
    "CaseInsensitiveDict",
    "ChunkedEncodingError",
    "ConnectionError",
    "ContentDecodingError",
    "DecodeError",
    "HTTPBasicAuth",
    "HTTPError",
    "InvalidJSONError",
    "InvalidURL",
    "JSONDecodeError",
    "LocationParseError",
    "MissingSchema",
    "PreparedRequest",
    "ProtocolError",
    "ReadTimeoutError",
    "Request",
    "RequestEncodingMixin",
    "RequestField",
    "RequestHooksMixin",
    "RequestsJSONDecodeError",
    "RequestsSSLError",
    "Response",
    "SSLError",
    "StreamConsumedError",
    "UnsupportedOperation",
    "basestring",
    "builtin_str",
    "check_header_validity",
    "codes",
    "cookiejar_from_dict",
    "cookielib",
    "datetime",
    "default_hooks",
    "encode_multipart_formdata",
    "get_auth_from_url",
    "get_cookie_header",
    "guess_filename",
    "guess_json_utf",
    "iter_slices",
    "parse_header_links",
    "parse_url",
    "requote_uri",
    "stream_decode_response_unicode",
    "super_len",
    "to_key_val_list",
    "to_native_string",
    "unicode_is_ascii",
    "urlencode",
    "urlsplit",
    "urlunparse",
]
