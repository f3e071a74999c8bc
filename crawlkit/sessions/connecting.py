"""Connecting: the half of an adapter that says how it connects, in the words of urllib3 and its pool managers.

What belongs here: the methods and attributes that programs written for requests override or set to say how connections
are made, and what they give back: pools of urllib3. What does not: doing what such a pool says (foreignpools.py),
connections (pool.py).
"""

from __future__ import annotations

import os
import ssl
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from urllib3.poolmanager import PoolKey, PoolManager, pool_classes_by_scheme, proxy_from_url

from crawlkit.exceptions import InvalidSchema
from crawlkit.sessions import routes
from crawlkit.sessions.environment import select_proxy

_KNOWN = {name.removeprefix("key_") for name in PoolKey._fields} - {"scheme", "host", "port"} | {"strict"}

# Whoever overrides one of these is asked for each request; nobody else pays for that.
_ASKED = (
    "build_connection_pool_key_attributes",
    "cert_verify",
    "get_connection",
    "get_connection_with_tls_context",
    "proxy_manager_for",
)


class Connecting:
    """The half of an HTTPAdapter that describes connections in urllib3's words.

    `poolmanager` is urllib3's PoolManager, `proxy_manager` a dict of its kind by proxy URL. Both are asked and never
    sent through, unless what they make is a pool of a kind that only itself knows how to use.
    """

    poolmanager: Any
    proxy_manager: dict[str, Any]
    _pool_connections: int
    _pool_maxsize: int
    _pool_block: bool
    _usual_settings: dict[str, Any]
    _usual_manager: Any = None
    _is_asked = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._is_asked = any(getattr(cls, name) is not getattr(Connecting, name) for name in _ASKED)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Make `poolmanager`. Override it to say how connections are made, as with requests, by passing on or giving
        to a PoolManager of your own: `ssl_context`, `ssl_version`, `ssl_minimum_version`, `ssl_maximum_version`,
        `ca_certs`, `ca_cert_dir`, `ca_cert_data`, `cert_file`, `key_file`, `key_password`, `assert_hostname`,
        `assert_fingerprint`, `server_hostname`, `source_address`, `socket_options`. TypeError names any other.
        """
        unknown = pool_kwargs.keys() - _KNOWN
        if unknown:
            raise TypeError(
                f"init_poolmanager() does not know {', '.join(sorted(unknown))}; "
                f"it knows {', '.join(sorted(name for name in _KNOWN if not name.startswith('_')))}"
            )
        self._pool_connections, self._pool_maxsize, self._pool_block = connections, maxsize, block
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)

    def _note_usual_settings(self) -> None:
        """Remember the settings that say nothing of connections: as long as there are no others, nobody is asked."""
        given = getattr(self.poolmanager, "connection_pool_kw", {})
        self._usual_settings = {name: given[name] for name in ("maxsize", "block") if name in given}
        is_usual = type(self.poolmanager) is PoolManager and not self._is_asked
        self._usual_manager = self.poolmanager if is_usual else None

    def _is_special(self) -> bool:
        """Whether anybody says how connections are made."""
        manager = self.poolmanager
        return (
            manager is not self._usual_manager
            or manager.connection_pool_kw != self._usual_settings
            or manager.pool_classes_by_scheme is not pool_classes_by_scheme
        )

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """urllib3's manager for the proxy at this URL, made with these settings when it is asked for first."""
        manager = self.proxy_manager.get(proxy)
        if manager is not None:
            return manager
        given = {
            "num_pools": self._pool_connections,
            "maxsize": self._pool_maxsize,
            "block": self._pool_block,
            **proxy_kwargs,
        }
        where = routes.proxy_at(proxy)
        if where.is_socks:
            manager = _socks_manager(proxy, where, given)
        else:
            manager = proxy_from_url(proxy, proxy_headers=self.proxy_headers(proxy), **given)
        self.proxy_manager[proxy] = manager
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """The headers for the proxy at this URL: Proxy-Authorization, when the URL has a user name."""
        where = routes.proxy_at(proxy)
        if not where.username:
            return {}
        return {"Proxy-Authorization": routes.basic_auth(where.username, where.password or "")}

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where a request goes (`scheme`, `host`, `port`), and its TLS settings by urllib3's names."""
        parts = urlsplit(request.url)
        host = {"scheme": parts.scheme.lower(), "host": parts.hostname, "port": parts.port}
        tls: dict[str, Any] = {"cert_reqs": "CERT_NONE" if verify is False else "CERT_REQUIRED"}
        if isinstance(verify, ssl.SSLContext):
            tls["ssl_context"] = verify
        elif isinstance(verify, (str, os.PathLike)) and verify:
            tls["ca_cert_dir" if Path(verify).is_dir() else "ca_certs"] = os.fsdecode(verify)
        if isinstance(cert, tuple) and len(cert) == 2:
            tls["cert_file"], tls["key_file"] = cert
        elif cert is not None:
            tls["cert_file"] = cert
        return host, tls

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """urllib3's pool for a request with these settings."""
        host, tls = self.build_connection_pool_key_attributes(request, verify, cert)
        return self._manager(request.url, proxies).connection_from_host(**host, pool_kwargs=tls)

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        """urllib3's pool for a URL. Deprecated in requests; who overrides it alone is asked nevertheless."""
        warnings.warn(
            "get_connection() is deprecated, as in requests: use get_connection_with_tls_context(), which knows verify "
            "and cert",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._manager(url, proxies).connection_from_url(url)

    def _manager(self, url: str, proxies: Any) -> Any:
        proxy = select_proxy(url, proxies) if proxies else None
        if not proxy:
            return self.poolmanager
        return self.proxy_manager_for(proxy if "://" in proxy else f"http://{proxy}")

    def _asked_pool(self, request: Any, verify: Any, proxies: Any, cert: Any) -> Any:
        """The pool that overridden methods and settings make for a request."""
        kind = type(self)
        if (
            kind.get_connection is not Connecting.get_connection
            and kind.get_connection_with_tls_context is Connecting.get_connection_with_tls_context
        ):
            return self.get_connection(request.url, proxies)
        return self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Set on `conn` (`cert_reqs`, `ca_certs`, `ca_cert_dir`, `cert_file`, `key_file`) what `verify` and `cert` say.

        Called with urllib3's pool before each request of an adapter that overrides something, in a copy of the pool
        that is for this request alone; what is set on it, `assert_hostname` and `assert_fingerprint` too, holds.
        """
        # A proxy that is spoken to over TLS is verified as any server, for a page over plain http as well.
        if verify and (url.lower().startswith("https") or getattr(conn, "scheme", None) == "https"):
            conn.cert_reqs = "CERT_REQUIRED"
            if isinstance(verify, (str, os.PathLike)):
                setattr(conn, "ca_cert_dir" if Path(verify).is_dir() else "ca_certs", os.fsdecode(verify))
        else:
            conn.cert_reqs = "CERT_NONE"
            conn.ca_certs = conn.ca_cert_dir = None
        if cert:
            conn.cert_file, conn.key_file = (cert, None) if isinstance(cert, str) else cert

    def _clear_managers(self) -> None:
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            manager.clear()


def _socks_manager(proxy: str, where: routes.Proxy, given: dict[str, Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # urllib3 warns before it raises; the error says what to install
            from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError as error:
        raise InvalidSchema(
            f"{where.shown} needs an extra that is not installed: pip install 'crawlkit[socks]'"
        ) from error
    return SOCKSProxyManager(proxy, username=where.username, password=where.password, **given)
