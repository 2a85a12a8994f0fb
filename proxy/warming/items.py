"""Where in a list the backend's items are: ``items[].id``, ``data.plans[].key``, ``[]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH: Final = re.compile(r"(?:[^.\[\]]+|(?=\[\]))(?:\[\]|\.[^.\[\]]+)*")
_STEP: Final = re.compile(r"\[\]|[^.\[\]]+")
_EACH: Final = "[]"

LONGEST_VALUE: Final = 256
"""Characters of an item's value: it becomes one segment of a path."""


@dataclass(frozen=True, slots=True)
class ItemPath:
    """Steps into a JSON document, ``[]`` for each element of a list."""

    text: str
    steps: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> ItemPath:
        """Read a path. Raises ValueError."""
        steps = tuple(_STEP.findall(text)) if _PATH.fullmatch(text) else ()
        if _EACH not in steps:
            raise ValueError(f'expected a path to the items like "items[].id", got "{text}"')
        return ItemPath(text, steps)

    def values(self, document: Any) -> list[str]:
        """Return what the path leads to, each once: text and whole numbers; what is something else is left out."""
        found = (_text(value) for value in _at(document, self.steps))
        return list(dict.fromkeys(value for value in found if value))


def _at(value: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    if not steps:
        yield value
    elif steps[0] == _EACH:
        for element in value if isinstance(value, list) else ():
            yield from _at(element, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) and value is not True else ""
    return text if len(text) <= LONGEST_VALUE and value is not False else ""
