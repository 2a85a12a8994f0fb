"""The commands that need only a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from proxy.cli import screen
from proxy.cli.arguments import BadUsageError
from proxy.cli.reading import read_settings, read_text
from proxy.settings import Mistakes
from proxy.settings.check import Report, check_text
from proxy.settings.explain import explain as explain_request

if TYPE_CHECKING:
    import argparse

    from proxy.cli.calling import Target

_ANY_BACKEND: Final = "http://127.0.0.1:8000"  # rules are explained without one, and no file means no mistake


def check(chosen: argparse.Namespace) -> int:
    """``sapwood check``: exit 1 for any mistake or failed test in any of the files."""
    reports = [_report(file) for file in chosen.files]
    if chosen.format == "json":
        screen.say_json([report.as_dict() for report in reports])
    else:
        for report in reports:
            screen.say(report.as_text())
    return 0 if all(report.ok for report in reports) else 1


def _report(file: str) -> Report:
    try:
        return check_text(read_text(file), file, os.environ)
    except Mistakes as unreadable:
        return Report(file, mistakes=unreadable.mistakes)


def explain(chosen: argparse.Namespace) -> int:
    """``sapwood explain``: by the rules of a file, or of the running sidecar that ``--live`` names without one."""
    headers = [_header(text) for text in chosen.headers]
    if chosen.live is not None:
        return _explain_live(chosen, headers)
    try:
        explanation = explain_request(_rules(chosen), chosen.method, chosen.url, headers)
    except Mistakes as refused:
        screen.complain(str(refused))
        return 1
    except ValueError as error:
        raise BadUsageError(f"explain: {error}") from error
    if chosen.format == "json":
        screen.say_json(explanation.as_dict())
    else:
        screen.say(explanation.as_text())
    return 0


def _rules(chosen: argparse.Namespace) -> Any:
    has_file = chosen.config or os.environ.get("SAPWOOD_CONFIG")
    needs_backend = not has_file and "SAPWOOD_UPSTREAM__URL" not in os.environ
    flags = {"upstream.url": _ANY_BACKEND} if needs_backend else {}
    return read_settings(chosen.config, os.environ, flags=flags, secrets_needed=False)


def _explain_live(chosen: argparse.Namespace, headers: list[tuple[str, str]]) -> int:
    from proxy.cli import tables  # noqa: PLC0415 - rich and aiohttp, which the rest of this command does without
    from proxy.cli.calling import CallError, Target  # noqa: PLC0415 - as above

    target = Target.of(chosen.live, chosen.token_file, os.environ)
    try:
        document = _live_document(target, chosen, headers)
    except Mistakes as refused:
        screen.complain(str(refused))
        return 1
    except CallError as error:
        screen.complain(f"sapwood explain: {error}")
        return 1
    if chosen.format == "json":
        screen.say_json(document)
    else:
        tables.explanation(document)
    return 0


def _live_document(target: Target, chosen: argparse.Namespace, headers: list[tuple[str, str]]) -> dict[str, Any]:
    from proxy.cli.calling import call  # noqa: PLC0415 - as above

    if chosen.config:
        try:
            document = explain_request(_rules(chosen), chosen.method, chosen.url, headers).as_dict()
        except ValueError as error:
            raise BadUsageError(f"explain: {error}") from error
    else:
        query = [("method", chosen.method), ("url", chosen.url), *(("header", f"{n}: {v}") for n, v in headers)]
        document = call(target, "GET", "/explain", query=query).document
    stored = call(target, "GET", "/entries", query={"url": chosen.url}).document
    return {**document, "stored": stored["entries"]}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise BadUsageError(f'explain: -H: expected "Name: value", got "{text}"')
    return name.strip(), value.strip()
