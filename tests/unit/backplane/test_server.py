import pytest

from proxy.backplane.server import facts_of

INFO = b"""# Memory\r
used_memory:500\r
used_memory_human:500B\r
maxmemory:%s\r
# Stats\r
keyspace_hits:7\r
keyspace_misses:3\r
evicted_keys:0\r
# Clients\r
connected_clients:4\r
redis_version:7.2.4\r
role:master\r
"""


@pytest.mark.parametrize(
    ("limit", "ratio"),
    [pytest.param(b"1000", 0.5, id="half of the limit"), pytest.param(b"0", 0.0, id="no limit")],
)
def test_what_is_shown_of_the_server(limit, ratio):
    assert facts_of(INFO % limit) == {
        "used_memory": 500,
        "used_memory_human": "500B",
        "maxmemory": int(limit),
        "memory_ratio": ratio,
        "redis_keyspace_hits": 7,
        "redis_keyspace_misses": 3,
        "evicted_keys": 0,
        "connected_clients": 4,
        "redis_version": "7.2.4",
    }


def test_an_answer_that_says_nothing_shows_nothing():
    assert facts_of(b"") == {"memory_ratio": 0.0}
