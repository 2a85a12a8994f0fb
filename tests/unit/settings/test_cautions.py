from __future__ import annotations

import pytest

QUIET = "authorization: unset, cookies: unset"


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        pytest.param(f"[{{name: a, match: GET /a, {QUIET}}}]", [], id="nothing"),
        pytest.param(
            "[{name: a, match: GET /a}]",
            [
                "routes[0].authorization: the route says nothing of authorization: a request with an Authorization field passes through; write ignore, or unset if that is meant",
                "routes[0].cookies: the route says nothing of cookies: a request with cookies passes through; write ignore, or unset if that is meant",
            ],
            id="silence about credentials",
        ),
        pytest.param("[{name: a, match: GET /a, scope: credential, cookies: ignore}]", [], id="keyed by the credential"),
        pytest.param("[{name: a, match: GET /a, enabled: false}]", [], id="silence of a route that is off"),
        pytest.param(
            f"[{{name: a, match: GET /a/**, {QUIET}}}, {{name: b, match: 'GET /a/{{x}}', {QUIET}}}]",
            ['routes[1].match: never reached: "a" in line 1 takes every request first'],
            id="a shadowed route",
        ),
        pytest.param(f"[{{name: a, match: GET /a, {QUIET}, ttl: 0}}]", ["routes[0].ttl: nothing is ever fresh: enabled: false passes the route through"], id="never fresh"),
        pytest.param(
            f"[{{name: a, match: GET /a, {QUIET}, ttl: none, negative_ttl: none, stale_if_error: 1h}}]",
            ["routes[0].stale_if_error: applies only to what the backend itself gives a lifetime, since ttl is none"],
            id="a stale window without a lifetime",
        ),
    ],
)  # fmt: skip
def test_what_is_doubtful(doubts, routes, found):
    assert [one.partition(" ")[2] for one in doubts(f"routes: {routes}")] == found


def test_a_namespace_without_a_route_is_doubtful(doubts):
    assert doubts(
        "namespaces:\n  n: {}\n  m: {}\nroutes: [{name: a, match: GET /a, namespace: m, enabled: false}]"
    ) == ["2:3 namespaces.n: no route is in this namespace"]


def test_doubts_are_kept_back_while_there_are_mistakes(mistakes):
    assert len(mistakes("routes: [{name: a, match: GET /a, ttl: 1hr}]")) == 1
