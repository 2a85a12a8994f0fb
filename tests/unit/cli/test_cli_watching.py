"""Asking again and again."""

import io
import json

import pytest
from rich.console import Console
from rich.text import Text

from proxy.cli import watching
from proxy.cli.arguments import BadUsageError
from proxy.cli.calling import CallError, Reply
from proxy.cli.watching import interval, watch


class Asked:
    """Answers with a number that grows; the second time there is nobody."""

    def __init__(self, *failures):
        self.times = 0
        self._failures = failures

    def __call__(self):
        self.times += 1
        if self.times in self._failures:
            raise CallError("cannot ask http://127.0.0.1:9091: refused")
        return Reply(200, {"n": self.times})


def view(document):
    return Text(f"number {document['n']}")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("2s", 2.0, id="seconds"),
        pytest.param("200ms", 0.2, id="the shortest"),
        pytest.param("1m", 60.0, id="a minute"),
    ],
)
def test_an_interval(text, seconds):
    assert interval(text) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("2", 'expected a duration like "30s"', id="no unit"),
        pytest.param("0", 'at least "200ms", got "0"', id="without end"),
        pytest.param("100ms", 'at least "200ms", got "100ms"', id="too often"),
    ],
)
def test_an_interval_that_is_none(text, said):
    with pytest.raises(BadUsageError, match=said):
        interval(text)


def test_into_a_pipe_one_after_the_other_and_who_is_gone_is_asked_again(capsys):
    assert watch(Asked(2), view, 0.0, times=3) == 0
    said = capsys.readouterr().out
    assert said.index("number 1") < said.index("refused") < said.index("number 3")


def test_for_programs_a_line_each(capsys):
    assert watch(Asked(2), view, 0.0, as_json=True, times=3) == 0
    written = capsys.readouterr()
    assert [json.loads(line) for line in written.out.splitlines()] == [{"n": 1}, {"n": 3}]
    assert "refused" in written.err


def test_on_a_terminal_each_takes_the_place_of_the_one_before(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(watching, "console", lambda: Console(file=out, force_terminal=True, width=80))
    assert watch(Asked(), view, 0.0, times=2) == 0
    assert "\x1b[1A" in out.getvalue().partition("number 2")[0], "the cursor goes up"


def test_ctrl_c_is_how_it_ends(monkeypatch, capsys):
    def interrupted(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", interrupted)
    assert watch(Asked(), view, 2.0) == 0
    assert "number 1" in capsys.readouterr().out
