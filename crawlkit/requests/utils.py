"""requests.utils: what programs import from there. Most of it lives in sessions/; what only requests' users
need is here.
"""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from urllib3.util import make_headers, parse_url

from crawlkit.exceptions import FileModeWarning, InvalidHeader, InvalidURL, UnrewindableBodyError
from crawlkit.requests import certs
from crawlkit.requests._internal_utils import atomic_open, extract_zipped_paths, set_environ
from crawlkit.requests.compat import (
    bytes,
    getproxies,
    getproxies_environment,
    integer_types,
    is_urllib3_1,
    proxy_bypass,
    proxy_bypass_environment,
    quote,
    str,
    unquote,
    urlparse,
    urlunparse,
)
from crawlkit.sessions import pairs, stream
from crawlkit.sessions.body import rewind_body, super_len
from crawlkit.sessions.cookies import add_dict_to_cookiejar, cookiejar_from_dict, dict_from_cookiejar
from crawlkit.sessions.defaults import default_headers, default_user_agent
from crawlkit.sessions.environment import (
    get_environ_proxies,
    resolve_proxies,
    select_proxy,
    should_bypass_proxies,
)
from crawlkit.sessions.headers import (
    CaseInsensitiveDict,
    check_header_validity,
    parse_dict_header,
    parse_header_links,
    parse_list_header,
    to_native_string,
    unquote_header_value,
)
from crawlkit.sessions.multipart import guess_filename
from crawlkit.sessions.netrc import NETRC_FILES, get_netrc_auth
from crawlkit.sessions.target import (
    UNRESERVED_SET,
    get_auth_from_url,
    prepend_scheme_if_needed,
    requote_uri,
    unquote_unreserved,
    urldefragauth,
)
from crawlkit.url import DEFAULT_PORTS

DEFAULT_CA_BUNDLE_PATH = certs.where()
DEFAULT_ACCEPT_ENCODING = default_headers()["Accept-Encoding"]


# --- pairs --------------------------------------------------------------------------------------------------


def dict_to_sequence(d: Any) -> Any:
    """The pairs of a mapping; anything else as it is."""
    return d.items() if hasattr(d, "items") else d


def to_key_val_list(value: Any) -> list[tuple[Any, Any]] | None:
    """A list of pairs; None for None. ValueError for text and numbers."""
    return None if value is None else pairs.to_key_val_list(value)


def from_key_val_list(value: Any) -> OrderedDict[Any, Any] | None:
    """An OrderedDict of pairs; None for None. ValueError for text and numbers."""
    return None if value is None else OrderedDict(pairs.to_key_val_list(value))


# --- text of bodies -----------------------------------------------------------------------------------------


def _parse_content_type_header(header: str) -> tuple[str, dict[str, Any]]:
    """Type and parameters of a Content-Type, their names in lower case."""
    kind, *rest = header.split(";")
    named = (part.partition("=") for part in rest)
    return kind.strip(), {name.strip("\"' ").lower(): value.strip("\"' ") for name, equals, value in named if equals}


def get_encoding_from_headers(headers: Mapping[str, str]) -> str | None:
    """The charset of a Content-Type; without one ISO-8859-1 for text, UTF-8 for JSON, None for anything else."""
    kind, parameters = _parse_content_type_header(headers.get("content-type") or "")
    if "charset" in parameters:
        return str(parameters["charset"])
    if "text" in kind:
        return "ISO-8859-1"
    return "utf-8" if "application/json" in kind else None


_META_CHARSET = re.compile(r"""<meta[^>]*?charset=["']*([^"'>]+)["'>]""", re.IGNORECASE)
_XML_ENCODING = re.compile(r"""\A<\?xml[^>]*?encoding=["']*([^"'>]+)["'>]""")


def get_encodings_from_content(content: str) -> list[str]:
    """The charsets that a page or XML document names. Deprecated, as in requests: `Response.encoding` knows."""
    warnings.warn("get_encodings_from_content is deprecated: use Response.encoding", DeprecationWarning, stacklevel=2)
    return _META_CHARSET.findall(content) + _XML_ENCODING.findall(content)


def stream_decode_response_unicode(iterator: Iterable[bytes], r: Any) -> Iterator[Any]:
    """The chunks of `iterator` as text in the response's encoding; as they are when it has none."""
    return stream.decoded(iter(iterator), r.encoding)


def iter_slices(string: Any, slice_length: int | None) -> Iterator[Any]:
    """`string` in pieces; None or nothing as length is the whole of it."""
    return stream.slices(string, slice_length)


def get_unicode_from_response(r: Any) -> str:
    """The body as text by its headers alone. Deprecated, as in requests: use `Response.text`."""
    warnings.warn("get_unicode_from_response is deprecated: use Response.text", DeprecationWarning, stacklevel=2)
    return str(r.content, get_encoding_from_headers(r.headers) or "utf-8", errors="replace")


_JSON_ENCODINGS = {  # where the zero bytes of two ASCII characters are, RFC 4627 section 3
    b"\1\1\1\1": "utf-8",
    b"\0\1\0\1": "utf-16-be",
    b"\1\0\1\0": "utf-16-le",
    b"\0\0\0\1": "utf-32-be",
    b"\1\0\0\0": "utf-32-le",
}
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def guess_json_utf(data: bytes) -> str | None:
    """Which UTF a JSON text is in, by its first four bytes; None when it cannot be one."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    sample = bytes(byte != 0 for byte in data[:4])
    return "utf-8" if all(sample) else _JSON_ENCODINGS.get(sample)


# --- addresses ----------------------------------------------------------------------------------------------


def address_in_network(ip: str, net: str) -> bool:
    """Whether an IPv4 address is in a network: `("192.168.1.1", "192.168.1.0/24")`."""
    return ipaddress.ip_address(ip) in ipaddress.ip_network(net, strict=False)


def dotted_netmask(mask: int) -> str:
    """24 → `255.255.255.0`."""
    return str(ipaddress.ip_network(f"0.0.0.0/{mask}").netmask)


def is_ipv4_address(string_ip: str) -> bool:
    """Whether it is one."""
    try:
        ipaddress.IPv4Address(string_ip)
    except ValueError:
        return False
    return True


def is_valid_cidr(string_network: str) -> bool:
    """Whether it is an IPv4 network with the length of its prefix, 1 to 32."""
    address, slash, mask = string_network.partition("/")
    return bool(slash) and is_ipv4_address(address) and mask.isdecimal() and 1 <= int(mask) <= 32


__all__ = [
    "DEFAULT_ACCEPT_ENCODING",
    "DEFAULT_CA_BUNDLE_PATH",
    "DEFAULT_PORTS",
    "NETRC_FILES",
    "UNRESERVED_SET",
    "CaseInsensitiveDict",
    "FileModeWarning",
    "InvalidHeader",
    "InvalidURL",
    "Mapping",
    "OrderedDict",
    "UnrewindableBodyError",
    "add_dict_to_cookiejar",
    "address_in_network",
    "atomic_open",
    "bytes",
    "certs",
    "check_header_validity",
    "cookiejar_from_dict",
    "default_headers",
    "default_user_agent",
    "dict_from_cookiejar",
    "dict_to_sequence",
    "dotted_netmask",
    "extract_zipped_paths",
    "from_key_val_list",
    "get_auth_from_url",
    "get_encoding_from_headers",
    "get_encodings_from_content",
    "get_environ_proxies",
    "get_netrc_auth",
    "get_unicode_from_response",
    "getproxies",
    "getproxies_environment",
    "guess_filename",
    "guess_json_utf",
    "integer_types",
    "is_ipv4_address",
    "is_urllib3_1",
    "is_valid_cidr",
    "iter_slices",
    "make_headers",
    "parse_dict_header",
    "parse_header_links",
    "parse_list_header",
    "parse_url",
    "prepend_scheme_if_needed",
    "proxy_bypass",
    "proxy_bypass_environment",
    "quote",
    "requote_uri",
    "resolve_proxies",
    "rewind_body",
    "select_proxy",
    "set_environ",
    "should_bypass_proxies",
    "str",
    "stream_decode_response_unicode",
    "super_len",
    "to_key_val_list",
    "to_native_string",
    "unquote",
    "unquote_header_value",
    "unquote_unreserved",
    "urldefragauth",
    "urlparse",
    "urlunparse",
]
