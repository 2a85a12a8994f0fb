from __future__ import annotations

import pytest

from proxy.settings.mistakes import Caution, Mistake, Mistakes, Place


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        pytest.param(
            Mistake("a.yaml", 7, 10, "routes[2].ttl", 'expected a duration like "30s" or "1h", got "1hr"'),
            'a.yaml:7:10: routes[2].ttl: expected a duration like "30s" or "1h", got "1hr"',
            id="in a file",
        ),
        pytest.param(Mistake("a.yaml", 1, 1, "", "not YAML"), "a.yaml:1:1: not YAML", id="the file as a whole"),
        pytest.param(Mistake("SAPWOOD_X", 0, 0, "x", "wrong"), "SAPWOOD_X: x: wrong", id="in a variable"),
    ],
)
def test_a_mistake_is_written_with_its_address(mistake, text):
    assert str(mistake) == text


def test_all_mistakes_are_in_the_text_of_the_refusal():
    one, two = Mistake("a", 1, 1, "x", "no"), Mistake("a", 2, 1, "y", "no")
    assert str(Mistakes((one, two))) == f"{one}\n{two}"
    assert Mistakes((one, two)).mistakes == (one, two)


def test_a_caution_is_addressed_as_a_caution():
    assert isinstance(Caution.at(Place("a", 1, 2), "x", "hm"), Caution)
    assert Caution.at(Place("a", 1, 2), "x", "hm") != Mistake.at(Place("a", 1, 2), "x", "hm")
