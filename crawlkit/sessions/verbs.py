"""The methods of HTTP as methods of a Session: `get()`, `post()` and their kin.

What belongs here: the names, their arguments in requests' order, and their one difference, that `head()`
does not follow redirects. All of them are `Session.request()`, called with the very keywords with which requests calls it:
programs override `request(self, method, url, **kwargs)`, and look at what is in `kwargs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawlkit.sessions.response import Response


class Verbs:
    """Each method sends one request and returns its Response; `kwargs` are those of `Session.request()`."""

    if TYPE_CHECKING:

        def request(self, method: str, url: Any, *args: Any, **kwargs: Any) -> Response: ...

    def get(self, url: Any, params: Any = None, **kwargs: Any) -> Response:
        """Fetches `url`. `params`: mapping, pairs, str or bytes for its query."""
        kwargs.setdefault("allow_redirects", True)
        return self.request("GET", url, params=params, **kwargs)

    def options(self, url: Any, **kwargs: Any) -> Response:
        """Asks what may be done with `url`."""
        kwargs.setdefault("allow_redirects", True)
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url: Any, **kwargs: Any) -> Response:
        """Fetches the head of `url` only; redirects are not followed unless `allow_redirects=True`."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def post(self, url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
        """Sends `data` (mapping or pairs: a form; str, bytes, file, iterable) or `json` to `url`."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url: Any, data: Any = None, **kwargs: Any) -> Response:
        """Stores `data` at `url`."""
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url: Any, data: Any = None, **kwargs: Any) -> Response:
        """Changes what is at `url` by `data`."""
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: Any, **kwargs: Any) -> Response:
        """Removes what is at `url`."""
        return self.request("DELETE", url, **kwargs)
