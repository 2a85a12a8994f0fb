"""The configurations, and Sapwood as the benchmark starts it: beside a real Valkey and a backend that counts."""

import json
import urllib.request
from pathlib import Path

import pytest
from servers import Valkey

from bench.peers import machine, slow, ways
from bench.peers.measure import prepare, take_turns
from bench.peers.scenarios import FRESH, HOT, Entry, Scenario
from bench.peers.servers import SAY_VERSION, Bed, Sapwood, version_in
from proxy.observe.options import LogOptions
from proxy.settings import load_settings


@pytest.fixture
def cores():
    return machine.Cores(machine.available(), machine.available())


@pytest.fixture
def bed(tmp_path, cores):
    return Bed(tmp_path, cores, backend=1, redis=2, memcached=3)


@pytest.fixture
def living_bed(tmp_path, cores, monkeypatch):
    monkeypatch.setattr(slow, "TAKES", 0.05)
    valkey = Valkey(port=True).start()
    try:
        with slow.slow_backend() as backend:
            yield Bed(tmp_path, cores, backend=backend.port, redis=valkey.port, memcached=0, slow=backend)
    finally:
        valkey.close()


@pytest.mark.parametrize("budget", [0, 64])
def test_our_rules_are_without_mistakes_and_leave_metrics_and_logs_as_they_are(bed, budget):
    server = Sapwood(bed, "one", budget=budget)
    server.folder.mkdir()
    *_, path = server.words()
    settings = load_settings(Path(path).read_text())
    assert settings.store.memory_size == budget * 2**20
    assert settings.log == LogOptions()
    assert settings.admin.probes_listen is not None


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("nginx", "nginx version: nginx/1.22.1\n", "1.22.1"),
        ("varnish", "varnishd (varnish-7.1.1 revision 7cee1c58)\nCopyright", "7.1.1"),
        ("haproxy", "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", "2.6.12"),
        ("memcached", "memcached 1.6.18\n", "1.6.18"),
        ("wrk", "wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer", "4.1.0"),
        ("k6", "k6 v1.1.0 (commit/0e3fb953be, go1.24.4, linux/amd64)", "1.1.0"),
        ("k6", "command not found", "unknown"),
    ],
)
def test_versions_are_found_in_what_each_says(name, said, expected):
    assert version_in(said, SAY_VERSION[name][1]) == expected


def test_sapwood_is_started_filled_asked_and_measured(living_bed):
    scenario = Scenario("one", "one", (), ("/2k/0", "/2k/1"))
    with Sapwood(living_bed, "one") as server:
        prepare(scenario, server, Entry("sapwood", Sapwood, HOT))
        assert living_bed.slow.asked == 2
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/2k/1", timeout=5) as answer:
            assert json.loads(b"[" + answer.read().rpartition(b"}")[0] + b"}]")
        assert server.memory() > 10 * 2**20
        assert server.before_crowds() == server.before_crowds()
        with pytest.raises(RuntimeError, match="one, sapwood: 200 where 304 is expected"):
            prepare(Scenario("one", "one", (), status=304), server, Entry("sapwood", Sapwood, HOT))


def test_many_clients_for_a_cold_key_are_one_request_to_the_backend(living_bed, capsys, monkeypatch):
    monkeypatch.setattr(ways, "COLD_CLIENTS", 200)
    entry = Entry("sapwood", Sapwood, FRESH)
    (measured,) = take_turns(Scenario("cold", "cold", (entry,), rounds=1, way="cold"), living_bed, 9, 1.0, [entry])
    assert measured.values("fetches") == [1]
    assert measured.failed == 0
    assert measured.memory > 0
    assert "round 1 of 1" in capsys.readouterr().err
