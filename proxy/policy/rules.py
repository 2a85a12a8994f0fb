"""The rules: routes and writes as the operator wrote them, compiled.

Values here come from ``settings`` fully checked. A ``RuleBook`` holds them all.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from proxy.message.values import value
from proxy.policy.book import Matched, RuleBook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.policy.adaptive import Adaptive
    from proxy.policy.templates import PathTemplate, ValueTemplate


__all__ = [
    "IMPLICIT_ROUTE",
    "Cors",
    "Credentials",
    "Downstream",
    "Match",
    "Matched",
    "Namespace",
    "Route",
    "RuleBook",
    "WriteRule",
]


class Credentials(Enum):
    """What a route does with ``Authorization`` (or its cookies): unset, a request that has one passes through."""

    UNSET = "unset"
    IGNORE = "ignore"


@value(frozen=True, slots=True)
class Match:
    """One ``match`` item: methods (GET stands for HEAD too) and a path template."""

    methods: frozenset[bytes]
    path: PathTemplate

    def covers(self, other: Match) -> bool:
        """Say whether this takes each request that the other one takes."""
        return other.methods <= self.methods and self.path.covers(other.path)


@value(frozen=True, slots=True)
class Downstream:
    """Lifetimes sent to a browser or a CDN: ``field`` is the field that carries them."""

    max_age: int
    immutable: bool = False
    targeted: bool = False  # cdn only: CDN-Cache-Control instead of s-maxage


@value(frozen=True, slots=True)
class Namespace:
    """A data type: its version is part of the logical key and of the key material."""

    name: str
    version: str
    ttl: float | None = None


@value(frozen=True, slots=True)
class Route:
    """One declared route with every default already resolved; times in seconds, names of fields in lower case.

    ``ttl`` None: the backend's explicit lifetime or nothing. ``key_query`` None: the whole query is keyed; an empty
    tuple: none of it. ``adaptive``: how ``ttl``, then the base, follows the traffic. ``key_headers`` and ``key_cookies`` are keyed and forwarded. ``fingerprint`` is a digest of
    all settings that change what is stored, so that entries made under other rules are never found.
    """

    name: str
    matches: tuple[Match, ...] = ()
    enabled: bool = True
    implicit: bool = False
    namespace: Namespace | None = None
    id: ValueTemplate | None = None
    ttl: float | None = None
    adaptive: Adaptive | None = None
    negative_ttl: float | None = None
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    on_store_failure: Literal["pass", "refuse"] = "pass"
    never_store: tuple[bytes, ...] = ()  # lower-case names, a trailing ``*`` matches any rest
    statuses: Mapping[int, float] = field(default_factory=dict)
    override: bool = False
    key_query: tuple[bytes, ...] | None = None
    key_headers: tuple[bytes, ...] = ()
    authorization: Credentials = Credentials.UNSET
    cookies: Credentials | tuple[bytes, ...] = Credentials.UNSET
    scope: Literal["public", "credential"] = "public"
    private: Literal["refuse", "store"] = "refuse"
    credential_headers: tuple[bytes, ...] = (b"authorization",)
    user: ValueTemplate | None = None
    tags: tuple[ValueTemplate, ...] = ()
    set_cookie: Literal["refuse", "strip"] = "refuse"
    client_control: Literal["ignore", "obey"] = "ignore"
    browser: Downstream | None = None
    cdn: Downstream | None = None
    content_types: tuple[bytes, ...] | None = None  # media types in lower case, ``type/*`` allowed
    fingerprint: str = ""


@value(frozen=True, slots=True)
class WriteRule:
    """One ``invalidate`` rule: what a write that passes through purges, or, without ``matches``, the clock."""

    matches: tuple[Match, ...]
    tags: tuple[ValueTemplate, ...] = ()
    keys: tuple[ValueTemplate, ...] = ()
    urls: tuple[ValueTemplate, ...] = ()
    paths: tuple[ValueTemplate, ...] = ()
    users: tuple[ValueTemplate, ...] = ()
    patterns: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    everything: bool = False
    soft: bool = False
    on_store_failure: Literal["pass", "refuse"] = "pass"


@value(frozen=True, slots=True)
class Cors:
    """The ``cors`` section. ``origins`` may hold ``*`` only without ``credentials``."""

    origins: tuple[bytes, ...]
    methods: tuple[bytes, ...]
    headers: tuple[bytes, ...]
    credentials: bool = False
    expose: tuple[bytes, ...] = ()
    max_age: int = 600


IMPLICIT_ROUTE: Final = Route(name="implicit", implicit=True, client_control="obey")
