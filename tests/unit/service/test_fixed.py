"""What a reload takes, and what it refuses because it would not be meant."""

from __future__ import annotations

import pytest

from proxy.service.fixed import BUILT_IN, fixed
from proxy.settings import load_settings

HEAD = "version: 1\nupstream: {url: http://127.0.0.1:1}\nroutes: [{name: a, match: GET /a, authorization: ignore, cookies: ignore}]\n"


def settings():
    return load_settings(HEAD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("hosts", "a.example", id="the authorities that are served"),
        pytest.param("trusted_proxies", "10.0.0.0/8", id="who is believed"),
        pytest.param("limits.connections", "5", id="a bound of the listener"),
        pytest.param("limits.collecting", "1MiB", id="a bound of the spools"),
        pytest.param("upstream.url", "http://127.0.0.1:2", id="the backend"),
        pytest.param("upstream.host", "app.example", id="the backend's name, which decides what is keyed"),
        pytest.param("upstream.max_concurrent", "5", id="how much it may bear"),
        pytest.param("store.compress_above", "2KiB", id="how things are kept"),
        pytest.param("probes.listen", "127.0.0.1:6", id="the probes"),
        pytest.param("memory.max_size", "16MiB", id="how much is kept"),
        pytest.param("purge.max_selectors", "9", id="how much the ledger remembers"),
        pytest.param("admin.token", "x" * 32, id="whether a token is needed"),
        pytest.param("admin.listen", "127.0.0.1:5", id="an address"),
    ],
)
def test_what_a_room_was_built_with_is_named(name, value):
    new = load_settings(HEAD, overrides={name: value})
    assert fixed(settings(), new) == [name.replace("probes.listen", "probes")]


def test_another_store_is_named_first():
    assert fixed(settings(), load_settings(HEAD, overrides={"store.url": "redis://127.0.0.1:1/0"}))[0] == "store.url"


@pytest.mark.parametrize(
    ("setting", "secrets", "names"),
    [
        pytest.param("admin.token", "xy", [], id="another token"),
        pytest.param("store.url", ("redis://:x@h/0", "redis://:y@h/0"), [], id="another password"),
        pytest.param("store.url", ("redis://u:x@h/0", "redis://v:x@h/0"), ["store.url"], id="another user"),
        pytest.param("store.url", ("redis://h/0", "redis://:x@h/0"), ["store.url"], id="a password at all"),
    ],
)
def test_only_the_change_of_a_secret_itself_is_taken(setting, secrets, names):
    old, new = (load_settings(HEAD, overrides={setting: secret}) for secret in secrets)
    assert fixed(old, new) == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limits.tags", "9"),
        ("limits.variants", "9"),
        ("purge.wait_at_most", "9ms"),
        ("purge.refresh_at_once", "9"),
        ("drain_timeout", "1s"),
        ("defaults.ttl", "9m"),
        ("log.level", "error"),
        ("enabled", "false"),
    ],
)
def test_what_is_asked_for_anew_is_taken(name, value):
    new = load_settings(HEAD, overrides={name: value})
    assert new.shown != settings().shown
    assert fixed(settings(), new) == []


def test_every_section_has_a_place():
    """A section that is neither swapped nor named here would be taken and not meant."""
    swapped = {
        "version",
        "service",
        "enabled",
        "listen",
        "log",
        "workers",
        "drain_timeout",
        "timezone",
        "defaults",
        "routes",
    }
    assert set(settings().shown) - swapped - set(BUILT_IN) == set()
