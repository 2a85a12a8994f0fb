"""``warm``: read and checked in full, then refused, since nothing runs it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.settings.kinds import POSITIVE_DURATION, TEXT, choice, whole
from proxy.settings.matching import NAME
from proxy.settings.nearest import did_you_mean
from proxy.settings.nodes import Mapping
from proxy.settings.writes import CRON

if TYPE_CHECKING:
    from collections.abc import Collection

    from proxy.settings.sections import Section


def refuse_warmers(top: Section, routes: Collection[str]) -> None:
    """Note every mistake within ``warm``, and that warming itself is not built yet."""
    names: set[str] = set()
    for said in top.sections("warm", show=False):
        name = said.required("name", NAME, "")
        if name in names:
            said.mistake("name", f'"{name}" is taken')
        names.add(name)
        said.many("when", choice("startup", "purge"))
        said.many("schedule", CRON, single=True)
        route = said.maybe("route", TEXT)
        if route is not None and route not in routes:
            said.mistake("route", f'there is no route "{route}"{did_you_mean(route, routes)}')
        _check_source(said)
        said.one("limit", whole(1), 100)
        said.one("concurrency", whole(1), 8)
        said.one("deadline", POSITIVE_DURATION, 30.0)
        said.close()
    if top.has("warm"):
        top.mistake("warm", "warming is not built yet: leave it out")


def _check_source(said: Section) -> None:
    if not isinstance(said.find("source"), Mapping):
        said.one("source", choice("popular"), "popular")
        return
    inner = said.section("source")
    urls = inner.many("urls", TEXT)
    listed = inner.maybe("list", TEXT)
    items = inner.maybe("items", TEXT)
    if bool(urls) == bool(listed) or bool(items) != bool(listed):
        said.mistake("source", "expected popular, {urls: [...]} or {list: /path, items: ...}")
    inner.close()
