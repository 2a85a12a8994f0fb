import pytest

from proxy.policy.rules import IMPLICIT_ROUTE, Match, Route, RuleBook
from proxy.policy.templates import PathTemplate
from proxy.policy.urls import canonical_url, url_selectors


def route(path, **settings):
    return Route(name=path, matches=(Match(frozenset({b"GET"}), PathTemplate.parse(path)),), **settings)


BOOK = RuleBook("svc", (route("/a/{x}", key_query=(b"p", b"q")), route("/a/**")))
OPEN = RuleBook("svc", (route("/a/**", key_query=()),), implicit=IMPLICIT_ROUTE)


@pytest.mark.parametrize(
    ("book", "url", "expected"),
    [
        pytest.param(
            BOOK, "/a/b?q=2&utm=3&p=1", ["url:/a/b?p=1&q=2", "url:/a/b?p=1&q=2&utm=3"], id="as each route knows it"
        ),
        pytest.param(BOOK, "/a/b", ["url:/a/b"], id="no query: one form"),
        pytest.param(BOOK, "/a/b?", ["url:/a/b"], id="an empty query"),
        pytest.param(BOOK, "https://any.example:8443/a/b/c?x=1", ["url:/a/b/c?x=1"], id="whatever the authority"),
        pytest.param(BOOK, "HTTP://any.example/a/b", ["url:/a/b"], id="a scheme in upper case"),
        pytest.param(BOOK, "/a/b?*", ["path:/a/b"], id="every query"),
        pytest.param(BOOK, "https://any.example/a/b?*", ["path:/a/b"], id="every query of an absolute URL"),
        pytest.param(BOOK, "/a/./c/../b", ["url:/a/b"], id="in normal form"),
        pytest.param(BOOK, "/a/caf\u00e9?x=\u00e9", None, id="as people write it"),
        pytest.param(BOOK, "/nowhere", [], id="no route serves it"),
        pytest.param(
            OPEN, "/a/b?y=1&x=2", ["url:/a/b", "url:/a/b?y=1&x=2"], id="exactly as sent on the implicit route"
        ),
        pytest.param(OPEN, "https://any.example", ["url:/"], id="an authority alone"),
        pytest.param(OPEN, "https://any.example?x=1", ["url:/?x=1"], id="an authority with a query"),
    ],
)
def test_a_url_as_selectors(book, url, expected):
    if expected is None:  # a query's octets may have come raw or escaped, a path's only escaped
        assert set(canonical_url(book, url)) == {
            "url:/a/caf%C3%A9?x=\u00e9",
            "url:/a/caf%C3%A9?x=%C3%A9",
            "url:/a/caf%C3%A9",
        }
    else:
        assert canonical_url(book, url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("", 'expected a URL like "/a/b', id="nothing"),
        pytest.param("a/b", 'expected a URL like "/a/b', id="no slash"),
        pytest.param("ftp://host/a", 'expected a URL like "/a/b', id="another scheme"),
        pytest.param("http:///a", 'expected a URL like "/a/b', id="no authority"),
        pytest.param("/a#b", "a fragment is never sent", id="a fragment"),
        pytest.param("/a%00b", "no cached path is spelled like this", id="a path that is never cached"),
        pytest.param("/%2541", "no cached path is spelled like this", id="a double escape"),
    ],
)
def test_nonsense_is_refused_with_a_reason(url, words):
    with pytest.raises(ValueError) as mistake:  # noqa: PT011 - the words are compared below
        canonical_url(BOOK, url)
    assert words in str(mistake.value)


def test_the_implicit_route_can_be_left_out():
    assert url_selectors(OPEN, b"/a/b", b"x=1", declared_only=True) == ["url:/a/b"]
