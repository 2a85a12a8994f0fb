"""A recipe holds what chooses the entry, and nothing of whoever asked."""

from __future__ import annotations

import pytest

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.popularity.recipes import CREDENTIALS, Recipe, is_secret, recipe_of, request_of


def asked(*lines):
    return Request(
        b"GET", b"/a?utm=1", Headers(lines), b"api.example", b"https", client="192.0.2.1", request_id=b"id-1"
    )


def test_it_is_the_keyed_target_and_the_fields_that_choose():
    request = asked((b"X-Tenant", b"7"), (b"User-Agent", b"curl"), (b"Accept-Language", b"de"))
    recipe = recipe_of(request, b"/a", {b"x-tenant", b"accept-language"})
    lines = [(b"X-Tenant", b"7"), (b"Accept-Language", b"de")]
    assert recipe == Recipe(b"/a", b"api.example", b"https", Headers(lines))


@pytest.mark.parametrize("name", sorted(CREDENTIALS))
def test_where_a_credential_was_sent_there_is_none(name):
    assert recipe_of(asked((name.title(), b"secret")), b"/a", {name}) is None
    assert recipe_of(asked((name.title(), b"secret")), b"/a", set()) is None


@pytest.mark.parametrize(
    "name",
    [
        "X-Api-Key-V2",
        "X-Session-Id",
        "My-Token",
        "X-Amz-Signature",
        "Apikey",
        "X-Client-Secret",
        "X-Authenticated",
        "code",
    ],
)
def test_a_field_called_like_a_credential_leaves_none(name):
    assert recipe_of(asked((name.encode(), b"x")), b"/a", {name.lower().encode()}) is None


@pytest.mark.parametrize(
    "query", [b"token=x", b"a=1&X-Amz-Signature=x", b"api%5fkey=x", b"sig=x", b"password", b"key=1"]
)
def test_nor_does_a_parameter(query):
    assert recipe_of(asked(), b"/a?" + query, set()) is None


@pytest.mark.parametrize(
    "name", [b"accept", b"accept-language", b"origin", b"x-tenant", b"zip_code", b"keyword", b"design"]
)
def test_what_is_not_called_so_is_none(name):
    assert not is_secret(name)


def test_what_is_asked_again_is_a_request_of_its_own_that_nobody_sent():
    recipe = Recipe(b"/a?b=1", b"api.example", b"https", Headers([(b"Accept", b"text/plain")]))
    first, second = request_of(recipe), request_of(recipe)
    assert (first.method, first.target, first.authority, first.scheme) == (b"GET", b"/a?b=1", b"api.example", b"https")
    assert first.headers == recipe.headers
    assert (first.unasked, first.client) == (True, "")
    assert len(first.request_id) == 32
    assert first.request_id != second.request_id
