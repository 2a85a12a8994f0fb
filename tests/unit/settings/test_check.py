from __future__ import annotations

import orjson
import pytest

from proxy.settings.check import check_text

FILE = """\
upstream: {url: http://127.0.0.1:1}
namespaces: {n: {}}
routes:
  - {name: a, match: "GET /a/{x}", authorization: unset, cookies: ignore, namespace: n, id: "{x}", tags: ["t:{x}"]}
  - {name: b, match: GET /b, authorization: unset, cookies: ignore}
cors: {origins: ["https://app"]}
invalidate:
  - {after: POST /w, tags: [w], users: [u]}
  - {after: POST /z, all: true}
tests:
"""


def verdicts(test):
    report = check_text(f"{FILE}  - {test}\n", "f.yaml", {})
    assert report.mistakes == ()
    return [failure for verdict in report.verdicts for failure in verdict.failures]


@pytest.mark.parametrize(
    "test",
    [
        "{request: {url: /a/1}, expect: {route: a, stored: true, ttl: 5m, key: 'n:v1:1', tags: ['t:1']}}",
        "{request: {url: /a/1}, response: {headers: {Cache-Control: max-age=9}}, expect: {ttl: 9s}}",
        "{request: {url: /a/1}, response: {headers: {Surrogate-Key: k}}, expect: {tags: ['t:1', k]}}",
        "{request: {url: /a/1}, response: {status: 500}, expect: {route: a, stored: false}}",
        "{request: {url: /c}, expect: {route: none, outcome: pass, stored: false, purges: none}}",
        "{request: {method: POST, url: /w}, expect: {outcome: pass, purges: {tags: [w]}}}",
        "{request: {method: POST, url: /w}, expect: {purges: {tags: [w], users: [u], keys: []}}}",
        "{request: {method: POST, url: /z}, expect: {purges: {all: true}}}",
        "{request: {method: DELETE, url: /a/1}, expect: {purges: {urls: [/a/1], tags: []}}}",
    ],
)
def test_expectations_that_hold(test):
    assert verdicts(test) == []


@pytest.mark.parametrize(
    ("test", "failure"),
    [
        ("{request: {url: /a/1}, expect: {route: b}}", 'expected route "b", got "a"'),
        ("{request: {url: /a/1}, expect: {outcome: pass}}", 'expected outcome pass, but the route "a" takes it'),
        ("{request: {method: OPTIONS, url: /b, headers: {Origin: 'https://app', Access-Control-Request-Method: GET}}, expect: {outcome: pass}}", "expected outcome pass, but it is a preflight, which is answered here"),
        ("{request: {url: /a/1}, expect: {stored: false}}", "expected stored: false, but it is stored"),
        ("{request: {url: /a/1}, response: {status: 500}, expect: {stored: true}}", "expected stored: true, but it is not stored (no-lifetime)"),
        ("{request: {url: /a/1, headers: {Authorization: x}}, expect: {stored: true}}", "expected stored: true, but it is not stored (authorization)"),
        ("{request: {url: /a/1}, response: {headers: {Cache-Tag: 'A'}}, expect: {stored: false}}", "expected stored: false, but it is stored"),
        ("{request: {url: /a/1}, expect: {ttl: 1h}}", "expected ttl 1h, got 5m"),
        ("{request: {url: /a/1}, response: {headers: {Cache-Control: no-store}}, expect: {ttl: 1h}}", "expected ttl 1h, got not stored (no-store)"),
        ("{request: {url: /a/1}, expect: {key: 'n:v1:2'}}", 'expected key "n:v1:2", got "n:v1:1"'),
        ("{request: {url: /b}, expect: {key: 'n:v1:2'}}", 'expected key "n:v1:2", got none: the route has no id'),
        ("{request: {url: /c}, expect: {key: 'n:v1:2'}}", 'expected key "n:v1:2", got none (no-route)'),
        ("{request: {url: /a/1}, expect: {tags: [x]}}", "expected tags [x], got [t:1]"),
        ("{request: {url: /c}, expect: {tags: []}}", "expected tags [], got none (no-route)"),
        ("{request: {method: POST, url: /w}, expect: {purges: none}}", "expected no purge, got [tag:w, user:u]"),
        ("{request: {method: POST, url: /w}, expect: {purges: {tags: [x]}}}", "expected purges of tags [x], got [w]"),
        ("{request: {method: POST, url: /w}, expect: {purges: {users: []}}}", "expected purges of users [], got [u]"),
        ("{request: {method: POST, url: /w}, response: {status: 403}, expect: {purges: {tags: [w]}}}", "expected purges of tags [w], got []"),
        ("{request: {method: POST, url: /w}, expect: {purges: {all: true}}}", "expected purges of everything: true, got [tag:w, user:u]"),
        ("{request: {method: POST, url: /z}, expect: {purges: {tags: []}}}", "expected purges of everything: false, got [all]"),
    ],
)  # fmt: skip
def test_expectations_that_do_not_hold(test, failure):
    assert verdicts(test) == [failure]


def test_a_response_with_too_many_tags_is_not_stored():
    keys = " ".join(f"k{n}" for n in range(129))
    test = f"{{request: {{url: /a/1}}, response: {{headers: {{Surrogate-Key: {keys}}}}}, expect: {{stored: true}}}}"
    assert verdicts(test) == ["expected stored: true, but it is not stored (too-many-tags)"]


def report_of(text, environ=None):
    return check_text(text, "f.yaml", environ or {})


def test_a_good_file():
    report = report_of(FILE + "  - {request: {url: /b}, expect: {route: b}}\n")
    assert report.ok
    assert report.as_text() == "f.yaml: ok, 1 test passed"
    assert orjson.loads(orjson.dumps(report.as_dict())) == {
        "file": "f.yaml",
        "ok": True,
        "mistakes": [],
        "warnings": [],
        "tests": [{"line": 11, "column": 5, "path": "tests[0]", "request": "GET /b", "ok": True, "failures": []}],
    }


def test_a_file_with_mistakes_runs_no_tests():
    report = report_of(FILE.replace("/b,", "b,") + "  - {request: {url: /b}, expect: {route: c}}\n")
    assert not report.ok
    assert report.as_text().splitlines() == [
        'f.yaml:5:22: routes[1].match: expected a method and a path like "GET /plans/{id}", got "GET b"',
        "f.yaml: 1 mistake",
    ]
    assert report.as_dict()["mistakes"][0]["line"] == 5


def test_a_file_with_a_failing_test():
    report = report_of(
        FILE + "  - {request: {url: /b}, expect: {route: c}}\n  - {request: {url: /b}, expect: {route: b}}\n"
    )
    assert not report.ok
    assert report.as_text().splitlines() == [
        'f.yaml:11:5: tests[0]: GET /b: expected route "c", got "b"',
        "f.yaml: 1 of 2 tests failed",
    ]


def test_warnings_do_not_count_against_it():
    report = report_of("upstream: {url: http://a}\nadmin: {token_file: /nowhere}\n", {"SAPWOOD_LISEN": "x"})
    assert report.ok
    assert report.as_text().splitlines() == [
        'SAPWOOD_LISEN: warning: no setting of that name: ignored, did you mean "listen"?',
        "f.yaml:2:21: warning: admin.token_file: cannot be read here: No such file or directory",
        "f.yaml: ok, 2 warnings",
    ]
