"""How samples become shares."""

import pytest

from bench.peers.profiling import CLOSED, shares, written
from bench.peers.servers import Sapwood

STACKS = """run (a.py);answer (b.py);find (c.py) 6
run (a.py);answer (b.py) 3
run (a.py);walk (d.py);walk (d.py) 1
"""


def test_time_belongs_to_the_innermost_and_to_all_around_it():
    itself, whole = shares(STACKS)
    assert itself == {"find (c.py)": 6, "answer (b.py)": 3, "walk (d.py)": 1}
    assert whole == {"run (a.py)": 10, "answer (b.py)": 9, "find (c.py)": 6, "walk (d.py)": 1}


def test_the_largest_come_first_and_the_smallest_are_left_out():
    itself, _ = shares(STACKS)
    assert written(itself, 10, "self", shown=2).splitlines() == [
        "self (10 samples)",
        "  60.0%  find (c.py)",
        "  30.0%  answer (b.py)",
    ]


def test_no_samples_are_no_division_by_nothing():
    assert written(shares("")[0], 0, "self") == "self (0 samples)"


@pytest.mark.parametrize("scenario", CLOSED.values(), ids=lambda scenario: scenario.name)
def test_what_is_profiled_is_ours(scenario, tmp_path):
    made = scenario.entries[0].make
    assert issubclass(getattr(made, "func", made), Sapwood)
