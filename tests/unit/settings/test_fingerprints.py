from __future__ import annotations

import pytest

BASE = "routes: [{name: a, match: GET /a, namespace: n, EXTRA}]\nnamespaces: {n: {ttl: 1h}}\n"


def fingerprint(load, extra="ttl: 1h", more=""):
    return load(BASE.replace("EXTRA", extra) + more).book.routes[0].fingerprint


@pytest.mark.parametrize(
    ("extra", "more"),
    [
        ("ttl: 2h", ""),
        ("ttl: 1h, negative_ttl: 1s", ""),
        ("ttl: 1h, stale_if_error: 1s", ""),
        ("ttl: 1h, id: x", ""),
        ("ttl: 1h, tags: [x]", ""),
        ("ttl: 1h, user: x", ""),
        ("ttl: 1h, key: {query: none}", ""),
        ("ttl: 1h, key: {headers: [X]}", ""),
        ("ttl: 1h, authorization: ignore", ""),
        ("ttl: 1h, cookies: ignore", ""),
        ("ttl: 1h, cookies: [ignore]", ""),
        ("ttl: 1h, scope: credential", ""),
        ("ttl: 1h, set_cookie: strip", ""),
        ("ttl: 1h, statuses: {302: 1m}", ""),
        ("ttl: 1h, override: true", ""),
        ("ttl: 1h, content_types: [text/html]", ""),
        ("ttl: 1h, never_store: [X]", ""),
        ("ttl: 1h", "defaults: {stale_if_error: 1s}\n"),
        ("ttl: 1h", "cors: {origins: ['https://a']}\n"),
    ],
)
def test_what_changes_what_is_stored_changes_the_fingerprint(load, extra, more):
    assert fingerprint(load, extra, more) != fingerprint(load)


@pytest.mark.parametrize(
    ("extra", "more"),
    [
        pytest.param("enabled: true", "", id="the same by way of the namespace"),
        pytest.param("ttl: 60m", "", id="written in another unit"),
        pytest.param("ttl: 1h, enabled: false", "", id="switched off"),
        pytest.param("ttl: 1h, on_store_failure: refuse", "", id="without a store"),
        pytest.param("ttl: 1h, client_control: obey", "", id="what clients may ask"),
        pytest.param("ttl: 1h, browser: {max_age: 1h}", "", id="what browsers are told"),
        pytest.param("ttl: 1h, cdn: {max_age: 1h}", "", id="what a CDN is told"),
        pytest.param("ttl: 1h", "limits: {waiters: 1}\n", id="settings of other rooms"),
    ],
)
def test_what_changes_only_how_it_is_served_does_not_empty_the_cache(load, extra, more):
    assert fingerprint(load, extra, more) == fingerprint(load)


def test_whether_there_is_cors_counts_and_not_what_it_says(load):
    one = fingerprint(load, more="cors: {origins: ['https://a']}\n")
    assert one == fingerprint(load, more="cors: {origins: ['https://b'], max_age: 1h}\n")


def test_the_whole_has_one_too_that_no_secret_can_be_guessed_from(load):
    assert load("log: {hits: 2%}").fingerprint != load().fingerprint
    assert load("admin: {token: a}").fingerprint == load("admin: {token: b}").fingerprint
