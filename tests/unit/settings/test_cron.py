from __future__ import annotations

import pytest

from proxy.settings.cron import parse_cron

ALL_MINUTES, ALL_DAYS = frozenset(range(60)), frozenset(range(1, 32))


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        pytest.param("* * * * *", "minutes", ALL_MINUTES, id="every minute"),
        pytest.param("*/30 * * * *", "minutes", {0, 30}, id="every half hour"),
        pytest.param("0 3 * * *", "hours", {3}, id="at three"),
        pytest.param("0 0,12 1-15 jan-mar mon,Fri", "weekdays", {1, 5}, id="weekdays by name"),
        pytest.param("0 0,12 1-15 jan-mar mon,Fri", "months", {1, 2, 3}, id="months by name"),
        pytest.param("0 0,12 1-15 jan-mar mon,Fri", "hours", {0, 12}, id="a list"),
        pytest.param("5 4 * * 7", "weekdays", {0}, id="the other Sunday"),
        pytest.param("0-59/25 23 31 12 0", "minutes", {0, 25, 50}, id="a span with a step"),
        pytest.param("10/20 * * * *", "minutes", {10, 30, 50}, id="a step from somewhere on"),
        pytest.param("0  3 * * sun", "days", ALL_DAYS, id="more than one space"),
        pytest.param("0 0 29 2 *", "days", {29}, id="a day that comes every four years"),
        pytest.param("0 0 31 2 mon", "days", {31}, id="a day that never comes, or a Monday"),
    ],
)
def test_expressions(text, field, values):
    cron = parse_cron(text)
    assert cron.text == text
    assert getattr(cron, field) == values


@pytest.mark.parametrize(
    ("text", "either"), [("0 0 1 * mon", True), ("0 0 * * mon", False), ("0 0 1 * *", False), ("0 0 */2 * mon", False)]
)
def test_either_day_is_enough_where_both_are_restricted(text, either):
    assert parse_cron(text).either is either


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * *", "expected five fields"),
        ("@hourly", "expected five fields"),
        ("60 * * * *", 'expected a minute from 0 to 59 in "60 * * * *", got "60"'),
        ("0 24 * * *", "expected a hour from 0 to 23"),
        ("0 0 0 * *", "expected a day of the month from 1 to 31"),
        ("0 0 * mon *", 'expected a month from 1 to 12 in "0 0 * mon *", got "mon"'),
        ("0 0 * * 8", "expected a day of the week"),
        ("5-1 * * * *", "expected a minute"),
        ("*/0 * * * *", "expected a minute"),
        ("*/x * * * *", "expected a minute"),
        (", * * * *", "expected a minute"),
        ("1- * * * *", "expected a minute"),
        ("٣ * * * *", "expected a minute"),
        ("100 * * * *", "expected a minute"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
    ],
)
def test_what_would_never_come(text, words):
    with pytest.raises(ValueError, match=words.replace("*", r"\*")):
        parse_cron(text)
