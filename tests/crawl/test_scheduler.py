"""Scheduler: who is asked next, decided with a clock that stands still."""

from __future__ import annotations

import threading

import pytest

from crawlkit.crawl.pace import Pace
from crawlkit.crawl.scheduler import AHEAD, Scheduler
from crawlkit.store.outcome import Lease


class Stopped:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


def lease(page: int, host: str = "a:80") -> Lease:
    return Lease(page, b"", f"http://{host}/{page}", host, 0, 0, 0, None, False, 1)


class Stage:
    """A scheduler, its clock, and what it asked for."""

    def __init__(self, *, limit: int = 2, delay: float = 0.0) -> None:
        self.clock = Stopped()
        self.wanted: list[str] = []
        self.limits: list[tuple[str, int]] = []
        self.scheduler = Scheduler(
            self.clock,
            lambda netloc: Pace(limit=limit, delay=delay),
            self.wanted.append,
            lambda netloc, most: self.limits.append((netloc, most)),
        )

    def take(self, last: str | None = None) -> Lease | float | None:
        return self.scheduler.take(self.clock.now, last)


def test_one_host_goes_in_the_order_offered() -> None:
    """The frontier's order is kept."""
    stage = Stage(limit=8)
    stage.scheduler.offer("a:80", [lease(3), lease(1), lease(2)])
    taken = [stage.take() for _ in range(3)]
    assert [3, 1, 2] == [one.page for one in taken if isinstance(one, Lease)]


def test_limit_holds_until_a_request_ends() -> None:
    """Two under way and a limit of two: nothing to take until one is released."""
    stage = Stage(limit=2)
    stage.scheduler.offer("a:80", [lease(1), lease(2), lease(3)])
    assert isinstance(stage.take(), Lease)
    assert isinstance(stage.take(), Lease)
    assert stage.take() is None
    stage.scheduler.release("a:80")
    assert isinstance(stage.take(), Lease)


def test_delay_says_when_to_come_again() -> None:
    """The second request of a host with a gap is refused with the time at which it may go."""
    stage = Stage(limit=8, delay=0.5)
    stage.scheduler.offer("a:80", [lease(1), lease(2)])
    assert isinstance(stage.take(), Lease)
    assert 1000.5 == stage.take()
    stage.clock.now = 1000.5
    assert isinstance(stage.take(), Lease)


def test_a_waiting_host_does_not_hold_up_others() -> None:
    """Hosts in a gap are passed over."""
    stage = Stage(limit=1, delay=10.0)
    stage.scheduler.offer("a:80", [lease(1), lease(2)])
    stage.scheduler.offer("b:80", [lease(3, "b:80")])
    pages = [stage.take(), stage.take()]
    assert {1, 3} == {one.page for one in pages if isinstance(one, Lease)}


def test_a_worker_keeps_its_warm_host() -> None:
    """A worker that was at b stays there although a was listed first."""
    stage = Stage(limit=8)
    stage.scheduler.offer("a:80", [lease(1)])
    stage.scheduler.offer("b:80", [lease(2, "b:80")])
    taken = stage.take("b:80")
    assert isinstance(taken, Lease)
    assert 2 == taken.page


def test_refused_host_rests_and_its_limit_is_passed_on() -> None:
    """429: the host's leases wait for Retry-After, and nested calls learn the lower limit."""
    stage = Stage(limit=8)
    stage.scheduler.offer("a:80", [lease(1), lease(2)])
    assert isinstance(stage.take(), Lease)
    assert not stage.scheduler.refused("a:80", 60.0)
    assert [("a:80", 4)] == stage.limits
    assert 1060.0 == stage.take()


def test_a_parked_host_gives_nothing_more() -> None:
    """Longer than an hour: its leases are dropped for another run to take up."""
    stage = Stage(limit=8)
    stage.scheduler.offer("a:80", [lease(1), lease(2)])
    assert isinstance(stage.take(), Lease)
    assert stage.scheduler.refused("a:80", 7200.0)
    assert stage.take() is None
    assert ["a:80"] == stage.scheduler.parked_hosts()
    assert 1 == stage.scheduler.drop_parked()
    assert 1 == stage.scheduler.outstanding
    assert 0 == stage.scheduler.room("a:80")


def test_more_is_wanted_before_a_host_runs_dry_and_once_only() -> None:
    """The writer is asked as soon as no more leases are left than the host may have under way."""
    stage = Stage(limit=2)
    stage.scheduler.offer("a:80", [lease(n) for n in range(4)])
    stage.take()
    assert [] == stage.wanted
    stage.take()
    assert ["a:80"] == stage.wanted
    stage.scheduler.release("a:80")
    stage.take()
    assert ["a:80"] == stage.wanted
    assert AHEAD * 2 - 1 == stage.scheduler.room("a:80")


def test_a_host_that_has_more_than_half_of_its_leases_takes_none() -> None:
    """Each time costs the writer a transaction, whether it is for one lease or for many."""
    stage = Stage(limit=2)
    stage.scheduler.offer("a:80", [lease(n) for n in range(AHEAD + 1)])
    assert 0 == stage.scheduler.room("a:80")
    stage.take()
    assert AHEAD == stage.scheduler.room("a:80")


def test_page_limit_is_a_budget() -> None:
    """With one page allowed the second worker gets none, until a page that did not count is refunded."""
    stage = Stage(limit=8)
    scheduler = stage.scheduler
    scheduler.limit_pages(1)
    scheduler.offer("a:80", [lease(1), lease(2)])
    assert scheduler.next() is not None
    assert scheduler.spent
    got: list[Lease | None] = []
    waiter = threading.Thread(target=lambda: got.append(scheduler.next()))
    waiter.start()
    scheduler.refund()
    waiter.join(5)
    assert [2] == [one.page for one in got if one is not None]


def test_pause_holds_everybody_and_stop_lets_them_leave() -> None:
    """While a login is under way nothing goes out; a stop ends every wait with None."""
    stage = Stage(limit=8)
    scheduler = stage.scheduler
    scheduler.pause()
    scheduler.offer("a:80", [lease(1)])
    got: list[Lease | None] = []
    waiter = threading.Thread(target=lambda: got.append(scheduler.next()))
    waiter.start()
    scheduler.stop()
    waiter.join(5)
    assert [None] == got


@pytest.mark.parametrize("workers", [1, 16])
def test_every_lease_is_handed_out_once(workers: int) -> None:
    """Many workers, several hosts: each lease goes to exactly one of them."""
    stage = Stage(limit=3)
    scheduler = stage.scheduler
    hosts = [f"h{n}:80" for n in range(5)]
    for number, host in enumerate(hosts):
        scheduler.offer(host, [lease(100 * number + page, host) for page in range(20)])
    taken: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while (one := scheduler.next()) is not None:
            with lock:
                taken.append(one.page)
                over = len(taken) == 100
            scheduler.release(one.host)
            scheduler.settle(1)
            if over:
                scheduler.stop()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(100 * n + page for n in range(5) for page in range(20)) == sorted(taken)
    assert 0 == scheduler.outstanding == scheduler.in_flight
