from __future__ import annotations

import pytest

from proxy.policy.rules import Credentials, Downstream, Namespace


def one(extra):
    return f"routes: [{{name: a, match: GET /a, {extra}}}]"


def test_a_short_route_has_every_default(load):
    (route,) = load(one("cookies: unset, authorization: unset")).book.routes
    assert (route.name, route.enabled, route.implicit, route.namespace, route.id, route.user) == ("a", True, False, None, None, None)  # fmt: skip
    assert (route.ttl, route.negative_ttl, route.stale_while_revalidate, route.stale_if_error) == (300, 60, 30, 3600)
    assert (route.on_store_failure, route.override, route.statuses, route.tags) == ("pass", False, {}, ())
    assert (route.key_query, route.key_headers, route.content_types) == (None, (), None)
    assert (route.authorization, route.cookies) == (Credentials.UNSET, Credentials.UNSET)
    assert (route.scope, route.private, route.credential_headers) == ("public", "refuse", (b"authorization",))
    assert (route.set_cookie, route.client_control, route.browser, route.cdn) == ("refuse", "ignore", None, None)


def test_a_long_route_has_every_word(load):
    (route,) = load(
        """
        namespaces: {n: {version: v2, ttl: 1h}}
        routes:
          - name: a
            match: ["GET /a/{x}", "GET /b/{x}"]
            enabled: false
            namespace: n
            id: "{x}"
            negative_ttl: 1s
            stale_while_revalidate: 2s
            stale_if_error: 3s
            on_store_failure: refuse
            never_store: [X-Once]
            statuses: {302: 1m, 404: 0}
            override: true
            scope: credential
            private: store
            credential_headers: [X-Key, Authorization]
            cookies: [a, b]
            user: "{jwt.sub}"
            tags: [t]
            set_cookie: strip
            client_control: obey
            browser: {max_age: 365d, immutable: true}
            cdn: {max_age: 1h, as: CDN-Cache-Control}
            content_types: [application/json]
        """
    ).book.routes
    assert route.namespace == Namespace("n", "v2", 3600)
    assert [match.path.text for match in route.matches] == ["/a/{x}", "/b/{x}"]
    assert (route.enabled, route.override, route.on_store_failure, route.never_store) == (False, True, "refuse", (b"x-once",))  # fmt: skip
    assert (route.ttl, route.negative_ttl, route.stale_while_revalidate, route.stale_if_error) == (3600, 1, 2, 3)
    assert route.statuses == {302: 60, 404: 0}
    assert (route.scope, route.private, route.credential_headers) == ("credential", "store", (b"x-key", b"authorization"))  # fmt: skip
    assert (route.cookies, route.set_cookie, route.client_control) == ((b"a", b"b"), "strip", "obey")
    assert (route.id.text, route.user.text, [tag.text for tag in route.tags]) == ("{x}", "{jwt.sub}", ["t"])
    assert route.browser == Downstream(365 * 86400, immutable=True)
    assert route.cdn == Downstream(3600, targeted=True)
    assert route.content_types == (b"application/json",)


def test_lifetimes_come_from_the_route_then_its_namespace_then_the_defaults(load):
    settings = load(
        """
        defaults: {ttl: 1s, negative_ttl: 2s, stale_if_error: 3s}
        namespaces: {n: {ttl: 10s, negative_ttl: 20s}, m: {}}
        routes:
          - {name: a, match: GET /a, namespace: n, ttl: 100s}
          - {name: b, match: GET /b, namespace: n}
          - {name: c, match: GET /c, namespace: m}
          - {name: d, match: GET /d}
        """
    )
    assert [(r.ttl, r.negative_ttl, r.stale_if_error) for r in settings.book.routes] == [
        (100, 20, 3),
        (10, 20, 3),
        (1, 2, 3),
        (1, 2, 3),
    ]
    assert settings.ttl_from == {
        "a": "routes[0].ttl",
        "b": "namespaces.n.ttl",
        "c": "defaults.ttl",
        "d": "defaults.ttl",
    }


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("namespace: m", 'namespace: no namespace "m"'),
        ("id: x", "id: an id needs a namespace: the logical key is namespace:version:id"),
        ("scope: credential, authorization: ignore", "authorization: ignore contradicts scope: credential, which keys by it"),
        ("authorization: yes", 'authorization: expected ignore or unset, got "yes"'),
        ("cookies: none", 'cookies: expected ignore, unset or a list of cookie names, got "none"'),
        ("cookies: [a b]", 'cookies[0]: expected a cookie name like "session", got "a b"'),
        ("private: store", "private: means nothing without scope: credential"),
        ("credential_headers: [X]", "credential_headers: means nothing without scope: credential"),
        ("scope: credential, credential_headers: []", "credential_headers: names no field, so nothing would tell two credentials apart"),
        ("ttl: none, override: true", "override: needs a ttl to put in the place of the backend's"),
        ("content_types: []", "content_types: names no type, so nothing would be stored; enabled: false says that better"),
        ("content_types: [json]", 'content_types[0]: expected a media type like "application/json" or "text/*", got "json"'),
        ("statuses: {99: 1m}", "statuses.99: expected a final status like 302"),
        ("statuses: {ok: 1m}", "statuses.ok: expected a final status like 302"),
        ("statuses: {304: 1m}", "statuses.304: a 304 is never stored by itself"),
        ("statuses: {302: 1min}", 'statuses.302: expected a duration like "30s" or "1h", got "1min"'),
        ("statuses: [302]", "statuses: expected a mapping, got a list"),
        ("browser: {}", 'browser.max_age: missing: expected a duration like "30s" or "1h"'),
        ("browser: {max_age: 250ms}", "browser.max_age: Cache-Control counts whole seconds"),
        ("browser: {max_age: 1s, as: s-maxage}", "browser.as: unknown key, known: immutable, max_age"),
        ("cdn: {max_age: 1s, as: Surrogate-Control}", 'cdn.as: expected s-maxage or CDN-Cache-Control, got "Surrogate-Control"'),
        ("cdn: 1h", 'cdn: expected a mapping, got "1h"'),
        ("tll: 1h", 'tll: unknown key, did you mean "ttl"?'),
        ("id: {plan_id}", 'id: expected a template, got a mapping: quote it, "{plan_id}"'),
        ("tags: [{plan_id}]", 'tags[0]: expected a template, got a mapping: quote it, "{plan_id}"'),
        ("tags: ['{']", 'tags[0]: "{": a brace without its other half; a value is written {name}'),
    ],
)  # fmt: skip
def test_mistakes_of_a_route(mistakes, extra, message):
    (found,) = mistakes(one(extra))
    assert found.partition(" ")[2] == f"routes[0].{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("routes: [{match: GET /a}]", 'routes[0].name: missing: expected a name of letters, digits, "-", "_" and "."'),
        ("routes: [{name: a}]", 'routes[0].match: missing: expected a method and a path like "GET /plans/{id}"'),
        ("routes: [{name: none, match: GET /a}]", 'routes[0].name: "none" is what logs call requests without a declared route'),
        ("routes: [{name: a, match: GET /a}, {name: a, match: GET /b}]", 'routes[1].name: "a" is taken, by the route in line 1'),
        ("routes: {a: b}", "routes: expected a list of mappings, got a mapping"),
        ("namespaces: {a: {verson: v1}}", 'namespaces.a.verson: unknown key, did you mean "version"?'),
        ("namespaces: {'a:b': {}}", 'namespaces.a:b: no ":" in a name: it separates the parts of a key'),
        ("namespaces: {a: {version: 1}}", 'namespaces.a.version: expected text, got 1: quote it, "1"'),
        ("namespaces: {a: 1h}", 'namespaces.a: expected a mapping, got "1h"'),
        ("defaults: {ttl: 5}", 'defaults.ttl: expected a duration like "30s" or "1h", got 5'),
        ("defaults: {tll: 5m}", 'defaults.tll: unknown key, did you mean "ttl"?'),
    ],
)  # fmt: skip
def test_mistakes_around_routes(mistakes, text, message):
    (found,) = mistakes(text)
    assert found.partition(" ")[2] == message


@pytest.mark.parametrize("name", ["a:b", "v:1"])
def test_a_version_has_no_colon(mistakes, name):
    assert len(mistakes(f"namespaces: {{a: {{version: '{name}'}}}}")) == 1


@pytest.mark.parametrize(
    ("keyed", "found"),
    [
        pytest.param("authorization: ignore, cookies: ignore", False, id="everybody's"),
        pytest.param("authorization: ignore, cookies: ignore, key: {headers: [X-Region]}", False, id="a field"),
        pytest.param("scope: credential, cookies: ignore", True, id="per credential"),
        pytest.param("authorization: ignore, cookies: [region]", True, id="per cookie"),
        pytest.param(
            "authorization: ignore, cookies: ignore, key: {headers: [X-API-Key]}", True, id="a field like one"
        ),
    ],
)
def test_only_what_is_counted_can_follow_the_traffic(mistakes, keyed, found):
    ttl = "{base: 1h, hot: {above: 1000, factor: 2}}"
    said = mistakes(f"routes:\n  - {{name: a, match: GET /a, {keyed}, ttl: {ttl}}}")
    words = "cannot follow the traffic: what is read under a credential or cookie is not counted"
    assert [one.partition(": ")[2] for one in said] == ([words] if found else [])
    inherited = mistakes(f"defaults: {{ttl: {ttl}}}\nroutes:\n  - {{name: a, match: GET /a, {keyed}}}")
    assert len(inherited) == found
