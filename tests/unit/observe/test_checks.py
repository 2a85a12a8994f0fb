import math

import pytest

from proxy.observe.checks import LONGEST_NAME, amount_of, count_of, flag_of, name_of

HUGE = "x" * LONGEST_NAME


@pytest.mark.parametrize(
    ("read", "value"),
    [
        pytest.param(name_of, "", id="no name is one"),
        pytest.param(name_of, HUGE, id="the longest name"),
        pytest.param(count_of, 0, id="none at all"),
        pytest.param(count_of, 2**70, id="more than a machine word holds"),
        pytest.param(amount_of, 0.0, id="nothing"),
        pytest.param(amount_of, 7, id="a whole amount"),
        pytest.param(amount_of, 0.25, id="a part"),
        pytest.param(flag_of, True, id="yes"),
        pytest.param(flag_of, False, id="no"),
    ],
)
def test_what_is_exactly_one_is_returned(read, value):
    assert read(value) == value


def test_a_whole_amount_is_a_float_from_then_on():
    assert type(amount_of(7)) is float


@pytest.mark.parametrize(
    ("read", "value"),
    [
        pytest.param(name_of, HUGE + "x", id="a name without end"),
        pytest.param(name_of, 5, id="a number for a name"),
        pytest.param(name_of, None, id="null for a name"),
        pytest.param(name_of, b"x", id="octets for a name"),
        pytest.param(count_of, -1, id="less than none"),
        pytest.param(count_of, 1.0, id="a count with a point"),
        pytest.param(count_of, True, id="true for a count"),
        pytest.param(count_of, "1", id="text for a count"),
        pytest.param(amount_of, -0.5, id="less than nothing"),
        pytest.param(amount_of, math.inf, id="without end"),
        pytest.param(amount_of, math.nan, id="no number"),
        pytest.param(amount_of, True, id="true for an amount"),
        pytest.param(amount_of, "1", id="text for an amount"),
        pytest.param(flag_of, 1, id="one for yes"),
        pytest.param(flag_of, None, id="null for no"),
    ],
)
def test_what_is_not_is_refused(read, value):
    with pytest.raises(ValueError, match="expected"):
        read(value)
