"""Standard output and standard error."""

from __future__ import annotations

import sys
from typing import Any

import orjson


def say(text: str) -> None:
    """Write lines of a result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(document: Any) -> None:
    """Write a result for a program."""
    say(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def say_json_line(document: Any) -> None:
    """Write one result of several for a program."""
    say(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode())


def complain(text: str) -> None:
    """Write lines that say why not."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
