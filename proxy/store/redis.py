"""In Redis, for all replicas."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from proxy.backplane.batch import Lookups, Saves
from proxy.message.errors import StoreError
from proxy.message.stored import StoredResponse
from proxy.purge.records import parse_seq
from proxy.store.codec import decode, decode_vary, encode, encode_vary
from proxy.store.protocol import Found
from proxy.store.records import BadRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.message.stored import CacheKey, Uncacheable, VaryRecord
    from proxy.purge.shared import SharedLedger
    from proxy.store.options import StoreOptions

T = TypeVar("T")

# Compressing and checking that much takes milliseconds, and runs without the interpreter's lock.
_LARGE: Final = 1024 * 1024
_LONGEST: Final = 10 * 365 * 86400.0


class RedisStore:
    """One record per entry, each with its own time; the ledger's position comes with every load."""

    name: Literal["redis"] = "redis"

    def __init__(self, backplane: Backplane, ledger: SharedLedger, options: StoreOptions) -> None:
        self._backplane = backplane
        self._lookups = Lookups(backplane, ledger.seq_key)
        self._saves = Saves(backplane)
        self._options = options

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read the base entry, the vary record and the ledger's position, all of one moment."""
        del shared  # nothing else is here
        places = (_response(key.digest), _vary(key.digest))
        entry, vary, seq = await self._lookups.read(places)
        return Found(
            seq=None if seq is None else parse_seq(seq),
            vary=None if vary is None else await self._read(places[1], vary, self._decoding_vary(key)),
            entry=None if entry is None else await self._read(places[0], entry, self._decoding(key)),
        )

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read one entry."""
        place = _response(key.digest)
        entry, _ = await self._lookups.read((place,))  # by MGET: unlike GET, nil for another type
        return replace(base, entry=None if entry is None else await self._read(place, entry, self._decoding(key)))

    async def save(
        self,
        key: CacheKey,
        entry: StoredResponse | Uncacheable,
        *,
        ttl: float,
        vary: tuple[CacheKey, VaryRecord] | None = None,
        evict: Sequence[str] = (),
    ) -> int:
        """Keep an entry and whatever goes with it, in one round trip."""
        milliseconds = int(min(ttl, _LONGEST) * 1000)
        if milliseconds <= 0:
            return 0
        if isinstance(entry, StoredResponse) and len(entry.body) >= _LARGE:
            record = await asyncio.to_thread(encode, entry, key.material, self._options.compress_above)
        else:
            record = encode(entry, key.material, self._options.compress_above)
        commands: list[Sequence[bytes | int]] = []
        if evict:
            commands.append((b"UNLINK", *map(_response, evict)))
        commands.append((b"SET", _response(key.digest), record, b"PX", milliseconds))
        if vary is not None:
            place, octets = _vary(vary[0].digest), encode_vary(vary[1], vary[0].material)
            # Older variants may live longer than this one, so its time only ever grows; and whatever the server has
            # read of these when the connection breaks, no key is left without a time.
            commands += (
                (b"SET", place, octets, b"PX", milliseconds, b"NX"),
                (b"SET", place, octets, b"XX", b"KEEPTTL"),
                (b"PEXPIRE", place, milliseconds, b"GT"),
            )
        await self._saves.run(commands, len(record))
        return len(record)

    async def drop(self, *digests: str) -> None:
        """Remove these entries."""
        if digests:
            await self._backplane.run("drop", b"UNLINK", *map(_response, digests))

    async def close(self) -> None:
        """Nothing is held here; the backplane is closed by who opened it."""

    def _decoding(self, key: CacheKey) -> Callable[[bytes], StoredResponse | Uncacheable | None]:
        return lambda octets: decode(octets, key.material, self._options.max_body)

    def _decoding_vary(self, key: CacheKey) -> Callable[[bytes], VaryRecord | None]:
        return lambda octets: decode_vary(octets, key.material)

    async def _read(self, place: bytes, octets: bytes, decoding: Callable[[bytes], T | None]) -> T | None:
        try:
            if len(octets) < _LARGE:
                return decoding(octets)
            return await asyncio.to_thread(decoding, octets)
        except BadRecordError:
            self._backplane.tell("decode", "bad record")
        try:
            await self._backplane.run("drop", b"UNLINK", place)
        except StoreError:
            return None  # told by the backplane; the next load meets the record again
        return None


def _response(digest: str) -> bytes:
    return b"cache:response:" + digest.encode("ascii")


def _vary(digest: str) -> bytes:
    return b"cache:vary:" + digest.encode("ascii")
