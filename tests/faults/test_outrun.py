"""Short runs of the proofs in bench/: purges under load, a ledger that is lost, nothing left behind."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from leak import lived
from loss import evict, flush, lossy, promote
from outrun import crowded


async def test_no_read_is_older_than_a_purge_that_waited():
    crowd = await crowded(2, wait="5s", purges=40, readers=6, memory="64MiB", sidecars=2)
    assert crowd.stale == []
    assert crowd.hits > 0
    assert crowd.purges > crowd.unconfirmed


@pytest.mark.parametrize("trouble", [flush, evict, promote])
async def test_a_ledger_that_is_lost_revives_nothing(trouble):
    crowd = await lossy(trouble, times=1, purges=40, readers=6, sidecars=2)
    assert crowd.stale == []
    assert crowd.hits > 0
    assert crowd.purges > crowd.unconfirmed


async def test_nothing_is_left_of_what_no_entry_needs():
    left = await lived(200)
    assert left["during"]["endless"] == left["after"]["endless"] == []
    assert left["after"]["entries"] == 0
