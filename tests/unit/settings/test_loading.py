from __future__ import annotations

from pathlib import Path

import pytest

from proxy.policy.rules import IMPLICIT_ROUTE
from proxy.settings.loading import load_settings
from proxy.settings.mistakes import Mistakes

TEN_MISTAKES = """\
version: 1
listen: 0.0.0.0:80800
service: a b
upstream: {url: http://127.0.0.1:8000/api, max_concurrent: 0}
trusted_proxies: 127.0.0.0/8
store: {url: redis:/127.0.0.1, timeut: 1s}
log: {hits: 0.01}
routes:
  - name: plans
    match: GET /plans/{id:uid}
    ttl: 1hr
    ttl: 5m
    id: {plan_id}
"""


def test_ten_different_mistakes_are_all_named_with_line_and_column():
    with pytest.raises(Mistakes) as refused:
        load_settings(TEN_MISTAKES, source="f.yaml")
    assert str(refused.value).splitlines() == [
        'f.yaml:2:9: listen: expected an address like "0.0.0.0:8080", "[::]:8080" or "unix:/run/sapwood.sock", got "0.0.0.0:80800"',
        'f.yaml:3:10: service: expected a name of letters, digits, "-", "_" and ".", got "a b"',
        "f.yaml:4:17: upstream.url: expected no path: every target is forwarded as it came",
        "f.yaml:4:60: upstream.max_concurrent: expected a whole number from 1 up, got 0",
        'f.yaml:5:18: trusted_proxies: expected a list, got "127.0.0.0/8"',
        'f.yaml:6:14: store.url: expected a URL like "memory://", "embedded://", "redis://127.0.0.1:6379/0", "rediss://..." or "unix:///run/redis.sock", got "redis:/127.0.0.1"',
        'f.yaml:6:32: store.timeut: unknown key, did you mean "timeout"?',
        'f.yaml:7:13: log.hits: expected a share like "1%", got 0.01',
        'f.yaml:10:12: routes[0].match: "/plans/{id:uid}": a variable is {id}, {id:uuid} or {id:int}, not "{id:uid}"',
        'f.yaml:11:10: routes[0].ttl: expected a duration like "30s" or "1h", got "1hr"',
        "f.yaml:12:5: routes[0].ttl: said twice, first in line 11",
        'f.yaml:13:9: routes[0].id: expected a template, got a mapping: quote it, "{plan_id}"',
    ]


def test_a_file_that_is_not_yaml_has_one_mistake():
    with pytest.raises(Mistakes) as refused:
        load_settings("a: [\n", source="f.yaml")
    assert len(refused.value.mistakes) == 1


def test_without_a_file_one_implicit_route_takes_everything():
    settings = load_settings(None, overrides={"upstream.url": "http://127.0.0.1:1"})
    assert settings.book.implicit is IMPLICIT_ROUTE
    assert settings.backplane is None
    assert settings.book.routes == ()
    assert settings.book.route_for(b"GET", b"/x").route is IMPLICIT_ROUTE


def test_with_a_file_what_no_route_takes_passes(load):
    assert load().book.implicit is None
    assert load().book.route_for(b"GET", b"/x") is None


def test_without_a_file_the_backend_must_be_named():
    with pytest.raises(Mistakes, match=r"<file>: upstream\.url: missing: .* --upstream"):
        load_settings(None)


def test_flags_beat_the_environment_and_that_beats_the_file(load):
    environ = {"SAPWOOD_UPSTREAM__URL": "http://environment", "SAPWOOD_SERVICE": "environment"}
    settings = load("service: file\nlog: {level: error}", overrides={"upstream.url": "http://flag"}, environ=environ)
    assert (settings.origin.url, settings.service, settings.log.level) == ("http://flag", "environment", "error")


def test_the_environment_reaches_every_kind_of_value(load):
    environ = {
        "SAPWOOD_HOSTS": "a.example, b.example",
        "SAPWOOD_UPSTREAM__MAX_CONCURRENT": "12",
        "SAPWOOD_ADMIN__TOKEN": "12345",
        "SAPWOOD_DEFAULTS__TTL": "1m",
        "SAPWOOD_CACHE": "off",
        "N": "7",
    }
    settings = load("limits: {pipelined: '${N}'}", environ=environ)
    assert settings.front.hosts == {b"a.example", b"b.example"}
    assert (settings.origin.max_concurrent, settings.admin.token) == (12, "12345")
    assert (settings.enabled, settings.book.enabled, settings.front.pipelined) == (False, False, 7)


@pytest.mark.parametrize(
    ("environ", "mistake"),
    [
        ({"SAPWOOD_UPSTREAM__ULR": "x"}, 'SAPWOOD_UPSTREAM__ULR upstream.ulr: unknown key, did you mean "url"?'),
        ({"SAPWOOD_UPSTREM__URL": "x"}, 'SAPWOOD_UPSTREM__URL upstrem: unknown key, did you mean "upstream"?'),
        ({"SAPWOOD_LISTEN": "x"}, 'SAPWOOD_LISTEN listen: expected an address like "0.0.0.0:8080", "[::]:8080" or "unix:/run/sapwood.sock", got "x"'),
        ({"SAPWOOD_CACHE": "0"}, 'SAPWOOD_CACHE enabled: expected on or off, got "0"'),
    ],
)  # fmt: skip
def test_mistakes_in_the_environment_are_addressed_there(mistakes, environ, mistake):
    assert mistakes("", environ=environ) == [mistake]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("version: 2", "1:10 version: this Sapwood reads version 1"),
        ("workers: 0", "1:10 workers: expected a whole number from 1 up, got 0"),
        ("timezone: Europe/Nowhere", '1:11 timezone: expected a time zone like "UTC" or "Europe/Berlin", got "Europe/Nowhere"'),
        ("timezone: ../etc", '1:11 timezone: expected a time zone like "UTC" or "Europe/Berlin", got "../etc"'),
        ("rotes: []", '1:1 rotes: unknown key, did you mean "routes"?'),
        ("enabled: yes", '1:10 enabled: expected true or false, got "yes"'),
        ("enabled: off", '1:10 enabled: expected true or false, got "off"'),
        ("drain_timeout: 25", '1:16 drain_timeout: expected a duration like "30s" or "1h", got 25'),
        ("service: ${NO}", "1:10 service: no variable NO in the environment"),
    ],
)  # fmt: skip
def test_mistakes_at_the_top(mistakes, text, mistake):
    assert mistakes(text)[:1] == [mistake]


def test_a_time_zone_is_one_that_is_known(load, mistakes):
    assert load("timezone: Europe/Berlin").shown["timezone"] == "Europe/Berlin"
    assert mistakes("timezone: Mars/Base") == [
        '1:11 timezone: expected a time zone like "UTC" or "Europe/Berlin", got "Mars/Base"'
    ]


def test_keys_for_anchors_are_free(load):
    settings = load(
        "x-route: &r {ttl: 1h, cookies: ignore}\nx-b: [anything, {}]\nroutes: [{<<: *r, name: a, match: GET /a}]"
    )
    assert settings.book.routes[0].ttl == 3600
    assert not any(key.startswith("x-") for key in settings.shown)


def test_what_an_alias_repeats_is_one_mistake_for_each_place_that_it_reaches(mistakes):
    text = "x-r: &r {ttl: 1hr}\nroutes: [{<<: *r, name: a, match: GET /a}, {<<: *r, name: b, match: GET /b}]"
    assert [one.split(":")[0] + one.split(":")[1] for one in mistakes(text)] == [
        "115 routes[0].ttl",
        "115 routes[1].ttl",
    ]


def test_secrets_are_hidden_in_what_is_shown(load):
    settings = load("admin: {token: s3cret-a}\nstore: {url: 'redis://u:s3cret-b@h', max_body: 1MiB}")
    assert "s3cret" not in repr(settings.shown)
    assert settings.shown["store"]["url"] == "redis://u:<hidden>@h"
    assert settings.shown["store"]["max_body"] == "1MiB"


def test_every_word_of_the_interface_is_understood():
    sample = Path(__file__).with_name("every_word.yaml").read_text()
    settings = load_settings(sample, secrets_needed=False)
    plan = next(route for route in settings.book.routes if route.name == "plan")
    assert (plan.ttl, plan.adaptive.hot.reads, plan.adaptive.most) == (3600, 1000, 86400)


def test_the_secret_files_that_were_read_are_named(tmp_path):
    for name in ("token", "password"):
        (tmp_path / name).write_text("x")
    text = f"version: 1\nupstream: {{url: http://h}}\nadmin: {{token_file: {tmp_path}/token}}\n"
    text += f"store: {{url: redis://h, password_file: {tmp_path}/password}}\n"
    assert set(load_settings(text).secret_files) == {f"{tmp_path}/token", f"{tmp_path}/password"}
