import pytest

from proxy.cli.cells import cell, console


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "-", id="nothing"),
        pytest.param(True, "yes", id="a flag"),
        pytest.param(0, "0", id="zero is a number"),
        pytest.param([], "-", id="an empty list"),
        pytest.param(["a", 7], "a, 7", id="a list"),
        pytest.param("[red]x", "[red]x", id="what looks like markup"),
    ],
)
def test_a_value_as_text(value, text):
    assert cell(value).plain == text


def test_into_a_pipe_no_end_of_a_line_is_lost_and_no_markup_is_read(capsys):
    console().print("[red]" + "x" * 150)
    assert capsys.readouterr().out == "[red]" + "x" * 150 + "\n"
