"""One session in many threads, and across a fork."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from crawlkit import Session
from crawlkit.testing.hostile import HostileServer, Received, Step, answer
from tests.sessions.mirror import Mirror


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    """Threads change over as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


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


def cookies_in_threads(requests: int, names: int) -> None:
    """64 threads set cookies of `names` names, each the values of its own names one after the other."""

    def set_cookie(request: Received) -> list[Step]:
        name, _, value = request.target.partition("?")[2].partition("=")
        return [answer(body=b"ok", headers=[("Set-Cookie", f"{name}={value}; Path=/c/{name}")])]

    with HostileServer() as server, Session() as session:
        url = server.play("/c/", set_cookie)
        for name in range(names):
            server.play(f"/c/n{name}", set_cookie)

        def work(number: int) -> None:
            own = range(number, names, 64)
            for turn in range(requests // 64):
                name = own[turn % len(own)]
                assert 200 == session.get(f"{url}n{name}?n{name}={turn}").status_code

        assert [] == in_threads(64, work)
        for number in range(64):
            own = range(number, names, 64)
            last = {own[turn % len(own)]: str(turn) for turn in range(requests // 64)}
            for name, value in last.items():
                assert value == session.cookies.get(f"n{name}", path=f"/c/n{name}")


def test_no_cookie_is_lost() -> None:
    """Whoever set a cookie last, its value is there at the end."""
    cookies_in_threads(requests=640, names=128)


@pytest.mark.slow
def test_no_cookie_is_lost_in_a_hundred_thousand_requests() -> None:
    """The same over 2,000 names."""
    cookies_in_threads(requests=100_000, names=2_000)


def test_headers_change_while_others_send(mirror: Mirror) -> None:
    """A request has all headers of one moment, and nobody raises."""
    stop = threading.Event()
    with Session() as session:

        def change() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                session.headers[f"X-{number % 50}"] = str(number)
                session.headers.pop(f"X-{(number + 25) % 50}", None)
                session.hooks["response"] = [] if number % 2 else [lambda response, **kwargs: None]
                session.mount(f"http://host{number % 5}.example/", session.get_adapter("http://"))

        changer = threading.Thread(target=change)
        changer.start()

        def work(number: int) -> None:
            for _ in range(15):
                assert b"ok" == session.get(mirror.url(), headers={"X-Own": "1"} if number % 2 else None).content

        raised = in_threads(32, work)
        stop.set()
        changer.join()
    assert [] == raised


def test_redirects_and_cookies_of_requests_stay_with_their_thread(mirror: Mirror) -> None:
    with Session() as session:

        def work(number: int) -> None:
            for _ in range(10):
                response = session.get(mirror.url(f"/redirect?to=/echo/{number}"), cookies={"own": str(number)})
                assert response.url.endswith(f"/echo/{number}")

        assert [] == in_threads(16, work)
    arrived = [one for one in mirror.seen if one.target.startswith("/echo/")]
    assert 160 == len(arrived)
    for one in arrived:
        assert f"own={one.target.removeprefix('/echo/')}" == one.header("cookie")


def test_threads_use_few_connections(mirror: Mirror) -> None:
    with Session() as session:

        def work(number: int) -> None:
            for _ in range(10):
                session.get(mirror.url())

        assert [] == in_threads(8, work)
        counts = session.pool.counts()
        assert counts.opened <= 8
        assert 0 == counts.active


def test_a_session_may_be_closed_while_others_use_it(mirror: Mirror) -> None:
    session = Session()

    def work(number: int) -> None:
        for _ in range(10):
            if number == 0:
                session.close()
            else:
                assert b"ok" == session.get(mirror.url()).content

    assert [] == in_threads(8, work)
    session.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_opens_its_own_connections(mirror: Mirror) -> None:
    """Two processes on one socket would read each other's answers."""
    with Session() as session:
        session.get(mirror.url("/cookies?set=a%3D1%3B+Path%3D/"))
        opened = mirror.connections
        child = os.fork()
        if child == 0:
            try:
                good = session.get(mirror.url("/echo/child")).content == b"ok"
            except BaseException:  # noqa: BLE001 - the parent sees the exit code
                good = False
            os._exit(0 if good else 1)
        _, status = os.waitpid(child, 0)
        assert 0 == os.waitstatus_to_exitcode(status)
        assert opened + 1 == mirror.connections
        assert b"ok" == session.get(mirror.url("/echo/parent")).content
        assert opened + 1 == mirror.connections, "the parent's own connection is still good"
    assert "a=1" == mirror.seen[-1].header("cookie")
