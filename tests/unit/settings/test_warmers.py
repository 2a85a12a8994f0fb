"""``warm``: warmers as they are written, and every mistake in them with its address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from proxy.warming.items import ItemPath
from proxy.warming.warmers import MOST_AT_ONCE, MOST_ITEMS, Listed, Popular, Predicted, Urls

ROUTES = """
timezone: Europe/Berlin
routes:
  - {name: a, match: ["GET /a", "GET /a/{id}"]}
  - {name: own, match: GET /own, scope: credential}
  - {name: two, match: "GET /two/{x}/{y}"}
  - {name: off, match: "GET /rest/**"}
"""
ALL = f"""{ROUTES}
warm:
  - name: plans
    when: [startup, purge]
    schedule: ["*/30 * * * *", 0 3 * * *]
    route: a
    source: popular
    limit: 7
    concurrency: 3
    deadline: 5s
  - {{name: urls, source: {{urls: [/a, "https://api.example/a/7?x=1"]}}}}
  - {{name: list, route: a, source: {{list: "/a?page_size=100", items: "items[].id"}}}}
  - {{name: foreseen, source: predicted}}
  - {{name: bare}}
"""


def test_they_are_read(load):
    plans, urls, listed, foreseen, bare = load(ALL).warmers
    assert (plans.on_startup, plans.on_purge, plans.route, plans.source) == (True, True, "a", Popular())
    assert [cron.text for cron in plans.crons] == ["*/30 * * * *", "0 3 * * *"]
    assert (plans.limit, plans.concurrency, plans.deadline, plans.zone) == (7, 3, 5.0, ZoneInfo("Europe/Berlin"))
    assert urls.source == Urls(("/a", "https://api.example/a/7?x=1"))
    assert listed.source == Listed("/a?page_size=100", ItemPath.parse("items[].id"))
    assert foreseen.source == Predicted()
    assert (bare.source, bare.limit, bare.concurrency, bare.deadline) == (Popular(), 100, 8, 30.0)
    assert (bare.on_startup, bare.on_purge, bare.crons, bare.route) == (False, False, (), None)


def test_a_prediction_that_says_nothing_of_when_comes_before_each_hour(load):
    (warmer,) = load(ROUTES + "warm: [{name: w, source: predicted}]").warmers
    assert [cron.text for cron in warmer.crons] == ["50 * * * *"]
    (warmer,) = load(ROUTES + "warm: [{name: w, source: predicted, when: [startup]}]").warmers
    assert warmer.crons == ()


def test_they_are_shown(load):
    shown = load(ALL).shown["warm"]
    assert [warmer["name"] for warmer in shown] == ["plans", "urls", "list", "foreseen", "bare"]
    assert shown[2]["source"] == {"urls": [], "list": "/a?page_size=100", "items": "items[].id"}
    assert shown[4] == {
        "name": "bare", "when": [], "source": "popular", "schedule": [], "limit": 100, "concurrency": 8, "deadline": "30s",
    }  # fmt: skip


def test_a_warmer_that_was_changed_is_another_one_and_so_is_one_in_another_zone(load):
    (one,) = load(ROUTES + "warm: [{name: w}]").warmers
    (same,) = load(ROUTES + "warm: [{name: w}]").warmers
    (more,) = load(ROUTES + "warm: [{name: w, limit: 9}]").warmers
    (elsewhere,) = load(ROUTES.replace("Berlin", "Paris") + "warm: [{name: w}]").warmers
    assert one.digest == same.digest
    assert len({one.digest, more.digest, elsewhere.digest}) == 3


SOURCE = "expected popular, predicted, {urls: [...]} or {list: /path, items: ...}"


@pytest.mark.parametrize(
    ("warmer", "message"),
    [
        ("{source: popular}", 'name: missing: expected a name of letters, digits, "-", "_" and "."'),
        ("{name: w, when: [daily]}", 'when[0]: expected startup or purge, got "daily"'),
        ("{name: w, schedule: '0 25 * * *'}", 'schedule: expected a hour from 0 to 23 in "0 25 * * *", got "25"'),
        ("{name: w, route: b}", 'route: there is no route "b", known: a, off, own, two'),
        ("{name: w, route: own}", 'route: "own" keeps a copy per credential, and nobody but its owner has that'),
        ("{name: w, source: unpopular}", 'source: expected popular or predicted, got "unpopular"'),
        ("{name: w, source: {}}", f"source: {SOURCE}"),
        ("{name: w, route: a, source: {list: /a}}", f"source: {SOURCE}"),
        ("{name: w, route: a, source: {items: 'x[]'}}", f"source: {SOURCE}"),
        ("{name: w, route: a, source: {urls: [/a], list: /a, items: 'x[]'}}", f"source: {SOURCE}"),
        ("{name: w, route: a, source: {list: /a, items: x}}", 'source.items: expected a path to the items like "items[].id", got "x"'),
        ("{name: w, route: a, source: {list: a, items: 'x[]'}}", 'source.list: expected a path like "/plans?page_size=100", got "a"'),
        ("{name: w, source: {list: /a, items: 'x[]'}}", "route: missing: a list needs the route whose path the items go into"),
        ("{name: w, route: two, source: {list: /a, items: 'x[]'}}", 'route: "two" has no path with one variable that an item could go into'),
        ("{name: w, route: off, source: {list: /a, items: 'x[]'}}", 'route: "off" has no path with one variable that an item could go into'),
        ("{name: w, source: {urls: [/b]}}", 'source.urls: no route serves "/b"'),
        ("{name: w, source: {urls: [a]}}", 'source.urls: expected a URL like "/plans/7" or "https://api.example/plans/7", got "a"'),
        ("{name: w, source: {urls: [/own]}}", 'source.urls: "/own" is one client\'s own (route "own"): nobody else can ask for it'),
        ("{name: w, source: {urls: ['/a?token=x']}}", 'source.urls: "/a?token=x" has a parameter that is called like a credential'),
        ("{name: w, route: two, source: {urls: [/a]}}", 'source.urls: the route "a" serves "/a", not "two"'),
        ("{name: w, when: [purge], source: predicted}", 'when: after a purge only what is read most can be known: "purge" needs source: popular'),
        ("{name: w, limit: 0}", f"limit: expected a whole number from 1 to {MOST_ITEMS}, got 0"),
        ("{name: w, limit: 10001}", f"limit: expected a whole number from 1 to {MOST_ITEMS}, got 10001"),
        ("{name: w, concurrency: 101}", f"concurrency: expected a whole number from 1 to {MOST_AT_ONCE}, got 101"),
        ("{name: w, deadline: 30}", 'deadline: expected a duration like "30s" or "1h", got 30'),
        ("{name: w, limits: 1}", 'limits: unknown key, did you mean "limit"?'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(mistakes, warmer, message):
    assert [one.partition(" ")[2] for one in mistakes(f"{ROUTES}warm: [{warmer}]")] == [f"warm[0].{message}"]


def test_names_are_unique(mistakes):
    (found,) = mistakes(ROUTES + "warm: [{name: w}, {name: w}]")
    assert 'warm[1].name: "w" is taken' in found
