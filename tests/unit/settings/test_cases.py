from __future__ import annotations

import pytest

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.settings.cases import Expectation, ExpectedPurges


def one(load, text):
    (case,) = load(f"tests: [{text}]").tests
    return case


def test_a_case_has_every_word(load):
    case = one(
        load,
        "{request: {method: PUT, url: /a, headers: {X-A: 1, X-B: [x, '']}}, response: {status: 201, headers: {Vary: é}},"
        " expect: {route: a, stored: true, ttl: 1h, key: k, tags: [a, b], outcome: pass, purges: {tags: [t], users: []}}}",
    )
    assert (case.method, case.url, case.path, case.place.line) == ("PUT", "/a", "tests[0]", 1)
    assert case.headers == (("X-A", "1"), ("X-B", "x"), ("X-B", ""))
    assert case.response == Response(201, Headers([(b"Vary", "é".encode())]))
    purges = ExpectedPurges((("tags", "tag:", frozenset({"t"})), ("users", "user:", frozenset())))
    assert case.expect == Expectation("a", True, 3600.0, "k", frozenset({"a", "b"}), True, purges)


def test_a_short_case_is_a_get_that_is_answered_200(load):
    case = one(load, "{request: {url: /a}, expect: {stored: false}}")
    assert (case.method, case.headers, case.response) == ("GET", (), Response(200))
    assert case.expect == Expectation(stored=False)


@pytest.mark.parametrize(
    ("purges", "expected"),
    [
        ("{patterns: ['n:*']}", ExpectedPurges((("patterns", "pattern:", frozenset({"n:*"})),))),
        ("none", ExpectedPurges(())),
        ("{}", ExpectedPurges(())),
        ("{all: true}", ExpectedPurges((), everything=True)),
        ("{paths: [/a]}", ExpectedPurges((("paths", "path:", frozenset({"/a"})),))),
    ],
)
def test_purges_that_are_expected(load, purges, expected):
    assert one(load, f"{{request: {{url: /a}}, expect: {{purges: {purges}}}}}").expect.purges == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{expect: {stored: true}}", "tests[0].request: missing: expected a mapping"),
        ("{request: {url: /a}}", "tests[0].expect: missing: expected a mapping"),
        ("{request: {url: /a}, expect: {}}", "tests[0].expect: expects nothing"),
        ("{request: {method: PUT}, expect: {stored: true}}", 'tests[0].request.url: missing: expected a path or a URL like "/plans?page=2"'),
        ("{request: {url: a}, expect: {stored: true}}", 'tests[0].request.url: expected a path or a URL like "/plans?page=2", got "a"'),
        ("{request: {url: /a, method: put}, expect: {stored: true}}", 'tests[0].request.method: expected a method like "GET", got "put"'),
        ("{request: {url: /a, headers: {'X A': b}}, expect: {stored: true}}", 'tests[0].request.headers.X A: expected a field name like "X-Tenant", got "X A"'),
        ("{request: {url: /a, headers: {X: {a: b}}}, expect: {stored: true}}", "tests[0].request.headers.X: expected text, got a mapping"),
        ("{request: {url: /a, body: x}, expect: {stored: true}}", "tests[0].request.body: unknown key, known: headers, method, url"),
        ("{request: {url: /a}, response: {status: 99}, expect: {stored: true}}", "tests[0].response.status: expected a whole number from 200 up, got 99"),
        ("{request: {url: /a}, expect: {store: true}}", 'tests[0].expect.store: unknown key, did you mean "stored"?'),
        ("{request: {url: /a}, expect: {stored: yes}}", 'tests[0].expect.stored: expected true or false, got "yes"'),
        ("{request: {url: /a}, expect: {outcome: hit}}", 'tests[0].expect.outcome: expected pass, got "hit"'),
        ("{request: {url: /a}, expect: {purges: {tag: [t]}}}", 'tests[0].expect.purges.tag: unknown key, did you mean "tags"?'),
        ("{request: {url: /a}, expect: {purges: nothing}}", 'tests[0].expect.purges: expected none, got "nothing"'),
        ("{request: {url: /a}, expect: {stored: true}, name: x}", "tests[0].name: unknown key, known: expect, request, response"),
    ],
)  # fmt: skip
def test_mistakes_of_a_case(mistakes, text, message):
    (found,) = mistakes(f"tests: [{text}]")
    assert found.partition(" ")[2] == message


def test_cases_are_no_part_of_the_running_configuration(load):
    settings = load("tests: [{request: {url: /a, headers: {Authorization: Bearer s3cret}}, expect: {stored: false}}]")
    assert "tests" not in settings.shown
    assert settings.fingerprint == load().fingerprint
