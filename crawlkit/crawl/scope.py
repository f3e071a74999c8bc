"""Scope: which hosts a crawl may fetch from, and which URLs of others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from crawlkit.url import Origin


class Scope:
    """Hosts and their subdomains that belong to a crawl. Any thread may ask; the set only grows.

    `allowed_domains` may name a port (`localhost:8000`), which then must match. Without it the hosts of the start
    requests are the scope, each joining as its request is made; so does the host that a start URL redirects to.
    `in_scope`: the author's word on a URL of another host.
    """

    def __init__(self, allowed_domains: Iterable[str] | None, in_scope: Callable[[str], bool] | None = None) -> None:
        self._in_scope = in_scope
        self._lock = threading.Lock()
        self.fixed = allowed_domains is not None
        self._domains = frozenset(d.lower().lstrip(".").rstrip(".") for d in allowed_domains or ())
        self._known: dict[str, bool] = {}

    @property
    def domains(self) -> list[str]:
        """The hosts whose pages, and whose subdomains' pages, belong to the crawl."""
        return sorted(self._domains)

    def join(self, origin: Origin) -> bool:
        """Take the host of a start URL in; True when it is new."""
        host = origin.host.rstrip(".")
        with self._lock:
            if host in self._domains:
                return False
            self._domains = self._domains | {host}
            self._known = {}
        return True

    def allows(self, origin: Origin) -> bool:
        """Whether pages of `origin` belong to this crawl."""
        netloc = origin.netloc
        known = self._known
        answer = known.get(netloc)
        if answer is None:
            answer = known[netloc] = self._match(origin)
        return answer

    def holds(self, url: str, origin: Origin) -> bool:
        """Whether a canonical URL, which is of `origin`, belongs to this crawl. Raises what the author's `in_scope` does."""
        return self.allows(origin) or (self._in_scope is not None and self._in_scope(url))

    def _match(self, origin: Origin) -> bool:
        host, domains = origin.host.rstrip("."), self._domains
        if host in domains or f"{host}:{origin.port}" in domains:
            return True
        if ":" in host or host.replace(".", "").isdigit():
            return False  # an address has no subdomains
        labels = host.split(".")
        return any(
            parent in domains or f"{parent}:{origin.port}" in domains
            for parent in (".".join(labels[i:]) for i in range(1, len(labels)))
        )

    def __repr__(self) -> str:
        return f"<Scope {' '.join(sorted(self._domains))}>"
