"""What an entry takes in this process, in bytes.

Measured as the growth of a process (tests/unit/store/test_sizes.py): objects as Python allocates them, in steps of 16
bytes. A response is counted with the index that Headers builds when it is first looked at. One that nobody looks at takes
up to a quarter less; but of those only few are kept (``s3fifo``).
"""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, Final

from proxy.message.stored import StoredResponse, Uncacheable, VaryRecord

if TYPE_CHECKING:
    from proxy.message.stored import CacheKey

# Its place: Kept, digest, times, its slots in the dict of the store, and what is remembered of those that left.
_PLACE: Final = 340
_RESPONSE: Final = 640  # its objects and numbers
_MARK: Final = 35
_VARY: Final = 95
_OCTETS: Final = 41  # a bytes object beside its octets
_ROUND: Final = 8  # what the steps add to an object, on average
_SLOT: Final = 8  # in a tuple
_LINE: Final = 160  # a field's tuple, the index's tuple and share of its dict
_PAIR: Final = 64


def size_of(key: CacheKey, value: StoredResponse | Uncacheable | VaryRecord) -> int:
    """Return what keeping this takes, its place in the store included."""
    taken = _PLACE + _OCTETS + len(key.material)
    match value:
        case StoredResponse():
            lines = value.headers.lines
            taken += _RESPONSE + len(value.body) + len(value.reason) + 2 * _OCTETS
            names = b"".join([name for name, _ in lines])
            taken += len(names) + sum([len(field) for _, field in lines])
            if not names.islower():  # then the index has copies of its own
                taken += len(names) + len(lines) * _OCTETS
            taken += len(lines) * (_LINE + 2 * _OCTETS + _SLOT)
            taken += _of_texts(value.selectors)
            for name, field in value.vary:
                taken += _PAIR + _SLOT + 2 * _OCTETS + len(name) + (0 if field is None else len(field))
        case Uncacheable():
            taken += _MARK + getsizeof(value.reason)
        case VaryRecord():
            taken += _VARY + sum(map(len, value.fields)) + len(value.fields) * (_OCTETS + _SLOT)
            taken += _of_texts(value.variants)
    return taken


def _of_texts(texts: tuple[str, ...]) -> int:
    return sum(map(getsizeof, texts)) + len(texts) * (_ROUND + _SLOT)
