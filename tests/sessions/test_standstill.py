"""Requests inside of open streams when a limit leaves no room for them: served when only the thread itself is in the
way, made to wait when anybody else is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from crawlkit import Session
from crawlkit.exceptions import PoolTimeout
from crawlkit.sessions.ledger import Counts
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.response import Response
from tests.sessions.scripted import PATIENCE, Scripted, always, ok

LARGE = ok(b"x" * 300_000)
LIMITS = [{"per_host": 1}, {"max_connections": 1}, {"per_host": 1, "max_connections": 1}]


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted(always(LARGE)) as server:
        yield server


def session_of(**limits: int) -> Session:
    session = Session(pool=ConnectionPool(**limits), timeout=PATIENCE)
    session.trust_env = False
    return session


def in_thread(*calls: object) -> None:
    """Each call in a thread of its own, all at once; what one raises is raised here."""
    failed: list[BaseException] = []

    def run(call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [] == failed
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_a_nested_get_is_not_kept_waiting_by_its_own_stream(
    server: Scripted, limits: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    """It gets one connection beyond the limit, counted, told at debug; afterwards the limit holds again."""
    caplog.set_level(logging.DEBUG, "crawlkit.sessions.waiting")
    with session_of(**limits) as session:
        with session.get(server.url, stream=True) as streamed:
            for _ in range(3):
                assert 300_000 == len(session.get(server.url).content)
                assert Counts(1, 0, 0, session.pool.counts().opened) == session.pool.counts()
                assert server.wait_until(lambda server: server.open_now == 1)
            assert 300_000 == len(streamed.content)
        assert (0, 1) == session.pool.counts()[:2]
        assert 4 == session.pool.counts().opened
        session.get(server.url)
        assert 4 == server.opened
    assert 2 == server.most_open
    assert 3 == sum("beyond the limit" in record.message for record in caplog.records)


def test_two_open_streams_and_a_nested_get_at_a_limit_of_two(server: Scripted) -> None:
    with session_of(per_host=2) as session:
        first, second = session.get(server.url, stream=True), session.get(server.url, stream=True)
        assert 300_000 == len(session.get(server.url).content)
        assert 2 == session.pool.counts().active
        assert [300_000, 300_000] == [len(first.content), len(second.content)]
        assert 2 == session.pool.counts().idle
    assert 3 == server.most_open


def test_the_total_is_passed_for_another_host_as_well(server: Scripted) -> None:
    """All places are taken by streams of this thread from one host; a request to another one goes out."""
    with Scripted(always(ok())) as other, session_of(max_connections=1) as session:
        with session.get(server.url, stream=True):
            assert b"ok" == session.get(other.url).content
        assert 1 == session.pool.counts().opened - 1
        assert session.pool.counts().idle <= 1


def test_a_body_whose_generator_fetches_from_the_same_host(server: Scripted) -> None:
    """A connection that a request is being sent over is in the way as much as one with a stream on it."""
    with session_of(per_host=1) as session:

        def pieces() -> Iterator[bytes]:
            yield session.get(server.url).content[:10]

        assert session.post(server.url, data=pieces()).ok
    assert b"x" * 10 == server.requests[0].body


def test_a_stream_that_is_the_one_beyond_the_limit_stays_readable_after_the_first_ended(server: Scripted) -> None:
    """Whichever ends first gives up its place; the other one counts against the limit from then on."""
    with session_of(per_host=1) as session:
        outer = session.get(server.url, stream=True)
        inner = session.get(server.url, stream=True)
        outer.close()
        assert 1 == session.pool.counts().active
        session.get(server.url)  # `inner` is the one in the way now
        assert 300_000 == len(inner.content)
        assert 1 == session.pool.counts().idle


def test_streams_without_end_come_to_an_end(server: Scripted) -> None:
    """One beyond the limit for a thread, no more; the error says whose connections are in the way."""
    with session_of(per_host=2) as session:
        streams = [session.get(server.url, stream=True) for _ in range(3)]
        with pytest.raises(PoolTimeout, match=r"\(per_host\).*this thread itself has 3 open"):
            session.get(server.url, timeout=0.1)
        assert 3 == session.pool.counts().active
        for stream in streams:
            stream.close()
    assert 3 == server.most_open


def test_another_threads_stream_is_waited_for(server: Scripted) -> None:
    """Who holds nothing, or is kept waiting by somebody who is at work, gets nothing beyond the limit."""
    with session_of(per_host=2) as session:
        streams: list[Response] = []
        in_thread(lambda: streams.append(session.get(server.url, stream=True)))
        mine = session.get(server.url, stream=True)
        with pytest.raises(PoolTimeout, match="this thread itself has 1 open"):
            session.get(server.url, timeout=0.1)
        mine.close()
        assert server.wait_until(lambda server: server.open_now == 1), "the server has seen it close"
        in_thread(lambda: streams.append(session.get(server.url, stream=True)))
        with pytest.raises(PoolTimeout, match=r"or close streams$"):
            session.get(server.url, timeout=0.1)
        for stream in streams:
            stream.close()
    assert 2 == server.most_open


def test_a_stream_belongs_to_the_thread_that_reads_it(server: Scripted) -> None:
    """Opened in one thread and read in another: the reader's nested get works, and the opener waits for it."""
    with session_of(per_host=1) as session:
        streams: list[Response] = []
        in_thread(lambda: streams.append(session.get(server.url, stream=True)))
        pieces = streams[0].iter_content(1000)
        size = len(next(pieces))
        assert session.get(server.url).ok
        with pytest.raises(AssertionError, match="PoolTimeout"):
            in_thread(lambda: session.get(server.url, timeout=0.1))
        assert 300_000 == size + sum(map(len, pieces))


def test_threads_that_hold_one_stream_each_and_want_another_do_not_block_each_other(server: Scripted) -> None:
    """Two streams at a limit of two, and both threads ask for more: one goes on beyond the limit, the other follows."""
    gate = threading.Barrier(2)
    with session_of(per_host=2) as session:

        def work() -> None:
            with session.get(server.url, stream=True) as streamed:
                gate.wait(PATIENCE)
                assert session.get(server.url).ok
                assert 300_000 == len(streamed.content)

        in_thread(work, work)
        assert (0, 0) == (session.pool.counts().active, session.pool.counts().waiting)
        assert session.pool.counts().idle <= 2
    assert 3 == server.most_open


def test_many_threads_with_nested_gets_pass_the_limit_by_few(server: Scripted) -> None:
    """Twelve threads at a limit of two, all nesting: never more than one beyond the limit for each that streams, and
    nobody sleeps while it could go on.
    """
    begun = time.monotonic()
    with session_of(per_host=2) as session:

        def work() -> None:
            for _ in range(3):
                with session.get(server.url, stream=True) as streamed:
                    assert session.get(server.url).ok
                    assert sum(session.pool.counts()[:2]) <= 4
                    assert 300_000 == len(streamed.content)

        in_thread(*[work] * 12)
        assert (0, 0) == (session.pool.counts().active, session.pool.counts().waiting)
        assert session.pool.counts().idle <= 2
    assert time.monotonic() - begun < 2  # looking up every half second would take five
