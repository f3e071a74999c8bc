"""One Session in 64 threads that change over as often as they can: nothing is lost, nothing raised, limits are kept.

The judge of connections and requests is the server, a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from crawlkit import Session
from crawlkit.sessions.adapter import HTTPAdapter
from crawlkit.sessions.pool import ConnectionPool
from tests.conftest import ROOT
from tests.faults.cookie_server import LARGE
from tests.sessions.scripted import Peer, Scripted, ok

THREADS = 64
NAMES = 2000
MAX_CONNECTIONS = 40


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class CookieServer:
    """The process; `stop` says what it saw."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.cookie_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def stop(self) -> dict[str, int]:
        saw, _ = self._process.communicate(timeout=30)
        seen: dict[str, int] = json.loads(saw)
        return seen


@contextmanager
def serving() -> Iterator[tuple[str, dict[str, int]]]:
    """The server's URL, and a dict that is filled at the end with what it saw."""
    server, seen = CookieServer(), {}
    try:
        yield server.url, seen
    finally:
        seen.update(server.stop())


def in_threads(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Run `work(number)` in `count` threads that start together; what they raised."""
    raised: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        together.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("requests", [2000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_cookie_and_no_change_of_one_is_lost(requests: int) -> None:
    """Each answer sets one of 2,000 cookies, and each cookie is one thread's own: at the end it has the value that this
    thread was given last. The server never has more connections than the session allows.
    """
    last: dict[str, str] = {}

    with serving() as (url, seen):
        pool = ConnectionPool(max_connections=MAX_CONNECTIONS)
        with Session(pool=pool) as session:
            session.trust_env = False

            def work(number: int) -> None:
                own = range(number, NAMES, THREADS)
                for turn, request in enumerate(range(number, requests, THREADS)):
                    name, value = f"c{own[turn % len(own)]}", f"v{request}"
                    assert b"ok" == session.get(f"{url}/set?{name}={value}").content
                    last[name] = value

            assert [] == in_threads(THREADS, work)
            assert last == session.cookies.get_dict()
            assert min(requests, NAMES) == len(last)
            counts = pool.counts()
            assert (0, 0) == (counts.active, counts.waiting)
            assert counts.idle <= MAX_CONNECTIONS
    assert requests == seen["requests"]
    assert seen["most_open"] <= MAX_CONNECTIONS


@pytest.mark.parametrize("turns", [10, pytest.param(500, marks=pytest.mark.slow)])
def test_one_thread_changes_what_63_read(turns: int) -> None:
    """Headers, hooks and adapters: a request has those of one moment. Three headers are kept equal by replacing them
    together, and no request may show a mixture; what is changed one by one must only not raise.
    """
    mixed: list[Any] = []

    class Looking(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            versions = {request.headers.get(name) for name in ("X-One", "X-Two", "X-Three")}
            if len(versions) != 1:
                mixed.append(versions)
            return super().send(request, *args, **kwargs)

    over = threading.Event()
    with serving() as (url, _), Session() as session:
        session.trust_env = False
        looking = Looking(pool=session.pool)
        session.mount("http://", looking)

        def change() -> None:
            version = 0
            while not over.is_set():
                version += 1
                session.headers = {
                    **session.headers,
                    "X-One": str(version),
                    "X-Two": str(version),
                    "X-Three": str(version),
                }
                session.hooks["response"] = [lambda response, **kwargs: None] * (version % 3)
                session.mount(f"http://host{version % 7}.example/", looking)
                session.params = {"v": str(version)} if version % 2 else {}
                session.cookies.set(f"own{version % 20}", str(version))

        changer = threading.Thread(target=change)
        changer.start()
        try:

            def work(number: int) -> None:
                for turn in range(turns):
                    session.get(f"{url}/set?t{number}={turn}", headers={"X-Own": "1"} if number % 2 else None)

            assert [] == in_threads(THREADS - 1, work)
        finally:
            over.set()
            changer.join()
    assert [] == mixed


def test_headers_set_one_by_one_while_others_read() -> None:
    """`session.headers[...] = ...` in one thread and requests in 63: no request fails, none has a header that was never
    set.
    """
    over = threading.Event()
    with serving() as (url, _), Session() as session:
        session.trust_env = False

        def change() -> None:
            version = 0
            while not over.is_set():
                version += 1
                session.headers[f"X-{version % 50}"] = "set"
                session.headers.pop(f"x-{(version * 7) % 50}", None)
                if version % 100 == 0:
                    session.headers.clear()

        changer = threading.Thread(target=change)
        changer.start()
        try:

            def work(number: int) -> None:
                for turn in range(10):
                    sent = session.get(f"{url}/set?t{number}={turn}", headers={"X-Own": "1"}).request.headers
                    assert {"set"} >= {value for name, value in sent.items() if name[2:].isdecimal()}

            assert [] == in_threads(THREADS - 1, work)
        finally:
            over.set()
            changer.join()


def test_close_while_others_fetch_and_stream() -> None:
    """As `Session.close()` says: what is under way comes to its end, its connection is closed after it, and who asks
    later gets a new one.
    """
    with serving() as (url, seen):
        session = Session()
        session.trust_env = False
        done = threading.Event()

        def work(number: int) -> None:
            if number == 0:
                while not done.is_set():
                    session.close()
                return
            try:
                for turn in range(10):
                    if number % 8 == 1:
                        with session.get(f"{url}/large", stream=True) as streamed:
                            assert LARGE == b"".join(streamed.iter_content(50_000))
                    else:
                        assert b"ok" == session.get(f"{url}/set?c{number}={turn}").content
            finally:
                finished.release()

        finished = threading.Semaphore(0)

        def end() -> None:
            for _ in range(15):
                finished.acquire()
            done.set()

        ender = threading.Thread(target=end)
        ender.start()
        assert [] == in_threads(16, work)
        ender.join()
        session.close()
        assert (0, 0) == session.pool.counts()[:2]
    assert 150 == seen["requests"]


def test_a_stream_is_read_to_its_end_after_close() -> None:
    with serving() as (url, _):
        session = Session()
        streamed = session.get(f"{url}/large", stream=True)
        session.close()
        assert LARGE == streamed.content
        assert (0, 0) == session.pool.counts()[:2]


def test_a_get_within_a_stream_within_a_stream() -> None:
    """In one thread, on one share: each open stream has a connection of its own, and nobody waits for himself."""
    with serving() as (url, _), Session() as session, session.bind(session.pool.share()):
        with session.get(f"{url}/large", stream=True) as outer:
            pieces = outer.iter_content(100_000)
            read = len(next(pieces))
            with session.get(f"{url}/large", stream=True) as inner:
                assert b"ok" == session.get(f"{url}/set?a=1").content
                assert 2 == session.pool.counts().active
                assert LARGE == inner.content
            assert b"ok" == session.get(f"{url}/set?a=2").content
            assert len(LARGE) == read + sum(map(len, pieces))
        assert (0, 3) == session.pool.counts()[:2]


def test_a_nested_get_in_a_hook_and_in_a_callback_of_redirects() -> None:
    with serving() as (url, _), Session() as session:
        session.trust_env = False
        within: list[bytes] = []

        def ask(response: Any, **kwargs: Any) -> None:
            if "inner" not in response.url:
                within.append(session.get(f"{url}/set?inner=1").content)

        session.hooks["response"] = [ask]
        raised = in_threads(16, lambda number: [session.get(f"{url}/set?o{number}=1") for _ in range(5)] and None)
        assert [] == raised
        assert [b"ok"] * 80 == within


def test_a_stream_holds_its_connection_and_not_its_share() -> None:
    """A share whose stream is open goes on fetching. Another thread reads the stream, and its connection comes back to
    the share; what a closed share had is the others'.
    """
    with serving() as (url, _), Session() as session:
        share = session.pool.share()
        with session.bind(share):
            streamed = session.get(f"{url}/large", stream=True)
            assert b"ok" == session.get(f"{url}/set?a=1").content
        read: list[bytes] = []
        assert [] == in_threads(1, lambda _: read.append(streamed.content))
        assert [LARGE] == read
        assert share.is_warm(url.removeprefix("http://"))
        assert (0, 2) == session.pool.counts()[:2]
        share.close()
        opened = session.pool.counts().opened
        assert b"ok" == session.get(f"{url}/set?a=2").content
        assert opened == session.pool.counts().opened, "what the share had is the others'"


def test_streams_that_are_left_open_do_not_use_up_the_limit() -> None:
    """They are closed when nobody has them any more, and whoever waits for a connection gets it."""
    with serving() as (url, seen), Session(pool=ConnectionPool(max_connections=4)) as session:

        def work(number: int) -> None:
            for turn in range(5):
                session.get(f"{url}/large", stream=True)
                session.get(f"{url}/set?c{number}={turn}")

        assert [] == in_threads(16, work)
    assert seen["most_open"] <= 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("forks", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_fork_while_threads_fetch(forks: int) -> None:
    """At whatever instant: the child finds no lock that is held for ever, no connection of the parent's, and all
    cookies; the parent's threads notice nothing.
    """
    over = threading.Event()
    with serving() as (url, _), Session() as session:
        session.trust_env = False
        session.get(f"{url}/set?mine=1")
        raised: list[BaseException] = []

        def fetch(number: int) -> None:
            turn = 0
            try:
                while not over.is_set():
                    turn += 1
                    assert b"ok" == session.get(f"{url}/set?t{number}-{turn}=1").content
            except BaseException as error:  # noqa: BLE001 - handed to the test
                raised.append(error)

        threads = [threading.Thread(target=fetch, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        codes = []
        try:
            for number in range(forks):
                child = os.fork()
                if child == 0:
                    _in_the_child(session, f"{url}/set?child{number}=1")
                codes.append(_end_of(child))
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert [0] * forks == codes
    assert [] == raised


def _in_the_child(session: Session, url: str) -> None:
    """What differs is printed, for the child has no other way to say it."""
    code = 1
    try:
        before = session.pool.counts()
        body = session.get(url, timeout=10).content
        found = (before[:2], body, session.cookies.get("mine"), session.pool.counts().opened)
        expected = ((0, 0), b"ok", "1", 1)
        if expected == found:
            session.close()
            code = 0
        else:
            print(f"expected {expected}, found {found}", file=sys.stderr, flush=True)
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def _end_of(child: int, patience_seconds: float = 20.0) -> int:
    """The exit code of a child; one that hangs is killed."""
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -9


def test_a_server_that_closes_each_connection_harms_nobody() -> None:
    """64 threads meet stale connections all the time: each is replaced, no request is lost."""

    def script(peer: Peer) -> None:
        for _ in range(3):
            if peer.request() is None:
                return
            peer.send(ok(b"ok", "Keep-Alive: max=3"))

    with Scripted(script) as server, Session(pool=ConnectionPool(max_connections=MAX_CONNECTIONS)) as session:
        session.trust_env = False

        def work(number: int) -> None:
            for _ in range(10):
                assert b"ok" == session.get(server.url).content

        assert [] == in_threads(THREADS, work)
        assert 640 <= len(server.requests)
