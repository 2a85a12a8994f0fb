"""Medians, quartiles, ratios of rounds."""

import pytest

from bench.peers.stats import Spread, percentile, ratios, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], None, id="nothing was measured"),
        pytest.param([3.0], Spread(3.0, 3.0, 3.0), id="one run"),
        pytest.param([5, 1, 2, 4, 3], Spread(2, 3, 4), id="in any order"),
        pytest.param([1.0, 2.0], Spread(1.25, 1.5, 1.75), id="interpolated between two"),
        pytest.param([1, 1, 1, 1, 1000], Spread(1, 1, 1), id="an outlier moves nothing"),
    ],
)
def test_median_and_quartiles(values, expected):
    assert spread(values) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param([2, 4, 6], [1, 2, 3], Spread(2, 2, 2), id="each round beside its own: a drift cancels out"),
        pytest.param([2, None, 6], [1, 2, None], Spread(2, 2, 2), id="only where both measured"),
        pytest.param([2, 3], [0, 1], Spread(3, 3, 3), id="nothing is a multiple of nothing"),
        pytest.param([], [], None, id="no rounds"),
    ],
)
def test_ratios_are_taken_round_by_round(ours, theirs, expected):
    assert ratios(ours, theirs) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0.5, 50, id="half"),
        pytest.param(0.99, 99, id="99 %"),
        pytest.param(1.0, 100, id="all"),
        pytest.param(0.0, 1, id="the least"),
    ],
)
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share, expected):
    assert percentile(range(100, 0, -1), share) == expected
