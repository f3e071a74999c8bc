"""requests' Request: method, URL and everything else that describes one exchange, before it is prepared.

What does not belong here: the spider's Request (request.py), preparing (prepared.py). It is public as
`crawlkit.requests.Request`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawlkit.sessions.hooks import RequestHooksMixin, default_hooks
from crawlkit.sessions.prepared import PreparedRequest


class Request(RequestHooksMixin):
    """A description to prepare: with `prepare()` on its own, with `Session.prepare_request()` in a session's
    settings.

    `params`: mapping, pairs, str or bytes for the query. `data`: mapping or pairs (a form), str, bytes, a
    file or an iterable (a stream). `json`: any JSON value, used when there is no `data`. `files`: name → file
    or (file name, file[, content type[, headers]]). `auth`: (user, password) or a callable. `cookies`:
    mapping or jar. `hooks`: event → callable.
    """

    def __init__(
        self,
        method: str | None = None,
        url: str | bytes | None = None,
        headers: Mapping[str, Any] | None = None,
        files: Any = None,
        data: Any = None,
        params: Any = None,
        auth: Any = None,
        cookies: Any = None,
        hooks: Mapping[str, Any] | None = None,
        json: Any = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = {} if headers is None else headers
        self.files = [] if files is None else files
        self.data = [] if data is None else data
        self.json = json
        self.params = {} if params is None else params
        self.auth = auth
        self.cookies = cookies
        self.hooks = default_hooks()
        for event, hook in (hooks or {}).items():
            self.register_hook(event, hook)

    def __repr__(self) -> str:
        return f"<Request [{self.method}]>"

    def prepare(self) -> PreparedRequest:
        """What would be sent without a session. Raises what `PreparedRequest.prepare` raises."""
        prepared = PreparedRequest()
        prepared.prepare(
            method=self.method,
            url=self.url,
            headers=self.headers,
            files=self.files,
            data=self.data,
            params=self.params,
            auth=self.auth,
            cookies=self.cookies,
            hooks=self.hooks,
            json=self.json,
        )
        return prepared
