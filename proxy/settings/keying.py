"""``key`` and the templates of a route: what tells two answers apart, and what names them for a purge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from proxy.policy.rules import Credentials
from proxy.policy.values import ValueTemplate
from proxy.settings.fields import FIELD
from proxy.settings.kinds import Kind, by, choice
from proxy.settings.nodes import Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sized

    from proxy.policy.rules import Match, Route
    from proxy.settings.sections import Section

#: Fields that are no part of a key this way, and what to write instead.
_NOT_KEYED: Final = {
    b"authorization": "use scope: credential",
    b"cookie": "name the cookies in cookies: [...]",
    b"host": "the authority is keyed by upstream.host: client",
    b"range": "ranges are cut from the whole answer",
    b"cache-control": "use client_control: obey",
    b"pragma": "use client_control: obey",
    b"connection": "it belongs to one connection",
    b"transfer-encoding": "it belongs to one connection",
    b"upgrade": "it belongs to one connection",
    b"if-match": "conditions are answered here",
    b"if-none-match": "conditions are answered here",
    b"if-modified-since": "conditions are answered here",
    b"if-unmodified-since": "conditions are answered here",
    b"if-range": "conditions are answered here",
}
_QUERY_WORDS: Final = choice("all", "none")
_QUERY: Final = Kind("all, none or a list of names", _QUERY_WORDS.parse)
_QUERY_NAME: Final = by(str.encode, "the name of a query parameter", bytes.decode)


def read_key(said: Section) -> tuple[tuple[bytes, ...] | None, tuple[bytes, ...]]:
    """Return the keyed query parameters (None: all of them) and the keyed fields."""
    inner = said.section("key")
    query: tuple[bytes, ...] | None
    if isinstance(inner.find("query") or Scalar(inner.node.place, ""), Scalar):
        query = None if inner.one("query", _QUERY, "all") == "all" else ()
    else:
        query = inner.many("query", _QUERY_NAME)
    headers = inner.many("headers", FIELD)
    for name in headers:
        if name in _NOT_KEYED:
            inner.mistake("headers", f"{name.decode()} cannot be keyed here: {_NOT_KEYED[name]}")
    inner.close()
    return query, headers


def template(known: Collection[str]) -> Kind[ValueTemplate]:
    """Make the kind of templates in which these values may occur."""
    return by(lambda text: ValueTemplate.parse(text, known), "a template", lambda value: value.text)


class Anything(frozenset[str]):
    """Every name: where a match could not be read, its variables are no further mistakes."""

    def __contains__(self, name: object) -> bool:
        return True


def path_names(matches: Iterable[Match]) -> set[str]:
    """Return the variables that at least one of the matches gives."""
    return {name for match in matches for name in match.path.names}


def known_to_route(route: Route) -> frozenset[str]:
    """Return what a route's templates may name: only what all who share an entry have in common."""
    known = path_names(route.matches)
    known |= {"query.*"} if route.key_query is None else {f"query.{name.decode()}" for name in route.key_query}
    known |= {f"header.{name.decode()}" for name in route.key_headers}
    keyed_by_token = route.scope == "credential" and b"authorization" in route.credential_headers
    if keyed_by_token and route.authorization is Credentials.UNSET:
        known.add("jwt.*")  # one copy per token, so one copy per claim
    return frozenset(known)


def all_read(said: Section, key: str, matches: Sized) -> bool:
    """Say whether each match that was written could be read."""
    node = said.find(key)
    return len(matches) == (len(node.items) if isinstance(node, Sequence) else 1)


def known_to_write(matches: Iterable[Match]) -> frozenset[str]:
    """Return what a write's templates may name: anything of the one request that they are about."""
    return frozenset(path_names(matches) | {"query.*", "header.*", "jwt.*"})


def read_names(said: Section, route: Route) -> Route:
    """Read ``id``, ``user`` and ``tags`` of a route whose other settings are known."""
    kind = template(known_to_route(route) if all_read(said, "match", route.matches) else Anything())
    named = replace(route, id=said.maybe("id", kind), user=said.maybe("user", kind), tags=said.many("tags", kind))
    for match in route.matches:
        for variable in named.id.variables if named.id else ():
            if variable.source == "path" and variable.name not in match.path.names:
                said.caution(
                    "id", f"{{{variable.name}}} has no value in {match.path.text}, which always passes through"
                )
    return named
