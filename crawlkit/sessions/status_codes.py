"""Names of status codes: `codes.not_found`, `codes["not_found"]`, `codes.NOT_FOUND` are 404.

What belongs here: the table. The names are requests' so that programs keep working; the numbers are IANA's
and a few that servers made up.
"""

from __future__ import annotations

from typing import Any, TypeVar

V = TypeVar("V")


class LookupDict(dict[str, V]):
    """Values as attributes and as items; an item that is not there is None, an attribute raises
    AttributeError.
    """

    name: Any

    def __init__(self, name: Any = None) -> None:
        super().__init__()
        self.name = name

    def __repr__(self) -> str:
        return f"<lookup {self.name!r}>"

    def __getattr__(self, key: str) -> V:
        # Reached only when ordinary lookup found nothing; declares the attributes' type.
        raise AttributeError(f"{self.name} has no name {key!r}")

    def __getitem__(self, key: str) -> V | None:  # type: ignore[override]
        return self.__dict__.get(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, else `default`."""
        return self.__dict__.get(key, default)


#: The names of each code, parted by spaces; the first is the one to say.
NAMES: dict[int, str] = {
    100: "continue",
    101: "switching_protocols",
    102: "processing early-hints",
    103: "checkpoint early_hints",
    122: "request_uri_too_long",
    200: "ok okay all_ok all_okay all_good \\o/ ✓",
    201: "created",
    202: "accepted",
    203: "non_authoritative_info non_authoritative_information",
    204: "no_content",
    205: "reset_content reset",
    206: "partial_content partial",
    207: "multi_status multiple_status multi_stati multiple_stati",
    208: "already_reported",
    226: "im_used",
    300: "multiple_choices",
    301: "moved_permanently moved \\o-",
    302: "found",
    303: "see_other other",
    304: "not_modified",
    305: "use_proxy",
    306: "switch_proxy",
    307: "temporary_redirect temporary_moved temporary",
    308: "permanent_redirect resume_incomplete resume",
    400: "bad_request bad",
    401: "unauthorized",
    402: "payment_required payment",
    403: "forbidden",
    404: "not_found -o-",
    405: "method_not_allowed not_allowed",
    406: "not_acceptable",
    407: "proxy_authentication_required proxy_auth proxy_authentication",
    408: "request_timeout timeout",
    409: "conflict",
    410: "gone",
    411: "length_required",
    412: "precondition_failed",  # the name "precondition" belongs to 428, where requests' table ends up too
    413: "request_entity_too_large content_too_large",
    414: "request_uri_too_large uri_too_long",
    415: "unsupported_media_type unsupported_media media_type",
    416: "requested_range_not_satisfiable requested_range range_not_satisfiable",
    417: "expectation_failed",
    418: "im_a_teapot teapot i_am_a_teapot",
    421: "misdirected_request",
    422: "unprocessable_entity unprocessable unprocessable_content",
    423: "locked",
    424: "failed_dependency dependency",
    425: "unordered_collection unordered too_early",
    426: "upgrade_required upgrade",
    428: "precondition_required precondition",
    429: "too_many_requests too_many",
    431: "header_fields_too_large fields_too_large",
    444: "no_response none",
    449: "retry_with retry",
    450: "blocked_by_windows_parental_controls parental_controls",
    451: "unavailable_for_legal_reasons legal_reasons",
    499: "client_closed_request",
    500: "internal_server_error server_error /o\\ ✗",
    501: "not_implemented",
    502: "bad_gateway",
    503: "service_unavailable unavailable",
    504: "gateway_timeout",
    505: "http_version_not_supported http_version",
    506: "variant_also_negotiates",
    507: "insufficient_storage",
    508: "loop_detected",
    509: "bandwidth_limit_exceeded bandwidth",
    510: "not_extended",
    511: "network_authentication_required network_auth network_authentication",
}


def _build() -> LookupDict[int]:
    table: LookupDict[int] = LookupDict("status_codes")
    for code, names in NAMES.items():
        for name in names.split():
            setattr(table, name, code)
            if not name.startswith(("\\", "/")):
                setattr(table, name.upper(), code)
    return table


codes = _build()
