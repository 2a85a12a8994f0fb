"""Reads in windows by the clock: one suite for those of one process and those in Redis."""

import hashlib

import pytest

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.popularity import sharedwindows, windows
from proxy.popularity.sharedwindows import SharedWindows
from proxy.popularity.windows import SILENCE, OwnWindows

HOUR = 3600.0
NINE = 500_000 * HOUR


def digest(name):
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


A, B = digest("a"), digest("b")


@pytest.fixture(params=["memory", "redis"])
async def counted(request, told):
    if request.param == "memory":
        yield OwnWindows()
        return
    backplane = Backplane(BackplaneOptions(request.getfixturevalue("valkey").url), told)
    yield SharedWindows(backplane, "svc")
    await backplane.close()


async def speaks_until(counted, end, start=NINE - 10, route="plan"):
    """Somebody counts, and says so often enough."""
    now = start
    while now < end:
        await counted.add(route, HOUR, (), now)
        now += SILENCE / 2


async def test_before_a_window_was_seen_nobody_knows(counted):
    assert await counted.last("plan", HOUR, A, NINE) is None
    await counted.add("plan", HOUR, [(A, 5)], NINE + 100)
    assert await counted.last("plan", HOUR, A, NINE + 200) is None, "this hour is not over"
    await speaks_until(counted, NINE + 2 * HOUR, NINE + 130)
    assert await counted.last("plan", HOUR, A, NINE + HOUR + 1) is None, "it was not seen from its beginning"


async def test_what_was_read_in_the_last_full_window(counted):
    await speaks_until(counted, NINE + HOUR)
    await counted.add("plan", HOUR, [(A, 5), (B, 1)], NINE + 100)
    await counted.add("plan", HOUR, [(A, 7)], NINE + 3599)
    await counted.add("plan", HOUR, [(A, 100)], NINE + 3601)
    at = NINE + HOUR + 1
    assert await counted.last("plan", HOUR, A, at) == 12
    assert await counted.last("plan", HOUR, B, at) == 1
    assert await counted.last("plan", HOUR, digest("c"), at) == 0
    assert await counted.last("plan", 2 * HOUR, A, at) is None, "windows of another length"
    assert await counted.last("other", HOUR, A, at) is None, "another route"


async def test_the_window_after_counts_for_itself(counted):
    await speaks_until(counted, NINE + 2 * HOUR)
    await counted.add("plan", HOUR, [(A, 5)], NINE + 100)
    await counted.add("plan", HOUR, [(A, 100)], NINE + HOUR + 100)
    assert await counted.last("plan", HOUR, A, NINE + 2 * HOUR) == 100
    assert await counted.last("plan", HOUR, A, NINE + HOUR) in {0, 5}, "the one before may be gone"


async def test_beyond_the_bound_nobody_knows_and_nothing_is_forgotten(counted, monkeypatch):
    monkeypatch.setattr(windows, "MOST", 3)
    monkeypatch.setattr(sharedwindows, "MOST", 3)
    await speaks_until(counted, NINE + HOUR)
    names = [name for name in (digest(str(number)) for number in range(2000)) if name[0] == "7"][:20]
    for name in names:
        await counted.add("plan", HOUR, [(name, 2)], NINE + 10)
    await counted.add("plan", HOUR, [(names[0], 3)], NINE + 20)
    at = NINE + HOUR + 1
    assert [await counted.last("plan", HOUR, name, at) for name in names] == [5, 2, 2] + [None] * 17


async def test_after_a_silence_a_window_counts_as_not_seen():
    counted = OwnWindows()
    await counted.add("plan", HOUR, (), NINE - 10)
    await counted.add("plan", HOUR, [(A, 5)], NINE + SILENCE + 1)
    await speaks_until(counted, NINE + HOUR, NINE + SILENCE + 10)
    assert await counted.last("plan", HOUR, A, NINE + HOUR) is None


@pytest.fixture
async def shared(valkey, told):
    backplane = Backplane(BackplaneOptions(valkey.url), told)
    yield SharedWindows(backplane, "svc")
    await backplane.close()


async def test_every_key_ends_by_itself_and_none_holds_what_a_user_wrote(shared):
    await shared.add("plan", HOUR, [(digest(str(number)), 1) for number in range(100)], NINE + 1)
    keys = await shared._backplane.run("test", b"KEYS", b"*")
    assert len(keys) == 17
    for key in keys:
        assert key.startswith(b"cache:popular:svc:window:{plan:3600}:")
        left = await shared._backplane.run("test", b"PTTL", key)
        assert 0 < left <= (SILENCE * 1000 if key.endswith(b":since") else 2 * HOUR * 1000)


async def test_two_processes_count_together(valkey, told, shared):
    other_plane = Backplane(BackplaneOptions(valkey.url), told)
    other = SharedWindows(other_plane, "svc")
    await speaks_until(shared, NINE + HOUR)
    await shared.add("plan", HOUR, [(A, 600)], NINE + 1)
    await other.add("plan", HOUR, [(A, 401)], NINE + 2)
    assert await other.last("plan", HOUR, A, NINE + HOUR + 1) == 1001
    await other_plane.close()


async def test_more_entries_than_one_script_takes(shared, monkeypatch):
    monkeypatch.setattr(sharedwindows, "_AT_ONCE", 3)
    await speaks_until(shared, NINE + HOUR)
    names = [digest(str(number)) for number in range(200)]
    await shared.add("plan", HOUR, [(name, number) for number, name in enumerate(names)], NINE + 1)
    assert [await shared.last("plan", HOUR, name, NINE + HOUR) for name in names] == list(range(200))
