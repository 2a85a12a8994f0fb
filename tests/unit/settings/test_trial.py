from __future__ import annotations

import pytest

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.policy.verdicts import Discard, Keep
from proxy.settings import trial

FILE = """
cors: {origins: ["https://app"]}
routes:
  - {name: a, match: "GET /a/{x}", authorization: unset, cookies: ignore, tags: ["t:{x}"]}
invalidate: [{after: POST /w, tags: [w]}]
"""


@pytest.mark.parametrize(
    ("url", "headers", "made"),
    [
        pytest.param("/a?b", (), ("http", "localhost", "/a?b"), id="a path"),
        pytest.param("/a?", (), ("http", "localhost", "/a?"), id="an empty query"),
        pytest.param("https://API.example:443/a#x", (), ("https", "api.example", "/a"), id="a URL"),
        pytest.param("http://h:8080", (), ("http", "h:8080", "/"), id="no path"),
        pytest.param("/a", (("HOST", "Other"),), ("http", "other", "/a"), id="a host field"),
        pytest.param("/é%20x?y=ü", (), ("http", "localhost", "/%C3%A9%20x?y=%C3%BC"), id="other characters"),
    ],
)
def test_requests_are_made_as_the_front_would(load, url, headers, made):
    request = trial.request_of(load(), "GET", url, headers)
    assert (request.scheme.decode(), request.authority.decode(), request.target.decode()) == made
    assert request.headers.get_all(b"host") == [request.authority]


def test_a_path_is_asked_of_an_accepted_host(load):
    assert trial.request_of(load("hosts: [b.example, a.example]"), "GET", "/", ()).authority == b"a.example"


@pytest.mark.parametrize("url", ["a/b", "ftp://h/a", ""])
def test_what_is_no_url(load, url):
    with pytest.raises(ValueError, match="expected a path or a URL"):
        trial.request_of(load(), "GET", url, ())


@pytest.mark.parametrize(
    ("method", "url", "headers", "route", "why"),
    [
        pytest.param("GET", "/a/1", {}, "a", "", id="cached"),
        pytest.param("HEAD", "/a/1", {}, "a", "", id="a HEAD of it"),
        pytest.param("GET", "/b", {}, "none", "no-route", id="no route"),
        pytest.param("GET", "/a/1", {"Authorization": "x"}, "a", "authorization", id="a credential"),
        pytest.param("POST", "/w", {}, "none", "write", id="a write with a rule"),
        pytest.param("POST", "/a/1", {}, "none", "write", id="a write to what is cached"),
        pytest.param("POST", "/other", {}, "none", "no-route", id="a write to something else"),
        pytest.param("OPTIONS", "/a/1", {"Origin": "https://app", "Access-Control-Request-Method": "GET"}, "none", "preflight", id="a preflight"),
    ],
)  # fmt: skip
def test_where_a_request_belongs(load, method, url, headers, route, why):
    settings = load(FILE)
    tried = trial.try_request(settings, trial.request_of(settings, method, url, headers.items()))
    assert (tried.route_name, tried.why, tried.key is None) == (route, why, bool(why))
    assert tried.passes is (why not in {"", "preflight"})


def test_responses_are_judged_as_after_the_fetch(load):
    settings = load(FILE)
    tried = trial.try_request(settings, trial.request_of(settings, "GET", "/a/1", [("Cookie", "a=b")]))
    assert isinstance(trial.try_response(settings, tried, Response(200)), Keep)
    assert isinstance(trial.try_response(settings, tried, Response(500)), Discard)
    tagged = Response(200, Headers([(b"Surrogate-Key", b"k1 k2")]))
    assert trial.tags_for(settings, tried, tagged) == {"t:1", "k1", "k2"}
    many = Response(200, Headers([(b"Surrogate-Key", b" ".join(b"%d" % n for n in range(settings.tags + 1)))]))
    assert trial.tags_for(settings, tried, many) is None


def test_what_passes_through_is_not_judged(load):
    settings = load(FILE)
    tried = trial.try_request(settings, trial.request_of(settings, "POST", "/w", ()))
    assert trial.try_response(settings, tried, Response(200)) is None
    assert [purge.selectors for purge in trial.purges_of(settings, tried, Response(200))] == [("tag:w",)]
    assert trial.purges_of(settings, tried, Response(404)) == []


@pytest.mark.parametrize(
    ("upstream", "authority"),
    [("http://app:8000", b"app:8000"), ("http://app", b"app:80"), ("unix:/run/s", b"localhost")],
)
def test_requests_are_signed_for_the_backend(load, upstream, authority):
    signed = trial.forwarding_of(load(f"upstream: {{url: '{upstream}'}}"))
    assert (signed.host, signed.upstream_authority) == (None, authority)
