"""Pace: how fast one host may be asked, in numbers."""

from __future__ import annotations

from crawlkit.crawl.pace import BREAK_AFTER, DOWN_AFTER, FIRST_REST_SECONDS, LONGEST_WAIT_SECONDS, Pace


def test_gaps_count_from_sending() -> None:
    """The gap starts when a request goes out, not when its answer is there."""
    pace = Pace(limit=2, delay=0.25)
    pace.sent(10.0)
    assert 10.25 == pace.next_at
    pace.ended()
    assert 10.25 == pace.next_at


def test_limit_counts_what_is_under_way() -> None:
    """With a limit of two, a third request must wait for an end."""
    pace = Pace(limit=2, delay=0.0)
    pace.sent(0.0)
    assert not pace.full
    pace.sent(0.0)
    assert pace.full
    pace.ended()
    assert not pace.full


def test_retry_after_stops_the_whole_host() -> None:
    """429 with Retry-After: 30 lets nothing out for 30 seconds and halves the limit."""
    pace = Pace(limit=8, delay=0.0)
    pace.refused(100.0, 30.0)
    assert 130.0 == pace.next_at
    assert 4 == pace.limit
    assert not pace.parked


def test_refusal_without_a_time_backs_off_further_each_time() -> None:
    """429 without Retry-After doubles the gap; the limit never falls below one."""
    pace = Pace(limit=2, delay=0.0)
    waits = []
    for _ in range(4):
        pace.next_at = 0.0
        pace.refused(0.0, None)
        waits.append(pace.next_at)
    assert [0.25, 0.5, 1.0, 2.0] == waits
    assert 1 == pace.limit


def test_a_wait_of_over_an_hour_parks_the_host() -> None:
    """Nobody sleeps for an hour: the host is left to another run."""
    pace = Pace(limit=2, delay=0.0)
    pace.refused(0.0, LONGEST_WAIT_SECONDS)
    assert not pace.parked
    pace.refused(0.0, LONGEST_WAIT_SECONDS + 1)
    assert pace.parked


def test_good_answers_bring_limit_and_gap_back() -> None:
    """After a refusal the host recovers step by step to what was configured, and not beyond."""
    pace = Pace(limit=4, delay=0.1)
    pace.refused(0.0, 1.0)
    assert 2 == pace.limit
    for _ in range(100):
        pace.answered(0.01)
    assert 4 == pace.limit
    assert 0.1 == pace.delay


def test_rising_latency_lowers_the_limit() -> None:
    """A host that answers ten times slower than before is asked for less at once."""
    pace = Pace(limit=8, delay=0.0)
    for _ in range(20):
        pace.answered(0.1)
    assert 8 == pace.limit
    for _ in range(40):
        pace.answered(2.0)
    assert 8 > pace.limit


def test_not_adaptive_keeps_what_was_configured() -> None:
    """`adaptive = false`: Retry-After still holds, limit and gap do not move."""
    pace = Pace(limit=8, delay=0.5, adaptive=False)
    pace.refused(0.0, 30.0)
    assert (8, 0.5, 30.0) == (pace.limit, pace.delay, pace.next_at)


def test_ten_faults_in_a_row_send_the_host_to_rest() -> None:
    """The breaker: rests double, and after three without an answer the host counts as down."""
    pace = Pace(limit=2, delay=0.0)
    for _ in range(BREAK_AFTER - 1):
        pace.broke(0.0)
    assert 0.0 == pace.next_at
    pace.broke(0.0)
    assert FIRST_REST_SECONDS == pace.next_at
    for _ in range(BREAK_AFTER):
        pace.broke(100.0)
    assert 100.0 + 2 * FIRST_REST_SECONDS == pace.next_at
    assert not pace.down
    for _ in range(BREAK_AFTER * (DOWN_AFTER - 2)):
        pace.broke(200.0)
    assert pace.down
    assert 200.0 == pace.next_at, "what is left for it is failed at once"
    pace.answered(0.1)
    assert not pace.down


def test_crawl_delay_only_lengthens() -> None:
    """robots.txt may ask for a longer gap, one request at a time; a shorter one changes nothing."""
    pace = Pace(limit=2, delay=0.25)
    pace.obey(0.1)
    assert (2, 0.25) == (pace.limit, pace.delay)
    pace.obey(5.0)
    assert (1, 5.0) == (pace.limit, pace.delay)
    for _ in range(50):
        pace.answered(0.01)
    assert (1, 5.0) == (pace.limit, pace.delay)
