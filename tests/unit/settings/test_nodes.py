from __future__ import annotations

import pytest

from proxy.settings.mistakes import Place
from proxy.settings.nodes import Mapping, Scalar, Sequence, describe

HERE = Place("f", 1, 1)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, "null") for text in ("", "~", "null", "Null", "NULL")),
        *((text, "boolean") for text in ("true", "True", "TRUE", "false", "False", "FALSE")),
        *((text, "number") for text in ("0", "12", "-3", "+3", "010", "0o17", "0x1F", "1.5", ".5", "1.", "1e3", ".inf", "-.INF", ".nan")),
        *((text, "text") for text in ("yes", "no", "on", "off", "y", "N", "tRUE", "9091:1", "1:30:00", "1_000", "0b11", "2026-01-01", "=", "1hr", "nulL", "-", "<<")),
    ],
)  # fmt: skip
def test_plain_scalars_are_read_by_the_core_schema(text, kind):
    scalar = Scalar(HERE, text)
    found = {"null": scalar.is_null, "boolean": scalar.is_boolean, "number": scalar.is_number, "text": scalar.is_text}
    assert [name for name, is_it in found.items() if is_it] == [kind]


@pytest.mark.parametrize("text", ["", "null", "true", "12"])
def test_quoted_scalars_are_text(text):
    scalar = Scalar(HERE, text, quoted=True)
    assert (scalar.is_text, scalar.is_null, scalar.is_boolean, scalar.is_number) == (True, False, False, False)


def test_a_value_from_outside_may_be_read_as_any_kind():
    scalar = Scalar(HERE, "12", loose=True)
    assert scalar.is_text
    assert scalar.is_number
    assert not Scalar(HERE, "", loose=True).is_null


@pytest.mark.parametrize(
    ("node", "words"),
    [
        pytest.param(Scalar(HERE, "1hr"), '"1hr"', id="text"),
        pytest.param(Scalar(HERE, "12"), "12", id="number"),
        pytest.param(Scalar(HERE, "12", quoted=True), '"12"', id="quoted number"),
        pytest.param(Scalar(HERE, ""), "nothing", id="nothing"),
        pytest.param(Mapping(HERE), "a mapping", id="mapping"),
        pytest.param(Sequence(HERE), "a list", id="list"),
        pytest.param(Scalar(HERE, "s3cret", loose=True, written="${KEY}"), '"${KEY}"', id="out of a variable"),
        pytest.param(Scalar(HERE, "redis://u:s3cret@h"), '"redis://u:<hidden>@h"', id="a password in a URL"),
    ],
)
def test_what_was_found_is_described_without_secrets(node, words):
    assert describe(node) == words


def test_a_mapping_gives_values_by_key():
    mapping = Mapping(HERE, ((Scalar(HERE, "a"), Scalar(HERE, "1")),))
    assert mapping.get("a") == Scalar(HERE, "1")
    assert mapping.get("b") is None
