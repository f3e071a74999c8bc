"""The pool's promises: limits, lending, waiting, changing limits, forks. The server counts the connections, not the
pool.
"""

from __future__ import annotations

import errno
import gc
import os
import pickle
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from crawlkit.exceptions import ConnectionError, DeadlineExceeded, PoolTimeout
from crawlkit.sessions.adapter import HTTPAdapter
from crawlkit.sessions.ledger import Counts, Ledger
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.response import Response
from crawlkit.sessions.routes import place_of
from crawlkit.sessions.share import Share
from crawlkit.sessions.wire import Wire
from tests.sessions.exchanges import adapter, prepared
from tests.sessions.scripted import PATIENCE, Peer, Scripted, always, ok, once

LARGE = ok(b"x" * 1_000_000)


def get(sender: HTTPAdapter, url: str, **kwargs: object) -> Response:
    kwargs.setdefault("timeout", PATIENCE)
    response = sender.send(prepared(url), **kwargs)  # type: ignore[arg-type]
    _ = response.content
    return response


@contextmanager
def workers(count: int, work: Callable[[int], None]) -> Iterator[None]:
    """Threads that run `work`, started together; what one raises is raised at the end."""
    failed: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            gate.wait(PATIENCE)
            work(number)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join(60)
    assert [] == failed
    assert not any(thread.is_alive() for thread in threads)


def elsewhere(call: Callable[[], Response]) -> Response:
    """What `call` returns, done by a thread that is not this one: what it holds is not ours."""
    made: list[Response] = []
    with workers(1, lambda _: made.append(call())):
        pass
    return made[0]


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", [True, False], ids=["workers with shares", "threads without"])
def test_sixteen_threads_and_a_host_limited_to_two(bound: bool) -> None:
    """At most two open and two ever opened, whoever sends; all requests are answered."""
    with Scripted(always(ok())) as server, adapter(per_host=2) as sender:
        pool = sender.pool

        def work(_: int) -> None:
            if not bound:
                for _ in range(40):
                    get(sender, server.url)
                return
            share = pool.share()
            with pool.bind(share):
                for _ in range(40):
                    get(sender, server.url)
            share.close()

        with workers(16, work):
            pass
        assert (2, 2) == (server.opened, server.most_open)
        assert 640 == len(server.requests)
        assert Counts(active=0, idle=2, waiting=0, opened=2) == pool.counts() == pool.counts(server.netloc)
        assert "<ConnectionPool active=0 idle=2 waiting=0>" == repr(pool)


def test_sixteen_workers_and_many_hosts_under_a_total() -> None:
    """With fewer places than hosts the oldest idle connection makes room; the total is never passed."""
    servers = [Scripted(always(ok())) for _ in range(6)]
    for server in servers:
        server.__enter__()
    lock = threading.Lock()
    most = [0]

    try:
        with adapter(max_connections=4, per_host=2) as sender:

            def work(number: int) -> None:
                order = random.Random(number)
                share = sender.pool.share()
                with sender.pool.bind(share):
                    for _ in range(25):
                        get(sender, order.choice(servers).url)
                        with lock:
                            counts = sender.pool.counts()
                            most[0] = max(most[0], counts.active + counts.idle)
                share.close()

            with workers(16, work):
                pass
            assert most[0] <= 4
            assert all(server.most_open <= 2 + 2 for server in servers)
            assert 400 == sum(len(server.requests) for server in servers)
            counts = sender.pool.counts()
            assert (0, 0) == (counts.active, counts.waiting)
            assert counts.idle <= 4
    finally:
        for server in servers:
            server.__exit__()


def test_a_streamed_answer_holds_its_connection_and_no_share() -> None:
    """A nested request of the same worker works; only the host's places count."""
    with Scripted(always(LARGE)) as server, adapter(per_host=2) as sender:
        pool = sender.pool
        share = pool.share()
        with pool.bind(share):
            outer = sender.send(prepared(server.url), timeout=PATIENCE)
            assert (1, 0) == pool.counts()[:2]
            get(sender, server.url)
            assert (1, 1) == pool.counts()[:2]
            _ = outer.content
        assert (0, 2) == pool.counts()[:2]
        assert share.is_warm(server.netloc)
        assert 2 == share.idle_count()


def test_a_stream_read_by_another_thread_returns_to_the_share_it_came_from() -> None:
    with Scripted(always(LARGE)) as server, adapter() as sender:
        share, other = sender.pool.share(), sender.pool.share()
        with sender.pool.bind(share):
            streamed = sender.send(prepared(server.url), timeout=PATIENCE)

        def read(_: int) -> None:
            with sender.pool.bind(other):
                assert 1_000_000 == len(streamed.content)

        with workers(1, read):
            pass
        assert (True, False) == (share.is_warm(server.netloc), other.is_warm(server.netloc))


def test_waiting_ends_with_the_connect_timeout() -> None:
    """PoolTimeout says which limit; the stream that holds the place is unharmed."""
    with Scripted(always(LARGE)) as server, adapter(per_host=1) as sender:
        held = elsewhere(lambda: sender.send(prepared(server.url), timeout=PATIENCE))
        begun = time.monotonic()
        with pytest.raises(PoolTimeout, match=rf"GET {server.url}/: all 1 connections to {server.netloc} \(per_host\)"):
            sender.send(prepared(server.url), timeout=(0.1, 5))
        with pytest.raises(DeadlineExceeded, match="waiting for a connection"):
            sender.send(prepared(server.url), timeout=(5, 5), deadline=time.monotonic() + 0.1)
        assert time.monotonic() - begun < 2
        assert Counts(1, 0, 0, 1) == sender.pool.counts()
        assert 1_000_000 == len(held.content)


def test_the_total_is_named_when_it_is_what_is_reached() -> None:
    with (
        Scripted(always(LARGE)) as server,
        Scripted(always(ok())) as other,
        adapter(max_connections=1) as sender,
    ):
        held = elsewhere(lambda: sender.send(prepared(server.url), timeout=PATIENCE))
        with pytest.raises(PoolTimeout, match="max_connections"):
            sender.send(prepared(other.url), timeout=0.1)
        held.close()
        assert b"ok" == get(sender, other.url).content


def test_the_first_to_wait_is_the_first_to_be_served() -> None:
    """Who puts a connection back must not take it again before those who wait."""
    served: list[int] = []
    with Scripted(always(ok())) as server, adapter(per_host=1) as sender:
        held = sender.pool.lease(_key(sender, server.url), sender.pool.share())
        held.open(None)

        def work(number: int) -> None:
            while sender.pool.counts().waiting != number:
                time.sleep(0.002)
            get(sender, server.url)
            served.append(number)
            get(sender, server.url)

        with workers(5, work):
            while sender.pool.counts().waiting != 5:
                time.sleep(0.002)
            assert "<ConnectionPool active=1 idle=0 waiting=5>" == repr(sender.pool)
            assert 5 == sender.pool.counts(server.netloc).waiting
            sender.pool.release(held, keep=True)
        assert [0, 1, 2, 3, 4] == served
        assert 1 == server.opened


def _key(sender: HTTPAdapter, url: str) -> object:
    return sender._key(prepared(url), place_of(url), True, None, None)


# --- lending ----------------------------------------------------------------------------------------------------------


def test_idle_connections_are_lent_before_a_new_one_is_opened() -> None:
    with Scripted(always(ok())) as server, adapter() as sender:
        first, second = sender.pool.share(), sender.pool.share()
        with sender.pool.bind(first):
            get(sender, server.url)
        assert (True, False) == (first.is_warm(server.netloc), second.is_warm(server.netloc))
        with sender.pool.bind(second):
            get(sender, server.url)
        assert (False, True) == (first.is_warm(server.netloc), second.is_warm(server.netloc))
        assert 1 == server.opened


def test_a_closed_share_leaves_its_connections_to_the_others() -> None:
    with Scripted(always(ok(), LARGE)) as server, adapter() as sender:
        share = sender.pool.share()
        with sender.pool.bind(share):
            get(sender, server.url)
            streamed = sender.send(prepared(server.url), timeout=PATIENCE)
            share.close()
        assert 0 == share.idle_count()
        _ = streamed.content
        assert (0, 1) == sender.pool.counts()[:2]
        assert 0 == share.idle_count()
        get(sender, server.url)
        assert 1 == server.opened
        assert "<Share idle=0 closed>" == repr(share)


def test_a_dead_connection_in_one_share_costs_the_others_nothing() -> None:
    with Scripted(always(ok())) as server, adapter() as sender:
        first, second = sender.pool.share(), sender.pool.share()
        for share in (first, second):
            wire = sender.pool._reserve(_key(sender, server.url), share)
            assert wire is not None
            wire.open(None)
            sender.pool.release(wire, keep=True)
            if share is first:
                wire.sock.shutdown(socket.SHUT_RDWR)
        with sender.pool.bind(first):
            get(sender, server.url)
        assert (0, 1) == sender.pool.counts()[:2]
        assert 2 == server.opened


# --- limits that change -----------------------------------------------------------------------------------------------


def test_a_limit_raised_while_threads_wait_lets_them_in() -> None:
    with Scripted(always(LARGE)) as server, adapter(per_host=1) as sender:
        held = sender.send(prepared(server.url), timeout=PATIENCE)
        assert 1 == sender.pool.host_limit(server.netloc)

        def work(_: int) -> None:
            get(sender, server.url)

        with workers(4, work):
            while sender.pool.counts().waiting != 4:
                time.sleep(0.002)
            sender.pool.set_host_limit(server.netloc, 3)
        assert 3 == sender.pool.host_limit(server.netloc)
        assert 2 <= server.most_open <= 3
        assert 1_000_000 == len(held.content)


def test_a_lowered_limit_closes_idle_connections_at_once_and_busy_ones_when_they_return() -> None:
    with Scripted(always(LARGE)) as server, adapter() as sender:
        held = [sender.send(prepared(server.url), timeout=PATIENCE) for _ in range(5)]
        for response in held[:2]:
            _ = response.content
        assert (3, 2) == sender.pool.counts()[:2]
        sender.pool.set_host_limit(server.netloc, 2)
        assert (3, 0) == sender.pool.counts()[:2]
        for response in held[2:]:
            _ = response.content
        assert (0, 2) == sender.pool.counts()[:2]
        assert server.wait_until(lambda server: server.open_now == 2)


def test_a_limit_set_to_none_is_the_pools_own_again() -> None:
    pool = ConnectionPool(per_host=7)
    pool.set_host_limit("host:80", 2)
    assert (2, 7) == (pool.host_limit("host:80"), pool.host_limit("other:80"))
    pool.set_host_limit("host:80", None)
    assert 7 == pool.host_limit("host:80")
    with pytest.raises(ValueError, match="at least 1"):
        pool.set_host_limit("host:80", 0)


def test_a_limit_that_moves_all_the_time_is_kept_and_nobody_is_forgotten() -> None:
    with Scripted(always(ok())) as server, adapter(per_host=3) as sender:
        done = threading.Event()

        def change() -> None:
            order = random.Random(1)
            while not done.wait(0.001):
                sender.pool.set_host_limit(server.netloc, order.randint(1, 5))

        changing = threading.Thread(target=change, daemon=True)
        changing.start()

        def work(_: int) -> None:
            share = sender.pool.share()
            with sender.pool.bind(share):
                for _ in range(30):
                    get(sender, server.url)
            share.close()

        with workers(12, work):
            pass
        done.set()
        changing.join(PATIENCE)
        assert 360 == len(server.requests)
        counts = sender.pool.counts()
        assert (0, 0) == (counts.active, counts.waiting)
        assert counts.idle <= 5


def test_threads_that_stream_forget_and_fail_leave_the_counts_right() -> None:
    """Cut-off bodies, closed streams, forgotten ones and timeouts, all at once; at the end nothing is in use."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            kind = random.random()
            if kind < 0.2:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut")
                return
            if kind < 0.3:
                return
            peer.send(LARGE if kind < 0.5 else ok())

    with Scripted(script) as server, adapter(per_host=3, max_connections=3) as sender:

        def work(number: int) -> None:
            order = random.Random(number)
            for _ in range(30):
                try:
                    response = sender.send(prepared(server.url), timeout=PATIENCE)
                    if order.random() < 0.3:
                        response.close()
                    elif order.random() < 0.2:
                        del response
                    else:
                        _ = response.content
                except OSError as error:
                    assert "connections" not in str(error), error

        with workers(12, work):
            pass
        gc.collect()
        counts = sender.pool.counts()
        assert (0, 0) == (counts.active, counts.waiting)
        assert counts.idle <= 3
        assert server.most_open <= 3 + 3  # the server notices an end later than the client


# --- age --------------------------------------------------------------------------------------------------------------


def test_idle_and_old_connections_are_not_used_again() -> None:
    for settings in ({"idle_seconds": 0.0}, {"lifetime_seconds": 0.0}):
        with Scripted(always(ok())) as server, adapter(**settings) as sender:
            get(sender, server.url)
            get(sender, server.url)
            assert 2 == server.opened
            assert 1 == sender.pool.counts().idle


def test_a_connection_that_the_server_closed_is_noticed_before_it_is_used() -> None:
    with Scripted(once(ok())) as server, adapter() as sender:
        for expected in (1, 2, 3):
            assert b"ok" == get(sender, server.url).content
            assert server.wait_until(lambda server: server.open_now == 0)
            assert expected == server.opened


def test_bytes_that_nobody_asked_for_end_a_connection() -> None:
    """They would be read as the answer to the next request."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(ok())
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            sent.set()

    sent = threading.Event()
    with Scripted(script) as server, adapter() as sender:
        for _ in range(3):
            sent.clear()
            assert b"ok" == get(sender, server.url).content
            assert sent.wait(PATIENCE)
            time.sleep(0.02)
        assert 3 == server.opened


# --- life -------------------------------------------------------------------------------------------------------------


def test_a_closed_pool_opens_connections_again() -> None:
    with Scripted(always(LARGE)) as server, adapter() as sender:
        held = sender.send(prepared(server.url), timeout=PATIENCE)
        get(sender, server.url)
        sender.pool.close()
        assert (1, 0) == sender.pool.counts()[:2]
        assert 1_000_000 == len(held.content)
        assert (0, 0) == sender.pool.counts()[:2]
        get(sender, server.url)
        assert (0, 1) == sender.pool.counts()[:2]


def test_a_dropped_pool_takes_its_sockets_along() -> None:
    """Without close() and without a ResourceWarning: warnings are errors here."""
    with Scripted(always(ok())) as server:
        sender = HTTPAdapter()
        get(sender, server.url)
        del sender
        assert server.wait_until(lambda server: server.open_now == 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_child_of_a_fork_opens_its_own_connections() -> None:
    """And the parent's go on working, also when another thread held a lock at that moment."""
    with Scripted(always(ok(), LARGE, ok())) as server, adapter() as sender:
        share = sender.pool.share()
        with sender.pool.bind(share):
            get(sender, server.url)
            streamed = sender.send(prepared(server.url), timeout=PATIENCE)
            with sender.pool._lock, share._lock:
                child = os.fork()
            if child == 0:
                code = 1
                try:
                    assert Counts(0, 0, 0, 0) == sender.pool.counts()
                    get(sender, server.url)
                    assert Counts(0, 1, 0, 1) == sender.pool.counts()
                    streamed.close()
                    assert Counts(0, 1, 0, 1) == sender.pool.counts()
                    code = 0
                finally:
                    os._exit(code)
            assert 0 == os.waitpid(child, 0)[1]
            assert 2 == server.opened
            assert 1_000_000 == len(streamed.content)
            get(sender, server.url)
            assert 2 == server.opened


def test_a_pool_pickles_as_its_settings() -> None:
    pool = ConnectionPool(max_connections=9, per_host=3, allow_private=False, private_origins=["a:1"])
    again = pickle.loads(pickle.dumps(pool))  # noqa: S301
    assert (9, 3, False) == (again.max_connections, again.per_host, again.allow_private)
    assert frozenset(["a:1"]) == again.policy.exempt
    assert Counts(0, 0, 0, 0) == again.counts()


def test_default_limits_leave_descriptors_for_others() -> None:
    pool = ConnectionPool()
    assert 1 <= pool.max_connections <= 1 << 20
    assert pool.per_host is None
    for setting in ("max_connections", "per_host"):
        with pytest.raises(ValueError, match=setting):
            ConnectionPool(**{setting: 0})  # type: ignore[arg-type]


def test_out_of_descriptors_idle_connections_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 hosts under `ulimit -n 256`: an idle connection is worth less than the next page."""
    connect = Wire._connect_to

    def limited(wire: Wire, *arguments: Any) -> socket.socket:
        if sender.pool.counts().idle:
            raise OSError(errno.EMFILE, "Too many open files")
        return connect(wire, *arguments)

    with Scripted(always(ok())) as one, Scripted(always(ok())) as other, adapter() as sender:
        get(sender, one.url)
        monkeypatch.setattr(Wire, "_connect_to", limited)
        assert b"ok" == get(sender, other.url).content
        assert (0, 1) == (sender.pool.counts(one.netloc).idle, sender.pool.counts(other.netloc).idle)
        monkeypatch.setattr(sender.pool, "close_idle", lambda: 0)
        with pytest.raises(ConnectionError, match="Too many open files"):
            get(sender, one.url)
        assert (0, 0, 0) == sender.pool.counts(one.netloc)[:3]


def test_hosts_that_have_no_connection_are_forgotten() -> None:
    """A crawl of a million hosts; those whose limit was set are remembered."""
    ledger = Ledger(10, None)
    ledger.host("kept:80").own_limit = True
    ledger.enter(ledger.host("open:80"))
    for number in range(25_000):
        ledger.host(f"host{number}:80")
    assert len(ledger.hosts) <= 10_000
    assert {"kept:80", "open:80"} <= ledger.hosts.keys()


def test_shares_are_made_by_the_pool_only_for_it() -> None:
    pool = ConnectionPool()
    share = pool.share()
    assert isinstance(share, Share)
    with pool.bind(share) as bound:
        assert bound is share is pool.check_out()
    assert share is not pool.check_out()
