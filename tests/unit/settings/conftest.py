from __future__ import annotations

from textwrap import dedent

import pytest

from proxy.settings.loading import load_settings
from proxy.settings.mistakes import Mistake, Mistakes, Place
from proxy.settings.nodes import Mapping, Scalar, Sequence
from proxy.settings.sections import Desk, Section

UPSTREAM = "\nupstream: {url: 'http://127.0.0.1:8000'}\n"


def whole_file(text):
    text = dedent(text)
    return text if "upstream:" in text else text + UPSTREAM


@pytest.fixture
def load():
    """Load a file that is completed by an upstream at its end, so that lines stay where they were."""

    def loaded(text="", **more):
        return load_settings(whole_file(text), source="f.yaml", **more)

    return loaded


@pytest.fixture
def mistakes():
    """Return every mistake of such a file as ``line:column path: message``."""

    def found(text, **more):
        try:
            load_settings(whole_file(text), source="f.yaml", **more)
        except Mistakes as refused:
            return [shown(mistake) for mistake in refused.mistakes]
        return []

    return found


def shown(mistake: Mistake) -> str:
    where = f"{mistake.line}:{mistake.column}" if mistake.source == "f.yaml" else mistake.source
    return f"{where} {mistake.path}: {mistake.message}"


@pytest.fixture
def doubts(load):
    """Return every caution of such a file."""
    return lambda text, **more: [shown(caution) for caution in load(text, **more).warnings]


def node_of(value):
    """Make nodes of plain data: text stays plain, so ``"5"`` is a number."""
    place = Place("f.yaml", 1, 1)
    match value:
        case dict():
            return Mapping(place, tuple((Scalar(place, key), node_of(item)) for key, item in value.items()))
        case list():
            return Sequence(place, tuple(map(node_of, value)))
    return Scalar(place, value)


@pytest.fixture
def section():
    """Make a section of plain data; ``.desk`` has what was noted."""

    def made(value, files=None):
        def read_file(path):
            if path not in (files or {}):
                raise FileNotFoundError(2, "No such file or directory")
            return files[path]

        return Section(node_of(value), "top", Desk(read_file))

    return made
