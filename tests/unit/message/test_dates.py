"""HTTP-date."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message import dates

NOW = datetime(2025, 6, 1, tzinfo=UTC).timestamp()
NOV_6_1994 = 784111777.0
AUG_18_2050 = datetime(2050, 8, 18, 2, 1, 18, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 GMT", NOV_6_1994, id="IMF-fixdate"),
        pytest.param(b"Sunday, 06-Nov-94 08:49:37 GMT", NOV_6_1994, id="RFC 850"),
        pytest.param(b"Sun Nov  6 08:49:37 1994", NOV_6_1994, id="asctime"),
        pytest.param(b"Thu Aug 18 02:01:18 2050", AUG_18_2050, id="asctime with a day of two digits"),
        pytest.param(b"THU, 18 Aug 2050 02:01:18 GMT", AUG_18_2050, id="weekday in upper case"),
        pytest.param(b"Thu, 18 AUG 2050 02:01:18 GMT", AUG_18_2050, id="month in upper case"),
        pytest.param(b"Thu, 18 Aug 2050 02:01:18 gMT", AUG_18_2050, id="zone in mixed case"),
        pytest.param(b"Mon, 18 Aug 2050 02:01:18 GMT", AUG_18_2050, id="another weekday"),
        pytest.param(b"Thursday, 18-Aug-50 02:01:18 GMT", AUG_18_2050, id="two digits, 25 years ahead"),
        pytest.param(b"Tue, 19 Jan 2038 14:14:08 GMT", 2147523248.0, id="beyond 32 bits"),
        pytest.param(
            b"Sun, 21 Nov 2286 04:46:39 GMT", datetime(2286, 11, 21, 4, 46, 39, tzinfo=UTC).timestamp(), id="far ahead"
        ),
        pytest.param(b"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800.0, id="a leap second"),
        pytest.param(b"0", None, id="zero"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"Thu, 18 Aug 2050 02:01:18 UTC", None, id="UTC"),
        pytest.param(b"Thu, 18 Aug 2050 02:01:18 AEST", None, id="another zone"),
        pytest.param(b"Thu, 18 Aug 2050 02:01:18", None, id="no zone"),
        pytest.param(b"Thu, 18 Aug 50 02:01:18 GMT", None, id="IMF-fixdate with a two-digit year"),
        pytest.param(b"Thu 18 Aug 2050 02:01:18 GMT", None, id="no comma"),
        pytest.param(b"Thu, 18  Aug  2050 02:01:18 GMT", None, id="double spaces"),
        pytest.param(b"Thu, 18-Aug-2050 02:01:18 GMT", None, id="dashes with a four-digit year"),
        pytest.param(b"Thu, 18 Aug 2050 02.01.18 GMT", None, id="periods in the time"),
        pytest.param(b"Thu, 18 Aug 2050 2:01:18 GMT", None, id="one-digit hour"),
        pytest.param(b"Thu, 18 Aug 2050 02:01:18 GMT\n", None, id="a line feed at the end"),
        pytest.param(b"Thu, 31 Feb 2050 02:01:18 GMT", None, id="no such day"),
        pytest.param(b"Thu, 18 Aug 2050 24:01:18 GMT", None, id="no such hour"),
        pytest.param(b"Thu, 18 Aug 2050 02:01:61 GMT", None, id="no such second"),
        pytest.param(b"Thu, 18 Aug 0000 02:01:18 GMT", None, id="no such year"),
    ],
)
def test_parse(value, seconds):
    assert dates.parse(value, NOW) == seconds


@pytest.mark.parametrize(
    ("year", "full"),
    [
        pytest.param(b"75", 2075, id="50 years ahead stays ahead"),
        pytest.param(b"76", 1976, id="51 years ahead is past"),
        pytest.param(b"25", 2025, id="this year"),
        pytest.param(b"00", 2000, id="the turn of the century"),
    ],
)
def test_two_digit_years(year, full):
    assert (
        dates.parse(b"Monday, 01-Jan-" + year + b" 00:00:00 GMT", NOW) == datetime(full, 1, 1, tzinfo=UTC).timestamp()
    )


def test_render():
    assert dates.render(NOV_6_1994) == b"Sun, 06 Nov 1994 08:49:37 GMT"


def test_render_cuts_fractions_off():
    assert dates.render(NOV_6_1994 + 0.999) == b"Sun, 06 Nov 1994 08:49:37 GMT"


def test_every_weekday_and_month_is_rendered_as_the_standard_library_does():
    for day in range(400):
        moment = datetime.fromtimestamp(NOV_6_1994 + day * 86400, UTC)
        assert dates.render(moment.timestamp()) == moment.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()


@pytest.mark.parametrize("seconds", [3e11, float(2**60), -1e11, -1e18])
def test_render_refuses_what_has_no_four_digit_year(seconds):
    with pytest.raises(OverflowError):
        dates.render(seconds)


@given(st.integers(min_value=-(2**32), max_value=2**37))
def test_what_is_rendered_is_read_back(seconds):
    assert dates.parse(dates.render(seconds), NOW) == seconds


@given(st.binary(max_size=40), st.floats(min_value=0, max_value=4e9))
def test_any_octets_are_a_date_or_none(value, now):
    assert dates.parse(value, now) is None
