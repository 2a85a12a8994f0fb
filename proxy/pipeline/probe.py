"""The synchronous answer: whether the next like request may get what the last one got, from memory, and nobody asked.

How to think about it. A request that was answered with a plain hit from memory leaves a ``Repeat``: all that this
answer rested on. The next request that is alike in all that ``answer`` would have looked at gets the same answer for
as long as that holds: the rules, the entry and the vary record in their places, freshness, and no purge that anybody
here knows of, while what is known is young enough. So there is one program that decides, and here only a comparison.

Whoever keeps something made of an entry lets go of it when the entry goes (``MemoryStore.dress``), so who still has a
``Repeat`` need not ask whether its entry is there. Of all else that may change there are numbers that count up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message.selectors import IN_FORCE
from proxy.message.stored import StoredResponse
from proxy.message.values import value
from proxy.observe.events import Outcome, RequestServed
from proxy.policy.admission import METHOD_OVERRIDES, TARGET_OVERRIDES
from proxy.policy.ahead import ahead_from
from proxy.policy.freshness import current_age, lifetime_ends
from proxy.policy.hops import DEBUG
from proxy.policy.keys import keyed_fields
from proxy.policy.rules import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.counters import Served
    from proxy.observe.repeats import Repeats
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit
    from proxy.policy.rules import Route, RuleBook
    from proxy.popularity.counts import Row
    from proxy.purge.ledger import Ledger
    from proxy.store.kept import Kept
    from proxy.store.memory import MemoryStore

ALWAYS: Final = (b"host", b"x-forwarded-proto", b"origin", b"if-none-match", b"if-modified-since")
"""Fields that may choose the answer on every route."""

WORTH_IT: Final = 2
"""Hits from memory of an entry: to make an answer ready takes as long as to give it, and as much room as the entry."""

NEVER_ALIKE: Final = METHOD_OVERRIDES | TARGET_OVERRIDES | {
    DEBUG,
    b"content-length", b"expect", b"http2-settings", b"if-match", b"if-range", b"if-unmodified-since", b"keep-alive",
    b"proxy-connection", b"range", b"te", b"trailer", b"transfer-encoding", b"upgrade",
}  # fmt: skip
"""Fields that ask for more than the plain answer: such a request is looked at anew."""


@dataclass(slots=True, eq=False)
class Repeat:
    """What a hit rested on. ``until``: wall-clock seconds at which it would not be one any more.

    ``chosen_by``: lower-case names of the request fields that chose this answer, absent ones too; ``secret`` are those
    among them whose values may only be kept as digests. ``never_with``: names that no like request has. ``judged`` and
    ``varied`` are what the ledger's and the memory's changes had counted up to when it was last judged. The rest is for
    counting: ``route`` and ``namespace`` by name, ``stale_at`` the end of its freshness, ``row`` where the reads of what
    everybody may read are counted, ``born`` when its age was 0, ``saved`` the backend's seconds.
    """

    book: RuleBook
    kept: Kept
    base: str
    vary: Kept | None
    stored: StoredResponse
    until: float
    judged: int
    varied: int
    chosen_by: tuple[bytes, ...]
    secret: frozenset[bytes]
    never_with: frozenset[bytes]
    route: str
    namespace: str
    counted_in: Served
    row: Row | None
    stale_at: float
    born: float
    saved: float


@value(frozen=True, slots=True)
class Asked:
    """What is told of a request beside its answer, as ``Request`` has it."""

    method: bytes
    path: bytes
    request_id: bytes
    client: str


class Probe:
    """Compares. ``trusted_until`` says until when, in monotonic seconds, what this process knows of purges now will do.

    ``worth_it``: from which of an entry's hits from memory on its answers can be repeated.
    """

    def __init__(
        self,
        parts: Parts,
        memory: MemoryStore,
        trusted_until: Callable[[], float],
        repeats: Repeats,
        worth_it: int = WORTH_IT,
    ) -> None:
        self._parts = parts
        self._memory = memory
        self._trusted_until = trusted_until
        self._is_trusted_until = -math.inf
        self._worth_it = worth_it
        self.repeats = repeats
        self._ledger: Ledger = parts.ledger
        self.wall = parts.wall
        self.dress = memory.dress
        self.undress = memory.undress

    def repeat_of(self, visit: Visit, looked: Looked) -> Repeat | None:
        """Return what a fresh hit from memory rests on; None for an entry's first, and where nothing could be alike."""
        kept, vary = self._memory.find(looked.place.digest), self._memory.find_vary(visit.key.cache.digest)
        stored, route = looked.entry, visit.route
        judged, is_public = self._ledger.changes(), route.scope == "public"
        row = self._parts.popularity.row(looked.place.digest) if is_public else None
        if (
            kept is None
            or kept.hits < self._worth_it
            or kept.value is not stored
            or not isinstance(stored, StoredResponse)
            or (None if vary is None else vary.value) is not looked.vary
            or looked.standing != IN_FORCE
            or judged < 0
            or (is_public and row is None)
            or _depends_on_its_age(route)
        ):
            return None
        stale_at = fresh_until(stored)
        ends = [stale_at, kept.ends]
        ends += [] if vary is None else [vary.ends]
        ends += [ahead_from(stored)] if route.scope == "credential" else []  # from then on a hit is to do more
        keyed = keyed_fields(route, cors=visit.book.cors is not None)
        own = route.credential_headers if route.scope == "credential" else ()
        varied = () if looked.vary is None else looked.vary.fields
        return Repeat(
            book=visit.book,
            kept=kept,
            base=visit.key.cache.digest,
            vary=vary,
            stored=stored,
            until=min(ends),
            judged=judged,
            varied=self._memory.varied,
            chosen_by=tuple(dict.fromkeys((*ALWAYS, *keyed, *own, *varied, *(name for name, _ in stored.vary)))),
            secret=frozenset({*keyed, *own, *varied} - {b"accept-encoding", b"accept-language", *ALWAYS}),
            never_with=_never_with(route, frozenset((*keyed, *own))),
            route=route.name,
            namespace=visit.namespace,
            counted_in=self.repeats.counters.row(route.name, visit.namespace, Outcome.HIT_MEMORY),
            row=row,
            stale_at=stale_at,
            born=stored.response_time - stored.initial_age,
            saved=stored.fetch_seconds,
        )

    def holds(self, repeat: Repeat, now: float, monotonic_now: float) -> bool:
        """Say whether a like request that came now gets the same answer; if so, it counts as a use of the entry."""
        if monotonic_now >= self._is_trusted_until:
            self._is_trusted_until = self._trusted_until()  # what is known only ever becomes younger than that
            if monotonic_now >= self._is_trusted_until:
                return False
        if (
            now >= repeat.until
            or repeat.book is not self._parts.book
            or (repeat.judged != self._ledger.changes() and not self._judged_again(repeat))
            or (repeat.varied != self._memory.varied and not self._lies_there(repeat))
        ):
            self._memory.undress(repeat.kept)
            return False
        row = repeat.row
        if row is not None:
            if row.forgotten:
                return False
            row.reads += 1
        repeat.kept.hits += 1
        return True

    def _judged_again(self, repeat: Repeat) -> bool:
        """Say whether no purge is known that hits it."""
        changes, known, stored = self._ledger.changes(), self._ledger.known(), repeat.stored
        if changes < 0 or known is None or self._ledger.standing(stored.selectors, stored.seq, known) != IN_FORCE:
            return False
        repeat.judged = changes
        return True

    def _lies_there(self, repeat: Repeat) -> bool:
        """Say whether it is still this entry that is found first."""
        if self._memory.find_vary(repeat.base) is not repeat.vary:
            return False
        repeat.varied = self._memory.varied
        return True

    def tell(  # noqa: PLR0913 - each a fact of its own
        self, repeat: Repeat, asked: Asked, *, status: int, seconds: float, sent_bytes: int, now: float
    ) -> None:
        """Tell of an answer that is counted already, as ``Pipeline.finished`` would have told it."""
        self.repeats.tell(
            RequestServed(
                route=repeat.route,
                outcome=Outcome.HIT_MEMORY,
                method=asked.method.decode("latin-1"),
                path=asked.path.decode("latin-1"),
                status=status,
                seconds=seconds,
                sent_bytes=sent_bytes,
                request_id=asked.request_id.decode("latin-1"),
                client=asked.client,
                namespace=repeat.namespace,
                ttl=repeat.stale_at - now,
                age=current_age(repeat.stored, now),
                seconds_saved=repeat.stored.fetch_seconds,
            )
        )


def fresh_until(stored: StoredResponse) -> float:
    """Return the wall-clock time from which ``freshness.remaining`` is 0 or less, for times after its receipt."""
    ends, credential = lifetime_ends(stored), stored.expires_with_credential
    return ends if credential is None else min(ends, credential)


def _depends_on_its_age(route: Route) -> bool:
    """Say whether the answer's fields tell lifetimes that grow with its age (``browser``, ``cdn``)."""
    return route.browser is not None or route.cdn is not None


def _never_with(route: Route, keyed: frozenset[bytes]) -> frozenset[bytes]:
    """Return the names that no request like one to this route has: a credential it does not key, a wish it obeys."""
    names = set(NEVER_ALIKE)
    if route.authorization is Credentials.UNSET and not route.implicit:
        names |= {b"authorization", *route.credential_headers} - keyed - {b"cookie"}
    if (route.cookies is Credentials.UNSET and not route.implicit and b"cookie" not in keyed) or isinstance(
        route.cookies, tuple
    ):
        names.add(b"cookie")
    if route.client_control == "obey":
        names |= {b"cache-control", b"pragma"}
    return frozenset(names)
