"""Names to addresses: the memory, its limits, and telling "does not exist" from "no answer now"."""

from __future__ import annotations

import pickle
import socket
import threading
from typing import Any

import pytest

from crawlkit.exceptions import InvalidURL, NameNotFound
from crawlkit.sessions.resolver import Address, Resolver


class Names:
    """A getaddrinfo that answers from a dict, and a clock that a test moves."""

    def __init__(self, **known: Any) -> None:
        self.known = known
        self.asked: list[str] = []
        self.now = 1000.0

    def lookup(self, host: str, *_: Any) -> list[Any]:
        self.asked.append(host)
        answer = self.known.get(host, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
        if isinstance(answer, Exception):
            raise answer
        return [_info(ip) for ip in answer]

    def resolver(self, **settings: Any) -> Resolver:
        return Resolver(lookup=self.lookup, clock=lambda: self.now, **settings)


def _info(ip: str) -> tuple[Any, ...]:
    if ":" in ip:
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (ip, 0, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)


def ips(addresses: list[Address]) -> list[str]:
    return [address.ip for address in addresses]


def test_an_answer_is_remembered_for_its_time() -> None:
    names = Names(host=["192.0.2.1"])
    resolver = names.resolver(ttl_seconds=60)
    assert ["192.0.2.1"] == ips(resolver.resolve("host")) == ips(resolver.resolve("host"))
    assert 1 == len(names.asked)
    names.now += 61
    resolver.resolve("host")
    assert 2 == len(names.asked)


def test_families_take_turns_in_the_order_of_the_system() -> None:
    names = Names(host=["::1", "::2", "192.0.2.1", "192.0.2.2"])
    assert ["::1", "192.0.2.1", "::2", "192.0.2.2"] == ips(names.resolver().resolve("host"))


def test_an_address_that_failed_comes_last_for_a_while() -> None:
    names = Names(host=["192.0.2.1", "192.0.2.2"])
    resolver = names.resolver(ttl_seconds=1000)
    resolver.failed(resolver.resolve("host")[0])
    assert ["192.0.2.2", "192.0.2.1"] == ips(resolver.resolve("host"))
    names.now += 31
    assert ["192.0.2.1", "192.0.2.2"] == ips(resolver.resolve("host"))


def test_a_name_that_does_not_exist_is_asked_twice_and_then_believed() -> None:
    names = Names()
    resolver = names.resolver(missing_seconds=300)
    for _ in range(5):
        with pytest.raises(NameNotFound, match="nowhere"):
            resolver.resolve("nowhere")
    assert 2 == len(names.asked)
    names.now += 301
    with pytest.raises(NameNotFound):
        resolver.resolve("nowhere")
    assert 3 == len(names.asked)


def test_a_temporary_failure_is_no_definite_one() -> None:
    names = Names(host=socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    resolver = names.resolver()
    for _ in range(3):
        with pytest.raises(socket.gaierror):
            resolver.resolve("host")
    assert 3 == len(names.asked)
    names.known["host"] = ["192.0.2.1"]
    assert ["192.0.2.1"] == ips(resolver.resolve("host"))


def test_an_old_answer_stands_in_for_a_resolver_that_is_down() -> None:
    names = Names(host=["192.0.2.1"])
    resolver = names.resolver(ttl_seconds=60)
    resolver.resolve("host")
    names.known["host"] = socket.gaierror(socket.EAI_AGAIN, "down")
    names.now += 600
    assert ["192.0.2.1"] == ips(resolver.resolve("host"))
    names.now += 7200
    with pytest.raises(socket.gaierror):
        resolver.resolve("host")


def test_numeric_hosts_are_not_asked_for() -> None:
    names = Names()
    resolver = names.resolver()
    assert [Address("127.0.0.1", socket.AF_INET)] == resolver.resolve("127.0.0.1")
    assert [Address("::1", socket.AF_INET6)] == resolver.resolve("::1")
    assert [] == names.asked


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "a..invalid"])
def test_what_can_be_no_name_is_no_lookup(host: str) -> None:
    """RFC 1035 section 2.3.4; asking again would not help, and another spelling might."""
    with pytest.raises(InvalidURL, match="empty or longer than 63"):
        Resolver().resolve(host, timeout=10)


def test_a_lookup_that_hangs_ends_on_time() -> None:
    """getaddrinfo has no timeout; waiting for it has."""
    release = threading.Event()

    def hang(*_: Any) -> list[Any]:
        release.wait(10)
        return [_info("192.0.2.1")]

    resolver = Resolver(lookup=hang)
    with pytest.raises(TimeoutError, match="host"):
        resolver.resolve("host", timeout=0.05)
    release.set()
    assert ["192.0.2.1"] == ips(resolver.resolve("host", timeout=10))


def test_threads_that_ask_for_one_name_share_the_lookup() -> None:
    asked = []
    gate = threading.Barrier(8)

    def slow(host: str, *_: Any) -> list[Any]:
        asked.append(host)
        return [_info("192.0.2.1")]

    resolver = Resolver(lookup=slow)
    found: list[list[str]] = []

    def ask() -> None:
        gate.wait(10)
        found.append(ips(resolver.resolve("host", timeout=10)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [["192.0.2.1"]] * 8 == found
    assert 1 == len(asked)


def test_a_resolver_pickles_as_its_settings() -> None:
    again = pickle.loads(pickle.dumps(Resolver(ttl_seconds=5)))  # noqa: S301
    assert 5 == again.ttl_seconds
    assert ["127.0.0.1"] == ips(again.resolve("127.0.0.1"))
