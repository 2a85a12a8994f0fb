from __future__ import annotations

import pytest

from proxy.settings.cron import check_cron


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/30 * * * *",
        "0 3 * * *",
        "0 0,12 1-15 jan-mar mon,Fri",
        "5 4 * * 7",
        "0-59/5 23 31 12 0",
        "0  3 * * sun",
    ],
)
def test_expressions(text):
    assert check_cron(text) == text


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
    ],
)
def test_what_would_never_come(text, words):
    with pytest.raises(ValueError, match=words.replace("*", r"\*")):
        check_cron(text)
