"""Buttons: which of a form's is pressed, and what pressing it sends.

What belongs here: the ways in which an author may name a button. What does not: the rest of the form (form.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selectolax.lexbor import LexborNode

from crawlkit.exceptions import FormError
from crawlkit.sessions.fields import Control
from crawlkit.sessions.formdata import Entry
from crawlkit.sessions.leaks import shown


def choose(buttons: Sequence[Control], click: Any, url: str) -> Control | None:
    """The button that `click` means: None the first that is not disabled, False none at all.

    Else its name, id, text or value, a mapping of its attributes ("nr" counts from 0), or its node. Raises FormError,
    which names the buttons there are, when there is none such, or a mapping or node fits several.
    """
    if click is False:
        return None
    if click is None:
        return next((button for button in buttons if not button.disabled), None)
    found = _like(buttons, click)
    if len(found) == 1 or (found and isinstance(click, str)):
        return found[0]
    wanted = repr(click) if isinstance(click, str) else str(click) if isinstance(click, Mapping) else "that node"
    there = ", ".join(_named(button) for button in buttons) or "none"
    wrong = f"several buttons are {wanted}" if found else f"no button is {wanted}"
    raise FormError(f"{wrong} in the form on {shown(url)}; its buttons: {there}")


def pressed(button: Control) -> list[Entry]:
    """What a pressed button adds to the form."""
    if button.kind == "image":
        prefix = f"{button.name}." if button.name else ""
        return [(f"{prefix}x", "0"), (f"{prefix}y", "0")]  # as when it is pressed by the keyboard
    return [(button.name, button.value)] if button.name else []


def _like(buttons: Sequence[Control], click: Any) -> list[Control]:
    if isinstance(click, str):
        by_name = [button for button in buttons if button.name == click]
        by_id = [button for button in buttons if button.attributes.get("id") == click]
        return by_name or by_id or [button for button in buttons if click in (button.label, button.value)]
    if isinstance(click, Mapping):
        wanted = dict(click)
        if (number := wanted.pop("nr", None)) is not None:
            buttons = buttons[int(number) : int(number) + 1]
        return [button for button in buttons if all(_has(button, name, value) for name, value in wanted.items())]
    node = getattr(click, "root", click)
    if not isinstance(node, LexborNode):
        raise TypeError(f"click= takes a name, a mapping, a node, None or False, not {type(click).__name__}")
    return [button for button in buttons if button.mem_id == node.mem_id]


def _has(button: Control, name: str, value: Any) -> bool:
    own = button.kind if name == "type" else button.attributes.get(name)
    return own == str(value)


def _named(button: Control) -> str:
    return repr(button.name or button.attributes.get("id") or button.label or button.kind)
