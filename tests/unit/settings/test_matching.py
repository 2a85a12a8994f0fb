from __future__ import annotations

import pytest

from proxy.settings.fields import cached_methods, write_methods
from proxy.settings.kinds import TEXT
from proxy.settings.matching import NAME, read_matches
from proxy.settings.mistakes import Place
from proxy.settings.nodes import Scalar


@pytest.mark.parametrize(
    ("value", "read"),
    [
        pytest.param("GET /a/{id}", ["GET /a/{id}"], id="one"),
        pytest.param(["GET /a", "GET   /b/**"], ["GET /a", "GET /b/**"], id="several"),
    ],
)
def test_matches_are_read(section, value, read):
    said = section({"match": value})
    matches = read_matches(said, "match", cached_methods)
    assert [f"GET {match.path.text}" for match in matches] == said.shown["match"] == read
    assert {match.methods for match in matches} == {frozenset({b"GET"})}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("/a", 'match: expected a method and a path like "GET /plans/{id}", got "/a"'),
        ("GET a", 'match: expected a method and a path like "GET /plans/{id}", got "GET a"'),
        ("GET /a b", 'match: expected a method and a path like "GET /plans/{id}", got "GET /a b"'),
        (["GET /a", "5"], 'match[1]: expected text, got 5: quote it, "5"'),
        ("GET /a/{x:uid}", 'match: "/a/{x:uid}": a variable is {x}, {x:uuid} or {x:int}, not "{x:uid}"'),
        ("POST /a", 'match: only GET can be cached (it stands for HEAD too), got "POST"'),
        ("", 'match: missing: expected a method and a path like "GET /plans/{id}"'),
    ],
)
def test_what_matches_nothing(section, value, message):
    said = section({"match": value})
    read_matches(said, "match", cached_methods)
    assert [f"{one.path}: {one.message}" for one in said.desk.mistakes] == [f"top.{message}"]


def test_writes_have_their_own_methods(section):
    (match,) = read_matches(section({"after": "PUT,DELETE /a"}), "after", write_methods)
    assert match.methods == {b"PUT", b"DELETE"}


@pytest.mark.parametrize("name", ["plan-catalog", "a.b_c", "7"])
def test_names(name):
    assert NAME.read(Scalar(Place("f"), name, quoted=True)) == name


@pytest.mark.parametrize("name", ["-a", "a b", "a:b", "größe", "a" * 101])
def test_what_is_no_name(name):
    assert TEXT.read(Scalar(Place("f"), name))
    with pytest.raises(ValueError, match="expected a name"):
        NAME.read(Scalar(Place("f"), name))
