"""What of the windows is Redis' own. What they count is ``test_windows``'s."""

import pytest

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.popularity.sharedwindows import SharedWindows


async def test_a_store_that_is_away_is_an_error(own_valkey, told):
    backplane = Backplane(BackplaneOptions(own_valkey.url), told)
    counted = SharedWindows(backplane, "svc")
    await counted.add("plan", 60.0, [("0" * 32, 1)], 1000.0)
    own_valkey.kill()
    with pytest.raises(StoreError):
        await counted.add("plan", 60.0, [("0" * 32, 1)], 1000.0)
    with pytest.raises(StoreError):
        await counted.last("plan", 60.0, "0" * 32, 1000.0)
    await backplane.close()


async def test_where_nobody_has_spoken_for_a_minute_the_word_is_gone(valkey, told):
    backplane = Backplane(BackplaneOptions(valkey.url), told)
    counted = SharedWindows(backplane, "svc")
    await counted.add("plan", 60.0, (), 119.0)
    await counted.add("plan", 60.0, [("0" * 32, 7)], 121.0)
    assert await counted.last("plan", 60.0, "0" * 32, 185.0) == 7
    (since,) = await backplane.run("test", b"KEYS", b"*:since")
    await backplane.run("test", b"PEXPIRE", since, 0)
    assert await counted.last("plan", 60.0, "0" * 32, 185.0) is None
    await backplane.close()
