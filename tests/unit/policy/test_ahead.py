import math

import pytest

from proxy.message.headers import Headers
from proxy.message.selectors import IN_FORCE, PURGED, Seq, Standing
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse
from proxy.policy.ahead import ahead_from, is_late

CAME = 1_750_000_000.0


def entry(age=0.0, lifetime=100.0, ends=None):
    return StoredResponse(
        status=200,
        reason=b"OK",
        headers=Headers([]),
        body=b"",
        request_time=CAME,
        response_time=CAME,
        initial_age=age,
        freshness=Freshness(lifetime, LifetimeSource.ROUTE),
        selectors=(),
        seq=Seq("e", 1),
        expires_with_credential=ends,
    )


@pytest.mark.parametrize(
    ("stored", "after"),
    [
        pytest.param(entry(), 90.0, id="in the last tenth"),
        pytest.param(entry(age=30.0), 60.0, id="of the lifetime, not of what was left"),
        pytest.param(entry(ends=CAME + 101), 90.0, id="its credential ends later"),
        pytest.param(entry(ends=CAME + 100), math.inf, id="its credential ends with it"),
        pytest.param(entry(ends=CAME + 50), math.inf, id="its credential ends before"),
    ],
)
def test_from_when_on_a_hit_refreshes_it(stored, after):
    assert ahead_from(stored) == CAME + after


@pytest.mark.parametrize(
    ("standing", "after", "late"),
    [
        pytest.param(IN_FORCE, 89.9, False, id="not yet"),
        pytest.param(IN_FORCE, 90.0, True, id="late"),
        pytest.param(IN_FORCE, 100.0, False, id="over"),
        pytest.param(Standing(soft_since=CAME + 95), 96.0, False, id="softly purged"),
        pytest.param(PURGED, 96.0, False, id="purged"),
    ],
)
def test_whether_a_hit_is_a_late_one(standing, after, late):
    assert is_late(entry(), standing, CAME + after) is late
