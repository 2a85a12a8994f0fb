"""How a value of a document stands in a table, and on what."""

from __future__ import annotations

import sys
from typing import Any, Final

from rich.console import Console
from rich.text import Text

_WIDE: Final = 200  # columns where no terminal says how many: a log or a pipe must not lose the ends of lines


def console() -> Console:
    """Return standard output; nothing in a value is taken for markup."""
    return Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE, markup=False, highlight=False, emoji=False
    )


def cell(value: Any) -> Text:
    """Return a value as text: nothing is a dash, a flag a word."""
    match value:
        case None:
            return Text("-")
        case bool():
            return Text("yes" if value else "no")
        case list():
            return Text(", ".join(str(item) for item in value) or "-")
        case _:
            return Text(str(value))
