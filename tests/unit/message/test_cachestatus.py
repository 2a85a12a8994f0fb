"""Cache-Status and X-Cache-Status."""

import pytest

from proxy.message.cachestatus import CacheStatus, appended, x_cache_status
from proxy.message.headers import Headers
from proxy.observe.events import Outcome


@pytest.mark.parametrize(
    ("status", "rendered"),
    [
        pytest.param(CacheStatus(), b"sapwood", id="nothing to say"),
        pytest.param(CacheStatus(hit=True, ttl=281), b"sapwood; hit; ttl=281", id="a hit"),
        pytest.param(CacheStatus(hit=True, ttl=-3), b"sapwood; hit; ttl=-3", id="a stale hit"),
        pytest.param(
            CacheStatus(fwd="uri-miss", fwd_status=200, stored=True),
            b"sapwood; fwd=uri-miss; fwd-status=200; stored",
            id="a miss that was stored",
        ),
        pytest.param(
            CacheStatus(fwd="uri-miss", fwd_status=200, stored=True, collapsed=True),
            b"sapwood; fwd=uri-miss; fwd-status=200; stored; collapsed",
            id="a miss that joined another's",
        ),
        pytest.param(
            CacheStatus(fwd="bypass", detail="no-route"), b"sapwood; fwd=bypass; detail=no-route", id="a bypass"
        ),
        pytest.param(
            CacheStatus(fwd="stale", detail="it broke", key='a"\u00fc'),
            b'sapwood; fwd=stale; key="a\\"?"; detail="it broke"',
            id="what a String cannot hold is a question mark",
        ),
    ],
)
def test_render(status, rendered):
    assert status.render() == rendered


def test_our_member_follows_those_nearer_to_the_origin():
    headers = Headers([(b"cache-status", b"inner; hit"), (b"A", b"1")])
    assert appended(headers, CacheStatus(hit=True)).get_all(b"cache-status") == [b"inner; hit", b"sapwood; hit"]


def test_every_outcome_has_its_word():
    words = {outcome: x_cache_status(outcome) for outcome in Outcome}
    assert words == {
        Outcome.HIT_MEMORY: b"HIT",
        Outcome.HIT_REDIS: b"HIT",
        Outcome.STALE: b"STALE",
        Outcome.REVALIDATED: b"REVALIDATED",
        Outcome.MISS: b"MISS",
        Outcome.COLLAPSED: b"MISS",
        Outcome.ERROR: b"MISS",
        Outcome.BYPASS: b"BYPASS",
        Outcome.REFUSED: b"BYPASS",
    }
