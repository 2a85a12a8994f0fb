"""``namespaces`` and ``routes``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from proxy.policy.rules import Credentials, Downstream, Namespace, Route
from proxy.popularity.recipes import is_secret
from proxy.settings import keying
from proxy.settings.fields import COOKIE, FIELD, MEDIA_TYPE, cached_methods
from proxy.settings.fingerprints import fingerprint_of
from proxy.settings.kinds import BOOLEAN, DURATION, TEXT, Kind, choice
from proxy.settings.lifetimes import Lifetimes, read_lifetimes
from proxy.settings.matching import NAME, read_matches
from proxy.settings.nearest import did_you_mean
from proxy.settings.nodes import Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from proxy.settings.sections import Section

#: What logs and metrics call a request without a declared route.
RESERVED: Final = frozenset({"none", "implicit"})
_FINAL_STATUSES: Final = range(200, 1000)
#: Never stored as such: a 304 updates what is stored, a 206 is a part of it.
_NOT_STORED: Final = frozenset({206, 304})


@dataclass(frozen=True, slots=True)
class Declared:
    """A route with the section it was read from, for what is checked across routes."""

    route: Route
    said: Section
    ttl_from: str


@dataclass(frozen=True, slots=True)
class DataType:
    """A namespace with the lifetimes that its routes start from."""

    namespace: Namespace
    lifetimes: Lifetimes
    has_ttl: bool  # of its own, not from defaults


def read_namespaces(top: Section, defaults: Lifetimes) -> dict[str, DataType]:
    """Read ``namespaces``."""
    found: dict[str, DataType] = {}
    for name, said in top.named("namespaces"):
        lifetimes = read_lifetimes(said, defaults)
        version = said.one("version", NAME, "v1")
        said.close()
        for word, what in ((name, "name"), (version, "version")):
            if ":" in word:
                said.desk.mistake(said.node.place, said.path, f'no ":" in a {what}: it separates the parts of a key')
        found[name] = DataType(Namespace(name, version, lifetimes.ttl), lifetimes, said.has("ttl"))
    return found


def read_routes(top: Section, namespaces: Map[str, DataType], defaults: Lifetimes, *, has_cors: bool) -> list[Declared]:
    """Read ``routes``, defaults resolved."""
    declared: list[Declared] = []
    names: dict[str, Section] = {}
    for said in top.sections("routes"):
        route = _read_route(said, namespaces, defaults, has_cors=has_cors)
        if route.name in names:
            said.mistake("name", f'"{route.name}" is taken, by the route in line {names[route.name].node.place.line}')
        elif route.name:
            names[route.name] = said
        declared.append(Declared(route, said, _ttl_from(said, route, namespaces)))
    return declared


def _read_route(said: Section, namespaces: Map[str, DataType], defaults: Lifetimes, *, has_cors: bool) -> Route:
    name = said.required("name", NAME, "")
    if name in RESERVED:
        said.mistake("name", f'"{name}" is what logs call requests without a declared route')
    kind = _read_namespace(said, namespaces)
    lifetimes = read_lifetimes(said, kind.lifetimes if kind else defaults)
    key_query, key_headers = keying.read_key(said)
    route = Route(
        name=name,
        matches=read_matches(said, "match", cached_methods),
        enabled=said.one("enabled", BOOLEAN, True),
        namespace=kind.namespace if kind else None,
        ttl=lifetimes.ttl,
        adaptive=lifetimes.adaptive,
        negative_ttl=lifetimes.negative_ttl,
        stale_while_revalidate=lifetimes.stale_while_revalidate,
        stale_if_error=lifetimes.stale_if_error,
        on_store_failure=lifetimes.on_store_failure,
        never_store=lifetimes.never_store,
        statuses=_read_statuses(said),
        override=said.one("override", BOOLEAN, False),
        key_query=key_query,
        key_headers=key_headers,
        authorization=said.one("authorization", _CREDENTIALS, Credentials.UNSET),
        cookies=_read_cookies(said),
        scope=said.one("scope", choice("public", "credential"), "public"),
        private=said.one("private", choice("refuse", "store"), "refuse"),
        credential_headers=said.many("credential_headers", FIELD, (b"authorization",)),
        set_cookie=said.one("set_cookie", choice("refuse", "strip"), "refuse"),
        client_control=said.one("client_control", choice("ignore", "obey"), "ignore"),
        browser=_read_downstream(said, "browser"),
        cdn=_read_downstream(said, "cdn"),
        content_types=said.many("content_types", MEDIA_TYPE) if said.has("content_types") else None,
    )
    route = keying.read_names(said, route)
    said.close()
    _check(said, route)
    return replace(route, fingerprint=fingerprint_of(said.shown, has_cors=has_cors))


def _ttl_from(said: Section, route: Route, namespaces: Map[str, DataType]) -> str:
    if said.has("ttl"):
        return said.path_of("ttl")
    if route.namespace is not None and namespaces[route.namespace.name].has_ttl:
        return f"namespaces.{route.namespace.name}.ttl"
    return "defaults.ttl"


def _read_namespace(said: Section, namespaces: Map[str, DataType]) -> DataType | None:
    name = said.maybe("namespace", TEXT)
    if name is not None and name not in namespaces:
        said.mistake("namespace", f'no namespace "{name}"{did_you_mean(name, namespaces)}')
    return namespaces.get(name or "")


_CREDENTIALS: Final[Kind[Credentials]] = Kind(
    choice("ignore", "unset").expects,
    lambda scalar: Credentials(choice("ignore", "unset").parse(scalar)),
    lambda value: value.value,
)


def _read_cookies(said: Section) -> Credentials | tuple[bytes, ...]:
    node = said.find("cookies")
    if node is None or isinstance(node, Scalar):
        return said.one("cookies", _COOKIES, Credentials.UNSET)
    return said.many("cookies", COOKIE)


_COOKIES: Final = Kind("ignore, unset or a list of cookie names", _CREDENTIALS.parse, _CREDENTIALS.show)


def _read_statuses(said: Section) -> dict[int, float]:
    outer = said.maybe_section("statuses")
    found: dict[int, float] = {}
    for key, _ in outer.node.entries if outer else ():
        assert outer is not None
        code = int(key.text) if key.text.isascii() and key.text.isdigit() and len(key.text) == 3 else 0  # noqa: PLR2004
        seconds = outer.one(key.text, DURATION, 0.0)
        if code not in _FINAL_STATUSES:
            said.desk.mistake(key.place, outer.path_of(key.text), "expected a final status like 302")
        elif code in _NOT_STORED:
            said.desk.mistake(key.place, outer.path_of(key.text), f"a {code} is never stored by itself")
        else:
            found[code] = seconds
    return found


def _read_downstream(said: Section, key: str) -> Downstream | None:
    inner = said.maybe_section(key)
    if inner is None:
        return None
    seconds = inner.required("max_age", DURATION, 0.0)
    if seconds % 1:
        inner.mistake("max_age", "Cache-Control counts whole seconds")
    immutable = inner.one("immutable", BOOLEAN, False) if key == "browser" else False
    targeted = inner.one("as", choice("s-maxage", "CDN-Cache-Control"), "s-maxage") if key == "cdn" else "s-maxage"
    inner.close()
    return Downstream(int(seconds), immutable=immutable, targeted=targeted == "CDN-Cache-Control")


def _check(said: Section, route: Route) -> None:
    """Note what contradicts itself within one route."""
    if route.id is not None and route.namespace is None and not said.has("namespace"):
        said.mistake("id", "an id needs a namespace: the logical key is namespace:version:id")
    if route.scope == "credential" and route.authorization is Credentials.IGNORE:
        said.mistake("authorization", "ignore contradicts scope: credential, which keys by it")
    if route.scope == "public":
        for key in ("credential_headers", "private"):
            if said.has(key) and said.shown.get(key) != "refuse":
                said.mistake(key, "means nothing without scope: credential")
    if said.is_empty_list("credential_headers"):
        said.mistake("credential_headers", "names no field, so nothing would tell two credentials apart")
    if route.adaptive is not None and _is_read_under_a_credential(route):
        said.mistake("ttl", "cannot follow the traffic: what is read under a credential or cookie is not counted")
    if route.override and route.ttl is None:
        said.mistake("override", "needs a ttl to put in the place of the backend's")
    if said.is_empty_list("content_types"):
        said.mistake("content_types", "names no type, so nothing would be stored; enabled: false says that better")


def _is_read_under_a_credential(route: Route) -> bool:
    return route.scope == "credential" or isinstance(route.cookies, tuple) or any(map(is_secret, route.key_headers))
