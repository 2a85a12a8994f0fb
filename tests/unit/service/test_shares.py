import pytest

from proxy.service.shares import leaders_share, share_of
from proxy.settings import load_settings

TEXT = """
workers: {workers}
upstream: {{url: "http://127.0.0.1:1", max_concurrent: {concurrent}, max_connections: {connections}}}
store: {{url: "redis://127.0.0.1:6379/0", max_connections: {redis}}}
memory: {{max_size: {memory}}}
limits: {{connections: {clients}, tunnels: {tunnels}, collecting: {collecting}}}
"""
USUAL = {
    "workers": 3, "concurrent": 64, "connections": 100, "redis": 50, "memory": "64MiB", "clients": 15_001,
    "tunnels": 1000, "collecting": "64MiB",
}  # fmt: skip


def shares(**more):
    settings = load_settings(TEXT.format(**(USUAL | more)))
    workers = [share_of(settings, index, "127.0.0.1:9") for index in range(settings.workers)]
    return settings, workers, leaders_share(settings)


BACKENDS = {
    "requests to the backend": lambda of: of.origin.max_concurrent,
    "connections to the backend": lambda of: of.origin.max_connections,
    "connections to Redis": lambda of: of.backplane.max_connections,
    "bytes on their way": lambda of: of.flights.collecting,
}
CLIENTS = {
    "clients": lambda of: of.front.connections,
    "tunnels": lambda of: of.front.tunnels,
    "the hot tier": lambda of: of.store.memory_size,
}


@pytest.mark.parametrize("workers", [2, 3, 4, 7])
@pytest.mark.parametrize("what", BACKENDS)
def test_what_goes_to_the_outside_is_shared_with_the_leader(what, workers):
    settings, parts, leader = shares(workers=workers)
    of = BACKENDS[what]
    assert sum(map(of, parts)) + of(leader) == of(settings)
    assert max(map(of, parts)) - min(map(of, parts)) <= 1
    assert of(leader) == of(settings) // 8


@pytest.mark.parametrize("workers", [2, 3, 4, 7])
@pytest.mark.parametrize("what", CLIENTS)
def test_what_belongs_to_clients_is_shared_among_the_workers(what, workers):
    settings, parts, _ = shares(workers=workers)
    of = CLIENTS[what]
    assert sum(map(of, parts)) == of(settings)
    assert max(map(of, parts)) - min(map(of, parts)) <= 1


def test_the_fewest_requests_that_are_allowed_are_one_each():
    _, parts, leader = shares(workers=4, concurrent=5)
    assert [part.origin.max_concurrent for part in [*parts, leader]] == [1] * 5


def test_everybody_can_do_something_however_little_there_is():
    _, parts, leader = shares(workers=4, connections=1, redis=1, clients=1, tunnels=1, collecting="1B")
    for part in [*parts, leader]:
        assert [of(part) for of in BACKENDS.values()][1:] == [1, 1, 1]
    assert [(part.front.connections, part.front.tunnels) for part in parts] == [(1, 1)] * 4


def test_none_stays_none():
    _, parts, leader = shares(tunnels=0, memory=0)
    assert [(part.front.tunnels, part.store.memory_size) for part in parts] == [(0, 0)] * 3
    assert leader.store.memory_size == 0


def test_a_worker_is_one_process_beside_others_on_a_port():
    settings, parts, leader = shares()
    assert {(part.workers, part.front.listen, part.front.reuse_port) for part in parts} == {(1, "127.0.0.1:9", True)}
    assert (leader.workers, leader.front) == (3, settings.front)
    assert {part.fingerprint for part in parts} == {settings.fingerprint}, "it runs what the operator wrote"


def test_the_leader_has_no_clients_and_so_no_hot_tier():
    _, _, leader = shares()
    assert leader.store.memory_size == 0
