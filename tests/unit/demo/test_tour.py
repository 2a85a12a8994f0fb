import pytest

from proxy.demo.tour import CHAPTERS, Step, as_curl

STEPS = [step for chapter in CHAPTERS for step in chapter.steps]


@pytest.mark.parametrize(
    ("step", "line"),
    [
        pytest.param(Step("A", "/a?b=1", "hit"), r"curl -si -w '\n%{time_total} s\n' 'http://A/a?b=1'", id="GET"),
        pytest.param(
            Step("B", "/a", "pass", "PUT", {"b": 1}, "admin"),
            r"""curl -si -w '\n%{time_total} s\n' -X PUT -H "Authorization: Bearer $ADMIN" """
            """-H 'Content-Type: application/json' -d '{"b": 1}' 'http://B/a'""",
            id="a write with a token",
        ),
        pytest.param(
            Step("A", "/login", "pass", "POST", {"b": 1}, login="bob"),
            """BOB=$(curl -s -H 'Content-Type: application/json' -d '{"b": 1}' 'http://A/login' | cut -d'"' -f4)""",
            id="a login keeps its token",
        ),
    ],
)
def test_a_step_is_a_line_for_a_shell(step, line):
    assert as_curl(step, lambda sidecar: f"http://{sidecar}") == line


def test_the_tour_shows_what_the_demo_is_for():
    assert {step.cached for step in STEPS} == {"hit", "miss", "pass"}
    assert {step.sidecar for step in STEPS if step.cached == "hit"} == {"A", "B"}
    assert {step.user for step in STEPS if step.hides} >= {"alice", "bob"}


def test_nobody_uses_a_token_before_the_login():
    known = {""}
    for step in STEPS:
        assert step.user in known
        known.add(step.login)
