"""What the program is told, without measuring anything."""

import pytest

from bench.peers import __main__ as program


def test_a_scenario_that_there_is_not_is_refused_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        program.main(["--only", "hot,warm"])
    assert "no such scenario: warm; there are hot, hot-64k" in capsys.readouterr().err


def test_a_scenario_is_kept_whole_or_not_at_all(capsys):
    with pytest.raises(SystemExit, match="2"):
        program.main(["--keep", "--servers", "sapwood"])
    assert "keep whole scenarios" in capsys.readouterr().err


def test_rendering_changes_nothing_of_what_is_rendered():
    chart, readme = program.ROOT / program.readme.CHART, program.ROOT / "README.md"
    before = chart.read_text(), readme.read_text()
    assert program.main(["--render"]) == 0
    assert (chart.read_text(), readme.read_text()) == before
