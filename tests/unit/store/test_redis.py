"""What is particular to Redis: keys, times, records that are not ours, large ones."""

import os

import pytest
from nouns import a_key, a_response

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.message.stored import CacheKey, VaryRecord
from proxy.observe.events import StoreAnswered
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.codec import encode, encode_vary
from proxy.store.options import StoreOptions
from proxy.store.protocol import Found
from proxy.store.redis import RedisStore

KEY = a_key("GET /plans")
BASE = a_key("GET /vary")
PLACE = f"cache:response:{KEY.digest}"


@pytest.fixture
async def store(valkey, told):
    backplane = Backplane(BackplaneOptions(valkey.url), told)
    ledger = SharedLedger(backplane, "svc", PurgeOptions(), told)
    yield RedisStore(backplane, ledger, StoreOptions())
    await ledger.close()
    await backplane.close()


async def test_every_key_has_a_name_and_a_time(store, valkey):
    await store.save(KEY, a_response(), ttl=60.5, vary=(BASE, VaryRecord((b"accept",), (KEY.digest,))))

    assert 60_000 < int(valkey.command("PTTL", PLACE)[1:]) <= 60_500
    assert 60_000 < int(valkey.command("PTTL", f"cache:vary:{BASE.digest}")[1:]) <= 60_500
    assert valkey.command("DBSIZE") == b":2"


async def test_the_vary_records_time_only_ever_grows(store, valkey):
    for ttl, variants in ((60, ("a",)), (10, ("a", "b")), (90, ("a", "b", "c"))):
        await store.save(KEY, a_response(), ttl=ttl, vary=(BASE, VaryRecord((b"accept",), variants)))
        assert (await store.load(BASE)).vary.variants == variants
        assert int(valkey.command("PTTL", f"cache:vary:{BASE.digest}")[1:]) > (ttl if ttl != 10 else 50) * 1000 - 1000


@pytest.mark.parametrize("ttl", [0, -5, 0.0001])
async def test_what_has_no_time_is_not_kept(store, valkey, ttl):
    assert await store.save(KEY, a_response(), ttl=ttl) == 0
    assert valkey.command("DBSIZE") == b":0"


async def test_a_time_beyond_all_measure_is_cut(store, valkey):
    await store.save(KEY, a_response(), ttl=float("inf"))

    assert int(valkey.command("PTTL", PLACE)[1:]) > 9 * 365 * 86_400_000


async def test_the_bytes_it_says_are_the_bytes_it_takes(store, valkey):
    size = await store.save(KEY, a_response(b"a" * 50_000), ttl=60)

    assert size == int(valkey.command("STRLEN", PLACE)[1:]) < 1000


async def test_all_of_a_lookup_is_one_command(store, told):
    await store.load(KEY)

    assert len(told.of(StoreAnswered)) == 1


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"nonsense" * 10, id="nonsense"),
        pytest.param(encode(a_response(), KEY.material, 1024)[:-1], id="cut off"),
        pytest.param(encode_vary(VaryRecord((b"accept",)), KEY.material), id="of another kind"),
        pytest.param(encode(a_response(bytes(9 << 20)), KEY.material, 1 << 30), id="larger than may be stored"),
    ],
)
async def test_a_bad_record_is_a_miss_and_is_deleted(store, valkey, told, record):
    valkey.command("SET", PLACE, record)
    assert (await store.load(KEY)).entry is None
    assert valkey.command("EXISTS", PLACE) == b":0"

    valkey.command("SET", PLACE, record)
    assert (await store.load_variant(KEY, Found(None))).entry is None
    assert valkey.command("EXISTS", PLACE) == b":0"
    assert "bad record" in {event.failure for event in told.of(StoreAnswered)}


async def test_a_bad_vary_record_is_a_miss_and_is_deleted(store, valkey):
    valkey.command("SET", f"cache:vary:{KEY.digest}", "nonsense")

    assert (await store.load(KEY)).vary is None
    assert valkey.command("DBSIZE") == b":0"


async def test_a_record_of_other_material_is_a_miss_and_stays(store, valkey):
    await store.save(KEY, a_response(), ttl=60, vary=(KEY, VaryRecord((b"accept",))))
    collides = CacheKey(KEY.digest, b"other material")

    found = await store.load(collides)

    assert (found.entry, found.vary) == (None, None)
    assert (await store.load_variant(collides, Found(None))).entry is None
    assert (await store.load(KEY)).entry == a_response()


async def test_another_type_at_a_key_is_a_miss_and_is_overwritten(store, valkey):
    valkey.command("LPUSH", PLACE, "x")
    assert (await store.load(KEY)).entry is None

    await store.save(KEY, a_response(), ttl=60)
    assert (await store.load(KEY)).entry == a_response()


async def test_without_a_ledger_there_is_no_position(store, valkey):
    assert (await store.load(KEY)).seq is None

    valkey.command("SET", "cache:purge:{svc}:seq", "nonsense")
    with pytest.raises(StoreError):
        await store.load(KEY)


@pytest.mark.parametrize("body", [os.urandom(3 << 20), b"ab" * (3 << 20)], ids=["random", "repetitive"])
async def test_large_entries_are_worked_on_beside_the_loop(store, body):
    await store.save(KEY, a_response(body), ttl=60)

    assert (await store.load(KEY)).entry == a_response(body)


@pytest.fixture
async def full(own_valkey, told):
    """A store that has one entry and takes no more."""
    backplane = Backplane(BackplaneOptions(own_valkey.url), told)
    ledger = SharedLedger(backplane, "svc", PurgeOptions(), told)
    store = RedisStore(backplane, ledger, StoreOptions())
    await store.save(KEY, a_response(), ttl=60)
    own_valkey.command("CONFIG", "SET", "maxmemory", "1")
    yield store
    await ledger.close()
    await backplane.close()


async def test_a_full_redis_fails_the_saving_and_not_the_loading(full):
    with pytest.raises(StoreError, match="maxmemory"):
        await full.save(a_key("other"), a_response(), ttl=60)

    assert (await full.load(KEY)).entry == a_response()
    assert not full._backplane.is_open


async def test_a_full_redis_still_lets_go(full):
    with pytest.raises(StoreError, match="maxmemory"):
        await full.save(a_key("other"), a_response(), ttl=60, evict=[KEY.digest])

    assert (await full.load(KEY)).entry is None
