"""What runs until it is told to stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import uvloop

from proxy.cli import screen
from proxy.cli.reading import file_of, flags_of, read_settings
from proxy.cli.signals import run_until_told
from proxy.message.errors import SapwoodError
from proxy.service import Service, settling
from proxy.settings import Mistakes

if TYPE_CHECKING:
    import argparse

    from proxy.settings import Settings


def serve(chosen: argparse.Namespace) -> int:
    """``sapwood serve``: exit 1 with every mistake of a refused configuration, 0 after a drain."""
    secret_files: tuple[str, ...] = ()

    def load() -> Settings:
        nonlocal secret_files
        settings = read_settings(chosen.config, os.environ, flags=flags_of(chosen))
        secret_files = settings.secret_files
        return settings

    def watched() -> tuple[str, ...]:
        file = file_of(chosen.config, os.environ)
        return secret_files if file is None else (file, *secret_files)

    try:
        settings = load()
    except Mistakes as refused:
        screen.complain(str(refused))
        return 1
    for warning in settings.warnings:
        screen.complain(f"warning: {warning}")
    try:
        uvloop.run(run_until_told(Service(settings, load=load), watched if chosen.watch else None, _settle))
    except (SapwoodError, OSError) as error:
        screen.complain(f"sapwood serve: {error}")
        return 1
    return 0


def _settle() -> None:
    settling.settle(settling.FOR_LINES, settling.FOR_METRICS)
