"""From a host name to the addresses to try, in order, with a memory.

What belongs here: looking names up, telling "does not exist" from "no answer now", remembering both answers and the
addresses that did not answer. What does not: which addresses are allowed (addresses.py), opening sockets (wire.py).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from crawlkit.exceptions import InvalidURL, NameNotFound
from crawlkit.sessions.addresses import is_literal

# What getaddrinfo answers when the name has no address, as opposed to not knowing now. macOS and Linux number and name
# them differently.
_DEFINITE = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)}
_MAX_NAMES = 10_000
_STALE_SECONDS = 3600.0  # how long an expired answer may still stand in for a resolver that is down
_AVOID_SECONDS = 30.0

Lookup = Callable[..., Sequence[Any]]


class Address(NamedTuple):
    """A numeric address (IPv6 with its zone when it has one), and its family (socket.AF_INET or AF_INET6)."""

    ip: str
    family: int


class _Known(NamedTuple):
    addresses: tuple[Address, ...]  # empty: the name does not exist
    until: float


class _Question:
    """One lookup in flight, which all threads that ask for the same name share."""

    __slots__ = ("answered", "error", "known")

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.known: _Known | None = None
        self.error: OSError | None = None


class Resolver:
    """Names to addresses. May be used from any thread; its lock is never held while a lookup is under way.

    An answer is kept for `ttl_seconds`, and for an hour longer when the resolver does not answer. That a name does not
    exist is believed (for `missing_seconds`) when it was said twice: resolvers do say so by mistake, and a retry must
    have something to ask. `lookup` is `socket.getaddrinfo` or something like it; `clock` is in seconds and monotonic.
    """

    def __init__(
        self,
        *,
        ttl_seconds: float = 60.0,
        missing_seconds: float = 300.0,
        lookup: Lookup | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ttl_seconds = ttl_seconds
        self.missing_seconds = missing_seconds
        self._lookup = lookup
        self._clock = clock
        self.forget()

    def __getstate__(self) -> dict[str, Any]:
        return {"ttl_seconds": self.ttl_seconds, "missing_seconds": self.missing_seconds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def forget(self) -> None:
        """Forget every answer; the child of a fork calls it, for another thread may have held the lock."""
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._doubted: set[str] = set()
        self._asked: dict[str, _Question] = {}
        self._avoid: dict[str, float] = {}

    def resolve(self, host: str, *, timeout: float | None = None) -> list[Address]:
        """The addresses of `host`, the one to try first in front.

        Families alternate (RFC 8305 section 4), addresses that failed a moment ago come last. Raises NameNotFound,
        InvalidURL for what can be no name, TimeoutError after `timeout` seconds, socket.gaierror when the resolver has
        no answer now.
        """
        if is_literal(host):
            return [Address(host, socket.AF_INET6 if ":" in host else socket.AF_INET)]
        known = self._known.get(host)
        if known is None or known.until <= self._clock():
            known = self._ask(host, timeout)
        if not known.addresses:
            raise NameNotFound(f"the host name {host!r} does not exist; check its spelling")
        return self._ordered(known.addresses)

    def failed(self, address: Address) -> None:
        """Remember, for half a minute, that nothing answers at `address`."""
        with self._lock:
            if len(self._avoid) > _MAX_NAMES:
                self._avoid.clear()
            self._avoid[address.ip] = self._clock() + _AVOID_SECONDS

    def _ordered(self, addresses: tuple[Address, ...]) -> list[Address]:
        ordered = _alternating(addresses)
        if self._avoid:
            now = self._clock()
            ordered.sort(key=lambda address: self._avoid.get(address.ip, 0.0) > now)
        return ordered

    # --- asking -------------------------------------------------------------------------------------------------

    def _ask(self, host: str, timeout: float | None) -> _Known:
        with self._lock:
            known = self._known.get(host)
            if known is not None and known.until > self._clock():
                return known  # another thread had the answer in the meantime
            question = self._asked.get(host)
            mine = question is None
            if question is None:
                question = self._asked[host] = _Question()
        if mine:
            if timeout is None:
                self._answer(host, question)
            else:
                # getaddrinfo has no timeout of its own; a thread is the only way to stop waiting for it.
                threading.Thread(
                    target=self._answer, args=(host, question), name=f"resolve {host}", daemon=True
                ).start()
        if not question.answered.wait(timeout):
            raise TimeoutError(f"no answer for the host name {host!r} within {timeout:.3g} s")
        if question.known is None:
            raise question.error or OSError(f"the lookup of {host!r} was given up")
        return question.known

    def _answer(self, host: str, question: _Question) -> None:
        try:
            lookup = self._lookup or socket.getaddrinfo
            addresses = _addresses(lookup(host, None, 0, socket.SOCK_STREAM))
        except UnicodeError:
            question.error = InvalidURL(f"{host!r} is no host name: a part of it is empty or longer than 63 letters")
        except OSError as error:
            question.error = error
        try:
            with self._lock:
                self._asked.pop(host, None)
                if question.error is None:
                    question.known = self._learned(host, addresses)
                else:
                    question.known = self._unanswered(host, question.error)
        finally:
            question.answered.set()

    def _learned(self, host: str, addresses: tuple[Address, ...]) -> _Known:
        if len(self._known) >= _MAX_NAMES:
            self._known.clear()
        known = self._known[host] = _Known(addresses, self._clock() + self.ttl_seconds)
        self._doubted.discard(host)
        return known

    def _unanswered(self, host: str, error: OSError) -> _Known | None:
        now = self._clock()
        known = self._known.get(host)
        if isinstance(error, socket.gaierror) and error.errno in _DEFINITE:
            missing = _Known((), now + self.missing_seconds)
            if host in self._doubted:
                self._known[host] = missing
                self._doubted.discard(host)
            else:
                self._known.pop(host, None)
                self._doubted.add(host)
            return missing
        if known is not None and known.addresses and now < known.until + _STALE_SECONDS:
            return known
        return None


def _addresses(answers: Sequence[Any]) -> tuple[Address, ...]:
    found: dict[Address, None] = {}
    for family, _, _, _, sockaddr in answers:
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        ip = sockaddr[0]
        if family == socket.AF_INET6 and sockaddr[3] and "%" not in ip:
            ip = f"{ip}%{sockaddr[3]}"
        found[Address(ip, family)] = None
    return tuple(found)


def _alternating(addresses: Sequence[Address]) -> list[Address]:
    """The system's order within each family, the families taking turns, so that a dead IPv6 costs one attempt."""
    if not addresses:
        return []
    first = [a for a in addresses if a.family == addresses[0].family]
    second = [a for a in addresses if a.family != addresses[0].family]
    ordered: list[Address] = []
    for index in range(max(len(first), len(second))):
        ordered += first[index : index + 1] + second[index : index + 1]
    return ordered
