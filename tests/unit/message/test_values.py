"""Values that do not change: for the type checker; at run time they compare, hash and print as if they could not."""

import subprocess
import sys

import pytest

from proxy.message.values import value


@value(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@value(frozen=True, slots=True, order=True)
class Place:
    n: int


CHANGED = """
from proxy.message.values import value

@value(frozen=True, slots=True)
class Point:
    x: int

Point(1).x = 2
"""


def test_a_change_does_not_get_past_the_type_checker():
    options = ("--strict", "--config-file=", "--cache-dir=/dev/null", "--follow-imports=silent")
    said = subprocess.run(
        (sys.executable, "-m", "mypy", *options, "-c", CHANGED),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert said.returncode == 1
    assert 'Property "x" defined in "Point" is read-only' in said.stdout


def test_it_is_what_its_fields_say():
    assert Point(1) == Point(1, 0) != Point(1, 2)
    assert {Point(1): "here"}[Point(1, 0)] == "here"
    assert repr(Point(1)).endswith("Point(x=1, y=0)")
    with pytest.raises(AttributeError):
        Point(1).z = 3


def test_it_is_ordered_where_that_was_asked_for():
    assert Place(1) < Place(2)


def test_what_may_change_is_not_made_so():
    with pytest.raises(AssertionError):
        value(frozen=False, slots=True)
