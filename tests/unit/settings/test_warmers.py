from __future__ import annotations

import pytest

ALL = """
routes: [{name: a, match: GET /a}]
warm:
  - name: plans
    when: [startup, purge]
    schedule: ["*/30 * * * *"]
    route: a
    source: popular
    limit: 100
    concurrency: 8
    deadline: 30s
  - {name: urls, source: {urls: [/a]}}
  - {name: list, source: {list: "/a?page_size=100", items: "items[].id"}}
"""
REFUSED = "warm: warming is not built yet: leave it out"


def test_what_is_right_is_refused_in_one_line(mistakes):
    assert [one.partition(" ")[2] for one in mistakes(ALL)] == [REFUSED]


@pytest.mark.parametrize(
    ("warmer", "message"),
    [
        ("{source: popular}", 'warm[0].name: missing: expected a name of letters, digits, "-", "_" and "."'),
        ("{name: w, when: [daily]}", 'warm[0].when[0]: expected startup or purge, got "daily"'),
        ("{name: w, schedule: '0 25 * * *'}", 'warm[0].schedule: expected a hour from 0 to 23 in "0 25 * * *", got "25"'),
        ("{name: w, route: b}", 'warm[0].route: there is no route "b"'),
        ("{name: w, source: unpopular}", 'warm[0].source: expected popular, got "unpopular"'),
        ("{name: w, source: {}}", "warm[0].source: expected popular, {urls: [...]} or {list: /path, items: ...}"),
        ("{name: w, source: {list: /a}}", "warm[0].source: expected popular, {urls: [...]} or {list: /path, items: ...}"),
        ("{name: w, source: {urls: [/a], list: /a, items: x}}", "warm[0].source: expected popular, {urls: [...]} or {list: /path, items: ...}"),
        ("{name: w, limit: 0}", "warm[0].limit: expected a whole number from 1 up, got 0"),
        ("{name: w, deadline: 30}", 'warm[0].deadline: expected a duration like "30s" or "1h", got 30'),
        ("{name: w, limits: 1}", 'warm[0].limits: unknown key, did you mean "limit"?'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_as_well(mistakes, warmer, message):
    assert sorted(one.partition(" ")[2] for one in mistakes(f"warm: [{warmer}]")) == sorted([REFUSED, message])


def test_names_are_unique(mistakes):
    found = mistakes("warm: [{name: w}, {name: w}]")
    assert 'warm[1].name: "w" is taken' in found[1]
