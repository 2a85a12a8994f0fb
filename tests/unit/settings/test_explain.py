from __future__ import annotations

import orjson
import pytest

from proxy.settings import load_settings
from proxy.settings.explain import explain

FILE = """
cors: {origins: ["https://app"]}
namespaces: {n: {ttl: 1h}}
routes:
  - {name: other, match: GET /other, enabled: false}
  - {name: a, match: "GET /a/{x}", authorization: ignore, cookies: [s], namespace: n, id: "{x}", tags: ["t:{x}"],
     key: {query: [q]}}
  - {name: forced, match: GET /forced, cookies: ignore, authorization: ignore, ttl: 2h, override: true}
  - {name: bare, match: GET /bare, cookies: ignore, authorization: ignore, ttl: none}
  - {name: own, match: GET /own, scope: credential, cookies: ignore}
  - {name: busy, match: GET /busy, cookies: ignore, authorization: ignore,
     ttl: {base: 1h, hot: {above: 1000, factor: 2}, cold: {below: 10, factor: 0.5}, max: 90m}}
  - {name: quiet, match: GET /quiet, cookies: ignore, authorization: ignore, ttl: {base: 1h, cold: {below: 10, factor: 0.5}, window: 1d}}
invalidate: [{after: POST /w, tags: [w]}]
"""


def test_a_cached_request(load):
    headers = [("Cookie", "s=1; t=2"), ("Authorization", "Bearer s3cret"), ("Accept", "*/*"), ("X-Foo", "1")]
    told = explain(load(FILE), "GET", "/a/7?q=1&utm=2", headers)
    assert (told.route, told.outcome, told.why) == ("a", "cache", "")
    assert told.passed_over == (("other", 'segment 1 is "a", not "other"'),)
    assert told.logical_key == "n:v1:7"
    assert ("query", "q=1") in told.key_parts
    assert ("path", "/a/7") in told.key_parts
    assert (told.ttl, told.ttl_from) == (3600, "namespaces.n.ttl, where the backend says nothing")
    assert (told.stale_while_revalidate, told.stale_if_error) == (30, 3600)
    assert told.tags == ("t:7",)
    assert "path:/a/7" in told.selectors
    assert told.forwarded_target == "/a/7?q=1"
    assert "Cookie" in told.forwarded
    assert told.not_forwarded == ("?utm", "Authorization", "X-Foo")
    assert told.purges == ()


def test_what_it_says_holds_no_credential(load):
    headers = [("Authorization", "Bearer s3cret"), ("Cookie", "s=s3cret")]
    for url in ("/own", "/a/7", "/none"):
        told = explain(load(FILE), "GET", url, headers)
        assert "s3cret" not in told.as_text() + str(told.as_dict())
    assert any(part == "credential" for part, _ in explain(load(FILE), "GET", "/own", headers).key_parts)


@pytest.mark.parametrize(
    ("method", "url", "headers", "outcome", "line"),
    [
        pytest.param("GET", "/x", {}, "pass", "outcome        passes through (no-route): no route takes it", id="no route"),
        pytest.param("GET", "/other", {}, "pass", "outcome        passes through (disabled): the route is switched off", id="off"),
        pytest.param("GET", "/own", {}, "pass", "outcome        passes through (no-credential): the route keeps a copy per credential, and it has none", id="nobody's own"),
        pytest.param("POST", "/w", {}, "pass", "purges         tag:w", id="a write"),
        pytest.param("OPTIONS", "/own", {"Origin": "https://app", "Access-Control-Request-Method": "GET"}, "answered", "outcome        answered here (preflight): a browser's preflight, from cors; the backend is not asked", id="a preflight"),
        pytest.param("GET", "/a/7?q=1", {}, "cache", "forwarded      GET /a/7?q=1", id="cached"),
        pytest.param("HEAD", "/forced", {}, "cache", "ttl            2h from routes[2].ttl, in the place of what the backend says; stale 30s while revalidating, 1h on errors", id="overridden"),
        pytest.param("GET", "/bare", {}, "cache", "ttl            what the backend says, else not stored (routes[3].ttl)", id="the backend's word alone"),
        pytest.param("GET", "/forced", {}, "cache", "logical key    none: the route has no id", id="no id"),
    ],
)  # fmt: skip
def test_it_is_said_in_words_and_as_data(load, method, url, headers, outcome, line):
    told = explain(load(FILE), method, url, headers.items())
    assert line in told.as_text().splitlines()
    data = orjson.loads(orjson.dumps(told.as_dict()))
    assert (data["outcome"], data["request"]["method"], data["reason"]) == (outcome, method, told.why)


def test_how_a_ttl_follows_the_traffic(load):
    told = explain(load(FILE), "GET", "/busy", ())
    assert (
        "1h from routes[5].ttl, where the backend says nothing; 90m above 1000 reads in 1h; 30m below 10 reads in 1h; stale"
        in told.as_text()
    )
    assert told.as_dict()["adaptive"] == {
        "window": 3600.0, "hot": {"above": 1000, "ttl": 5400.0}, "cold": {"below": 10, "ttl": 1800.0},
    }  # fmt: skip
    quiet = explain(load(FILE), "GET", "/quiet", ())
    assert "nothing; 30m below 10 reads in 1d; stale" in quiet.as_text()
    assert quiet.as_dict()["adaptive"]["hot"] is None
    assert explain(load(FILE), "GET", "/forced", ()).as_dict()["adaptive"] is None
    assert explain(load(FILE), "GET", "/nowhere", ()).as_dict()["adaptive"] is None


def test_the_implicit_route():
    settings = load_settings(None, overrides={"upstream.url": "http://127.0.0.1:1"})
    told = explain(settings, "GET", "/x?b=1&a=2", [("Cookie", "a=b")])
    assert (told.route, told.outcome, told.ttl, told.ttl_from) == ("implicit", "cache", None, "RFC 9111 alone")
    assert told.forwarded_target == "/x?b=1&a=2"
    assert told.not_forwarded == ()


def test_every_reason_has_words():
    from proxy.policy.keys import UnkeyedReason
    from proxy.settings.explain import _REASONS

    assert {str(reason) for reason in UnkeyedReason} <= set(_REASONS)


def test_what_is_no_url(load):
    with pytest.raises(ValueError, match="expected a path or a URL"):
        explain(load(FILE), "GET", "a", ())
