from __future__ import annotations

import pytest

from proxy.policy.rules import WriteRule

BASE = "routes: [{name: a, match: GET /a}]\nnamespaces: {n: {}}\n"


def test_a_rule_has_every_word(load):
    (rule,) = load(
        BASE
        + """
invalidate:
  - after: [POST /a, "PUT,PATCH /a/{x}"]
    tags: ["t:{x}", "{jwt.sub}", "{query.q}", "{header.x-a}"]
    keys: ["n:v1:{x}"]
    urls: ["/a?x={x}"]
    patterns: ["n:v1:*", "n:*:7"]
    paths: ["/a/{x}"]
    users: ["{x}"]
    namespaces: [n]
    routes: [a]
    all: true
    mode: soft
    on_store_failure: refuse
"""
    ).book.writes
    assert [sorted(match.methods) for match in rule.matches] == [[b"POST"], [b"PATCH", b"PUT"]]
    assert [template.text for template in rule.tags] == ["t:{x}", "{jwt.sub}", "{query.q}", "{header.x-a}"]
    texts = [template.text for group in (rule.keys, rule.urls, rule.paths, rule.users) for template in group]
    assert texts == ["n:v1:{x}", "/a?x={x}", "/a/{x}", "{x}"]
    assert rule.patterns == ("n:v1:*", "n:*:7")
    assert (rule.namespaces, rule.routes, rule.everything) == (("n",), ("a",), True)
    assert (rule.soft, rule.on_store_failure) == (True, "refuse")


def test_a_short_rule_purges_hard_and_lets_the_write_pass(load):
    (rule,) = load("invalidate: [{after: POST /a, all: true}]").book.writes
    assert rule == WriteRule(rule.matches, everything=True, soft=False, on_store_failure="pass")


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("{after: POST /a}", ["invalidate[0]: purges nothing: expected tags, keys, urls, paths, patterns, users, namespaces, routes or all"]),
        ("{after: POST /a, all: false}", ["invalidate[0]: purges nothing: expected tags, keys, urls, paths, patterns, users, namespaces, routes or all"]),
        ("{tags: [t]}", ['invalidate[0].after: missing: expected a method and a path like "GET /plans/{id}"']),
        ("{after: GET /a, tags: [t]}", ["invalidate[0].after: GET is no write, so nothing is purged after it"]),
        ("{after: POST /a, routes: [b]}", ['invalidate[0].routes: there is no "b", known: a']),
        ("{after: POST /a, namespaces: [m]}", ['invalidate[0].namespaces: there is no "m", known: n']),
        ("{after: POST /a, tags: ['{x}']}", ['invalidate[0].tags[0]: "{x}": {x} is not known here; known are {header.*}, {jwt.*}, {query.*}']),
        ("{after: POST /a, paths: [a]}", ['invalidate[0].paths: expected a path like "/plans/{plan_id}", got "a"']),
        ("{after: POST /a, urls: ['http://h/a']}", ['invalidate[0].urls: expected a path like "/plans/{plan_id}", got "http://h/a"']),
        ("{after: POST /a, urls: ['/a#b']}", ['invalidate[0].urls: expected no "#" in it, got "/a#b"']),
        ("{after: POST /a, paths: ['/a?b']}", ['invalidate[0].paths: expected no "?" in it, got "/a?b"']),
        ("{after: POST /a, mode: gentle, all: true}", ['invalidate[0].mode: expected hard or soft, got "gentle"']),
        ("{after: POST /a, tag: [t], all: true}", ['invalidate[0].tag: unknown key, did you mean "tags"?']),
        ("{after: POST /a, patterns: ['*']}", ['invalidate[0].patterns[0]: too wide: expected a pattern that begins with a namespace and ":", like "plans:*", got "*"; "all" purges everything']),
        ("{after: POST /a, patterns: [n]}", ['invalidate[0].patterns[0]: expected a "*" in the pattern, got "n": "keys" takes a whole logical key']),
        ("{schedule: '0 3 * * *'}", ["invalidate[0]: purges nothing: expected tags, keys, urls, paths, patterns, users, namespaces, routes or all"]),
        ("{schedule: [], all: true}", ["invalidate[0].schedule: a schedule without a time"]),
        ("{schedule: '0 3 * * *', all: true, on_store_failure: pass}", ["invalidate[0].on_store_failure: a schedule has nothing to refuse: it is run as soon as the store is back"]),
        ("{schedule: ['0 3 * *'], all: true}", ['invalidate[0].schedule[0]: expected five fields like "*/30 * * * *", got "0 3 * *"']),
        ("{schedule: '0 3 * * *', after: POST /a, all: true}", ["invalidate[0].after: a rule follows a write or a schedule, not both"]),
        ("{schedule: '0 3 * * *', tags: ['{x}']}", ['invalidate[0].tags[0]: "{x}": {x} is not known here; no values are known here']),
    ],
)  # fmt: skip
def test_mistakes_of_a_rule(mistakes, rule, found):
    assert sorted(one.partition(" ")[2] for one in mistakes(f"{BASE}invalidate: [{rule}]")) == sorted(found)


def test_a_schedule_is_no_rule_for_writes(load):
    settings = load(
        BASE + "timezone: Europe/Berlin\ninvalidate: [{schedule: ['0 3 * * *', '*/30 * * * *'], patterns: ['n:*']}]"
    )
    assert settings.book.writes == ()
    (scheduled,) = settings.scheduled
    assert [cron.text for cron in scheduled.crons] == ["0 3 * * *", "*/30 * * * *"]
    assert (scheduled.rule.patterns, scheduled.rule.matches, str(scheduled.zone)) == (("n:*",), (), "Europe/Berlin")
    assert settings.shown["invalidate"] == [
        {"schedule": ["0 3 * * *", "*/30 * * * *"], "patterns": ["n:*"], "all": False, "mode": "hard"}
    ]


def test_a_schedule_is_known_by_what_it_says_and_not_by_its_place(load):
    one, two = "{schedule: '0 3 * * *', all: true}", "{schedule: '0 4 * * *', all: true}"
    first, second = load(f"invalidate: [{one}, {two}]").scheduled
    other_second, other_first = load(f"invalidate: [{two}, {one}]").scheduled
    assert (first.digest, second.digest) == (other_first.digest, other_second.digest)
    assert first.digest != second.digest
    assert load(f"timezone: Asia/Tokyo\ninvalidate: [{one}]").scheduled[0].digest != first.digest
