import pytest
from clocks import Clock
from nouns import a_key, a_response

from proxy.message.stored import VaryRecord
from proxy.purge.local import LocalLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from proxy.store.sizes import size_of


@pytest.fixture
def clock():
    return Clock(1000.0)


def a_store(clock, budget):
    return MemoryStore(LocalLedger(), StoreOptions(memory_size=budget), now=clock)


def room_for(count):
    return count * size_of(a_key("0"), a_response())


async def test_the_least_recently_used_goes_first(clock):
    store = a_store(clock, room_for(3))
    for name in "012":
        await store.save(a_key(name), a_response(), ttl=60)
    await store.load(a_key("0"))

    await store.save(a_key("3"), a_response(), ttl=60)

    held = [name for name in "0123" if (await store.load(a_key(name))).entry]
    assert held == ["0", "2", "3"]
    assert store.evictions == 1


async def test_the_budget_is_never_exceeded_and_what_leaves_is_no_longer_counted(clock):
    store = a_store(clock, 100_000)
    for number in range(300):
        body = b"x" * (number * 97 % 5000)
        vary = (a_key(f"v{number % 7}"), VaryRecord((b"accept",), (a_key(str(number)).digest,)))
        await store.save(a_key(str(number % 50)), a_response(body), ttl=60, vary=vary)
        assert store.size <= 100_000
    assert store.evictions

    for number in range(50):
        await store.drop(a_key(str(number)).digest)
    assert store.size == sum(kept.size for kept in (*store._responses.values(), *store._varies.values()))
    await store.close()
    assert (store.size, len(store)) == (0, 0)


async def test_what_is_larger_than_the_whole_budget_is_not_kept_and_drives_nothing_out(clock):
    store = a_store(clock, room_for(2))
    await store.save(a_key("0"), a_response(), ttl=60)
    await store.save(a_key("1"), a_response(), ttl=60)

    assert await store.save(a_key("1"), a_response(b"x" * room_for(2)), ttl=60) == 0

    assert (await store.load(a_key("0"))).entry is not None
    assert (await store.load(a_key("1"))).entry is None  # the older answer is not the answer any more


async def test_an_entry_whose_time_has_ended_is_gone_with_its_bytes(clock):
    store = a_store(clock, room_for(3))
    await store.save(a_key("0"), a_response(), ttl=60)

    clock.now += 59.9
    assert (await store.load(a_key("0"))).entry is not None
    clock.now += 0.1
    assert (await store.load(a_key("0"))).entry is None
    assert store.size == 0


async def test_entries_are_kept_as_they_are(clock):
    store = a_store(clock, room_for(3))
    entry = a_response()
    await store.save(a_key("0"), entry, ttl=60)

    assert (await store.load(a_key("0"))).entry is entry


async def test_a_vary_record_lives_as_long_as_its_longest_variant(clock):
    store = a_store(clock, room_for(9))
    base = a_key("base")
    await store.save(a_key("long"), a_response(), ttl=100, vary=(base, VaryRecord((b"accept",), ("long",))))
    await store.save(a_key("short"), a_response(), ttl=10, vary=(base, VaryRecord((b"accept",), ("long", "short"))))

    clock.now += 50
    assert (await store.load(base)).vary.variants == ("long", "short")
    clock.now += 50
    assert (await store.load(base)).vary is None


async def test_what_is_found_under_a_digest_is_the_entry_until_its_time_ends(clock):
    store = a_store(clock, room_for(3))
    key, entry = a_key("0"), a_response()
    await store.save(key, entry, ttl=60, vary=(a_key("base"), VaryRecord((b"accept",), (key.digest,))))

    kept = store.find(key.digest)
    assert (kept.value, kept.material, kept.ends, kept.rendered) == (entry, key.material, 1060.0, None)
    assert store.find(a_key("base").digest) is None
    assert store.find_vary(key.digest) is None
    assert store.find_vary(a_key("base").digest).value.variants == (key.digest,)

    clock.now += 60
    assert store.find(key.digest) is None
    assert store.find_vary(a_key("base").digest) is None
    assert (store.size, len(store)) == (0, 0)


class Rendered:
    """Counts how often it was told that its entry has gone."""

    def __init__(self):
        self.forgettings = 0

    def forgotten(self):
        self.forgettings += 1


async def test_what_is_remembered_with_an_entry_counts_and_is_forgotten_with_it(clock):
    store = a_store(clock, room_for(2))
    await store.save(a_key("0"), a_response(), ttl=60)
    kept = store.find(a_key("0").digest)
    bare, one, other = store.size, Rendered(), Rendered()

    assert store.dress(kept, one, 300)
    assert (kept.rendered, kept.size, store.size) == (one, bare + 300, bare + 300)
    assert store.dress(kept, one, 400)
    assert (kept.rendered, store.size, one.forgettings) == (one, bare + 400, 0)
    assert store.dress(kept, other, 200)
    assert (kept.rendered, kept.size, store.size) == (other, bare + 200, bare + 200)
    assert store.find(a_key("0").digest).rendered is other
    assert (one.forgettings, other.forgettings) == (1, 0)

    await store.save(a_key("0"), a_response(), ttl=60)
    assert (store.find(a_key("0").digest).rendered, kept.rendered, store.size) == (None, None, bare)
    assert other.forgettings == 1


async def test_what_is_remembered_can_be_forgotten_alone(clock):
    store = a_store(clock, room_for(2))
    await store.save(a_key("0"), a_response(), ttl=60)
    kept, rendered = store.find(a_key("0").digest), Rendered()
    bare = store.size
    store.dress(kept, rendered, 300)

    store.undress(kept)
    store.undress(kept)

    assert (kept.rendered, kept.size, store.size, rendered.forgettings) == (None, bare, bare, 1)


@pytest.mark.parametrize("leave", ["drop", "close", "time"])
async def test_what_leaves_takes_what_is_remembered_along(clock, leave):
    store = a_store(clock, room_for(2))
    await store.save(a_key("0"), a_response(), ttl=60)
    kept, rendered = store.find(a_key("0").digest), Rendered()
    store.dress(kept, rendered, 300)
    if leave == "drop":
        await store.drop(a_key("0").digest)
    elif leave == "close":
        await store.close()
    else:
        clock.now += 61
        store.find(a_key("0").digest)

    assert (rendered.forgettings, store.size) == (1, 0)
    assert not store.dress(kept, rendered, 300)
    assert (kept.rendered, store.size) == (None, 0)


async def test_what_would_not_fit_with_its_entry_is_not_remembered(clock):
    store = a_store(clock, room_for(1))
    await store.save(a_key("0"), a_response(), ttl=60)
    kept = store.find(a_key("0").digest)

    assert not store.dress(kept, Rendered(), 1)

    assert kept.rendered is None
    assert store.find(a_key("0").digest) is kept


async def test_to_remember_something_drives_others_out_where_there_is_no_room(clock):
    store = a_store(clock, room_for(2))
    await store.save(a_key("0"), a_response(), ttl=60)
    await store.save(a_key("1"), a_response(), ttl=60)
    kept, rendered = store.find(a_key("1").digest), Rendered()

    store.dress(kept, rendered, 1)

    assert store.find(a_key("0").digest) is None
    assert store.find(a_key("1").digest).rendered is rendered
    assert store.evictions == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("another", id="another takes its place"),
        pytest.param("gone", id="none takes its place"),
        pytest.param("time", id="its time ends"),
        pytest.param("room", id="it makes room"),
        pytest.param("close", id="everything goes"),
    ],
)
async def test_what_changes_a_vary_record_counts_up(clock, change):
    store, base = a_store(clock, room_for(3)), a_key("base")
    record = VaryRecord((b"accept",), ("one",))
    store.hold_vary(base, record, 60)
    before = store.varied
    match change:
        case "another":
            store.hold_vary(base, record, 60)
        case "gone":
            store.hold_vary(base, None, 0)
        case "time":
            clock.now += 61
            store.find_vary(base.digest)
        case "room":
            for number in range(9):
                await store.save(a_key(f"{number}"), a_response(), ttl=60)
        case "close":
            await store.close()

    assert store.varied > before


async def test_what_changes_a_response_changes_no_vary_record(clock):
    store = a_store(clock, room_for(2))
    for number in range(9):
        await store.save(a_key(f"{number}"), a_response(), ttl=60)
    await store.drop(a_key("8").digest)

    assert store.varied == 0
