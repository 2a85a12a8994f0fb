"""From a request and its route to where its answer is kept, under which names, and what the backend is asked.

How to think about it: what a fetch may carry is a function of the key material and of fields that are harmless. So
nothing of one user can come into an entry that another user finds, whatever either of them sends. ``keyed_fields``
and ``keyed_cookies`` are asked by ``forwarding`` too: there is one list, not two.
"""

from __future__ import annotations

from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING

from proxy.message import selectors
from proxy.message.headers import EMPTY
from proxy.message.selectors import text_of
from proxy.message.values import value
from proxy.policy import claims
from proxy.policy.admission import UnkeyedReason, unusable, withheld
from proxy.policy.material import cache_key, constant_parts, digested, encoded, material
from proxy.policy.queries import canonical, joined
from proxy.policy.rules import Credentials
from proxy.policy.urls import canonical_url
from proxy.policy.values import Values

if TYPE_CHECKING:
    from proxy.message.headers import Headers
    from proxy.message.request import Request
    from proxy.message.stored import CacheKey
    from proxy.policy.rules import Matched, Route, RuleBook


__all__ = ["Key", "Unkeyed", "UnkeyedReason", "canonical_url", "key_for", "keyed_cookies", "keyed_fields", "variant"]


@value(frozen=True, slots=True)
class Unkeyed:
    """No key, and why."""

    reason: UnkeyedReason


@value(frozen=True, slots=True)
class Key:
    """Where the answer to a request is kept, and what the backend is asked for it.

    ``target`` is the raw path with the keyed query, exactly as the backend gets it; ``authority`` is the client's
    where it is keyed. What only a response that is stored needs is worked out when asked for.
    """

    cache: CacheKey
    target: bytes
    authority: bytes | None
    logical: str | None
    path: bytes
    query: bytes | None
    route: Route = field(repr=False, compare=False)
    values: Values = field(repr=False, compare=False)
    credentials: tuple[bytes, ...] = field(default=(), repr=False, compare=False)

    @property
    def user(self) -> str | None:
        """The user whose purge takes the entry; from a claim that nobody verified, so it only ever purges."""
        return self.route.user.render(self.values) if self.route.user is not None else None

    @property
    def credential_exp(self) -> float | None:
        """Wall-clock seconds at which the credential ends by its own, unverified word: it only ever shortens."""
        return claims.expiry(self.credentials) if self.credentials else None

    @property
    def url(self) -> str:
        """The selector of its URL, on whatever authority and in whatever variant."""
        return selectors.url(text_of(joined(self.path, self.query)))

    @property
    def selectors(self) -> tuple[str, ...]:
        """Every name by which the entry is purged that the request alone gives."""
        route = self.route
        names = [selectors.EVERYTHING, selectors.route(route.name)]
        if route.namespace is not None:
            names.append(selectors.namespace(route.namespace.name))
        if self.logical is not None:
            names.append(selectors.logical_key(self.logical))
        names += (selectors.path(text_of(self.path)), self.url)
        if (user := self.user) is not None:
            names.append(selectors.user(user))
        tags = (template.render(self.values) for template in route.tags)
        return tuple(dict.fromkeys([*names, *(selectors.tag(tag) for tag in tags if tag is not None)]))


def key_for(request: Request, matched: Matched, book: RuleBook) -> Key | Unkeyed:
    """Return the key of a request under its route, or why it has none; decided by the route alone, before lookup."""
    reason = unusable(request, matched.route, book)
    if reason is not None:
        return Unkeyed(reason)
    if matched.route.implicit:
        return _implicit_key(request, matched.route, book)
    return _declared_key(request, matched, book)


def _implicit_key(request: Request, route: Route, book: RuleBook) -> Key:
    """Key a request by its URI alone (RFC 9111 section 2): the whole query exactly as sent, Vary does the rest."""
    authority = request.authority if book.keyed_authority else None
    cache = _place(route, book, _resource_parts(request, authority, request.query))
    return Key(cache, request.target, authority, None, request.path, request.query, route, Values({}))


def _declared_key(request: Request, matched: Matched, book: RuleBook) -> Key | Unkeyed:
    """Key a request by what its route says, and by all that a fetch for it will carry."""
    route, headers = matched.route, request.headers
    fields = keyed_fields(route, cors=book.cors is not None)
    reason = withheld(headers, route, fields)
    if reason is not None:
        return Unkeyed(reason)
    if _sends_what_is_keyed(headers, route, fields):
        return _worked_out(request, headers, matched, book, fields)
    known = book.known_key(request)
    if known is not None:
        return known
    key = _worked_out(request, EMPTY, matched, book, fields)  # without the client's fields: it is the next one's too
    if isinstance(key, Key):
        book.remember_key(request, key)
    return key


def _sends_what_is_keyed(headers: Headers, route: Route, fields: tuple[bytes, ...]) -> bool:
    """Say whether the key of a request depends on more than its target."""
    if route.scope == "credential" or (fields and headers.has_any(frozenset(fields))):
        return True
    return not isinstance(route.cookies, Credentials) and b"cookie" in headers


def _worked_out(
    request: Request, headers: Headers, matched: Matched, book: RuleBook, fields: tuple[bytes, ...]
) -> Key | Unkeyed:
    route = matched.route
    query = canonical(request.query, route.key_query)
    values = _values(headers, matched, query, fields)
    logical = _logical(route, values)
    if logical is None and route.id is not None:
        return Unkeyed(UnkeyedReason.NO_ID)
    authority = request.authority if book.keyed_authority else None
    parts = _resource_parts(request, authority, query) + _field_parts(headers, route, fields)
    cache, path = _place(route, book, parts), request.path
    return Key(cache, joined(path, query), authority, logical, path, query, route, values, _credentials(headers, route))


def variant(key: Key, vary: tuple[tuple[bytes, bytes | None], ...]) -> CacheKey:
    """Return where one variant is kept: the key's material, then each field of Vary with its value's digest."""
    if not vary:
        return key.cache
    return cache_key(key.cache.material + encoded([(b"V", digested(name, [value])) for name, value in vary]))


def keyed_fields(route: Route, *, cors: bool) -> tuple[bytes, ...]:
    """Return the lower-case names of the fields keyed by value, and so forwarded, on a declared route.

    ``cors``: the sidecar answers CORS itself and the backend never sees Origin; otherwise Origin is keyed.
    """
    return _keyed(route.key_headers, cors)


@lru_cache(maxsize=1024)  # one for each route of the last few reloads; nothing here comes from clients
def _keyed(names: tuple[bytes, ...], cors: bool) -> tuple[bytes, ...]:  # noqa: FBT001 - half of what is remembered
    if cors:
        return tuple(name for name in names if name != b"origin")
    return tuple(dict.fromkeys((*names, b"origin")))


def keyed_cookies(headers: Headers, route: Route) -> list[tuple[bytes, list[bytes]]]:
    """Return the listed cookies that are there: in the route's order, each with its values in the client's."""
    if isinstance(route.cookies, Credentials):
        return []
    sent: dict[bytes, list[bytes]] = {}
    for line in headers.get_all(b"cookie"):
        for pair in line.split(b";"):
            name, equals, value = pair.strip(b" \t").partition(b"=")
            if equals:
                sent.setdefault(name, []).append(value)
    return [(name, sent[name]) for name in dict.fromkeys(route.cookies) if name in sent]


def _credentials(headers: Headers, route: Route) -> tuple[bytes, ...]:
    if route.scope != "credential":
        return ()
    return tuple(value for name in route.credential_headers for value in headers.get_all(name))


def _values(headers: Headers, matched: Matched, query: bytes, keyed: tuple[bytes, ...]) -> Values:
    """Return what templates may use: only what is keyed, so that an entry's names do not depend on who fetched it."""
    token = headers.get(b"authorization") if _keys_authorization(matched.route, keyed) else None
    return Values(matched.variables, query, headers, keyed, token)


def _keys_authorization(route: Route, keyed: tuple[bytes, ...]) -> bool:
    return b"authorization" in keyed or (route.scope == "credential" and b"authorization" in route.credential_headers)


def _logical(route: Route, values: Values) -> str | None:
    if route.id is None:
        return None
    name = route.id.render(values)
    if name is None or route.namespace is None:
        return name
    return f"{route.namespace.name}:{route.namespace.version}:{name}"


def _resource_parts(request: Request, authority: bytes | None, query: bytes | None) -> list[tuple[bytes, bytes]]:
    """Return the URI's parts; one that is absent has no part, which is not the same as an empty one."""
    parts = [(b"S", request.scheme), (b"p", request.path)]
    if authority is not None:
        parts.append((b"A", authority))
    if query is not None:
        parts.append((b"q", query))
    return parts


def _field_parts(headers: Headers, route: Route, keyed: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    """Return keyed fields, cookies and credentials, as digests only."""
    parts = [(b"h", digested(name, headers.get_all(name))) for name in keyed if name in headers]
    parts += [(b"c", digested(name, values)) for name, values in keyed_cookies(headers, route)]
    if route.scope == "credential":
        parts += [(b"C", digested(name, headers.get_all(name))) for name in route.credential_headers if name in headers]
    return parts


def _place(route: Route, book: RuleBook, parts: list[tuple[bytes, bytes]]) -> CacheKey:
    space = route.namespace
    shared = constant_parts(
        book.service, route.fingerprint, space.name if space else None, space.version if space else None
    )
    return cache_key(material(shared, parts))
