"""Purges are gathered by the quarter of a second of the ledger's time in which they fell."""

from __future__ import annotations

import pytest
from servers import until

from proxy.message.selectors import EVERYTHING, Seq
from proxy.warming import purges
from proxy.warming.purges import QUARTER, Gathering


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(purges, "GATHERED_FOR", 0.01)
    return []


async def test_those_of_one_quarter_are_told_together(told):
    gathering = Gathering(lambda quarter, selectors: told.append((quarter, sorted(selectors))))
    gathering.heard(["tag:a"], Seq("e", 7 * QUARTER))
    gathering.heard(["tag:b", "tag:a"], Seq("e", 8 * QUARTER - 1))
    gathering.heard(["tag:c"], Seq("e", 8 * QUARTER))
    assert told == []
    await until(lambda: len(told) == 2)
    assert told == [(7, ["tag:a", "tag:b"]), (8, ["tag:c"])]
    gathering.heard(["tag:d"], Seq("e", 7 * QUARTER + 1))  # a late one begins anew
    await until(lambda: len(told) == 3)
    assert told[2] == (7, ["tag:d"])


async def test_very_many_count_as_everything(told, monkeypatch):
    monkeypatch.setattr(purges, "MOST", 3)
    gathering = Gathering(lambda quarter, selectors: told.append(selectors))
    gathering.heard(["a", "b", "c", "d"], Seq("e", 1))
    await until(lambda: told)
    assert told == [{EVERYTHING}]


async def test_at_the_end_nothing_is_told_any_more(told):
    gathering = Gathering(lambda quarter, selectors: told.append(selectors))
    gathering.heard(["a"], Seq("e", 1))
    (timer,) = gathering._timers
    gathering.close()
    gathering.close()
    assert timer.cancelled()
    assert told == []
