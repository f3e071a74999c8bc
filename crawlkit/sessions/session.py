"""Session: what requests' Session is, safe in threads, with a profile that outlives it.

What belongs here: its settings, the one way in (`request()`), adapters, pickles. Merging is in merging.py, sending in
sending.py, the profile in keeping.py, the methods of HTTP in verbs.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crawlkit.exceptions import InvalidSchema
from crawlkit.sessions import models
from crawlkit.sessions.adapter import HTTPAdapter
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.defaults import DEFAULT_TIMEOUT, UNSET, Unset, UsualTimeout, default_headers
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.hooks import default_hooks
from crawlkit.sessions.keeping import Keeping
from crawlkit.sessions.leaks import SECRET_HEADERS, shown
from crawlkit.sessions.merging import Merging
from crawlkit.sessions.offered import offered
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.redirects import MAX_REDIRECTS, CheckHop
from crawlkit.sessions.response import Response
from crawlkit.sessions.sending import Sending
from crawlkit.sessions.verbs import Verbs

if TYPE_CHECKING:
    from crawlkit.sessions.forms import Form
    from crawlkit.sessions.login import Login
    from crawlkit.sessions.vault import Vault
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Form = Login = Vault = Any

# What a pickle of a session holds; connections belong to the process, and the cookies of a profile to its vault.
# The first twelve are requests', in its order, for subclasses that add theirs.
_PICKLED = [
    "headers",
    "cookies",
    "auth",
    "proxies",
    "hooks",
    "params",
    "verify",
    "cert",
    "adapters",
    "stream",
    "trust_env",
    "max_redirects",
    "_connection_pool",
    "_usual_headers",
]
# Settings that requests has not. A subclass may have attributes of its own by these names, so that an instance has them
# only when they were given or assigned.
_SETTINGS = ("base_url", "timeout", "deadline", "retries", "max_body", "secret_headers", "secret_origins")


class Session(Sending, Merging, Keeping, Verbs):
    """Settings, cookies and connections that many requests share. Any number of threads may use one at the same time.

    `profile`: the name under which cookies and headers are kept in `vault` (a file, a Vault; None: data/sessions.db).
    `base_url`: what a relative URL is relative to (RFC 3986: with a path, end it with "/"). `timeout`: seconds, a
    pair (connect, read), or None for none; 10 and 30 when not given. `deadline`: seconds for a whole exchange with
    its redirects and retries, for a stream up to its head. `retries`: how often a failed exchange is repeated, or a
    RetryPolicy. `pool`: connections to share with other sessions. `allow_private=False` refuses private addresses.
    `max_body`: most bytes of a decoded body that is not streamed; more is BodyTooLarge. `login`: how to log in; the
    session does so before its first request, unless the profile is logged in, and whenever an answer looks logged out.

    `headers`, `params`, `auth`, `cookies`, `proxies`, `hooks`, `verify`, `cert`, `stream`, `max_redirects`,
    `trust_env` are requests'. `secret_headers` are the names (`*` allowed) of headers that no redirect carries to
    another origin; `secret_origins`, when set, the only origins that get them, and `auth`, from the session at all.
    """

    __attrs__ = _PICKLED

    base_url: str | None = None
    timeout: Any = DEFAULT_TIMEOUT
    deadline: float | None = None
    retries: Any = 0
    max_body: int | None = None
    secret_headers: Any = SECRET_HEADERS
    secret_origins: Any = None

    def __init__(
        self,
        *,
        profile: str | None = None,
        vault: str | Path | Vault | None = None,
        base_url: str | Unset | None = UNSET,
        timeout: Any = UNSET,
        deadline: float | Unset | None = UNSET,
        retries: Any = UNSET,
        pool: ConnectionPool | None = None,
        allow_private: bool = True,
        max_body: int | Unset | None = UNSET,
        login: Login | None = None,
    ) -> None:
        self.headers: Any = default_headers()
        self._usual_headers = default_headers()
        self.auth: Any = None
        self.proxies: Any = {}
        self.hooks: Any = default_hooks()
        self.params: Any = {}
        self.stream = False
        self.verify: Any = True
        self.cert: Any = None
        self.max_redirects = MAX_REDIRECTS
        self.trust_env = True
        given = (base_url, timeout, deadline, retries, max_body)
        for name, value in zip(_SETTINGS, given, strict=False):
            if value is not UNSET:
                setattr(self, name, value)
        if pool is not None and pool.allow_private and not allow_private:
            raise ValueError(
                "allow_private=False contradicts pool=, which allows private addresses and may be connected to some: "
                "make the pool with ConnectionPool(allow_private=False)"
            )
        self._connection_pool = ConnectionPool(allow_private=allow_private) if pool is None else pool
        self.adapters: OrderedDict[str, Any] = OrderedDict()
        self.mount("https://", HTTPAdapter(pool=self._connection_pool))
        self.mount("http://", HTTPAdapter(pool=self._connection_pool))
        self.cookies = CookieJar()
        if profile is not None:
            self._load_profile(profile, vault)
        if login is not None:
            self._join_login(login)

    # --- requests --------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: Any,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = UNSET,
        allow_redirects: bool = True,
        proxies: Any = None,
        hooks: Any = None,
        stream: bool | None = None,
        verify: Any = None,
        cert: Any = None,
        json: Any = None,
        *,
        deadline: float | Unset | None = UNSET,
        retries: Any = UNSET,
        max_body: int | Unset | None = UNSET,
        check_hop: CheckHop | None = None,
    ) -> Response:
        """Prepares a request with the session's settings, sends it, follows redirects, and returns the answer.

        The arguments are requests', in requests' order; `timeout`, `deadline`, `retries` and `max_body` stand for
        this request before the session's. `check_hop(response, next_request)` is called before each redirect is
        followed and may raise. Raises RequestException's kinds. An error status is no exception: see
        `Response.raise_for_status()`.
        """
        url = self._absolute_url(url)
        if type(self).prepare_request is Merging.prepare_request:
            prepared = self._prepared_of(method, url, headers, files, data, params, auth, cookies, hooks, json)
        else:
            prepared = self.prepare_request(
                models.Request(method.upper(), url, headers, files, data, params, auth, cookies, hooks, json)
            )
        settings = self.merge_environment_settings(prepared.url or "", proxies, stream, verify, cert)
        usual = timeout is UNSET and type(self.timeout) is UsualTimeout
        # As in requests an overridden send() finds the key, and None where nobody set a timeout.
        settings["timeout"] = None if usual else self.timeout if timeout is UNSET else timeout
        if deadline is not UNSET:
            settings["deadline"] = deadline
        if retries is not UNSET:
            settings["retries"] = retries
        if max_body is not UNSET:
            settings["max_body"] = max_body
        if check_hop is not None:
            settings["check_hop"] = check_hop
        prepared._untimed = usual
        try:
            return self.send(prepared, allow_redirects=allow_redirects, **settings)
        finally:
            prepared._untimed = False

    # --- adapters --------------------------------------------------------------------------------------------

    def get_adapter(self, url: str) -> Any:
        """The adapter with the longest prefix that `url` begins with, whatever the case. InvalidSchema when none
        does.
        """
        lower = url.lower()
        for prefix, adapter in self.adapters.items():
            if lower.startswith(prefix.lower()):
                return adapter
        raise InvalidSchema(
            f"no adapter is mounted for {shown(url)!r}; mounted are: {', '.join(self.adapters) or 'none'}"
        )

    def mount(self, prefix: str, adapter: Any) -> None:
        """Sends what begins with `prefix` through `adapter`. Longer prefixes go first.

        A session that refuses private addresses refuses them through this adapter as well.
        """
        pool = getattr(adapter, "pool", None)
        if isinstance(pool, ConnectionPool) and not self._connection_pool.allow_private:
            pool.hold_to(self._connection_pool.policy)
        # A new dict, so that threads that are looking for their adapter go on in the old one.
        mounted = {**self.adapters, prefix: adapter}
        self.adapters = OrderedDict(sorted(mounted.items(), key=lambda pair: -len(pair[0])))

    @offered
    def pool(self) -> ConnectionPool:
        """The connections."""
        return self._connection_pool

    def bind(self, share: Any) -> AbstractContextManager[Any]:
        """Within it, this thread's requests use the connections of `share`."""
        return self._connection_pool.bind(share)

    # --- forms and files -------------------------------------------------------------------------------------

    def submit(
        self, form: Form, data: Any = None, *, click: Any = None, extra: bool = False, **kwargs: Any
    ) -> Response:
        """Sends `form` as a browser would, with `data` (field → value) filled in, and saves the profile, if there is
        one.

        `click`: the button to press; None: the first; False: none. Raises FormError when the form has no such field,
        unless `extra`. `kwargs` are those of `request()`.
        """
        return self._submit_form(form, data, click=click, extra=extra, **kwargs)

    def _submit_form(
        self,
        form: Form,
        data: Any = None,
        *,
        click: Any = None,
        extra: bool = False,
        check: Callable[[Any], None] | None = None,
        **kwargs: Any,
    ) -> Response:
        """`submit()`; `check` sees the Payload before it is sent, and may raise."""
        if self._redactor is not None:
            form.learn = self._redactor.learn
        sent = form.payload(data, click=click, extra=extra)
        if check is not None:
            check(sent)
        headers = CaseInsensitiveDict(sent.headers)
        headers.update(kwargs.pop("headers", None) or {})
        response = self.request(sent.method, sent.url, data=sent.body, headers=headers, **kwargs)
        self._save_profile()
        return response

    def download(self, url: Any, path: str | Path, **kwargs: Any) -> Path:
        """Fetches `url` into the file `path`, which is there whole or not at all. See download.py."""
        from crawlkit.sessions.download import download

        return download(self, url, path, **kwargs)

    # --- life ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Saves the profile and closes the connections. May be called at any time, from any thread, more than once.

        What other threads have under way comes to its end, streams that are being read as well, and its connection
        is closed after it. A closed session opens new connections when it is used again.
        """
        try:
            self._save_profile()
        finally:
            for adapter in self.adapters.values():
                adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        state = {name: getattr(self, name, None) for name in self.__attrs__ if name != "cookies"}
        state.update((name, self.__dict__[name]) for name in _SETTINGS if name in self.__dict__)
        state["own_adapters"] = [
            prefix
            for prefix, adapter in self.adapters.items()
            if getattr(adapter, "pool", None) is self._connection_pool
        ]
        state["memory"] = self._pickled_memory()
        state["login"] = None if self._membership is None else self._membership.login
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A subclass with a __getstate__ written for requests gives what __attrs__ names, and nothing else.
        own_adapters, login = state.pop("own_adapters", ()), state.pop("login", None)
        jar = state.pop("cookies", None)
        memory = state.pop("memory", jar)
        self.__dict__.update(state)
        for prefix in own_adapters:
            self.adapters[prefix].pool = self._connection_pool
        self._unpickle_memory(CookieJar() if memory is None else memory)
        if login is not None:
            self._join_login(login)

    def _join_login(self, login: Login) -> None:
        from crawlkit.sessions.membership import Membership

        self._membership = Membership(self, login)


def session() -> Session:
    """A new Session; requests has this function, too."""
    return Session()
