"""The request that an entry was stored for, without anything that is one client's alone.

A recipe goes into Redis, where others may read it, so it must never hold what proves who somebody is: neither a field
nor a query parameter that is called like one. What is called otherwise nobody can tell from other text; a route whose
answers are a client's own has ``scope: credential``, and such are never counted.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Final

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.values import value
from proxy.policy.queries import name_of

if TYPE_CHECKING:
    from collections.abc import Collection

CREDENTIALS: Final = frozenset(
    [
        b"authorization",
        b"cookie",
        b"proxy-authorization",
        b"x-access-token",
        b"x-api-key",
        b"x-auth-token",
        b"x-csrf-token",
        b"x-xsrf-token",
    ]
)
"""Fields that say who asks. An entry that was asked for with one of them has no recipe."""

_SECRET: Final = re.compile(
    rb"auth|token|secret|passw|passcode|credential|session|signature|cookie|jwt|api[-_]?key|access[-_]?key"
    rb"|private[-_]?key|^(?:key|sig|sid|code|otp|pin)$"
)
"""Words in the names of fields and parameters whose values prove something; rather one recipe too few."""


@value(frozen=True, slots=True)
class Recipe:
    """A GET. ``target`` is the raw path with the keyed query."""

    target: bytes
    authority: bytes
    scheme: bytes
    headers: Headers


def recipe_of(asked: Request, target: bytes, fields: Collection[bytes]) -> Recipe | None:
    """Return how to ask again for what ``asked`` got; ``fields``: the lower-case names that choose the entry.

    ``asked`` is the request with the fields that a fetch for it carries. None where one of them is a credential.
    """
    lines = asked.headers.lines
    if any(name.lower() in CREDENTIALS for name, _ in lines):
        return None
    kept = Headers((name, value) for name, value in lines if name.lower() in fields)
    recipe = Recipe(target, asked.authority, asked.scheme, kept)
    return None if names_a_secret(recipe) else recipe


def request_of(recipe: Recipe) -> Request:
    """Return the request of a recipe, with an id of its own, as one that no client has sent."""
    return Request(
        method=b"GET",
        target=recipe.target,
        headers=recipe.headers,
        authority=recipe.authority,
        scheme=recipe.scheme,
        request_id=uuid.uuid4().hex.encode(),
        unasked=True,
    )


def names_a_secret(recipe: Recipe) -> bool:
    """Say whether a field or a query parameter is called like something that only its owner may know."""
    if any(is_secret(name) for name, _ in recipe.headers.lines):
        return True
    query = recipe.target.partition(b"?")[2]
    return any(is_secret(name_of(piece)) for piece in query.split(b"&") if piece)


def is_secret(name: bytes) -> bool:
    """Say whether a field or a parameter of that name is taken for a credential."""
    low = name.lower()
    return low in CREDENTIALS or _SECRET.search(low) is not None
