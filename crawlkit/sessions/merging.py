"""Merging: a request's settings on top of the session's, and the environment's share.

What belongs here: from what a program passes to a PreparedRequest and the settings of sending. What does
not: preparing itself (prepared.py), choosing between two settings of one name (pairs.py), reading the
environment (environment.py).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from http import cookiejar
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from crawlkit.sessions import models
from crawlkit.sessions.cookies import CookieJar, cookiejar_from_dict, merge_cookies
from crawlkit.sessions.environment import ca_bundle, get_environ_proxies
from crawlkit.sessions.following import ChosenProxies
from crawlkit.sessions.headers import CaseInsensitiveDict, HeaderValue
from crawlkit.sessions.hooks import merge_hooks
from crawlkit.sessions.leaks import is_secret, origin_of
from crawlkit.sessions.netrc import get_netrc_auth
from crawlkit.sessions.pairs import merge_setting
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.request import Request as Spec
from crawlkit.sessions.target import prepare_url
from crawlkit.url import Origin

if TYPE_CHECKING:
    from crawlkit.sessions.membership import Membership
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Membership = Any

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Merging:
    """The half of a Session that makes requests ready. What a request does not bring is not merged."""

    headers: Any
    auth: Any
    cookies: Any
    proxies: Any
    hooks: Any
    params: Any
    stream: bool
    verify: Any
    cert: Any
    trust_env: bool
    base_url: str | None
    secret_headers: Iterable[str]
    _membership: Membership | None
    secret_origins: Container[Origin] | None
    """The only origins that get the session's `auth` and secret headers; None: whoever is called, as in requests."""

    if TYPE_CHECKING:

        def _confide_auth(self, auth: Any) -> None: ...

    def prepare_request(self, request: models.Request | Spec) -> PreparedRequest:
        """`request`, requests' or a spider's, with the session's settings merged in, ready for `send()`."""
        if isinstance(request, Spec):
            prepared = self._prepared_of(
                request.method,
                request.url,
                request.headers,
                None,
                request.body,
                None,
                None,
                request.cookies,
                None,
                None,
            )
            prepared.spec = request
            return prepared
        return self._prepared_of(
            request.method,
            self._absolute_url(request.url),
            request.headers,
            request.files,
            request.data,
            request.params,
            request.auth,
            request.cookies,
            request.hooks,
            request.json,
        )

    def _prepared_of(
        self,
        method: Any,
        url: Any,
        headers: Any,
        files: Any,
        data: Any,
        params: Any,
        auth: Any,
        cookies: Any,
        hooks: Any,
        json: Any,
    ) -> PreparedRequest:
        if params:
            params = merge_setting(params, self.params)
        elif self.params:
            params = merge_setting({}, self.params)
        own_headers, own_auth, own_hooks = self.headers, self.auth, self.hooks
        if self.secret_origins is not None and self._is_foreign(url):
            own_headers, own_auth = self._public_headers(), None
        if not auth:
            auth = own_auth
            if not auth and self.trust_env:
                auth = get_netrc_auth(url)
        if hooks or (own_hooks and own_hooks.get("response")):
            hooks = merge_hooks(hooks, own_hooks)
        prepared = PreparedRequest()
        prepared.prepare(
            method=method.upper(),
            url=url,
            headers=_merged_headers(headers, own_headers),
            files=files,
            data=data,
            params=params,
            auth=auth,
            cookies=self._merged_cookies(cookies) if cookies else self.cookies,
            hooks=hooks,
            json=json,
        )
        if auth:
            self._confide_auth(auth)
            prepared.own_auth = auth is own_auth
        return prepared

    def _absolute_url(self, url: Any) -> Any:
        """`url` as seen from `base_url`, when the session has one."""
        base = self.base_url
        # A subclass may have something else by this name, or puts its base in front by itself.
        if not isinstance(base, str) or url is None:
            return url
        text = url.decode("utf-8") if isinstance(url, bytes) else str(url)
        return url if _ABSOLUTE.match(text) else urljoin(base, text)

    def _is_foreign(self, url: Any) -> bool:
        """Whether the session's secrets are none of this URL's business. A login knows what it is doing."""
        if self._membership is not None and self._membership.logging_in:
            return False
        text = url.decode("utf-8") if isinstance(url, bytes) else str(url)
        return origin_of(prepare_url(text)) not in (self.secret_origins or ())

    def _public_headers(self) -> CaseInsensitiveDict[HeaderValue]:
        patterns = (*self.secret_headers, "Authorization", "Cookie")
        public = {name: value for name, value in (self.headers or {}).items() if not is_secret(name, patterns)}
        return CaseInsensitiveDict(public)

    def _merged_cookies(self, cookies: Any) -> CookieJar:
        """The session's cookies and the request's on top, in a jar for this request only."""
        jar = merge_cookies(CookieJar(), self.cookies)
        if isinstance(cookies, list):  # Scrapy's form: a dict for each cookie, with its domain and path
            for cookie in cookies:
                if not isinstance(cookie, Mapping):
                    raise TypeError(
                        "a list of cookies holds a mapping for each (name, value, domain, path); a mapping of names and "
                        "values is passed as it is, and a line word for word in headers={'Cookie': ...}"
                    )
                jar.set(**cookie)
            return jar
        return merge_cookies(jar, cookies if isinstance(cookies, cookiejar.CookieJar) else cookiejar_from_dict(cookies))

    def merge_environment_settings(
        self, url: str, proxies: Any, stream: bool | None, verify: Any, cert: Any
    ) -> dict[str, Any]:
        """The session's proxies, stream, verify and cert, what the request says on top, and the environment's share.

        With `trust_env`, proxies of the environment hold where the request names none, and REQUESTS_CA_BUNDLE, then
        CURL_CA_BUNDLE, where the request does not say whom to trust.
        """
        if self.trust_env and (verify is None or verify is True):
            verify = ca_bundle() or verify
        return {
            "proxies": self._choose_proxies(url, proxies),
            "stream": self.stream if stream is None else stream,
            "verify": self.verify if verify is None else verify,
            "cert": self.cert if cert is None else cert,
        }

    def _choose_proxies(self, url: str, given: Mapping[str, str] | None) -> ChosenProxies:
        if given and not isinstance(given, Mapping):
            raise TypeError(
                f"proxies must be a mapping such as {{'https': 'http://host:port'}}, not {type(given).__name__}"
            )
        chosen = dict(given) if given else {}
        if self.trust_env:
            for scheme, proxy in get_environ_proxies(url, chosen.get("no_proxy")).items():
                chosen.setdefault(scheme, proxy)
        if self.proxies:
            chosen = merge_setting(chosen, self.proxies, dict_class=dict)
        return ChosenProxies(chosen, given)


def _merged_headers(headers: Any, own: Any) -> Mapping[str, HeaderValue]:
    if headers:
        merged: Mapping[str, HeaderValue] = merge_setting(headers, own, dict_class=CaseInsensitiveDict)
        return merged
    if own and None in own.values():
        return CaseInsensitiveDict({name: value for name, value in own.items() if value is not None})
    return own or {}
