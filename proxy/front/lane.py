"""The hit lane: requests like one that was answered from memory are answered without a task, in the turn they came in.

How to think about it. A *spot* stands for a request line; its *plates* are the answers to it, one for each set of
values of the fields that choose among them. A plate is put there when a request has gone the whole way through
``pipeline.answer`` and its answer could be repeated (``pipeline.probe`` says on what that rests), and is asked each
time whether it still holds. So the lane decides nothing: what it does not find, or finds unusual, goes the whole way.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from proxy.front.incoming import chain_of, plain_id
from proxy.front.plates import Plate, plate_for
from proxy.message.headers import Headers
from proxy.pipeline.probe import Asked
from proxy.wire.plain import KEEPS, fields_of

if TYPE_CHECKING:
    from proxy.front.framing import Clock
    from proxy.front.options import FrontOptions
    from proxy.message.request import Request
    from proxy.pipeline.probe import Probe, Repeat
    from proxy.pipeline.reply import Answer
    from proxy.wire.plain import FieldLines

    Place = tuple[bytes | None, ...]
    Served = tuple[bytes, bytes, Plate, bytes, dict[bytes, bytes]]

LONGEST: Final = 2048
"""Bytes of a request line that is remembered; longer ones are seldom asked for twice."""

MOST_OF_ONE: Final = 8
"""Plates of one entry: GET and HEAD, a few origins and conditions. Who varies more goes the whole way."""


class Spot:
    """One request line. ``chosen_by`` and the rest are as in ``Repeat``, the same for all plates."""

    __slots__ = ("chosen_by", "line", "never_with", "plates", "secret")

    def __init__(self, line: bytes, repeat: Repeat) -> None:
        self.line = line
        self.chosen_by = repeat.chosen_by
        self.secret = repeat.secret
        self.never_with = repeat.never_with
        self.plates: dict[Place, Plate] = {}

    def place(self, fields: dict[bytes, bytes]) -> Place:
        """Return where the plate for these fields stands; what may be a credential is a digest there."""
        if not self.secret:
            return tuple(map(fields.get, self.chosen_by))
        return tuple(
            [_digest(fields.get(name)) if name in self.secret else fields.get(name) for name in self.chosen_by]
        )

    def suits(self, repeat: Repeat) -> bool:
        """Say whether a plate of that may stand here."""
        return (self.chosen_by, self.secret, self.never_with) == (repeat.chosen_by, repeat.secret, repeat.never_with)


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
    """All spots of one listener."""

    def __init__(self, probe: Probe, options: FrontOptions, clock: Clock, known: FieldLines) -> None:
        self._probe = probe
        self._options = options
        self._clock = clock
        self._known = known
        self._spots: dict[bytes, Spot] = {}
        self.wall = probe.wall

    def __len__(self) -> int:
        return len(self._spots)

    def answer(self, head: bytes, now: float, *, trusted: bool) -> Served | None:
        """Answer a head (without its empty line), or None: it goes the whole way.

        The answer is what to send (all of it, or the head and a large body), and what ``served`` asks for. ``trusted``:
        the peer's word about the scheme counts.
        """
        lines = head.split(b"\r\n")
        spot = self._spots.get(lines[0])
        if spot is None or len(lines) > self._options.wire.fields or len(head) > self._options.wire.head - 4:
            return None
        fields = fields_of(lines, self._known)
        if fields is None or fields.get(b"connection") not in KEEPS or not spot.never_with.isdisjoint(fields):
            return None
        if not trusted and fields.get(b"x-forwarded-proto") not in {None, b"http"}:
            return None
        plate = spot.plates.get(spot.place(fields))
        if plate is None or not self._probe.holds(plate.repeat, now):
            return None
        request_id = plain_id(fields.get(b"x-request-id"))
        start, rest = plate.filled(request_id if plate.wants_id else b"", now)
        return start, rest, plate, request_id, fields

    def served(  # noqa: PLR0913 - as it left
        self, served: Served, head: bytes, seconds: float, now: float, peer: str, *, trusted: bool
    ) -> None:
        """Count an answer that was sent to that peer; who asked for it is only found out where somebody wants to know."""
        start, rest, plate, request_id, fields = served
        if not self._probe.served(plate.repeat, plate.status, seconds, now):
            return
        method, target, _ = head[: head.index(b"\r\n")].split(b" ")
        said = [(b"X-Forwarded-For", value)] if (value := fields.get(b"x-forwarded-for")) is not None else []
        chain = chain_of(Headers(said), peer, self._options, trusted=trusted)
        asked = Asked(method, target.partition(b"?")[0], request_id, chain[0] if chain else "")
        sent = len(start) + len(rest)
        self._probe.tell(plate.repeat, asked, status=plate.status, seconds=seconds, sent_bytes=sent, now=now)

    def learn(self, request: Request, answer: Answer) -> None:
        """Remember an answer that could be repeated."""
        repeat = answer.repeat
        fields = {name.lower(): value for name, value in request.headers.lines}
        if repeat is None or len(fields) < len(request.headers) or not _is_plain(request, fields, repeat):
            return
        rendered = repeat.kept.rendered
        plates = rendered if isinstance(rendered, Plates) else Plates(self)
        line = b"%b %b HTTP/1.1" % (request.method, request.target)
        spot = self._spots.get(line)
        if spot is None or not spot.suits(repeat):
            spot = Spot(line, repeat)
        place = spot.place(fields)
        if len(plates) >= MOST_OF_ONE or place in spot.plates or len(line) > LONGEST:
            return
        plate = plate_for(repeat, request, answer, self._clock)
        if plate is not None:
            self._put(plates, spot, place, plate)

    def _put(self, plates: Plates, spot: Spot, place: Place, plate: Plate) -> None:
        self._spots[spot.line] = spot  # another one there was for other rules: its plates find nobody any more
        spot.plates[place] = plate
        plates.add(spot, place, plate)
        if not self._probe.dress(plate.repeat.kept, plates, plates.size):
            plates.forgotten()

    def take_away(self, spot: Spot, place: Place) -> None:
        """Take away one plate, and its spot if nothing else stands there."""
        spot.plates.pop(place, None)
        if not spot.plates and self._spots.get(spot.line) is spot:
            del self._spots[spot.line]


def _digest(value: bytes | None) -> bytes | None:
    return None if value is None else hashlib.sha256(value).digest()


def _is_plain(request: Request, fields: dict[bytes, bytes], repeat: Repeat) -> bool:
    """Say whether ``answer`` would read a like request as this one was read."""
    if request.version != (1, 1) or not request.target.startswith(b"/"):
        return False
    if fields.get(b"connection") not in KEEPS or not repeat.never_with.isdisjoint(fields):
        return False
    return request.scheme == (fields.get(b"x-forwarded-proto") or b"http")
