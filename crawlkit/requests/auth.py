"""requests.auth."""

from crawlkit.requests.compat import basestring, str, urlparse
from crawlkit.sessions.auth import AuthBase, HTTPBasicAuth, HTTPProxyAuth, _basic_auth_str
from crawlkit.sessions.body import FORM_TYPE
from crawlkit.sessions.cookies import extract_cookies_to_jar
from crawlkit.sessions.digest import HTTPDigestAuth
from crawlkit.sessions.headers import parse_dict_header, to_native_string

CONTENT_TYPE_FORM_URLENCODED = FORM_TYPE
CONTENT_TYPE_MULTI_PART = "multipart/form-data"

__all__ = [
    "CONTENT_TYPE_FORM_URLENCODED",
    "CONTENT_TYPE_MULTI_PART",
    "AuthBase",
    "HTTPBasicAuth",
    "HTTPDigestAuth",
    "HTTPProxyAuth",
    "_basic_auth_str",
    "basestring",
    "extract_cookies_to_jar",
    "parse_dict_header",
    "str",
    "to_native_string",
    "urlparse",
]
