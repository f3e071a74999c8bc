"""Hooks: functions that a request carries and that see its response. The only event is `response`.

What does not belong here: what hooks there are by default (digest.py registers its own).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Hook = Callable[..., Any]
Hooks = dict[str, list[Hook]]

HOOKS = ["response"]


def default_hooks() -> Hooks:
    """A new dict with an empty list for each event."""
    return {"response": []}


def dispatch_hook(key: str, hooks: Mapping[str, Any] | None, hook_data: Any, **kwargs: Any) -> Any:
    """Pass `hook_data` through the hooks of event `key`; each may return what replaces it, or None to keep
    it.
    """
    registered = hooks.get(key) if hooks else None
    if not registered:
        return hook_data
    for hook in [registered] if callable(registered) else list(registered):
        replacement = hook(hook_data, **kwargs)
        if replacement is not None:
            hook_data = replacement
    return hook_data


def merge_hooks(request_hooks: Any, session_hooks: Any, dict_class: type = dict) -> Any:
    """The request's hooks where it has any for the response, else the session's; both when they name other
    events.
    """
    if session_hooks is None or session_hooks.get("response") == []:
        return request_hooks
    if request_hooks is None or request_hooks.get("response") == []:
        return session_hooks
    merged = dict_class(session_hooks)
    merged.update(request_hooks)
    return merged


class RequestHooksMixin:
    """`register_hook` and `deregister_hook` for what has `hooks`."""

    hooks: Hooks

    def register_hook(self, event: str, hook: Hook | Iterable[Hook] | None) -> None:
        """Add one hook or several to `event`, None being none. ValueError for an event that does not exist, TypeError
        for what cannot be called.
        """
        if event not in self.hooks:
            raise ValueError(f"there is no event {event!r} to hook into; there is: {', '.join(self.hooks)}")
        if callable(hook):
            self.hooks[event].append(hook)
        elif isinstance(hook, Iterable):
            self.hooks[event].extend(one for one in hook if callable(one))
        elif hook is not None:
            raise TypeError(f"a hook must be a callable or several of them, not {type(hook).__name__}")

    def deregister_hook(self, event: str, hook: Hook) -> bool:
        """Remove a hook; whether it was there."""
        try:
            self.hooks[event].remove(hook)
        except ValueError:
            return False
        return True
