"""The rule book: which route a request belongs to, which write rules it meets.

A ``RuleBook`` never changes but for what it remembers; a reload makes a new one with the next generation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from proxy.policy.paths import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message.request import Request
    from proxy.policy.keys import Key
    from proxy.policy.rules import Cors, Match, Route, WriteRule


@dataclass(frozen=True, slots=True)
class Matched:
    """The route of a request, with the path variables as they were sent."""

    route: Route
    variables: dict[str, str]


MOST_REMEMBERED: Final = 8192
"""Paths, and targets, that a rule book remembers: what one sidecar serves often, at most about 16 MB by the next bound."""

LONGEST_REMEMBERED: Final = 256
"""Bytes of a path worth remembering: clients choose paths, and longer ones are seldom asked for twice."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of one configuration: first match wins, ``implicit`` takes what no declared route does.

    ``enabled`` False: nothing is looked up or stored, writes still purge. ``keyed_authority`` must be True wherever
    the client's own authority is forwarded: what is not keyed is not forwarded. ``generation`` counts reloads.
    """

    service: str
    routes: tuple[Route, ...] = ()
    writes: tuple[WriteRule, ...] = ()
    cors: Cors | None = None
    enabled: bool = True
    generation: int = 0
    keyed_authority: bool = True
    implicit: Route | None = None
    _remembered: dict[bytes, Matched | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _keys: dict[tuple[bytes, bytes, bytes], Key] = field(default_factory=dict, init=False, repr=False, compare=False)

    def route_for(self, method: bytes, path: bytes) -> Matched | None:
        """Return the first route that takes the request, a disabled one too; HEAD is matched as GET."""
        if method not in {b"GET", b"HEAD"}:
            return self._first(method, path)
        remembered = self._remembered
        try:
            return remembered[path]
        except KeyError:
            matched = self._first(b"GET", path)
        if len(path) <= LONGEST_REMEMBERED:
            if len(remembered) >= MOST_REMEMBERED:
                remembered.clear()
            remembered[path] = matched
        return matched

    def known_key(self, request: Request) -> Key | None:
        """Return what was remembered for a request of this authority, scheme and target."""
        return self._keys.get((request.authority, request.scheme, request.target))

    def remember_key(self, request: Request, key: Key) -> None:
        """Remember the key of every request of this authority, scheme and target that sends nothing that is keyed."""
        if len(request.target) <= LONGEST_REMEMBERED:
            if len(self._keys) >= MOST_REMEMBERED:
                self._keys.clear()
            self._keys[request.authority, request.scheme, request.target] = key

    def _first(self, method: bytes, path: bytes) -> Matched | None:
        return next(iter(self._matching(method, path)), None)

    def _matching(self, method: bytes, path: bytes) -> Iterator[Matched]:
        for route in self.routes:
            variables = _variables(route.matches, method, path)
            if variables is not None:
                yield Matched(route, variables)
        if self.implicit is not None:
            yield Matched(self.implicit, {})

    def serving(self, path: bytes) -> list[Matched]:
        """Return every route that takes a GET of that path, the one that wins first: for purging, not for serving."""
        return list(self._matching(b"GET", path))

    def explain(self, method: bytes, path: bytes) -> list[tuple[Route, str]]:
        """Return each route before the one that matches (all, where none does) with why it does not."""
        method = b"GET" if method == b"HEAD" else method
        passed_over: list[tuple[Route, str]] = []
        for route in self.routes:
            reasons = [_why_not(match, method, path) for match in route.matches]
            if "" in reasons:
                break
            passed_over.append((route, "; ".join(reasons)))
        return passed_over

    def writes_for(self, method: bytes, path: bytes) -> list[tuple[WriteRule, dict[str, str]]]:
        """Return every write rule that takes the request, once for each of its items that do.

        The path is also read as a forgiving backend might read it: one purge too many harms nobody.
        """
        spellings = dict.fromkeys((path, normalised(path)))
        return [
            (rule, variables)
            for rule in self.writes
            for match in rule.matches
            if method in match.methods
            for spelling in spellings
            if (variables := match.path.match(spelling)) is not None
        ]

    def shadowed(self) -> list[tuple[Route, Route]]:
        """Return each route that can never match, with the one before it that takes everything it would.

        Routes that are shadowed only by several others together are not found.
        """
        pairs: list[tuple[Route, Route]] = []
        for position, route in enumerate(self.routes):
            for earlier in self.routes[:position]:
                if all(any(mine.covers(match) for mine in earlier.matches) for match in route.matches):
                    pairs.append((route, earlier))
                    break
        return pairs


def _variables(matches: tuple[Match, ...], method: bytes, path: bytes) -> dict[str, str] | None:
    for match in matches:
        if method in match.methods:
            variables = match.path.match(path)
            if variables is not None:
                return variables
    return None


def _why_not(match: Match, method: bytes, path: bytes) -> str:
    if method not in match.methods:
        return f"takes {', '.join(sorted(name.decode() for name in match.methods))}"
    return match.path.why_not(path)
