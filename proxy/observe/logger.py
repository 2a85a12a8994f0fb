"""What makes a line of an event's fields.

structlog is used without its global configuration, so that each service in a process logs as its own options say. And
without rich, which it imports wherever it finds it, for tracebacks that no line of ours has: as much time and memory as
all the rest of it.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import orjson

from proxy.observe.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from structlog.typing import FilteringBoundLogger, Processor

    from proxy.observe.linewriter import LineWriter
    from proxy.observe.options import LogOptions


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let a package that is not imported yet seem not to be installed."""
    hides = name not in sys.modules
    if hides:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        if hides:
            del sys.modules[name]


with _without("rich"):
    import structlog


def make_logger(options: LogOptions, writer: LineWriter) -> FilteringBoundLogger:
    """Return a logger whose lines go to ``writer``, and are harmless whatever their fields hold."""
    renderer: Processor = (
        structlog.processors.JSONRenderer(serializer=orjson.dumps)
        if options.format == "json"
        else structlog.dev.ConsoleRenderer(colors=writer.is_terminal, repr_native_str=True, timestamp_key="time")
    )
    logger = structlog.wrap_logger(
        _Out(writer),
        processors=[
            _harmless_fields,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[options.level.upper()]),
    )
    return cast("FilteringBoundLogger", logger.bind())


def _harmless_fields(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # Rendered by structlog, these would carry foreign messages and, on a console, local variables.
    for name in ("exc_info", "exception", "stack_info", "stack"):
        fields.pop(name, None)
    return {name: harmless(name, value) for name, value in fields.items()}


class _Out:
    """What structlog calls a logger: it gets the rendered line."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def msg(self, line: str | bytes) -> None:
        self._writer.write(line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace"))

    debug = info = warning = error = critical = msg
