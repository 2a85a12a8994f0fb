import os
import sys

import pytest

from proxy.cli import main


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        pytest.param([], [], id="as it is"),
        pytest.param(["--tour"], ["--tour"], id="the tour"),
        pytest.param(["--port-base", "9000", "--tour"], ["--port-base", "9000", "--tour"], id="other ports"),
    ],
)
def test_demo_becomes_the_program_that_it_is(monkeypatch, words, passed):
    became = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: became.append((path, arguments)))
    main(["demo", *words])
    assert became == [(sys.executable, [sys.executable, "-m", "proxy.demo", *passed])]


def test_ports_are_numbers(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--port-base", "many"])
    assert ended.value.code == 2
    assert "--port-base" in capsys.readouterr().err
