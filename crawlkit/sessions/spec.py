"""The spider's Request behind a prepared one, so that `response.request.meta` is what the spider gave.

What belongs here: attributes handed through. What does not: the Request itself (request.py), preparing it
(prepared.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawlkit.sessions.request import Request
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Request = Any


class FromSpec:
    """What a prepared request has of the spider's Request `spec` that it was made from; empty without one."""

    spec: Request | None

    @property
    def meta(self) -> dict[str, Any]:
        """The spider's `meta`; an empty dict for a request that is no spider's."""
        return self.spec.meta if self.spec is not None else {}

    @property
    def cb_kwargs(self) -> dict[str, Any]:
        """The spider's `cb_kwargs`; an empty dict for a request that is no spider's."""
        return self.spec.cb_kwargs if self.spec is not None else {}

    @property
    def callback(self) -> Callable[..., Any] | str | None:
        """The spider's callback."""
        return self.spec.callback if self.spec is not None else None

    @property
    def errback(self) -> Callable[..., Any] | str | None:
        """The spider's errback."""
        return self.spec.errback if self.spec is not None else None

    @property
    def priority(self) -> int:
        """The spider's priority; 0 for a request that is no spider's."""
        return self.spec.priority if self.spec is not None else 0

    def replace(self, *args: Any, **changes: Any) -> Request:
        """A new spider's Request like the one behind this; TypeError when there is none."""
        if self.spec is None:
            raise TypeError("this request was not made from a spider's Request, so there is none to replace")
        return self.spec.replace(*args, **changes)
