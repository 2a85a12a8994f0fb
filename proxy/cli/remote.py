"""The commands that ask a running sidecar."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from proxy.cli import screen, statistics, tables, watching
from proxy.cli.arguments import BadUsageError
from proxy.cli.calling import CallError, Reply, Target, call

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_LISTS: Final = ("tags", "keys", "urls", "paths", "patterns", "users", "namespaces", "routes")
_LONGEST_WAIT: Final = 60.0  # seconds; the admin API refuses a longer one


def _target(chosen: argparse.Namespace) -> Target:
    return Target.of(chosen.admin, chosen.token_file, os.environ)


def purge(chosen: argparse.Namespace) -> int:
    """``sapwood purge``: print the receipt; exit 1 where ``--wait`` ended before the purge held everywhere."""
    order: dict[str, Any] = {name: values for name in _LISTS if (values := getattr(chosen, name))}
    if chosen.all:
        order["all"] = True
    if not order:
        raise BadUsageError(
            "purge: nothing to purge: give --tag, --key, --url, --path, --pattern, --user, --namespace, --route or --all"
        )
    order["mode"] = "soft" if chosen.soft else "hard"
    if chosen.wait is not None:
        order["wait"] = chosen.wait
    if chosen.dry_run:
        order["dry_run"] = True
    ask = partial(call, _target(chosen), "POST", "/purge", body=order, wait=_LONGEST_WAIT if chosen.wait else 0.0)
    return _shown(chosen, ask, tables.receipt, failed=_is_not_effective if chosen.wait else None)


def _is_not_effective(receipt: dict[str, Any]) -> bool:
    """Say whether somebody who asked to wait may still be answered with what was purged."""
    return receipt.get("effective") is False


def stats(chosen: argparse.Namespace) -> int:
    """``sapwood stats [--reset | --watch]``."""
    if chosen.watch is not None:
        if chosen.reset:
            raise BadUsageError("stats: --reset shows the statistics once: leave out --watch")
        seconds, as_json = watching.interval(chosen.watch), chosen.format == "json"
        ask = partial(call, _target(chosen), "GET", "/stats")
        return watching.watch(ask, statistics.view, seconds, as_json=as_json)
    method, path = ("POST", "/stats/reset") if chosen.reset else ("GET", "/stats")
    return _shown(chosen, lambda: call(_target(chosen), method, path), tables.stats)


def health(chosen: argparse.Namespace) -> int:
    """``sapwood health``: exit 1 when unhealthy."""
    # An unhealthy sidecar answers 503 and still says how it is.
    return _shown(chosen, lambda: call(_target(chosen), "GET", "/health", fine=frozenset({503})), tables.health)


def _shown(
    chosen: argparse.Namespace,
    ask: Callable[[], Reply],
    show: Callable[[dict[str, Any]], None],
    *,
    failed: Callable[[dict[str, Any]], bool] | None = None,
) -> int:
    try:
        reply = ask()
    except CallError as error:
        screen.complain(f"sapwood {chosen.command}: {error}")
        return 1
    if chosen.format == "json":
        screen.say_json(reply.document)
    else:
        show(reply.document)
    if failed is not None and failed(reply.document):
        return 1
    return 0 if reply.status < 400 else 1  # noqa: PLR2004 - client and server errors


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {"purge": purge, "stats": stats, "health": health}
