"""The request that an entry was stored for, without anything that is one client's alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message.headers import Headers

if TYPE_CHECKING:
    from collections.abc import Collection

    from proxy.message.request import Request

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


@dataclass(frozen=True, slots=True)
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
    return Recipe(target, asked.authority, asked.scheme, kept)
