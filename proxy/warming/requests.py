"""Requests made of recipes and URLs, as far as the rules allow.

A recipe may have been put into Redis by anybody, and it may be older than the rules. So it is judged as a client's
request is: what no public route serves is not asked for, and it carries keyed and harmless fields alone.

A URL from the configuration says less than a client's request: by which scheme, name and fields clients come is seen
in what they read (a *guise*). Without that, what is warmed could be something that no client ever finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from proxy.message import selectors
from proxy.message.headers import EMPTY, Headers
from proxy.message.selectors import octets_of
from proxy.policy.hops import HARMLESS
from proxy.policy.keys import Key, Unkeyed, key_for, keyed_fields
from proxy.popularity.recipes import Recipe, names_a_secret, request_of
from proxy.wire.authority import is_authority, normalised

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from proxy.message.request import Request
    from proxy.policy.rules import Matched, Route, RuleBook
    from proxy.popularity.ranking import Ranked

MOST_GUISES: Final = 4
"""How many guises one URL is warmed in: two names, or http and https, or a few languages."""

_ABSOLUTE: Final = re.compile(rb"(https?)://([^/?#]*)", re.IGNORECASE)
_FOREIGN: Final = re.compile(rb"[^!-~]")


@dataclass(frozen=True, slots=True)
class Guise:
    """How clients come: what of their requests chooses the entry besides the target."""

    scheme: bytes
    authority: bytes
    headers: Headers = EMPTY


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be asked for: ``hosts`` are the accepted authorities, empty for any."""

    book: RuleBook
    hosts: frozenset[bytes] = frozenset()


def request_for(recipe: Recipe, bounds: Bounds, route: str | None = None) -> Request | None:
    """Return the request of a recipe; None where the rules have nothing that everybody may read for it.

    ``route``: that one and no other.
    """
    matched = bounds.book.route_for(b"GET", recipe.target.partition(b"?")[0])
    if matched is None or matched.route.scope != "public" or (route is not None and matched.route.name != route):
        return None
    if bounds.hosts and recipe.authority not in bounds.hosts:
        return None
    if names_a_secret(recipe) or not _carries_only(recipe.headers, _may_be_carried(matched.route, bounds.book)):
        return None
    request = request_of(recipe)
    return None if key_of(request, matched, bounds.book) is None else request


def key_of(request: Request, matched: Matched, book: RuleBook) -> Key | None:
    """Return the request's key, None where it has none."""
    key = key_for(request, matched, book)
    return None if isinstance(key, Unkeyed) else key


def requests_of(ranked: Iterable[Ranked], bounds: Bounds, route: str | None) -> Iterator[Request]:
    """Return the requests of ranked entries, whose records must name the route that now serves them."""
    for one in ranked:
        request = request_for(one.record.recipe, bounds, route)
        if request is None:
            continue
        matched = bounds.book.route_for(b"GET", request.path)
        if matched is not None and selectors.route(matched.route.name) in one.record.selectors:
            yield request


def guises_of(ranked: Sequence[Ranked], bounds: Bounds, route: str) -> list[Guise]:
    """Return how clients come to a route, the most usual first; of other routes' clients only scheme and name."""
    weights: dict[Guise, float] = {}
    others: dict[Guise, float] = {}
    for one in ranked:
        recipe, into = one.record.recipe, others
        headers = EMPTY
        if selectors.route(route) in one.record.selectors:
            into, headers = weights, recipe.headers
        guise = Guise(recipe.scheme, recipe.authority, headers)
        into[guise] = into.get(guise, 0.0) + one.reads
    seen = weights or others
    if seen:
        return sorted(seen, key=lambda guise: -seen[guise])[:MOST_GUISES]
    if bounds.hosts or not bounds.book.keyed_authority:
        return [Guise(b"http", name) for name in sorted(bounds.hosts)[:MOST_GUISES] or [b""]]
    return []


def recipes_of(url: str, guises: Sequence[Guise]) -> list[Recipe]:
    """Return the recipes of a URL: a whole one in its own scheme and name, the others in each guise.

    Raises ValueError with what is wrong.
    """
    octets = _FOREIGN.sub(lambda found: b"%%%02X" % found[0][0], octets_of(url))
    absolute = _ABSOLUTE.match(octets)
    target = octets[absolute.end() :] if absolute else octets
    if absolute and target[:1] in {b"", b"?"}:
        target = b"/" + target
    if not target.startswith(b"/") or b"#" in target:
        raise ValueError(f'expected a URL like "/plans/7" or "https://api.example/plans/7", got "{url}"')
    if absolute:
        scheme = absolute[1].lower()
        authority = normalised(absolute[2], scheme)
        if not is_authority(authority):
            raise ValueError(f'expected a host in "{url}"')
        fields = dict.fromkeys(guise.headers for guise in guises) or {EMPTY: None}
        return [Recipe(target, authority, scheme, headers) for headers in fields]
    return [Recipe(target, guise.authority, guise.scheme, guise.headers) for guise in guises]


def served_by(url: str, book: RuleBook) -> Route:
    """Return the route that keeps a URL's answers for everybody. Raises ValueError that says why there is none."""
    (recipe, *_) = recipes_of(url, [Guise(b"http", b"")])
    matched = book.route_for(b"GET", recipe.target.partition(b"?")[0])
    if matched is None:
        raise ValueError(f'no route serves "{url}"')
    if matched.route.scope != "public":
        raise ValueError(f'"{url}" is one client\'s own (route "{matched.route.name}"): nobody else can ask for it')
    if names_a_secret(recipe):
        raise ValueError(f'"{url}" has a parameter that is called like a credential')
    return matched.route


def path_for(route: Route, value: str) -> str | None:
    """Return the path of a route with one variable for an item's value; None where that is no such path."""
    for match in route.matches:
        template = match.path
        if len(template.names) != 1 or template.rest:
            continue
        filled = [quote(value, safe="") if segment.name else segment.literal.decode() for segment in template.segments]
        path = "/" + "/".join(filled)
        if template.match(path.encode()) is not None:
            return path
    return None


def takes_items(route: Route) -> bool:
    """Say whether an item's value alone makes a path of the route."""
    return any(len(match.path.names) == 1 and not match.path.rest for match in route.matches)


def _may_be_carried(route: Route, book: RuleBook) -> frozenset[bytes]:
    # The implicit route forwards whatever a client sends; a recipe is no client.
    return HARMLESS if route.implicit else HARMLESS | frozenset(keyed_fields(route, cors=book.cors is not None))


def _carries_only(headers: Headers, names: Container[bytes]) -> bool:
    return all(name.lower() in names for name, _ in headers.lines)
