"""Run a slow backend and two sidecars in front of it, and show what they do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import uvloop

from proxy.demo.guide import play
from proxy.demo.live import shown
from proxy.demo.ports import DEFAULT_BASE, HOST, Ports
from proxy.demo.stage import everything
from proxy.demo.tour import CHAPTERS, as_curl
from proxy.message.errors import SapwoodError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from proxy.demo.stage import Stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until it is told to stop, or play its tour; 0 if all it claims was true."""
    parser = argparse.ArgumentParser(prog="sapwood demo", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port-base", metavar="N", type=int, default=DEFAULT_BASE, help="the first of seven ports")
    parser.add_argument("--tour", action="store_true", help="try the printed lines, say what was true, and end")
    chosen = parser.parse_args(arguments)
    ports = Ports(chosen.port_base)
    try:
        return uvloop.run(_until_told(_tour(ports) if chosen.tour else _show(ports)))
    except (SapwoodError, OSError) as error:
        sys.stderr.write(f"sapwood demo: {error}\n")
        return 1


async def _until_told(work: Coroutine[None, None, int]) -> int:
    """Run ``work``; SIGINT, SIGTERM and SIGHUP end it, and let it clean up."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    told = False

    def end() -> None:
        nonlocal told
        if not told:  # a second one must not cut the cleaning up short: children would be left
            told = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 0


async def _show(ports: Ports) -> int:
    in_colour = sys.stdout.isatty()

    def show(sidecar: str, line: str) -> None:
        text = shown(sidecar, line, in_colour=in_colour)
        if text is not None:
            _say(text)

    _say("Starting a slow backend, an embedded Valkey and two sidecars ...")
    async with everything(ports, show) as stage:
        try:
            _say(_welcome(stage))
            await stage.failure
        finally:
            _say(f"\nEnding. {_summary(stage)}")
    return 0


async def _tour(ports: Ports) -> int:
    async with everything(ports, lambda _sidecar, _line: None) as stage:
        false = await play(stage, _say)
        _say(f"\n{_summary(stage)}")
        if stage.backend.overused:
            false.append("the backend was given more than it can bear")
    for claim in false:
        _say(f"FALSE: {claim}")
    _say(f"{len(false)} claims were false." if false else "All of it was true.")
    return 1 if false else 0


def _summary(stage: Stage) -> str:
    backend = stage.backend
    said = f"The backend answered {backend.answered} times, {backend.most_at_once} at once at most."
    return said if not backend.overused else f"{said} {backend.overused} times it was given more than it can bear."


def _welcome(stage: Stage) -> str:
    ports = stage.ports
    lines = [
        "",
        f"backend    http://{HOST}:{ports.backend}   300 ms per answer, 12 requests at once at most",
        f"sidecar A  {stage.url('A')}   admin and dashboard http://{HOST}:{ports.admin(0)}/",
        f"sidecar B  {stage.url('B')}   admin and dashboard http://{HOST}:{ports.admin(1)}/",
        "",
        "Try these in another terminal, in this order (sapwood demo --tour does it for you):",
    ]
    for chapter in CHAPTERS:
        lines += ["", f"# {chapter.title}"]
        lines += [f"{as_curl(step, stage.url)}   # {step.cached}" for step in chapter.steps]
    lines += ["", "# What was counted", f"sapwood stats --admin http://{HOST}:{ports.admin(0)}"]
    return "\n".join([*lines, "", "Ctrl-C ends all. What happens:", ""])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
