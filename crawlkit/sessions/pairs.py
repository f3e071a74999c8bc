"""Pairs: the mappings, lists of pairs and objects with `items()` that params, data, files and settings may
be.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any


def to_key_val_list(value: Any) -> list[tuple[Any, Any]]:
    """`value` as a list of pairs. ValueError for text and numbers, which are no pairs."""
    if value is None:
        return []
    if isinstance(value, (str, bytes, bool, int)):
        raise ValueError(f"a mapping or a list of pairs is needed, not {type(value).__name__}")
    return list(value.items()) if hasattr(value, "items") else list(value)


def merge_setting(request_setting: Any, session_setting: Any, dict_class: type = OrderedDict) -> Any:
    """A request's setting on top of the session's.

    Two mappings are merged into a `dict_class`, and a key whose value ends up None is left out; of anything
    else the request's wins unless it is None.
    """
    if session_setting is None:
        return request_setting
    if request_setting is None:
        return session_setting
    if not (isinstance(session_setting, Mapping) and isinstance(request_setting, Mapping)):
        return request_setting
    merged = dict_class(to_key_val_list(session_setting))
    merged.update(to_key_val_list(request_setting))
    for key in [key for key, value in merged.items() if value is None]:
        del merged[key]
    return merged


Pairs = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
