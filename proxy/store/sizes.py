"""What an entry takes in this process, in bytes."""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, Final

from proxy.message.stored import StoredResponse, Uncacheable, VaryRecord

if TYPE_CHECKING:
    from proxy.message.stored import CacheKey

# Measured with tracemalloc: the entry's own objects, numbers, key and place in the store.
_FIXED: Final = 1100
# A field line once more in the index that Headers builds at the first look, and its share of the dict.
_INDEXED: Final = 190


def size_of(key: CacheKey, value: StoredResponse | Uncacheable | VaryRecord) -> int:
    """Return what keeping this takes, its place in the store included."""
    taken = _FIXED + getsizeof(key.material)
    match value:
        case StoredResponse():
            taken += getsizeof(value.body) + getsizeof(value.reason) + getsizeof(value.headers.lines)
            taken += sum(_of_strings(line) + _INDEXED for line in value.headers)
            taken += _of_strings(value.selectors)
            taken += getsizeof(value.vary) + sum(_of_strings(pair) for pair in value.vary)
        case Uncacheable():
            taken += getsizeof(value.reason)
        case VaryRecord():
            taken += _of_strings(value.fields) + _of_strings(value.variants)
    return taken


def _of_strings(strings: tuple[bytes | str | None, ...]) -> int:
    return getsizeof(strings) + sum(map(getsizeof, strings))
