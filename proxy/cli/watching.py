"""Asking again and again, until somebody has seen enough."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from proxy.cli import screen
from proxy.cli.arguments import BadUsageError
from proxy.cli.calling import CallError
from proxy.cli.cells import console
from proxy.settings.kinds import DURATION, loose
from proxy.settings.mistakes import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from proxy.cli.calling import Reply

SHORTEST: Final = 0.2
"""Seconds: a question costs each sidecar a millisecond or two."""


def interval(text: str) -> float:
    """Read ``--watch``'s duration. Raises BadUsageError."""
    try:
        seconds = DURATION.read(loose(text, Place("--watch"), text))
    except ValueError as error:
        raise BadUsageError(f"--watch: {error}") from None
    if seconds < SHORTEST:
        raise BadUsageError(f'--watch: expected at least "{SHORTEST * 1000:.0f}ms", got "{text}"')
    return seconds


def watch(
    ask: Callable[[], Reply],
    view: Callable[[dict[str, Any]], RenderableType],
    seconds: float,
    *,
    as_json: bool = False,
    times: int | None = None,
) -> int:
    """Show each answer in the place of the one before it, on a terminal; else one after the other.

    As JSON: a line each. A sidecar that does not answer is said to be gone, and asked again. ``times``: for tests.
    Ends by Ctrl-C, with 0.
    """
    out = console()
    rounds = iter(range(times)) if times is not None else iter(int, 1)
    with contextlib.suppress(KeyboardInterrupt):
        if as_json:
            for _ in rounds:
                _say_line(ask)
                time.sleep(seconds)
            return 0
        with (
            Live(console=out, screen=False, auto_refresh=False) if out.is_terminal else contextlib.nullcontext() as live
        ):
            for _ in rounds:
                shown = _seen(ask, view)
                if live is None:
                    out.print(shown)
                else:
                    live.update(shown, refresh=True)
                time.sleep(seconds)
    return 0


def _seen(ask: Callable[[], Reply], view: Callable[[dict[str, Any]], RenderableType]) -> RenderableType:
    moment = Text(time.strftime("%H:%M:%S"), style="dim")
    try:
        return Group(moment, view(ask().document))
    except CallError as error:
        return Group(moment, Text(str(error)))


def _say_line(ask: Callable[[], Reply]) -> None:
    try:
        screen.say_json_line(ask().document)
    except CallError as error:
        screen.complain(str(error))
