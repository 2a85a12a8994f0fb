import pytest

from proxy.demo.guide import Seen, failures
from proxy.demo.tour import Step

HIT = Step("A", "/a", "hit", shows="x", hides="y")
MISS = Step("A", "/a", "miss")


@pytest.mark.parametrize(
    ("step", "seen", "number"),
    [
        pytest.param(HIT, Seen(200, "sapwood; hit; ttl=3", 0.002, "x"), 0, id="a hit as claimed"),
        pytest.param(MISS, Seen(200, "sapwood; fwd=uri-miss; stored", 0.31, ""), 0, id="a miss as claimed"),
        pytest.param(HIT, Seen(404, "sapwood; hit", 0.002, "x"), 1, id="another status"),
        pytest.param(HIT, Seen(200, "sapwood; fwd=stale", 0.002, "x"), 1, id="no hit"),
        pytest.param(HIT, Seen(200, "other; hit", 0.002, "x"), 1, id="another cache's hit"),
        pytest.param(HIT, Seen(200, "sapwood; hit", 0.2, "x"), 1, id="a slow hit"),
        pytest.param(HIT, Seen(200, "sapwood; hit", 0.002, "z"), 1, id="not what it shows"),
        pytest.param(HIT, Seen(200, "sapwood; hit", 0.002, "xy"), 1, id="what it must not show"),
        pytest.param(MISS, Seen(200, "sapwood; fwd=uri-miss", 0.002, ""), 1, id="a miss that asked nobody"),
        pytest.param(MISS, Seen(200, "", 0.31, ""), 1, id="no Cache-Status"),
    ],
)
def test_a_claim_that_is_not_true_is_named(step, seen, number):
    assert len(failures(step, seen)) == number
