"""What a dictionary is trained on, whether one is worth it, and whether the one in use still is.

How to think about it. One dictionary is for all of a service, so there is one to keep; beside one for each kind of body
pages of 20 KB lose 1 % by it, objects of 2 KB 4 %, HTML of 1 KB some 20 bytes. Samples are kept only while one is wanted,
and of one place in four, so that a save seldom takes longer for it. Of each place there is one sample: what is refreshed
all the time is not all that is learned. Every eighth is not trained on, but judged by, and only a dictionary that leaves
clearly less of those than what is in use is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import zstandard

from proxy.observe.events import DictionaryTrained
from proxy.store.dictionary import LONGEST, BadDictionaryError, Dictionary, published

MOST_SAMPLES: Final = 2000
"""With bodies of 1 KB, from which on they are compressed, 3 MB: enough for a dictionary of 128 KiB."""

LEAST_SAMPLES: Final = 16
"""For less there is nothing to gain: all that could lean on it would be smaller than the dictionary."""

_ASKED: Final = frozenset(
    "048c"
)  # one place in four, by its digest's last digit: more of what there is, in as many bytes
_JUDGED: Final = 8  # one in so many samples
_MOST_JUDGED: Final = 64  # which takes 5 ms
_SHARE: Final = 8  # of the samples, a dictionary is at most this part; else it would be the samples
_SEGMENT: Final = (
    1024  # octets that are kept or left together; the trainer's own search for it takes five times as long
)
_WORTH: Final = 0.9  # of what is left so far: a tenth less pays for the change
_COMPRESSIBLE: Final = (
    0.9  # of a body's bytes in its record; what is compressed already, as images are, teaches nothing
)

_WORSE: Final = 1.25  # times what was left at first: content has changed
_WINDOW: Final = 4 << 20  # octets between two comparisons


class Samples:
    """Octets to learn from, within ``budget`` bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: dict[str, bytes] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def are_enough(self) -> bool:
        """Say whether no more are wanted."""
        return self.size >= self._budget or len(self._kept) >= MOST_SAMPLES

    def want(self, place: str, body: int, record: int) -> bool:
        """Say whether something can be learned from what lies at a place: a body of so many bytes, in such a record."""
        if place[-1] not in _ASKED or self.are_enough:
            return False
        return record <= _COMPRESSIBLE * body and place not in self._kept

    def add(self, place: str, octets: bytes) -> None:
        """Take what lies at a place, if it is not too long to lean on anything."""
        if place not in self._kept and len(octets) <= LONGEST:
            self._kept[place] = octets
            self.size += len(octets)

    def all(self) -> list[bytes]:
        """Return them."""
        return list(self._kept.values())


@dataclass(frozen=True, slots=True)
class Trained:
    """A dictionary that is worth it, or None; and what was left of the samples so far, as a share of them."""

    dictionary: Dictionary | None
    standing: float

    def event(self, samples: int, seconds: float) -> DictionaryTrained:
        """Return what there is to tell of it."""
        if self.dictionary is None:
            return DictionaryTrained("", samples, self.standing, self.standing, seconds)
        return DictionaryTrained(self.dictionary.name.hex(), samples, self.dictionary.ratio, self.standing, seconds)


def train(samples: list[bytes], size: int, rival: Dictionary | None) -> Trained:
    """Train a dictionary of at most ``size`` bytes and compare it with the one in use, or with none.

    Takes 15 ms of CPU for each MiB; beside the loop, for it holds the interpreter's lock only for a few of them.
    """
    judged = samples[::_JUDGED][:_MOST_JUDGED]
    octets = sum(map(len, judged))
    left = _left_alone(judged) if rival is None else rival.left_of(judged)
    standing = left / max(1, octets)
    learned: list[bytes | bytearray | memoryview[int]] = [sample for at, sample in enumerate(samples) if at % _JUDGED]
    size = min(size, sum(map(len, samples)) // _SHARE)
    if len(samples) < LEAST_SAMPLES or size < 2 * _SEGMENT:
        return Trained(None, standing)
    try:
        content = zstandard.train_dictionary(size, learned, k=_SEGMENT, d=8).as_bytes()
        dictionary = Dictionary(published(content, judged))
    except (zstandard.ZstdError, BadDictionaryError):  # they have nothing in common, or nothing else
        return Trained(None, standing)
    return Trained(dictionary if dictionary.ratio < _WORTH * standing else None, standing)


class Drift:
    """Watches what is left of what leans on a dictionary, beside what was left at first."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._octets = self._left = 0

    def has_come(self, octets: int, left: int) -> bool:
        """Count one record, and say whether the last few were clearly worse. If so, that is what is expected from now on."""
        self._octets += octets
        self._left += left
        if self._octets < _WINDOW:
            return False
        ratio = self._left / self._octets
        self._octets = self._left = 0
        if not ratio > _WORSE * self._ratio:
            return False
        self._ratio = ratio
        return True


def _left_alone(samples: list[bytes]) -> int:
    compressor = zstandard.ZstdCompressor()
    return sum(len(compressor.compress(sample)) for sample in samples)
