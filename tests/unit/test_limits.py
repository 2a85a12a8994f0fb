"""docs/limits.md has every number that bounds something and has no key, as it is in the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "limits.md"
SIZES = {"": 1, "bytes": 1, "characters": 1, "KiB": 1 << 10, "MiB": 1 << 20}
TIMES = {"ms": 0.001, "s": 1, "min": 60, "d": 86400}
UNITS = SIZES | TIMES
AMOUNT = re.compile(r"([0-9][0-9,]*) ?([A-Za-z]*)")
BOUND = re.compile(r"^(?:MOST|LONGEST|SHORTEST|LARGEST|MAX)(?:_\w+)?$|^(?:\w+_)?AT_MOST$|^\w+_WITHIN$")
"""How the names of bounds read here."""


def documented():
    """Yield each number's place in the code and what the page says."""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("| ") and (places := re.findall(r"`([a-z0-9.]+\.[A-Z_]+)`", line.rpartition(" | ")[2])):
            amount = AMOUNT.fullmatch(line.split(" | ")[1])
            assert amount is not None, line
            for place in places:
                yield place, int(amount[1].replace(",", "")) * UNITS[amount[2]]


def in_the_code():
    """Yield the place of each number whose name says that it is a bound; the demo and the command line have no traffic."""
    for file in sorted((ROOT / "proxy").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT / "proxy").with_suffix("").parts)
        if not module.startswith(("demo.", "cli.")):
            names = re.findall(r"^([A-Z][A-Z_]*): Final = [-\d(]", file.read_text("utf-8"), re.MULTILINE)
            yield from (f"{module}.{name}" for name in names if BOUND.match(name))


@pytest.mark.parametrize(("place", "said"), [pytest.param(*row, id=row[0]) for row in documented()])
def test_a_number_on_the_page_is_the_one_in_the_code(place, said):
    module, _, name = place.rpartition(".")
    assert getattr(importlib.import_module(f"proxy.{module}"), name) == pytest.approx(said)


def test_every_bound_of_the_code_is_on_the_page():
    found = set(in_the_code())
    assert len(found) > 50
    assert found - {place for place, _ in documented()} == set(), "say in docs/limits.md what it bounds, and why so"
