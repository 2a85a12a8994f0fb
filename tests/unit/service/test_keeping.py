"""What is kept where: one choice for everything, so that no replica keeps one thing to itself and shares another."""

from __future__ import annotations

from dataclasses import fields

import pytest

from proxy.observe.observers import Fanout
from proxy.service.keeping import kept_by
from proxy.settings import load_settings

RULES = "version: 1\nservice: unit\nupstream: {url: 'http://127.0.0.1:1'}\n"
REDIS = {"backplane": "Backplane", "ledger": "SharedLedger", "ranking": "SharedRanking", "windows": "SharedWindows"}
REDIS |= {"archive": "SharedArchive", "turns": "SharedTurns"}


@pytest.fixture
def kinds(told):
    def of(rules, store_url=None):
        kept = kept_by(load_settings(RULES + rules), store_url, lambda: 1000.0, Fanout((told,), print))
        return kept, {field.name: type(getattr(kept, field.name)).__name__ for field in fields(kept)}

    return of


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(
            "store: {url: 'memory://'}",
            {
                "backplane": "NoneType",
                "ledger": "LocalLedger",
                "store": "MemoryStore",
                "ranking": "OwnRanking",
                "windows": "OwnWindows",
                "archive": "OwnArchive",
                "turns": "OwnTurns",
            },
            id="all of it in this process",
        ),
        pytest.param(
            "store: {url: 'redis://127.0.0.1:1'}", REDIS | {"store": "TieredStore"}, id="in Redis, behind memory"
        ),
        pytest.param(
            "store: {url: 'redis://127.0.0.1:1'}\nmemory: {max_size: 0}",
            REDIS | {"store": "RedisStore"},
            id="in Redis only",
        ),
    ],
)
async def test_everything_is_kept_in_the_same_place(kinds, rules, expected):
    assert kinds(rules)[1] == expected


@pytest.mark.parametrize(("size", "trusted"), [("1MiB", 7.0), ("0", 0.0)], ids=["a hot tier", "none"])
async def test_a_ledger_is_trusted_for_as_long_as_a_hot_tier_is(kinds, size, trusted):
    kept, _ = kinds(f"store: {{url: 'redis://127.0.0.1:1'}}\nmemory: {{max_size: {size}, max_lag: 7s}}")
    assert kept.ledger._calls.max_lag == trusted


async def test_an_embedded_server_is_reached_where_it_was_started(kinds):
    kept, _ = kinds("store: {url: 'redis://127.0.0.1:1'}", "unix:///run/of-its-own.sock")
    assert kept.backplane._options.url == "unix:///run/of-its-own.sock"
