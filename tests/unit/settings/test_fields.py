from __future__ import annotations

import pytest

from proxy.settings import fields
from proxy.settings.mistakes import Place
from proxy.settings.nodes import Scalar


def read(kind, text):
    return kind.read(Scalar(Place("f", 1, 1), text))


@pytest.mark.parametrize(
    ("kind", "text", "octets"),
    [
        (fields.FIELD, "X-Tenant", b"x-tenant"),
        (fields.FIELD_PATTERN, "X-RateLimit-*", b"x-ratelimit-*"),
        (fields.COOKIE, "Session", b"Session"),
        (fields.METHOD, "PUT", b"PUT"),
        (fields.MEDIA_TYPE, "Application/JSON", b"application/json"),
        (fields.MEDIA_TYPE, "text/*", b"text/*"),
        (fields.ORIGIN, "https://App.example:8443", b"https://app.example:8443"),
        (fields.ORIGIN, "*", b"*"),
    ],
)
def test_names_become_octets(kind, text, octets):
    assert read(kind, text) == octets


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (fields.FIELD, "X Tenant"),
        (fields.FIELD, "X-Größe"),
        (fields.FIELD_PATTERN, "X-*-Limit"),
        (fields.COOKIE, "a=b"),
        (fields.METHOD, "GET /"),
        (fields.MEDIA_TYPE, "json"),
        (fields.MEDIA_TYPE, "text/html; charset=utf-8"),
        (fields.ORIGIN, "app.example"),
        (fields.ORIGIN, "https://app.example/"),
        (fields.ORIGIN, "https://*.example"),
        (fields.ORIGIN, "https://["),
        (fields.ORIGIN, "//app.example"),
    ],
)
def test_what_is_no_such_name(kind, text):
    with pytest.raises(ValueError, match="expected"):
        read(kind, text)


def test_a_route_takes_get_alone():
    assert fields.cached_methods("GET") == fields.cached_methods("GET,HEAD") == {b"GET"}
    with pytest.raises(ValueError, match="only GET can be cached"):
        fields.cached_methods("GET,POST")
    with pytest.raises(ValueError, match=r"^$"):
        fields.cached_methods("get")


def test_a_write_takes_methods_that_change_something():
    assert fields.write_methods("POST,PUT") == {b"POST", b"PUT"}
    with pytest.raises(ValueError, match="HEAD is no write"):
        fields.write_methods("POST,HEAD")
    with pytest.raises(ValueError, match='unknown method "PUTT", did you mean "PUT"'):
        fields.write_methods("PUTT")
    with pytest.raises(ValueError, match=r"^$"):
        fields.write_methods("POST,")
