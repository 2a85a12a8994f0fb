from __future__ import annotations

import pytest

from proxy.settings.kinds import BOOLEAN, DURATION, TEXT, choice, whole
from proxy.settings.mistakes import Place
from proxy.settings.nodes import Mapping, Scalar
from proxy.settings.sections import Desk, Section


def noted(said):
    return [f"{one.path}: {one.message}" for one in said.desk.mistakes]


def test_what_is_left_out_has_its_default_and_is_shown(section):
    said = section({})
    assert said.one("ttl", DURATION, 30.0) == 30.0
    assert said.many("names", TEXT, ("a",)) == ("a",)
    assert said.maybe("id", TEXT) is None
    assert said.shown == {"ttl": "30s", "names": ["a"]}


def test_what_is_written_is_read_and_shown(section):
    said = section({"ttl": "90s", "names": ["a", "b"], "id": "x", "n": {"on": "true"}})
    assert said.one("ttl", DURATION, 30.0) == 90.0
    assert said.many("names", TEXT) == ("a", "b")
    assert said.maybe("id", TEXT) == "x"
    assert said.section("n").one("on", BOOLEAN, False) is True
    assert said.shown == {"ttl": "90s", "names": ["a", "b"], "id": "x", "n": {"on": True}}
    said.close()
    assert noted(said) == []


def test_null_is_as_if_left_out(section):
    said = section({"ttl": "", "n": "~"})
    assert said.one("ttl", DURATION, 30.0) == 30.0
    assert said.maybe_section("n") is None
    assert not said.has("ttl")
    assert noted(said) == []


def test_a_mistake_gives_the_default_and_reading_goes_on(section):
    said = section({"ttl": "1hr", "names": ["a", "5", "b"]})
    assert said.one("ttl", DURATION, 30.0) == 30.0
    assert said.many("names", TEXT) == ("a", "b")
    assert noted(said) == [
        'top.ttl: expected a duration like "30s" or "1h", got "1hr"',
        'top.names[1]: expected text, got 5: quote it, "5"',
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(["a"], "top.x: expected text, got a list", id="a list where text was expected"),
        pytest.param({"a": "b"}, "top.x: expected text, got a mapping", id="a mapping"),
    ],
)
def test_one_value_is_a_scalar(section, value, message):
    said = section({"x": value})
    said.one("x", TEXT, "")
    assert noted(said) == [message]


def test_a_template_without_quotes_is_a_mapping_that_should_be_quoted():
    place = Place("f", 1, 1)
    template = Mapping(place, ((Scalar(place, "plan_id"), Scalar(place, "")),), "{plan_id}")
    said = Section(Mapping(place, ((Scalar(place, "id"), template),)), "", Desk(str))
    said.one("id", TEXT, "")
    said.many("id", TEXT)
    assert noted(said) == [
        'id: expected text, got a mapping: quote it, "{plan_id}"',
        'id: expected a list, got a mapping: quote it, "{plan_id}"',
    ]


def test_one_bare_value_is_a_list_only_where_that_is_said(section):
    said = section({"x": "a"})
    assert said.many("x", TEXT, single=True) == ("a",)
    assert said.many("x", TEXT, ("b",)) == ("b",)
    assert noted(said) == ['top.x: expected a list, got "a"']


def test_a_variable_holds_a_list_with_commas():
    place = Place("SAPWOOD_X")
    said = Section(Mapping(place, ((Scalar(place, "x"), Scalar(place, "a, 5,", loose=True)),)), "", Desk(str))
    assert said.many("x", TEXT) == ("a", "5")


def test_sections_are_mappings(section):
    said = section({"a": "x", "b": "x", "c": [{"k": "1"}, "x"]})
    assert said.section("a").one("k", whole(), 7) == 7
    assert said.sections("b") == []
    assert [one.path for one in said.sections("c")] == ["top.c[0]"]
    assert noted(said) == [
        'top.a: expected a mapping, got "x"',
        'top.b: expected a list of mappings, got "x"',
        'top.c[1]: expected a mapping, got "x"',
    ]


def test_names_of_the_operators(section):
    said = section({"n": {"a": {"k": "1"}, "b": {}}})
    assert [(name, one.one("k", whole(), 0)) for name, one in said.named("n")] == [("a", 1), ("b", 0)]
    assert section({}).named("n") == []


def test_what_is_required_must_be_there(section):
    said = section({})
    said.required("name", choice("a", "b"), "a")
    assert noted(said) == ["top.name: missing: expected a or b"]


def test_unknown_keys_are_named_with_the_nearest_known(section):
    said = section({"tll": "1h", "colour": "red"})
    said.one("ttl", DURATION, 0.0)
    said.close()
    assert noted(said) == ['top.tll: unknown key, did you mean "ttl"?', "top.colour: unknown key, known: ttl"]
