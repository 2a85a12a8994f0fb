from __future__ import annotations

import time
from textwrap import dedent

import pytest

from proxy.settings.nodes import Mapping, Scalar, Sequence
from proxy.settings.yaml12 import MAX_CHARACTERS, parse


def plain(node):
    match node:
        case Mapping():
            return {key.text: plain(value) for key, value in node.entries}
        case Sequence():
            return [plain(item) for item in node.items]
        case Scalar():
            return node.text


def read(text):
    root, mistakes = parse(dedent(text), "f")
    return plain(root), [f"{one.line}:{one.column} {one.path}: {one.message}" for one in mistakes]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("", {}, id="an empty file"),
        pytest.param("# nothing\n", {}, id="only a comment"),
        pytest.param("~\n", {}, id="null"),
        pytest.param("\ufeffa: 1\n", {"a": "1"}, id="a byte order mark"),
        pytest.param("on: off\n9091:1: 0o7\n", {"on": "off", "9091:1": "0o7"}, id="nothing is converted"),
        pytest.param("a: [x, {b: é}]\n", {"a": ["x", {"b": "é"}]}, id="lists and mappings"),
        pytest.param("a: |\n  x\n  y\n", {"a": "x\ny\n"}, id="block text"),
        pytest.param("%YAML 1.1\n---\na: yes\n", {"a": "yes"}, id="whatever version it claims"),
    ],
)
def test_text_becomes_nodes(text, data):
    assert read(text) == (data, [])


def test_every_node_has_its_place():
    root, _ = parse("a:\n  - b\n  - {c: é, d: 2}\n", "f")
    items = root.get("a").items
    assert [(str(item.place), item.written) for item in items[1:]] == [("f:3:5", "{c: é, d: 2}")]
    assert str(items[1].get("d").place) == "f:3:15"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("x-a: &a {b: 1}\nc: *a\n", {"x-a": {"b": "1"}, "c": {"b": "1"}}, id="an alias"),
        pytest.param("x-a: &a {b: 1, c: 1}\nd: {<<: *a, c: 2}\n", {"x-a": {"b": "1", "c": "1"}, "d": {"b": "1", "c": "2"}}, id="its own key wins"),
        pytest.param("x-a: &a {b: 1}\nd: {b: 2, <<: *a}\n", {"x-a": {"b": "1"}, "d": {"b": "2"}}, id="wherever the merge key stands"),
        pytest.param("x-a: &a {b: 1}\nx-b: &b {b: 2, c: 2}\nd: {<<: [*a, *b]}\n", {"x-a": {"b": "1"}, "x-b": {"b": "2", "c": "2"}, "d": {"b": "1", "c": "2"}}, id="of several the earlier wins"),
        pytest.param("d: {'<<': 1}\n", {"d": {"<<": "1"}}, id="a quoted merge key is a key"),
        pytest.param("a: &x 1\nb: &x 2\nc: *x\n", {"a": "1", "b": "2", "c": "2"}, id="an anchor may be set anew"),
    ],
)  # fmt: skip
def test_anchors_and_merge_keys(text, data):
    assert read(text) == (data, [])


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "3:1 a: said twice, first in line 1", id="the same key twice"),
        pytest.param("r:\n- {x: 1, x: 1}\n", "2:10 r[0].x: said twice, first in line 2", id="twice within"),
        pytest.param("a: !!python/object/apply:os.system [ls]\n", "1:4 a: tags like tag:yaml.org,2002:python/object/apply:os.system have no meaning here; quote a value to make it text", id="a tag"),
        pytest.param("a: !!str 5\n", "1:4 a: tags like tag:yaml.org,2002:str have no meaning here; quote a value to make it text", id="even a harmless one"),
        pytest.param("? [a, b]\n: 1\n", "1:3 : a key must be text", id="a list as key"),
        pytest.param("a: *b\n", "1:4 a: no &b before this *b", id="an unknown alias"),
        pytest.param("a: &a\n  b: *a\n", "2:6 a.b: *a stands inside of its own anchor", id="an alias inside of itself"),
        pytest.param("x-a: &a {b: 1}\nc: {<<: *a, <<: *a}\n", "2:13 c.<<: said twice, first in line 2", id="two merge keys"),
        pytest.param("a: {<<: 5}\n", "1:5 a: << takes an alias of a mapping, or a list of them", id="merging a number"),
        pytest.param("a: 1\n---\nb: 2\n", "2:1 : a second document: a configuration is one", id="two documents"),
        pytest.param("- a\n", "1:1 : expected a mapping of settings at the top", id="a list at the top"),
        pytest.param("hello\n", "1:1 : expected a mapping of settings at the top", id="text at the top"),
        pytest.param("a: [1, 2\nb: 3\n", "2:2 : not YAML: did not find expected ',' or ']' while parsing a flow sequence", id="an open list"),
        pytest.param("a:\n\tb: 1\n", "2:1 : not YAML: found character that cannot start any token while scanning for the next token", id="a tab"),
        pytest.param("a: [plan:{id}]\n", "1:9 : not YAML: found unexpected ':' while scanning a plain scalar (a text with \"{\" or \": \" in it must be quoted)", id="a template without quotes"),
        pytest.param("a: b: c\n", '1:5 : not YAML: mapping values are not allowed in this context (a text with "{" or ": " in it must be quoted)', id="a colon in text"),
        pytest.param("é: ü\nb: \x07\n", "2:4 : not YAML: control characters are not allowed", id="a control character"),
        pytest.param("é: ü\nb: \ud800\n", "2:4 : not a Unicode character", id="half a character"),
        pytest.param("a: " + "[" * 60 + "]" * 60, "1:44 " + "a" + "[0]" * 40 + ": nested deeper than 40 levels", id="nested without end"),
    ],
)  # fmt: skip
def test_what_is_refused(text, mistake):
    assert read(text)[1] == [mistake]


def test_reading_goes_on_after_a_mistake():
    data, mistakes = read("a: 1\na: 2\nb: *c\nd: !!int 5\ne: 3\n")
    assert data == {"a": "1", "b": "", "d": "5", "e": "3"}
    assert len(mistakes) == 3


def bomb(lines):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, lines)]
    return "\n".join(rows)


def test_aliases_count_as_often_as_they_are_used():
    began = time.perf_counter()
    _, mistakes = parse(bomb(12), "f")
    assert [one.message for one in mistakes] == ["more than 100000 values, counting each alias as what it stands for"]
    assert time.perf_counter() - began < 5
    assert parse(bomb(4), "f")[1] == []


def test_a_huge_file_is_not_even_looked_at():
    _, mistakes = parse("[" * (MAX_CHARACTERS + 1), "f")
    assert [one.message for one in mistakes] == ["larger than 1024 KiB"]
