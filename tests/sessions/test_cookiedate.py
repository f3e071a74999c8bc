"""Cookie dates: what servers write into Expires (RFC 6265bis section 5.1.1)."""

from __future__ import annotations

import calendar
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.sessions.cookiedate import cookie_date

# The IETF working group's examples, https://github.com/abarth/http-state, tests/data/dates: what is written,
# and what it means as YYYY-MM-DD HH:MM:SS.
PUBLISHED = [
    ("Mon, 10-Dec-2007 17:02:24 GMT", "2007-12-10 17:02:24"),
    ("Wed, 09 Dec 2009 16:27:23 GMT", "2009-12-09 16:27:23"),
    ("Thursday, 01-Jan-1970 00:00:00 GMT", "1970-01-01 00:00:00"),
    ("Mon Dec 10 16:32:30 2007 GMT", "2007-12-10 16:32:30"),
    ("Wednesday, 01-Jan-10 00:00:00 GMT", "2010-01-01 00:00:00"),
    ("Mon, 10-Dec-07 20:35:03 GMT", "2007-12-10 20:35:03"),
    ("Thu, 31 Dec 23:55:55 2037 GMT", "2037-12-31 23:55:55"),
    ("Sun,  9 Dec 2012 13:42:05 GMT", "2012-12-09 13:42:05"),
    ("Wed Dec 12 2007 08:44:07 GMT-0500 (EST)", "2007-12-12 08:44:07"),
    ("Wednesday, 01-Jan-10 0:0:00 GMT", "2010-01-01 00:00:00"),
    ("Thu, 10 Dec 2009 13:57:2 GMT", "2009-12-10 13:57:02"),
    ("Thu, 19/Apr\\2007 16:00:00 GMT", "2007-04-19 16:00:00"),
    (", 1-Jan-2003 00:00:00 GMT", "2003-01-01 00:00:00"),
    ("WillyWonka  ,  18-apr-07   22:50:12", "2007-04-18 22:50:12"),
    ("Mon, 18-Apr-77 22:50:13 GMT", "1977-04-18 22:50:13"),
    ('"Sat, 15-Apr-17\\"21:01:22\\"GMT"', "2017-04-15 21:01:22"),
    ("Partyday, 18 - Apri-07 22:50:12", "2007-04-18 22:50:12"),
    ("Sat, 15-Apr-17 21:01:22 GMT-0400 (EDT)", "2017-04-15 21:01:22"),
    ("Sat, 15-Apr-17 21:01:22 11:22:33", "2017-04-15 21:01:22"),
    ("Sat, 15-Apr-17 ::00 21:01:22", "2017-04-15 21:01:22"),
    ("Sat, 15-Apr-17 boink:z 21:01:22", "2017-04-15 21:01:22"),
    ("22:50:12 Thu Apr 18 2007 GMT", "2007-04-18 22:50:12"),
    ("Thu Apr 22:50:12 18 2007 GMT", "2007-04-18 22:50:12"),
    ("15-Sat, Apr 21:01:22 GMT 17", "2017-04-15 21:01:22"),
    ("15 17 Apr 21:01:22", "2017-04-15 21:01:22"),
    ("2017 April 15 21:01:22", "2017-04-15 21:01:22"),
    ("Sat, 15-Apr-17 91:22:33 21:01:22", None),
    ("98 April 17 21:01:22", None),
    ("Thu, 012-Aug-2008 20:49:07 GMT", None),
    ("Thu, 12-Aug-31841 20:49:07 GMT", None),
    ("Thu, 999999999999-Aug-2007 20:49:07 GMT", None),
    ("Thu, 12-Aug-2007 20:61:99999999999 GMT", None),
    ("IAintNoDateFool", None),
    ("", None),
    # Section 5.1.1 steps 5 and 6: no such hour, minute, second, year, day.
    ("1 Jan 2020 24:00:00", None),
    ("1 Jan 2020 00:60:00", None),
    ("1 Jan 2020 00:00:60", None),
    ("1 Jan 1600 00:00:00", None),
    ("1 Jan 1601 00:00:00", "1601-01-01 00:00:00"),
    ("31 Feb 2020 00:00:00", None),
    ("0 Jan 2020 00:00:00", None),
    ("1 Jan 69 00:00:00", "2069-01-01 00:00:00"),
    ("1 Jan 70 00:00:00", "1970-01-01 00:00:00"),
]


@pytest.mark.parametrize(("text", "meaning"), PUBLISHED)
def test_published_dates(text: str, meaning: str | None) -> None:
    """Dates are read as the algorithm reads them, whatever their order and their time zone."""
    expected = None if meaning is None else calendar.timegm(time.strptime(meaning, "%Y-%m-%d %H:%M:%S"))
    assert expected == cookie_date(text)


@given(st.integers(min_value=0, max_value=253_402_300_799))
def test_every_date_that_servers_should_write_is_read(seconds: int) -> None:
    """The format of RFC 9110 (IMF-fixdate) means the second that it names."""
    text = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))
    # strftime does not pad years below 1000, which do not occur here.
    assert seconds == cookie_date(text)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    """What is no date is None, never an exception."""
    assert cookie_date(text) is None or isinstance(cookie_date(text), int)
