"""``sapwood demo``. It becomes another program, so nothing is imported here that this one would not use."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse


def demo(chosen: argparse.Namespace) -> NoReturn:
    """``sapwood demo``: its room stands beside this one and is no part of it, so it runs as the program that it is."""
    sys.stdout.flush()
    words = [] if chosen.port_base is None else ["--port-base", str(chosen.port_base)]
    words += ["--tour"] if chosen.tour else []
    os.execv(sys.executable, [sys.executable, "-m", "proxy.demo", *words])  # noqa: S606 - ourselves; a number, a flag
