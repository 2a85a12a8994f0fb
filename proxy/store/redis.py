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
from proxy.store.dictionaries import Dictionaries
from proxy.store.leaning import UnknownDictionaryError
from proxy.store.learning import Learning
from proxy.store.protocol import Found, never
from proxy.store.records import BadRecordError
from proxy.store.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.message.stored import CacheKey, Uncacheable, VaryRecord
    from proxy.purge.shared import SharedLedger
    from proxy.store.options import StoreOptions
    from proxy.store.protocol import Told

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
        shelf = Shelf(backplane, ledger.service)
        self._known = Dictionaries(shelf, backplane.tasks)
        self._learning = Learning(shelf, self._known, options.dictionary, backplane.tasks, backplane.observer)

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read the base entry, the vary record and the ledger's position, all of one moment."""
        del shared  # nothing else is here
        return await _awaited(lambda told: self.ask(key, told))

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read one entry."""
        return await _awaited(lambda told: self.ask_variant(key, base, told))

    def ask(self, key: CacheKey, told: Told) -> None:
        """Read as ``load`` does."""
        places = (_response(key.digest), _vary(key.digest))
        self._lookups.ask(places, lambda values: self._found(key, None, values, told))

    def ask_variant(self, key: CacheKey, base: Found, told: Told) -> None:
        """Read as ``load_variant`` does; by MGET: unlike GET, nil for another type."""
        self._lookups.ask((_response(key.digest),), lambda values: self._found(key, base, values, told))

    async def save(  # noqa: PLR0913 - four of them by name
        self,
        key: CacheKey,
        entry: StoredResponse | Uncacheable,
        *,
        ttl: float,
        vary: tuple[CacheKey, VaryRecord] | None = None,
        evict: Sequence[str] = (),
        is_for_all: Callable[[], bool] = never,
    ) -> int:
        """Keep an entry and whatever goes with it, in one round trip."""
        milliseconds = int(min(ttl, _LONGEST) * 1000)
        if milliseconds <= 0:
            return 0
        if isinstance(entry, StoredResponse) and len(entry.body) >= _LARGE:
            record = await asyncio.to_thread(encode, entry, key.material, self._options.compress_above)
        else:
            record = self._learning.record_of(key, entry, ttl, self._options.compress_above, is_for_all)
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

    def _found(self, key: CacheKey, base: Found | None, values: list[bytes | None] | StoreError, told: Told) -> None:
        """Tell what these octets are; ``base`` is what was found for the base of a variant."""
        if isinstance(values, StoreError):
            told(values)
            return
        found: Found | Exception | None
        try:
            found = self._read_at_once(key, base, values)
        except BadRecordError:
            found = None  # it has to be removed, or its dictionary to be fetched
        except Exception as error:  # noqa: BLE001 - theirs who have asked, as if they had awaited it
            found = error
        if found is not None:
            told(found)
            return
        reading = self._backplane.tasks.start(self._read_with_care(key, base, values), "load")
        reading.add_done_callback(lambda _: told(_outcome(reading)))

    def _read_at_once(self, key: CacheKey, base: Found | None, values: list[bytes | None]) -> Found | None:
        """Read what takes no time, else None. Raises BadRecordError."""
        entry, vary = values[0], values[1] if base is None else None
        if (entry is not None and len(entry) >= _LARGE) or (vary is not None and len(vary) >= _LARGE):
            return None
        return _put_together(
            base,
            values,
            None if vary is None else decode_vary(vary, key.material),
            None if entry is None else decode(entry, key.material, self._options.max_body, self._known),
        )

    async def _read_with_care(self, key: CacheKey, base: Found | None, values: list[bytes | None]) -> Found:
        """Read what takes long, leans on a dictionary that is not at hand, or is to be removed."""
        entry, vary = values[0], values[1] if base is None else None
        return _put_together(
            base,
            values,
            None if vary is None else await self._read(_vary(key.digest), vary, self._decoding_vary(key)),
            None if entry is None else await self._read(_response(key.digest), entry, self._decoding(key)),
        )

    def _decoding(self, key: CacheKey) -> Callable[[bytes], StoredResponse | Uncacheable | None]:
        return lambda octets: decode(octets, key.material, self._options.max_body, self._known)

    def _decoding_vary(self, key: CacheKey) -> Callable[[bytes], VaryRecord | None]:
        return lambda octets: decode_vary(octets, key.material)

    async def _read(self, place: bytes, octets: bytes, decoding: Callable[[bytes], T | None]) -> T | None:
        try:
            if len(octets) >= _LARGE:
                return await asyncio.to_thread(decoding, octets)
            try:
                return decoding(octets)
            except UnknownDictionaryError as unknown:
                if await self._known.get_one(unknown.name) is None:
                    return None  # it stays: who has the dictionary may put it back
                return decoding(octets)
        except BadRecordError:
            self._backplane.tell("decode", "bad record")
        try:
            await self._backplane.run("drop", b"UNLINK", place)
        except StoreError:
            return None  # told by the backplane; the next load meets the record again
        return None


async def _awaited(ask: Callable[[Told], None]) -> Found:
    """Ask, and wait for what is told. Raises the error that is told."""
    waiting: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

    def told(found: Found | Exception) -> None:
        if waiting.done():  # who waited has left
            return
        if isinstance(found, Exception):
            waiting.set_exception(found)
        else:
            waiting.set_result(found)

    ask(told)
    return await waiting


def _outcome(reading: asyncio.Task[Found]) -> Found | Exception:
    if reading.cancelled():
        return StoreError("the reading of a record was given up")
    error = reading.exception()
    return reading.result() if not isinstance(error, Exception) else error


def _put_together(
    base: Found | None,
    values: list[bytes | None],
    vary: VaryRecord | None,
    entry: StoredResponse | Uncacheable | None,
) -> Found:
    """Return what was found: as read by itself, or a variant in the place of its base's entry."""
    if base is not None:
        return replace(base, entry=entry)
    seq = values[-1]
    return Found(None if seq is None else parse_seq(seq), vary, entry)


def _response(digest: str) -> bytes:
    return b"cache:response:" + digest.encode("ascii")


def _vary(digest: str) -> bytes:
    return b"cache:vary:" + digest.encode("ascii")
