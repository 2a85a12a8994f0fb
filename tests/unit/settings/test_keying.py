from __future__ import annotations

import pytest

ROUTE = "routes: [{name: a, match: ['GET /a/{x}', 'GET /b/{x}/{y}'], authorization: unset, cookies: unset, EXTRA}]"


def with_extra(extra):
    return ROUTE.replace(", EXTRA", f", {extra}")


@pytest.mark.parametrize(
    ("key", "query", "headers"),
    [
        pytest.param("", None, (), id="all of the query unless said"),
        pytest.param("key: {query: all}", None, (), id="all"),
        pytest.param("key: {query: none}", (), (), id="none"),
        pytest.param("key: {query: [page, größe]}", (b"page", "größe".encode()), (), id="a list"),
        pytest.param("key: {headers: [X-Tenant]}", None, (b"x-tenant",), id="fields"),
    ],
)
def test_what_is_keyed(load, key, query, headers):
    (route,) = load(with_extra(key)).book.routes
    assert (route.key_query, route.key_headers) == (query, headers)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("{query: some}", 'key.query: expected all, none or a list of names, got "some"'),
        ("{headers: [Authorization]}", "key.headers: authorization cannot be keyed here: use scope: credential"),
        ("{headers: [cookie]}", "key.headers: cookie cannot be keyed here: name the cookies in cookies: [...]"),
        ("{headers: [If-None-Match]}", "key.headers: if-none-match cannot be keyed here: conditions are answered here"),
        ("{header: [X]}", 'key.header: unknown key, did you mean "headers"?'),
        ("none", 'key: expected a mapping, got "none"'),
    ],
)
def test_what_cannot_be_keyed(mistakes, key, message):
    (found,) = mistakes(with_extra(f"key: {key}"))
    assert found.partition(" ")[2] == f"routes[0].{message}"


@pytest.mark.parametrize(
    ("extra", "tag"),
    [
        pytest.param("", "{x}", id="a path variable"),
        pytest.param("", "{y}", id="one that some matches have"),
        pytest.param("", "{query.zip}", id="a keyed parameter"),
        pytest.param("key: {query: [zip]}", "{query.zip}", id="a listed parameter"),
        pytest.param("key: {headers: [X-Tenant]}", "{header.x-tenant}", id="a keyed field"),
        pytest.param("scope: credential", "{jwt.sub}", id="a claim of what is keyed"),
    ],
)
def test_templates_name_what_all_who_share_an_entry_have_in_common(load, extra, tag):
    (route,) = load(with_extra(f"{extra or 'enabled: true'}, tags: ['t:{tag}']")).book.routes
    assert route.tags[0].text == f"t:{tag}"


@pytest.mark.parametrize(
    ("extra", "tag"),
    [
        pytest.param("enabled: true", "{z}", id="no variable of the path"),
        pytest.param("key: {query: [zip]}", "{query.page}", id="a parameter that is not keyed"),
        pytest.param("key: {query: none}", "{query.zip}", id="no parameter is keyed"),
        pytest.param("enabled: true", "{header.x-tenant}", id="a field that is not keyed"),
        pytest.param("enabled: true", "{jwt.sub}", id="a claim without credential scope"),
        pytest.param("scope: credential, credential_headers: [X-Key]", "{jwt.sub}", id="a claim of a field that is not keyed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["tags", "user"])
def test_templates_that_would_depend_on_who_came_first(mistakes, extra, tag, key):
    value = f"['t:{tag}']" if key == "tags" else f"'t:{tag}'"
    (found,) = mistakes(with_extra(f"{extra}, {key}: {value}"))
    assert f'"t:{tag}": {tag} is not known here; ' in found


def test_a_match_that_cannot_be_read_is_the_only_mistake(mistakes):
    text = (
        "routes: [{name: a, match: 'GET /a/x{y}', tags: ['{y}']}]\ninvalidate: [{after: 'PUTT /a/{y}', tags: ['{y}']}]"
    )
    assert [found.split(": ")[0] for found in mistakes(text)] == ["1:27 routes[0].match", "2:22 invalidate[0].after"]


def test_an_id_that_some_paths_cannot_have_is_doubtful(doubts):
    text = "namespaces: {n: {}}\n" + with_extra("namespace: n, id: '{y}'")
    assert [one.partition(" ")[2] for one in doubts(text)] == [
        "routes[0].id: {y} has no value in /a/{x}, which always passes through"
    ]
