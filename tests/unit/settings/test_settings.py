from __future__ import annotations

import dataclasses

import pytest

from proxy.settings.settings import needs_restart


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("routes: [{name: a, match: GET /a}]", [], id="rules"),
        pytest.param("upstream: {url: 'http://other'}", [], id="the backend"),
        pytest.param("admin: {token: t}", [], id="a token"),
        pytest.param("listen: 0.0.0.0:1", ["listen"], id="listen"),
        pytest.param("probes: {listen: 0.0.0.0:1}", ["probes"], id="probes"),
        pytest.param("admin: {listen: 127.0.0.1:1}", ["admin.listen"], id="admin"),
        pytest.param("store: {url: redis://h}", ["store.url"], id="another store"),
        pytest.param("service: other", ["service"], id="service"),
        pytest.param("service: other\nlisten: unix:/s", ["listen", "service"], id="several"),
    ],
)
def test_what_a_reload_cannot_swap_is_named(load, text, names):
    assert needs_restart(load(), load(text)) == names


def test_another_number_of_processes_needs_a_restart(load):
    settings = load()
    assert needs_restart(settings, dataclasses.replace(settings, workers=2)) == ["workers"]


@pytest.mark.parametrize(
    ("urls", "names"),
    [
        pytest.param(("redis://:a@h", "redis://:b@h"), [], id="another password is for the next connection"),
        pytest.param(("redis://a@h", "redis://b@h"), ["store.url"], id="another user"),
        pytest.param(("redis://h", "redis://:b@h"), ["store.url"], id="a password where none was"),
    ],
)
def test_of_the_stores_url_all_but_the_password_is_fixed(load, urls, names):
    before, after = (load(f"store: {{url: '{url}'}}") for url in urls)
    assert needs_restart(before, after) == names
