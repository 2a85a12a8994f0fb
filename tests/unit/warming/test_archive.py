"""What the last runs came to: in one process, and in Redis for all."""

from __future__ import annotations

import pytest
from servers import Told

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.warming.archive import KEPT, OwnArchive, SharedArchive
from proxy.warming.asking import Asked, Result
from proxy.warming.runs import Run


@pytest.fixture(params=["own", "shared"])
async def archive(request, valkey):
    if request.param == "own":
        yield OwnArchive()
        return
    backplane = Backplane(BackplaneOptions(valkey.url), Told())
    yield SharedArchive(backplane, "archived")
    await backplane.close()


def a_run(warmed=0, failed=0, error=""):
    run = Run("plans", "schedule", "done", total=warmed + failed, began=0.0, ended=1.5, error=error)
    for _ in range(warmed):
        run.count(Asked(Result.WARMED))
    for _ in range(failed):
        run.count(Asked(Result.FAILED, "status-500"))
    return run


async def test_nothing_is_known_at_first(archive):
    assert await archive.of([]) == {}
    assert await archive.of(["plans"]) == {"plans": {"last_run": None, "total_items_warmed": 0, "errors": 0}}


async def test_totals_grow_as_runs_end_and_the_last_run_is_shown(archive):
    await archive.note(a_run(3, 1), ended=False)
    assert (await archive.of(["plans"]))["plans"]["total_items_warmed"] == 0
    await archive.note(a_run(3, 1), ended=True)
    await archive.note(a_run(2, error="the list is not JSON"), ended=True)
    shown = (await archive.of(["plans", "other"]))["plans"]
    assert (shown["total_items_warmed"], shown["errors"]) == (5, 2)
    assert shown["last_run"] == a_run(2, error="the list is not JSON").as_dict()
    assert shown["last_run"]["seconds"] == 1.5


async def test_what_is_in_redis_ends_by_itself(valkey):
    backplane = Backplane(BackplaneOptions(valkey.url), Told())
    await SharedArchive(backplane, "archived").note(a_run(1), ended=False)
    assert KEPT - 5 < int(valkey.command("TTL", "cache:stats:archived:warm:plans")[1:]) <= KEPT
    assert valkey.command("DBSIZE") == b":1"
    await backplane.close()
