import pytest

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.service.redisfacts import asked


@pytest.fixture
async def backplane(own_valkey, told):
    backplane = Backplane(BackplaneOptions(url=own_valkey.url, timeout=2.0), told)
    yield backplane
    await backplane.close()


async def test_what_redis_says_of_itself(backplane, own_valkey):
    own_valkey.command("CONFIG", "SET", "maxmemory", "100mb")
    facts = await asked(backplane)
    assert facts.maxmemory == 100 << 20
    assert 0 < facts.used_memory < facts.maxmemory
    assert facts.connected_clients >= 1
    assert facts.evicted_keys == 0


async def test_silence_is_nothing_to_show(backplane, own_valkey):
    own_valkey.kill()
    assert await asked(backplane) is None


async def test_in_memory_there_is_nobody_to_ask():
    assert await asked(None) is None
