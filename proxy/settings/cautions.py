"""What works but is probably not meant: routes that never match, that say nothing of credentials, that cannot be stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.policy.rules import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proxy.policy.rules import RuleBook
    from proxy.settings.routes import DataType, Declared
    from proxy.settings.sections import Section

_STALE_WINDOWS: Final = ("stale_while_revalidate", "stale_if_error")


def doubt_routes(declared: Sequence[Declared], book: RuleBook) -> None:
    """Note what is doubtful of each route."""
    sections = {one.route.name: one.said for one in declared}
    for route, earlier in book.shadowed():
        before = sections[earlier.name].node.place.line
        sections[route.name].caution(
            "match", f'never reached: "{earlier.name}" in line {before} takes every request first'
        )
    for one in declared:
        if one.route.enabled:
            _doubt_silence(one)
            _doubt_lifetimes(one)


def _doubt_silence(one: Declared) -> None:
    """Most clients send both, and then nothing is cached: seldom what a route was declared for."""
    route, said = one.route, one.said
    silent = []
    if route.authorization is Credentials.UNSET and route.scope == "public" and not said.has("authorization"):
        silent.append("authorization")
    if route.cookies is Credentials.UNSET and not said.has("cookies"):
        silent.append("cookies")
    for key in silent:
        carrying = "an Authorization field" if key == "authorization" else "cookies"
        said.caution(
            key,
            f"the route says nothing of {key}: a request with {carrying} passes through; write ignore, or unset if that is meant",
        )


def _doubt_lifetimes(one: Declared) -> None:
    route, said = one.route, one.said
    if route.ttl == 0:
        said.caution("ttl", "nothing is ever fresh: enabled: false passes the route through")
    nothing_stored = route.ttl is None and not route.statuses and route.negative_ttl is None
    for key in _STALE_WINDOWS:
        if said.has(key) and nothing_stored:
            said.caution(key, "applies only to what the backend itself gives a lifetime, since ttl is none")


def doubt_namespaces(top: Section, namespaces: Mapping[str, DataType], declared: Sequence[Declared]) -> None:
    """Note namespaces that nothing is stored in."""
    used = {one.route.namespace.name for one in declared if one.route.namespace is not None}
    for name in namespaces:
        if name not in used:
            place = next(key.place for key, _ in top.section("namespaces").node.entries if key.text == name)
            top.desk.caution(place, f"namespaces.{name}", "no route is in this namespace")
