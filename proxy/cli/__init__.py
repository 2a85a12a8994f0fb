"""What a person types.

- ``arguments``  every command, flag and word of help; imports nothing heavy, so that ``--help`` is at once
- ``serving``    ``serve``: what runs until it is told to stop
- ``showing``    ``demo``: becomes the program that it is
- ``offline``    ``check`` and ``explain``: what needs only a file
- ``warming``    ``warm``: asks a running sidecar, and shows how far it is
- ``remote``     ``purge``, ``stats``, ``health``: what asks a running sidecar
- ``calling``    one call to the admin API
- ``watching``   asking again and again
- ``statistics`` the statistics as tables
- ``cells``      how a value stands in a table
- ``tables``     documents as tables
- ``screen``     standard output and standard error

Exit codes: 0 done; 1 it could not be done (a refused configuration, an unhealthy sidecar, no answer); 2 bad usage.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Final

from proxy.cli.arguments import BadUsageError, make_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

INTERRUPTED: Final = 130  # as a shell reports SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Raises SystemExit for ``--help``, ``--version`` and bad usage."""
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen)
    except BadUsageError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(chosen: argparse.Namespace) -> int:
    # Each command imports what it needs and no more: aiohttp alone takes a quarter of a second.
    match chosen.command:
        case "serve":
            gc.disable()  # as service.settling says, which itself takes an import
            from proxy.cli.serving import serve  # noqa: PLC0415 - see above

            return serve(chosen)
        case "demo":
            from proxy.cli.showing import demo  # noqa: PLC0415 - see above

            return demo(chosen)
        case "check" | "explain":
            from proxy.cli import offline  # noqa: PLC0415 - see above

            return offline.check(chosen) if chosen.command == "check" else offline.explain(chosen)
        case "warm":
            from proxy.cli.warming import warm  # noqa: PLC0415 - see above

            return warm(chosen)
        case _:
            from proxy.cli import remote  # noqa: PLC0415 - see above

            return remote.COMMANDS[chosen.command](chosen)
