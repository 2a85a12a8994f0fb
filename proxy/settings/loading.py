"""One file, the environment and the flags made into ``Settings``, or every mistake in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from proxy.policy.rules import IMPLICIT_ROUTE, RuleBook
from proxy.settings import rooms
from proxy.settings.cases import read_cases
from proxy.settings.cautions import doubt_namespaces, doubt_routes
from proxy.settings.crossorigin import read_cors
from proxy.settings.exporting import read_cloudwatch
from proxy.settings.fingerprints import fingerprint_of_all
from proxy.settings.kinds import BOOLEAN, DURATION, by, whole
from proxy.settings.layers import expand, overlay
from proxy.settings.lifetimes import Lifetimes, read_lifetimes
from proxy.settings.matching import NAME
from proxy.settings.mistakes import Mistake, Mistakes, Place
from proxy.settings.nodes import Mapping
from proxy.settings.processes import read_workers
from proxy.settings.routes import read_namespaces, read_routes
from proxy.settings.sections import Desk, Section
from proxy.settings.settings import Settings
from proxy.settings.storage import read_store
from proxy.settings.warmers import read_warmers
from proxy.settings.writes import read_writes
from proxy.settings.written import Written
from proxy.settings.yaml12 import parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Map

    from proxy.settings.mistakes import Caution
    from proxy.warming.schedule import ScheduledPurge
    from proxy.warming.warmers import Warmer

_VERSION: Final = 1


def load_settings(
    text: str | None,
    *,
    source: str = "<file>",
    overrides: Map[str, str] | None = None,
    environ: Map[str, str] | None = None,
    secrets_needed: bool = True,
) -> Settings:
    """Read a configuration; ``text`` None: no file, one implicit route over everything on ``memory://``.

    ``overrides`` are flags by path, ``{"upstream.url": ...}``; they beat ``environ``, which beats the file. With
    ``secrets_needed`` False a mounted secret that is not there is a caution: ``check`` runs where none are mounted.
    Raises Mistakes with all that is wrong.
    """
    secret_files: list[str] = []

    def read_file(path: str) -> str:
        secret_files.append(path)
        return Path(path).read_text(encoding="utf-8")

    desk = Desk(read_file=read_file, files_needed=secrets_needed)
    environ = environ or {}
    root: Mapping = Mapping(Place(source))
    if text is not None:
        root, unreadable = parse(text, source)
        desk.mistakes += unreadable
        if any(not mistake.path for mistake in unreadable):
            raise Mistakes(tuple(unreadable))  # not YAML: what is missing then is no mistake of its own
        root, unknown = expand(root, environ)
        desk.mistakes += unknown
    root, wrong, doubts = overlay(root, overrides or {}, environ)
    desk.mistakes += wrong
    desk.cautions += doubts
    settings = _read(Section(root, "", desk), Written(text, source, dict(overrides or {})))
    if desk.mistakes:
        raise Mistakes(tuple(in_order(desk.mistakes)))
    return replace(settings, secret_files=tuple(secret_files))


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Sort by place, each once: what an alias or a merge repeats is one mistake for each path that it reaches."""
    return sorted(dict.fromkeys(mistakes), key=lambda mistake: (mistake.source, mistake.line, mistake.column))


def _read(top: Section, written: Written) -> Settings:
    _read_version(top)
    service = top.one("service", NAME, "sapwood")
    enabled = top.one("enabled", BOOLEAN, True)
    limits = rooms.read_limits(top)
    front, origin = rooms.read_front(top, limits), rooms.read_origin(top, limits)
    admin = rooms.read_admin(top, front)
    backplane, store, flights = read_store(top, limits)
    purge, log = rooms.read_purge(top), rooms.read_log(top)
    cloudwatch = read_cloudwatch(top, service)
    workers = read_workers(top, backplane, origin)
    drain_timeout = top.one("drain_timeout", DURATION, 25.0)
    zone = ZoneInfo(top.one("timezone", TIMEZONE, "UTC"))
    book, scheduled, warmers, ttl_from = _read_rules(
        top, service, zone, enabled=enabled, keyed_authority=origin.host is None, implicit=written.text is None
    )
    cases = read_cases(top)
    _close(top)
    return Settings(
        service=service,
        enabled=enabled,
        book=book,
        zone=zone,
        scheduled=tuple(scheduled),
        warmers=tuple(warmers),
        front=front,
        origin=origin,
        flights=flights,
        backplane=backplane,
        store=store,
        purge=purge,
        admin=admin,
        log=log,
        cloudwatch=cloudwatch,
        drain_timeout=drain_timeout,
        variants=limits.variants,
        tags=limits.tags,
        workers=workers,
        written=written,
        warnings=_warnings(top),
        tests=tuple(cases),
        ttl_from=ttl_from,
        shown=top.shown,
        fingerprint=fingerprint_of_all(top.shown),
    )


def _warnings(top: Section) -> tuple[Caution, ...]:
    return tuple(sorted(dict.fromkeys(top.desk.cautions), key=lambda one: (one.source, one.line, one.column)))


def _read_version(top: Section) -> None:
    if top.one("version", whole(), _VERSION) != _VERSION:
        top.mistake("version", f"this Sapwood reads version {_VERSION}")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise ValueError from None
    return text


TIMEZONE: Final = by(_zone, 'a time zone like "UTC" or "Europe/Berlin"')


def _read_rules(  # noqa: PLR0913 - what every rule is read with
    top: Section, service: str, zone: ZoneInfo, *, enabled: bool, keyed_authority: bool, implicit: bool
) -> tuple[RuleBook, list[ScheduledPurge], list[Warmer], dict[str, str]]:
    defaults_said = top.section("defaults")
    defaults = read_lifetimes(defaults_said, Lifetimes())
    defaults_said.close()
    cors = read_cors(top)
    namespaces = read_namespaces(top, defaults)
    declared = read_routes(top, namespaces, defaults, has_cors=cors is not None)
    names = [one.route.name for one in declared]
    writes, scheduled = read_writes(top, namespaces, names, zone)
    book = RuleBook(
        service=service,
        routes=tuple(one.route for one in declared),
        writes=tuple(writes),
        cors=cors,
        enabled=enabled,
        keyed_authority=keyed_authority,
        implicit=IMPLICIT_ROUTE if implicit else None,
    )
    warmers = read_warmers(top, book, zone)
    if not top.desk.mistakes:
        doubt_routes(declared, book)
        doubt_namespaces(top, namespaces, declared)
    return book, scheduled, warmers, {one.route.name: one.ttl_from for one in declared}


def _close(top: Section) -> None:
    """Note unknown keys; ``x-*`` is free for anchors."""
    for name, _ in top.node.entries:
        if name.text.startswith("x-"):
            top.find(name.text)
    top.close()
