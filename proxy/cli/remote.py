"""The commands that ask a running sidecar."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from proxy.cli import screen, tables
from proxy.cli.arguments import BadUsageError
from proxy.cli.calling import CallError, Reply, Target, call

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_LISTS: Final = ("tags", "keys", "urls", "paths", "patterns", "users", "namespaces", "routes")


def _target(chosen: argparse.Namespace) -> Target:
    return Target.of(chosen.admin, chosen.token_file, os.environ)


def purge(chosen: argparse.Namespace) -> int:
    """``sapwood purge``: print the receipt."""
    order: dict[str, Any] = {name: values for name in _LISTS if (values := getattr(chosen, name))}
    if chosen.all:
        order["all"] = True
    if not order:
        raise BadUsageError(
            "purge: nothing to purge: give --tag, --key, --url, --path, --user, --namespace, --route or --all"
        )
    order["mode"] = "soft" if chosen.soft else "hard"
    if chosen.wait is not None:
        order["wait"] = chosen.wait
    if chosen.dry_run:
        order["dry_run"] = True
    return _shown(chosen, lambda: call(_target(chosen), "POST", "/purge", body=order), tables.receipt)


def stats(chosen: argparse.Namespace) -> int:
    """``sapwood stats [--reset]``."""
    method, path = ("POST", "/stats/reset") if chosen.reset else ("GET", "/stats")
    return _shown(chosen, lambda: call(_target(chosen), method, path), tables.stats)


def health(chosen: argparse.Namespace) -> int:
    """``sapwood health``: exit 1 when unhealthy."""
    # An unhealthy sidecar answers 503 and still says how it is.
    return _shown(chosen, lambda: call(_target(chosen), "GET", "/health", fine=frozenset({503})), tables.health)


def _shown(chosen: argparse.Namespace, ask: Callable[[], Reply], show: Callable[[dict[str, Any]], None]) -> int:
    try:
        reply = ask()
    except CallError as error:
        screen.complain(f"sapwood {chosen.command}: {error}")
        return 1
    if chosen.format == "json":
        screen.say_json(reply.document)
    else:
        show(reply.document)
    return 0 if reply.status < 400 else 1  # noqa: PLR2004 - client and server errors


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {"purge": purge, "stats": stats, "health": health}
