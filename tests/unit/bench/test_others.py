"""The configurations of the servers beside ours."""

import re

import pytest

from bench.peers import machine
from bench.peers.others import Haproxy, Nginx, Varnish
from bench.peers.servers import Bed


@pytest.mark.parametrize("kind", [Nginx, Varnish, Haproxy])
def test_the_others_pass_to_the_same_backend(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "find_tool", lambda name, _: name)
    cores = machine.Cores(frozenset({1}), frozenset({0}))
    server = kind(Bed(tmp_path, cores, backend=1, redis=2, memcached=3), "one")
    server.folder.mkdir()
    words = server.words()
    (written,) = server.folder.iterdir()
    assert str(written) in words
    assert f"{server.port}" in written.read_text() + " ".join(words)
    assert re.search(r'127\.0\.0\.1:1\b|port = "1"', written.read_text())
