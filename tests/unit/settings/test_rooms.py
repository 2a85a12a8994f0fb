from __future__ import annotations

import pytest

from proxy.admin.options import AdminOptions
from proxy.fetch.options import OriginOptions
from proxy.observe.options import LogOptions
from proxy.purge.options import PurgeOptions


def test_without_a_word_the_rooms_have_the_documented_defaults(load):
    settings = load()
    assert settings.front.listen == "0.0.0.0:8080"
    assert settings.front.hosts is None
    assert [str(one) for one in settings.front.trusted_proxies] == ["127.0.0.0/8"]
    assert settings.front.connections == 15000
    assert settings.origin == OriginOptions("http://127.0.0.1:8000")
    assert settings.admin == AdminOptions(listen="127.0.0.1:9091", token=None, probes_listen=None)
    assert settings.log == LogOptions("json", "info", 0.01)
    assert settings.purge == PurgeOptions(200_000, 0.25, 1000, 200, 8)
    assert (settings.drain_timeout, settings.workers, settings.variants, settings.tags) == (25.0, 1, 64, 128)


def test_every_word_reaches_its_room(load):
    settings = load(
        """
        listen: unix:/run/sapwood.sock
        hosts: [API.example]
        trusted_proxies: [10.0.0.0/8]
        probes: {listen: 0.0.0.0:9092}
        admin: {listen: 0.0.0.0:1, token: t, hosts: [sapwood-admin], streams: 2}
        upstream: {url: unix:/run/app.sock, connect_timeout: 1s, timeout: 2s, idle_timeout: 3s, host: App.example,
                   max_connections: 4, max_concurrent: 5, queue_timeout: 6s}
        limits: {head: 1KiB, fields: 2, target: 1KiB, connections: 4, pipelined: 5, waiters: 6, variants: 7, tags: 8,
                 collecting: 9MiB, tunnels: 10, unsent: 11KiB, head_timeout: 11s, body_timeout: 12s, write_timeout: 13s, keep_alive: 14s}
        log: {format: console, level: debug, hits: 100%, waiting: 9}
        purge: {max_selectors: 3, wait_at_most: 1s, max_selectors_per_call: 4, max_calls_per_second: 5, refresh_at_once: 6}
        """
    )
    front, origin = settings.front, settings.origin
    assert (front.listen, front.hosts) == ("unix:/run/sapwood.sock", {b"api.example"})
    assert [str(one) for one in front.trusted_proxies] == ["10.0.0.0/8"]
    assert (front.wire.head, front.wire.fields, front.wire.target) == (1024, 2, 1024)
    assert (front.connections, front.pipelined, front.tunnels, front.unsent) == (4, 5, 10, 11 << 10)
    assert (front.head_timeout, front.body_timeout, front.write_timeout, front.keep_alive) == (11, 12, 13, 14)
    assert (origin.url, origin.host, origin.wire) == ("unix:/run/app.sock", b"app.example", front.wire)
    assert (origin.connect_timeout, origin.timeout, origin.idle_timeout) == (1, 2, 3)
    assert (origin.max_connections, origin.max_concurrent, origin.queue_timeout) == (4, 5, 6)
    assert (settings.flights.waiters, settings.flights.collecting) == (6, 9 << 20)
    assert (settings.variants, settings.tags) == (7, 8)
    assert settings.admin == AdminOptions("0.0.0.0:1", "t", "0.0.0.0:9092", ("sapwood-admin",), 2)
    assert settings.log == LogOptions("console", "debug", 1.0, 9)
    assert settings.purge == PurgeOptions(3, 1.0, 4, 5, 6)


@pytest.mark.parametrize(
    ("host", "keyed"),
    [pytest.param("client", True, id="the client's is sent"), pytest.param("app", False, id="one name is sent")],
)
def test_the_authority_is_keyed_wherever_it_is_forwarded(load, host, keyed):
    assert load(f"upstream: {{url: 'http://a', host: {host}}}").book.keyed_authority is keyed


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("listen: 8080", '1:9 listen: expected text, got 8080: quote it, "8080"'),
        ("listen: 8080:1:2", '1:9 listen: expected an address like "0.0.0.0:8080", "[::]:8080" or "unix:/run/sapwood.sock", got "8080:1:2"'),
        ("probes: {listen: x}", '1:18 probes.listen: expected an address like "0.0.0.0:8080", "[::]:8080" or "unix:/run/sapwood.sock", got "x"'),
        ("probes: {lisen: x}", '1:10 probes.lisen: unknown key, did you mean "listen"?'),
        ("upstream: {timeout: 1s}", '1:11 upstream.url: missing: expected a URL like "http://127.0.0.1:8000" or "unix:/run/app.sock"; in the file, as SAPWOOD_UPSTREAM__URL or --upstream'),
        ("upstream: {url: 'http://u:s3@h/'}", '1:17 upstream.url: expected a URL like "http://127.0.0.1:8000" or "unix:/run/app.sock", got "http://u:<hidden>@h/"'),
        ("upstream: {url: 'http://a', max_concurrent: 0}", "1:45 upstream.max_concurrent: expected a whole number from 1 up, got 0"),
        ("upstream: {url: 'http://a', timeout: 0}", '1:38 upstream.timeout: expected a duration above zero, like "30s", got 0'),
        ("limits: {target: 64KiB}", "1:18 limits.target: larger than limits.head, which the target is part of"),
        ("limits: {fields: -1}", "1:18 limits.fields: expected a whole number from 1 up, got -1"),
        ("log: {hits: 0.01}", '1:13 log.hits: expected a share like "1%", got 0.01'),
        ("log: {level: trace}", '1:14 log.level: expected debug, info, warning or error, got "trace"'),
        ("purge: {wait_atmost: 1s}", '1:9 purge.wait_atmost: unknown key, did you mean "wait_at_most"?'),
        ("trusted_proxies: [10.1.0.0/8]", "1:19 trusted_proxies[0]: 10.1.0.0/8 has host bits set: did you mean 10.0.0.0/8?"),
        ("hosts: api.example", '1:8 hosts: expected a list, got "api.example"'),
    ],
)  # fmt: skip
def test_mistakes_within_a_section(mistakes, text, mistake):
    assert mistakes(text) == [mistake]


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:1", "'[::1]:1'", "unix:/run/s.sock"])
def test_what_only_this_machine_reaches_needs_no_token(mistakes, listen):
    assert mistakes(f"admin: {{listen: {listen}}}") == []


@pytest.mark.parametrize("listen", ["0.0.0.0:9091", "'[::]:9091'", "10.0.0.1:9091", "host.example:9091"])
def test_what_others_reach_needs_a_token(mistakes, listen):
    bare = listen.strip("'")
    assert mistakes(f"admin: {{listen: {listen}}}") == [
        f"1:17 admin.listen: {bare} can be reached from elsewhere: give a token_file, or listen on 127.0.0.1 or unix:"
    ]
    assert mistakes(f"admin: {{listen: {listen}, token: t}}") == []
    assert mistakes(f"admin: {{listen: {listen}, token_file: /nowhere}}", secrets_needed=False) == []


def test_a_token_comes_from_a_mounted_file(load, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    settings = load(f"admin: {{listen: '0.0.0.0:1', token_file: {tmp_path / 'token'}}}")
    assert settings.admin.token == "s3cret"
    assert "s3cret" not in str(settings.shown) + repr(settings.admin)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("listen: 127.0.0.1:9091", ["2:1 admin.listen: 127.0.0.1:9091 is taken by another listener of this file"]),
        ("probes: {listen: 127.0.0.1:9091}", ["1:18 probes.listen: 127.0.0.1:9091 is taken by another listener of this file"]),
        ("listen: 127.0.0.1:0\nadmin: {listen: 127.0.0.1:0}", []),
    ],
)  # fmt: skip
def test_each_listener_has_its_own_address(mistakes, text, found):
    assert [one.partition(" ")[2] for one in mistakes(text)] == [one.partition(" ")[2] for one in found]
