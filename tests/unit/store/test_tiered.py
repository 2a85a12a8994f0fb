"""Memory in front of a shared store: when it is trusted, and what replaces what."""

from __future__ import annotations

import asyncio
import math

import pytest
from clocks import Clock
from nouns import SEQ, a_key, a_response

from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.message.stored import Freshness, LifetimeSource, Uncacheable, VaryRecord
from proxy.purge.local import LocalLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from proxy.store.protocol import Found
from proxy.store.tiered import VARY_SECONDS, TieredStore

KEY, VARIANT = a_key("GET /plans"), a_key("GET /plans gzip")
KNOWN, SHARED = SEQ, Seq(SEQ.epoch, SEQ.n + 5)
NOW = 1001.0


class Knows:
    """A ledger as a tier sees it."""

    def __init__(self):
        self.old, self.seq = 0.1, KNOWN

    def age(self):
        return self.old

    def known(self):
        return self.seq


class Shared(MemoryStore):
    """What all share: counts who asks, may hold an answer back, may be away."""

    def __init__(self, clock):
        super().__init__(LocalLedger(), StoreOptions(), now=clock)
        self.asked, self.is_away, self.answer = 0, False, asyncio.Event()
        self.answer.set()

    async def load(self, key, *, shared=False):
        self.asked += 1
        if self.is_away:
            raise StoreError("away")
        found = Found(SHARED, self.vary(key), self.entry(key), "redis")
        await self.answer.wait()
        return found

    async def save(self, *arguments, **more):
        if self.is_away:
            raise StoreError("away")
        return await super().save(*arguments, **more)


class Room:
    def __init__(self, max_lag=0.25, on_store_failure="stale", budget=1 << 20):
        self.clock, self.ledger = Clock(NOW), Knows()
        self.shared = Shared(self.clock)
        memory = MemoryStore(LocalLedger(), StoreOptions(memory_size=budget), now=self.clock)
        self.store = TieredStore(memory, self.shared, self.ledger, max_lag, on_store_failure)


@pytest.fixture
def room():
    return Room()


async def test_what_was_saved_here_is_hot_at_once(room):
    await room.store.save(KEY, a_response(), ttl=60)

    assert await room.store.load(KEY) == Found(KNOWN, None, a_response(), "memory")
    assert room.shared.asked == 0
    assert room.shared.entry(KEY) == a_response()


async def test_what_another_saved_is_hot_after_one_look(room):
    await room.shared.save(KEY, a_response(), ttl=60)

    assert await room.store.load(KEY) == Found(SHARED, None, a_response(), "redis")
    assert await room.store.load(KEY) == Found(KNOWN, None, a_response(), "memory")
    assert room.shared.asked == 1


@pytest.mark.parametrize(
    ("max_lag", "age", "tier"),
    [
        pytest.param(0.25, 0.249, "memory", id="young enough"),
        pytest.param(0.25, 0.25, "redis", id="as old as that"),
        pytest.param(0.25, 9.0, "redis", id="old"),
        pytest.param(0.25, None, "redis", id="nothing was ever read"),
        pytest.param(0.0, 0.0, "redis", id="never trusted"),
    ],
)
async def test_memory_is_trusted_while_its_knowledge_of_purges_is_young(max_lag, age, tier):
    room = Room(max_lag)
    await room.store.save(KEY, a_response(), ttl=60)
    room.ledger.old, room.ledger.seq = age, None if age is None else KNOWN

    found = await room.store.load(KEY)

    assert (found.tier, found.seq) == (tier, KNOWN if tier == "memory" else SHARED)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        pytest.param(0.0, 0.25, id="just read"),
        pytest.param(0.2, 0.05, id="nearly as old as that"),
        pytest.param(9.0, -8.75, id="old"),
    ],
)
def test_it_says_until_when_memory_may_be_trusted(room, monkeypatch, age, seconds):
    monkeypatch.setattr("proxy.store.tiered.monotonic", lambda: 100.0)
    room.ledger.old = age
    assert room.store.trusted_until() == pytest.approx(100.0 + seconds)


def test_memory_may_never_be_trusted_before_anything_was_read(room):
    room.ledger.old = None
    assert room.store.trusted_until() == -math.inf


async def test_who_asks_for_what_all_share_gets_no_copy(room):
    await room.store.save(KEY, a_response(b"mine"), ttl=60)
    await room.shared.save(KEY, a_response(b"theirs"), ttl=60)

    assert (await room.store.load(KEY, shared=True)).entry.body == b"theirs"
    assert (await room.store.load(KEY)).entry.body == b"theirs"


async def test_what_all_share_no_longer_is_no_longer_hot(room):
    await room.store.save(KEY, a_response(), ttl=60, vary=(KEY, VaryRecord((b"accept",))))
    await room.shared.close()

    found = await room.store.load(KEY, shared=True)

    assert (found.entry, found.vary) == (None, None)
    assert (room.store.memory.entry(KEY), room.store.memory.vary(KEY)) == (None, None)


async def test_an_answer_that_was_overtaken_by_a_save_replaces_nothing(room):
    await room.shared.save(KEY, a_response(b"old"), ttl=60)
    room.shared.answer.clear()
    slow = asyncio.create_task(room.store.load(KEY))
    await asyncio.sleep(0)
    await room.store.save(KEY, a_response(b"new"), ttl=60, vary=(KEY, VaryRecord((b"accept",))))
    room.shared.answer.set()

    assert (await slow).entry.body == b"old"
    hot = await room.store.load(KEY)
    assert (hot.entry.body, hot.vary) == (b"new", VaryRecord((b"accept",)))


async def test_variants_are_hot_with_their_record(room):
    record = VaryRecord((b"accept",), (VARIANT.digest,))
    await room.shared.save(VARIANT, a_response(), ttl=60, vary=(KEY, record))
    for tier in ("redis", "memory"):
        base = await room.store.load(KEY)
        found = await room.store.load_variant(VARIANT, base)
        assert (base.tier, base.vary, found.tier, found.entry) == (tier, record, tier, a_response())


async def test_a_variant_that_is_not_hot_comes_with_a_position_of_its_own(room):
    record = VaryRecord((b"accept",), (VARIANT.digest,))
    await room.store.save(a_key("another"), a_response(), ttl=60, vary=(KEY, record))
    await room.shared.save(VARIANT, a_response(), ttl=60)

    found = await room.store.load_variant(VARIANT, await room.store.load(KEY))

    assert found == Found(SHARED, record, a_response(), "redis")


async def test_a_vary_record_that_came_from_all_is_asked_for_again(room):
    await room.shared.save(KEY, a_response(), ttl=3600, vary=(KEY, VaryRecord((b"accept",))))
    await room.store.load(KEY)
    room.clock.now += VARY_SECONDS

    assert (await room.store.load(KEY)).vary is None  # the entry alone; its own Vary is checked where it is used
    assert (await room.store.load(KEY, shared=True)).vary == VaryRecord((b"accept",))


@pytest.mark.parametrize(
    ("entry", "hot_for"),
    [
        pytest.param(a_response(), 300 - 2.5 + 3600, id="to the end of its windows"),
        pytest.param(a_response(freshness=Freshness(300.0, LifetimeSource.ROUTE)), 297.5, id="without windows"),
        pytest.param(a_response(expires_with_credential=NOW + 7), 7, id="to its credential's end"),
        pytest.param(a_response(freshness=Freshness(2.0, LifetimeSource.ROUTE)), 0, id="stale already"),
        pytest.param(Uncacheable("private", NOW + 9), 9, id="a mark"),
    ],
)
async def test_a_copy_is_held_while_it_is_of_use(room, entry, hot_for):
    await room.shared.save(KEY, entry, ttl=86400)
    await room.store.load(KEY)
    for later, tier in ((hot_for - 0.01, "memory"), (hot_for + 0.01, "redis")):
        room.clock.now = NOW + later
        room.shared.asked = 0
        await room.store.load(KEY)
        assert ("redis" if room.shared.asked else "memory") == (tier if hot_for else "redis")


async def test_memory_keeps_to_its_budget():
    room = Room(budget=10_000)
    for number in range(50):
        await room.store.save(a_key(str(number)), a_response(), ttl=60)
    assert 0 < room.store.memory.size <= 10_000
    await room.store.save(KEY, a_response(bytes(20_000)), ttl=60)

    assert (await room.store.load(KEY)).tier == "redis"
    assert (await room.store.load(KEY)).tier == "redis"


async def test_dropping_is_dropping_from_both(room):
    await room.store.save(KEY, a_response(), ttl=60)
    await room.store.drop(KEY.digest)

    assert (await room.store.load(KEY)).entry is None
    assert room.store.memory.entry(KEY) is None


class TestAway:
    """The shared store does not answer."""

    async def test_a_copy_says_for_how_long_nobody_has_heard_of_purges(self, room):
        await room.store.save(KEY, a_response(), ttl=60)
        room.shared.is_away, room.ledger.old = True, 7.0

        for shared in (False, True):
            assert await room.store.load(KEY, shared=shared) == Found(KNOWN, None, a_response(), "memory", 7.0)

    async def test_until_its_knowledge_is_old_nothing_is_different(self, room):
        await room.store.save(KEY, a_response(), ttl=60)
        room.shared.is_away = True

        assert (await room.store.load(KEY)).blind_for is None

    @pytest.mark.parametrize(
        ("on_store_failure", "age", "known", "entry"),
        [
            pytest.param("pass", 7.0, KNOWN, a_response(), id="the operator wants none"),
            pytest.param("stale", None, None, a_response(), id="nothing was ever read"),
            pytest.param("stale", 7.0, KNOWN, Uncacheable("private", 2000.0), id="a mark is no answer"),
            pytest.param("stale", 7.0, KNOWN, None, id="no copy"),
        ],
    )
    async def test_otherwise_nothing_is_found(self, on_store_failure, age, known, entry):
        room = Room(on_store_failure=on_store_failure)
        if entry is not None:
            await room.store.save(KEY, entry, ttl=60)
        room.shared.is_away, room.ledger.old, room.ledger.seq = True, age, known

        with pytest.raises(StoreError):
            await room.store.load(KEY)

    async def test_of_variants_only_those_in_memory(self, room):
        await room.store.save(VARIANT, a_response(), ttl=60, vary=(KEY, VaryRecord((b"accept",))))
        room.shared.is_away, room.ledger.old = True, 7.0
        base = await room.store.load(KEY)

        assert (await room.store.load_variant(VARIANT, base)).entry == a_response()
        with pytest.raises(StoreError):
            await room.store.load_variant(a_key("another"), base)

    async def test_what_is_saved_meanwhile_is_kept_here(self, room):
        room.shared.is_away, room.ledger.old = True, 7.0
        with pytest.raises(StoreError):
            await room.store.save(KEY, a_response(), ttl=60)

        assert (await room.store.load(KEY)).entry == a_response()
