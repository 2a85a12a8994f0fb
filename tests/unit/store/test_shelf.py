"""Where dictionaries lie in Redis: names, times, and what was planted there."""

import pytest
from alike import a_dictionary

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.store.dictionary import BadDictionaryError, name_of
from proxy.store.shelf import Shelf

PLACE = f"cache:dictionary:{a_dictionary().name.hex()}"
CURRENT = "cache:dictionary:svc:current"


@pytest.fixture
async def shelf(valkey, told):
    backplane = Backplane(BackplaneOptions(valkey.url), told)
    yield Shelf(backplane, "svc")
    await backplane.close()


def seconds_of(valkey, key):
    return int(valkey.command("PTTL", key)[1:]) / 1000


async def test_what_is_put_there_is_fetched_and_in_use(shelf, valkey):
    await shelf.put(a_dictionary(), 60)
    assert (await shelf.fetch(a_dictionary().name)).value == a_dictionary().value
    assert await shelf.current() == a_dictionary().name
    assert 59 < seconds_of(valkey, PLACE) <= 60
    assert 59 < seconds_of(valkey, CURRENT) <= 60
    assert valkey.command("DBSIZE") == b":2"


async def test_nothing_is_there_at_first(shelf):
    assert await shelf.fetch(a_dictionary().name) is None
    assert await shelf.current() is None
    assert await shelf.prolong(a_dictionary(), 60) == 0


async def test_its_time_only_ever_grows(shelf, valkey):
    await shelf.put(a_dictionary(), 60)
    for seconds, least in ((90, 89), (30, 88)):
        assert least < await shelf.prolong(a_dictionary(), seconds) <= 90
        await shelf.put(a_dictionary(), seconds)
        assert least < seconds_of(valkey, PLACE) <= 90


async def test_who_prolongs_says_again_which_is_in_use_where_that_is_forgotten(shelf, valkey):
    await shelf.put(a_dictionary(), 60)
    valkey.command("DEL", CURRENT)
    await shelf.prolong(a_dictionary(), 60)
    assert await shelf.current() == a_dictionary().name
    await shelf.prolong(a_dictionary("tariff"), 60)
    assert await shelf.current() == a_dictionary().name
    assert seconds_of(valkey, CURRENT) > 59


async def test_who_prolongs_makes_it_the_last_to_be_let_go(shelf, valkey):
    # Each reading is counted; what LRU goes by has steps of a second.
    valkey.command("CONFIG", "SET", "maxmemory-policy", "volatile-lfu", "lfu-log-factor", "0")
    try:
        await shelf.put(a_dictionary(), 600)
        before = int(valkey.command("OBJECT", "FREQ", PLACE)[1:])
        await shelf.prolong(a_dictionary(), 60)
        assert int(valkey.command("OBJECT", "FREQ", PLACE)[1:]) > before
    finally:
        valkey.command("CONFIG", "SET", "maxmemory-policy", "noeviction", "lfu-log-factor", "10")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(a_dictionary("tariff").value, id="another one"),
        pytest.param(a_dictionary().value[:-1], id="cut off"),
        pytest.param(a_dictionary().value + b"x", id="longer"),
        pytest.param(b"nonsense", id="nonsense"),
    ],
)
async def test_what_is_not_what_its_name_says_is_not_there_and_is_removed(shelf, valkey, value):
    valkey.command("SET", PLACE, value)
    assert await shelf.fetch(a_dictionary().name) is None
    assert valkey.command("EXISTS", PLACE) == b":0"


async def test_what_is_named_rightly_and_cannot_be_read_is_refused_and_stays(shelf, valkey):
    name = name_of(b"of a later build")
    valkey.command("SET", f"cache:dictionary:{name.hex()}", "of a later build")
    with pytest.raises(BadDictionaryError):
        await shelf.fetch(name)
    assert valkey.command("DBSIZE") == b":1"


async def test_no_more_is_read_than_a_dictionary_has(shelf, valkey):
    value = bytes(8 << 20)
    valkey.command("SET", f"cache:dictionary:{name_of(value).hex()}", value)
    assert await shelf.fetch(name_of(value)) is None


@pytest.mark.parametrize("name", ["", "nonsense", "00", "\xff" * 16, "0" * 18])
async def test_a_name_that_is_none_is_not_followed(shelf, valkey, name):
    valkey.command("SET", CURRENT, name)
    assert await shelf.current() is None


async def test_another_type_there_is_removed(shelf, valkey):
    valkey.command("LPUSH", PLACE, "x")
    assert await shelf.fetch(a_dictionary().name) is None
    assert valkey.command("DBSIZE") == b":0"


async def test_a_server_that_refuses_to_tell_has_nothing_removed(shelf, valkey):
    await shelf.put(a_dictionary(), 60)
    valkey.command("ACL", "SETUSER", "default", "-getrange")
    try:
        assert await shelf.fetch(a_dictionary().name) is None
    finally:
        valkey.command("ACL", "SETUSER", "default", "+getrange")
    assert (await shelf.fetch(a_dictionary().name)).name == a_dictionary().name


async def test_one_at_a_time_has_the_turn(shelf, valkey):
    assert await shelf.take_turn(60)
    assert not await shelf.take_turn(60)
    await shelf.rest(900)
    assert not await shelf.take_turn(60)
    assert 899 < seconds_of(valkey, "cache:dictionary:svc:turn") <= 900


async def test_services_have_turns_and_choices_of_their_own(shelf, valkey):
    other = Shelf(shelf._backplane, "other")
    await shelf.put(a_dictionary(), 60)
    assert await shelf.take_turn(60)
    assert await other.take_turn(60)
    assert await other.current() is None
    assert (await other.fetch(a_dictionary().name)).name == a_dictionary().name
