"""CronTime: what crontab(5)'s fields mean, and what is said of text that is none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.crawl.crontime import CronTime

NEW_YEAR = datetime(2026, 1, 1)  # a Thursday


@pytest.mark.parametrize(
    ("text", "instants"),
    [
        ("0 6 * * *", ["2026-01-01 06:00", "2026-01-02 06:00"]),
        ("*/20 23 * * *", ["2026-01-01 23:00", "2026-01-01 23:20", "2026-01-01 23:40", "2026-01-02 23:00"]),
        ("0 0 1 jan,JUL *", ["2026-07-01 00:00", "2027-01-01 00:00"]),
        ("30 8 * * mon-fri", ["2026-01-01 08:30", "2026-01-02 08:30", "2026-01-05 08:30"]),
        ("0 12 * * 0", ["2026-01-04 12:00", "2026-01-11 12:00"]),
        ("0 12 * * 7", ["2026-01-04 12:00", "2026-01-11 12:00"]),
        ("0 12 * * 5-7", ["2026-01-02 12:00", "2026-01-03 12:00", "2026-01-04 12:00", "2026-01-09 12:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("@daily", ["2026-01-02 00:00"]),
        (" @Weekly ", ["2026-01-04 00:00", "2026-01-11 00:00"]),
        ("5-15/5 0 * * *", ["2026-01-01 00:05", "2026-01-01 00:10", "2026-01-01 00:15", "2026-01-02 00:05"]),
    ],
)
def test_when_it_comes(text: str, instants: list[str]) -> None:
    """The instants that follow the beginning of 2026."""
    when, moment, found = CronTime.read(text), NEW_YEAR, []
    for _ in instants:
        moment = when.after(moment)
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    assert instants == found


def test_of_two_restricted_days_either_is_enough() -> None:
    """Friday, or the 13th; with a star on one side both must fit, as cron has it."""
    either = CronTime.read("0 0 13 * 5")
    assert (datetime(2026, 1, 2), datetime(2026, 1, 13)) == (either.after(NEW_YEAR), either.after(datetime(2026, 1, 9)))
    both = CronTime.read("0 0 */12 * 5")  # 1, 13, 25: of these the Fridays
    assert (datetime(2026, 2, 13), datetime(2026, 3, 13)) == (both.after(NEW_YEAR), both.after(datetime(2026, 2, 13)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 25 * * *", "the hour has '25'; it may be 0 to 23, "),
        ("60 * * * *", "the minute has '60'; it may be 0 to 59, "),
        ("0 0 0 * *", "the day of the month has '0'; it may be 1 to 31, "),
        ("0 0 1 13 *", "the month has '13'; it may be 1 to 12 or jan to dec, "),
        ("0 0 * * 8", "the day of the week has '8'; it may be 0 to 7 or sun to sat, "),
        ("0 0 * * monday", "the day of the week has 'monday'; "),
        ("0 0 * *", "it has 4 fields; there are five: minute, hour, day, month, weekday"),
        ("daily", "it has 1 field; "),
        ("0 0 * * * 2026", "it has 6 fields; "),
        ("1,,2 * * * *", "the minute has ''; "),
        ("0 22-2 * * *", "the hour has '22-2', which ends before it begins; write it as two: 22-23,0-2"),
        ("0 0 * * fri-sun", "which ends before it begins; as the end of a week Sunday is 7: 5-7"),
        ("5/10 * * * *", "the minute has '5/10'; a step goes with * or a range: 5-59/10"),
        ("*/90 * * * *", "the minute has '*/90'; a step may be 1 to 59"),
        ("*/0 * * * *", "the minute has '*/0'; a step may be 1 to 59"),
        ("0 0 30 feb *", "it never comes: month feb has no day 30"),
        ("0 0 31 2,4,6,9,11 *", "it never comes: month 2,4,6,9,11 has no day 31"),
        ("@reboot", "there is no '@reboot' here; there are @hourly, @daily, "),
        ("0 0 L * *", "the day of the month has 'L'; "),
        ("0 0 ? * *", "the day of the month has '?'; "),
        ("\u0661 * * * *", "the minute has '\u0661'; "),
        ("-5 * * * *", "the minute has '-5'; "),
        (f"{'9' * 5000} * * * *", "the minute has '99999999999999999999'; "),
    ],
)
def test_what_is_no_time_is_told_by_its_field(text: str, said: str) -> None:
    """The field, what it has, what may stand there."""
    with pytest.raises(ValueError) as refused:
        CronTime.read(text)
    assert said in str(refused.value)


def field(first: int, last: int) -> st.SearchStrategy[str]:
    numbers = st.integers(first, last)
    ranges = st.tuples(numbers, numbers).map(sorted)
    part = st.one_of(
        numbers.map(str),
        ranges.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(ranges, st.integers(1, last)).map(lambda given: f"{given[0][0]}-{given[0][1]}/{given[1]}"),
        st.integers(1, last).map(lambda step: f"*/{step}"),
    )
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


cron_texts = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)


def fits(text: str, moment: datetime) -> bool:
    """crontab(5) once more, number by number."""

    def has(given: str, number: int, first: int, last: int) -> bool:
        for part in given.split(","):
            span, _, step = part.partition("/")
            low, _, high = span.partition("-")
            start, end = (first, last) if span == "*" else (int(low), int(high or low))
            if start <= number <= end and (number - start) % int(step or 1) == 0:
                return True
        return False

    minute, hour, day, month, weekday = text.split()
    sunday = moment.isoweekday() == 7
    on_day = has(day, moment.day, 1, 31)
    on_weekday = has(weekday, moment.isoweekday() % 7, 0, 7) or (sunday and has(weekday, 7, 0, 7))
    days = on_day and on_weekday if "*" in (day[0], weekday[0]) else on_day or on_weekday
    return (
        has(minute, moment.minute, 0, 59) and has(hour, moment.hour, 0, 23) and has(month, moment.month, 1, 12) and days
    )


@settings(deadline=None, max_examples=60)
@given(cron_texts, st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))
def test_what_comes_next_is_the_first_that_fits(text: str, moment: datetime) -> None:
    """Against the rules written out a second time; nothing that fits lies between."""
    when = CronTime.read(text)
    found = when.after(moment)
    assert fits(text, found)
    assert moment < found
    between = found - timedelta(minutes=1)
    earliest = max(moment, found - timedelta(days=3))
    while between > earliest:
        assert not fits(text, between)
        between -= timedelta(minutes=1)
    assert CronTime.read(when.text) == when
