"""Which due time is to be run now: hourly, looked at by clocks that are late, set back, or were stopped."""

from __future__ import annotations

import pytest

from proxy.warming.dues import last_due

HOUR = 3600.0


def hourly(moment):
    return (moment // HOUR + 1) * HOUR


@pytest.mark.parametrize(
    ("handled", "now", "expected"),
    [
        pytest.param(10.0, 3599.0, (None, 3600.0), id="not yet"),
        pytest.param(10.0, 3600.0, (3600.0, 7200.0), id="now"),
        pytest.param(3600.0, 3700.0, (None, 7200.0), id="done already"),
        pytest.param(10.0, 3600.0 + 599, (3600.0, 7200.0), id="as late as may be"),
        pytest.param(10.0, 3600.0 + 600, (None, 7200.0), id="too late"),
        pytest.param(3600.0, 3 * HOUR + 5, (3 * HOUR, 4 * HOUR), id="the last of several"),
        pytest.param(9 * HOUR, HOUR + 5, (None, 2 * HOUR), id="a clock that was set back"),
    ],
)
def test_what_is_due(handled, now, expected):
    assert last_due(hourly, handled, now, 600.0) == expected
