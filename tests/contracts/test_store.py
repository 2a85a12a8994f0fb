"""What every store does: one suite for the one in memory, the one in Redis, and memory in front of Redis."""

import pytest
from nouns import a_key, a_response

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.headers import Headers
from proxy.message.stored import CacheKey, Freshness, LifetimeSource, Uncacheable, VaryRecord
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from proxy.store.redis import RedisStore
from proxy.store.tiered import TieredStore

KEY = a_key("GET /plans")


class Room:
    """A store with its ledger."""

    def __init__(self, store, ledger):
        self.store = store
        self.ledger = ledger


@pytest.fixture(params=["memory", "redis", "tiered", "tiered without trust"])
async def room(request, told):
    if request.param == "memory":
        ledger = LocalLedger()
        store = MemoryStore(ledger, StoreOptions(), now=lambda: 1000.0)
        yield Room(store, ledger)
        await store.close()
        return
    backplane = Backplane(BackplaneOptions(request.getfixturevalue("valkey").url), told)
    ledger = SharedLedger(backplane, "contract", PurgeOptions(), told)
    await ledger.start()
    store = RedisStore(backplane, ledger, StoreOptions())
    if request.param != "redis":
        memory = MemoryStore(ledger, StoreOptions(), now=lambda: 1000.0)
        max_lag = 0.0 if request.param.endswith("trust") else 3600.0
        store = TieredStore(memory, store, ledger, max_lag, "stale")
    yield Room(store, ledger)
    await ledger.close()
    await backplane.close()


async def read_variant(store, key):
    """What is found under a variant's own key, after nothing was found under its base."""
    return (await store.load_variant(key, await store.load(a_key("a base of its own")))).entry


@pytest.fixture
def store(room):
    return room.store


async def test_it_has_a_name(store):
    assert store.name in {"memory", "redis"}


async def test_nothing_is_found_where_nothing_was_saved(room):
    found = await room.store.load(KEY)

    assert (found.entry, found.vary) == (None, None)
    assert found.seq == await room.ledger.position()
    assert await read_variant(room.store, KEY) is None


async def test_the_ledgers_position_comes_with_every_lookup(room):
    await room.store.save(KEY, a_response(), ttl=60)
    before = (await room.store.load(KEY)).seq

    at = await room.ledger.purge(["tag:plans"], soft=False, now=2000.0)

    assert (await room.store.load(KEY)).seq == at != before


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(a_response(), id="usual"),
        pytest.param(a_response(b""), id="without a body"),
        pytest.param(a_response(bytes(range(256)) * 100), id="binary"),
        pytest.param(a_response(status=999, reason=b"", headers=Headers()), id="bare"),
        pytest.param(
            a_response(
                freshness=Freshness(0.0, LifetimeSource.NONE, 0.0, 0.0, must_revalidate=True, always_validate=True),
                vary=((b"accept-encoding", b"gzip"), (b"accept", None), (b"x", b"")),
                expires_with_credential=0.0,
                selectors=("user:é", "tag:\udcff", "all"),
            ),
            id="with everything",
        ),
        pytest.param(Uncacheable("private", 1120.0), id="mark"),
    ],
)
async def test_what_is_saved_is_found(store, entry):
    assert await store.save(KEY, entry, ttl=60) > 0

    assert (await store.load(KEY)).entry == entry
    assert await read_variant(store, KEY) == entry


async def test_saving_again_replaces(store):
    await store.save(KEY, a_response(b"old"), ttl=60)
    await store.save(KEY, Uncacheable("private", 1.0), ttl=60)
    await store.save(KEY, a_response(b"new"), ttl=60)

    assert (await store.load(KEY)).entry.body == b"new"


async def test_a_vary_record_is_read_with_the_base_and_not_as_an_entry(store):
    variant, record = (
        a_key("GET /plans gzip"),
        VaryRecord((b"accept", b"accept-encoding"), (a_key("GET /plans gzip").digest,)),
    )
    await store.save(variant, a_response(), ttl=60, vary=(KEY, record))

    found = await store.load(KEY)

    assert (found.vary, found.entry) == (record, None)
    assert await read_variant(store, variant) == a_response()


async def test_a_vary_record_is_replaced_by_the_next(store):
    for number in range(3):
        record = VaryRecord((b"accept",), tuple(f"{n:032x}" for n in range(number + 1)))
        await store.save(a_key(str(number)), a_response(), ttl=60, vary=(KEY, record))

    assert len((await store.load(KEY)).vary.variants) == 3


async def test_saving_evicts_what_it_is_told_to_and_keeps_what_it_saves(store):
    old, new = a_key("old"), a_key("new")
    await store.save(old, a_response(), ttl=60)
    await store.save(new, a_response(b"1"), ttl=60)

    await store.save(new, a_response(b"2"), ttl=60, evict=[old.digest, new.digest, a_key("none").digest])

    assert await read_variant(store, old) is None
    assert (await read_variant(store, new)).body == b"2"


async def test_dropping_removes_entries_and_leaves_vary_records(store):
    await store.save(KEY, a_response(), ttl=60, vary=(KEY, VaryRecord((b"accept",))))
    await store.save(a_key("other"), a_response(), ttl=60)

    await store.drop()
    await store.drop(KEY.digest, a_key("other").digest, a_key("none").digest)

    found = await store.load(KEY)
    assert (found.entry, found.vary) == (None, VaryRecord((b"accept",)))
    assert await read_variant(store, a_key("other")) is None


async def test_other_material_under_the_same_digest_is_not_found(store):
    await store.save(KEY, a_response(), ttl=60, vary=(KEY, VaryRecord((b"accept",))))

    found = await store.load(CacheKey(KEY.digest, b"something else"))

    assert (found.entry, found.vary) == (None, None)
    assert (await store.load(KEY)).entry == a_response()


async def test_what_has_no_time_left_is_not_kept(store):
    assert await store.save(KEY, a_response(), ttl=0) == 0
    assert (await store.load(KEY)).entry is None


async def test_closing_twice_is_harmless(store):
    await store.close()
    await store.close()
