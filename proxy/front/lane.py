"""The hit lane: requests like one that was answered from memory are answered without a task, in the turn they came in.

How to think about it. A *spot* stands for a request line; its *plates* are the answers to it, one for each set of
values of the fields that choose among them. A plate is put there when a request has gone the whole way through
``pipeline.answer`` and its answer could be repeated (``pipeline.probe`` says on what that rests), and is asked each
time whether it still holds. So the lane decides nothing: what it does not find, or finds unusual, goes the whole way.
How a client asks it learns once (``front.manners``): its next head is compared, not read.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from proxy.front.incoming import chain_of, fresh_id
from proxy.front.manners import Kind, Manners, place_of
from proxy.front.plates import Plate, plate_for
from proxy.message.headers import Headers
from proxy.pipeline.probe import Asked
from proxy.wire.plain import KEEPS, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.front.framing import Clock
    from proxy.front.manners import Manner, Place
    from proxy.front.options import FrontOptions
    from proxy.message.request import Request
    from proxy.pipeline.probe import Probe, Repeat
    from proxy.pipeline.reply import Answer
    from proxy.wire.plain import FieldLines

LONGEST: Final = 2048
"""Bytes of a request line that is remembered; longer ones are seldom asked for twice."""

MOST_CLIENTS: Final = 64
"""Peers of one manner whose clients are remembered: the proxies before us that say the same of everybody are few."""

MOST_OF_ONE: Final = 8
"""Plates of one entry: GET and HEAD, a few origins and conditions. Who varies more goes the whole way."""


class Spot:
    """One request line."""

    __slots__ = ("kind", "line", "plates")

    def __init__(self, line: bytes, kind: Kind) -> None:
        self.line = line
        self.kind = kind
        self.plates: dict[Place | None, Plate] = {}


class Plates:
    """All plates of one entry; when the entry goes, so do they."""

    __slots__ = ("_lane", "_places", "size")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._places: list[tuple[Spot, Place]] = []
        self.size = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, spot: Spot, place: Place, plate: Plate) -> None:
        """Take note of one more."""
        self._places.append((spot, place))
        self.size += plate.size

    def forgotten(self) -> None:
        """Take them all away."""
        for spot, place in self._places:
            self._lane.take_away(spot, place)
        self._places = []


class Lane:
    """All spots of one listener. ``on_failure`` is told of what should not happen; the answer is right all the same."""

    def __init__(
        self,
        probe: Probe,
        options: FrontOptions,
        clock: Clock,
        known: FieldLines,
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._probe = probe
        self._options = options
        self._clock = clock
        self._known = known
        self._on_failure = on_failure
        self._longest = options.wire.head
        self._wall = probe.wall
        self._spots: dict[bytes, Spot] = {}
        self._kinds: WeakValueDictionary[tuple[object, ...], Kind] = WeakValueDictionary()
        self._manners = Manners()

    def __len__(self) -> int:
        return len(self._spots)

    def answer(self, head: bytes, manner: Manner, peer: str, write: Callable[[bytes], object], began: float) -> bool:
        """Answer the request that is all of ``head``, its empty line too, if it asks in that manner.

        False: nothing was sent, it goes the whole way. ``write`` sends bytes to ``peer``; ``began`` is monotonic seconds.
        """
        line_end = head.find(b"\r\n")
        spot = self._spots.get(head[:line_end])
        plate = spot.plates.get(manner.places.get(spot.kind)) if spot is not None else None
        if plate is None or len(head) > self._longest:
            return False
        request_id = manner.request_id(head, line_end)
        if request_id is None:
            return False
        now, repeat = self._wall(), plate.repeat
        if not self._probe.holds(repeat, now, began):
            return False
        if now >= plate.filled_until:
            plate.fill(now)
        if plate.wants_id:
            request_id = request_id or fresh_id()
            text = b"".join((plate.before, request_id, plate.after))
        else:
            text = plate.before + plate.after
        write(text)
        if plate.rest:
            write(plate.rest)
        try:
            seconds, age, repeats = monotonic() - began, now - repeat.born, self._probe.repeats
            repeat.counted_in.add(
                plate.place, seconds, repeat.saved, now, age if age > 0 else 0.0, repeat.stale_at - now
            )
            if repeats.watch is None and repeats.logs.passed_over:  # as ``wants_event``, for nearly all of them
                repeats.logs.passed_over -= 1
            elif repeats.wants_event():
                self._tell(plate, head, manner, request_id, peer, len(text), seconds, now)
        except Exception as error:  # noqa: BLE001 - it was answered all the same
            self._on_failure("lane", error)
        return True

    def _tell(  # noqa: PLR0913, PLR0917 - as it left
        self,
        plate: Plate,
        head: bytes,
        manner: Manner,
        request_id: bytes,
        peer: str,
        size: int,
        seconds: float,
        now: float,
    ) -> None:
        """Tell of a hit that somebody wants to know more of."""
        method, target, _ = head[: head.find(b"\r\n")].split(b" ")
        client = manner.clients.get(peer)
        if client is None:
            if len(manner.clients) >= MOST_CLIENTS:
                manner.clients.clear()
            client = manner.clients[peer] = self._client(head, peer, trusted=manner.trusted)
        asked = Asked(method, target.partition(b"?")[0], request_id or fresh_id(), client)
        sent = size + len(plate.rest)
        self._probe.tell(plate.repeat, asked, status=plate.status, seconds=seconds, sent_bytes=sent, now=now)

    def _client(self, head: bytes, peer: str, *, trusted: bool) -> str:
        """Return who asks, by the peer's word as far as it counts."""
        fields = fields_of(head[:-4].split(b"\r\n"), self._known) or {}
        said = [(b"X-Forwarded-For", value)] if (value := fields.get(b"x-forwarded-for")) is not None else []
        chain = chain_of(Headers(said), peer, self._options, trusted=trusted)
        return chain[0] if chain else ""

    def manner_of(self, head: bytes, *, trusted: bool) -> Manner | None:
        """Return how this head asks; None where it goes the whole way. ``trusted``: the peer's word on the scheme counts."""
        lines = head[:-4].split(b"\r\n")
        spot = self._spots.get(lines[0])
        if spot is None or len(lines) > self._options.wire.fields:
            return None
        fields, kind = fields_of(lines, self._known), spot.kind
        if fields is None or fields.get(b"connection") not in KEEPS or not kind.never_with.isdisjoint(fields):
            return None
        if not trusted and fields.get(b"x-forwarded-proto") not in {None, b"http"}:
            return None
        manner = self._manners.of(head, fields, trusted=trusted)
        manner.find(kind, fields)
        return manner

    def learn(self, request: Request, answer: Answer) -> None:
        """Remember an answer that could be repeated."""
        repeat = answer.repeat
        fields = {name.lower(): value for name, value in request.headers.lines}
        if repeat is None or len(fields) < len(request.headers) or not _is_plain(request, fields, repeat):
            return
        line = b"%b %b HTTP/1.1" % (request.method, request.target)
        spot = self._spot(line, repeat)
        rendered = repeat.kept.rendered
        plates = rendered if isinstance(rendered, Plates) else Plates(self)
        place = place_of(spot.kind, fields)
        if len(plates) >= MOST_OF_ONE or place in spot.plates or len(line) > LONGEST:
            return
        plate = plate_for(repeat, request, answer, self._clock)
        if plate is not None:
            self._put(plates, spot, place, plate)

    def _spot(self, line: bytes, repeat: Repeat) -> Spot:
        """Return the spot for that line, a new one where there is none that suits."""
        content = (repeat.chosen_by, repeat.secret, repeat.never_with)
        kind = self._kinds.get(content)
        if kind is None:
            kind = self._kinds[content] = Kind(*content)
        spot = self._spots.get(line)
        if spot is None or spot.kind is kind:
            return spot or Spot(line, kind)
        for plate in tuple(spot.plates.values()):  # of other rules, or of another Vary: they would find nobody any more
            self._probe.undress(plate.repeat.kept)
        return Spot(line, kind)

    def _put(self, plates: Plates, spot: Spot, place: Place, plate: Plate) -> None:
        self._spots[spot.line] = spot
        spot.plates[place] = plate
        plates.add(spot, place, plate)
        if not self._probe.dress(plate.repeat.kept, plates, plates.size):
            plates.forgotten()

    def take_away(self, spot: Spot, place: Place) -> None:
        """Take away one plate, and its spot if nothing else stands there."""
        spot.plates.pop(place, None)
        if not spot.plates and self._spots.get(spot.line) is spot:
            del self._spots[spot.line]


def _is_plain(request: Request, fields: dict[bytes, bytes], repeat: Repeat) -> bool:
    """Say whether ``answer`` would read a like request as this one was read."""
    if request.version != (1, 1) or not request.target.startswith(b"/"):
        return False
    if fields.get(b"connection") not in KEEPS or not repeat.never_with.isdisjoint(fields):
        return False
    return request.scheme == (fields.get(b"x-forwarded-proto") or b"http")
