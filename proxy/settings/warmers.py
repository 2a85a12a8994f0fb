"""``warm``: what is fetched before anybody asks, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.settings.cron import parse_cron
from proxy.settings.fingerprints import fingerprint_of_all
from proxy.settings.kinds import POSITIVE_DURATION, TEXT, Kind, by, choice, whole
from proxy.settings.matching import NAME
from proxy.settings.nearest import did_you_mean
from proxy.settings.nodes import Mapping
from proxy.settings.writes import CRON
from proxy.warming.items import ItemPath
from proxy.warming.requests import served_by, takes_items
from proxy.warming.warmers import MOST_AT_ONCE, MOST_ITEMS, Listed, Popular, Predicted, Source, Urls, Warmer

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from proxy.policy.rules import Route, RuleBook
    from proxy.settings.nodes import Scalar
    from proxy.settings.sections import Section
    from proxy.warming.cron import Cron

ITEMS: Final = by(ItemPath.parse, 'a path to the items like "items[].id"', lambda path: path.text)
BEFORE_THE_HOUR: Final = "50 * * * *"
"""When a prediction is warmed that says nothing else: ten minutes before each hour."""

_EXPECTED: Final = "expected popular, predicted, {urls: [...]} or {list: /path, items: ...}"
_SOURCES: Final[dict[str, Source]] = {"popular": Popular(), "predicted": Predicted()}


def read_warmers(top: Section, book: RuleBook, zone: ZoneInfo) -> list[Warmer]:
    """Read ``warm`` under the rules that it warms for; schedules are of that time zone."""
    warmers: list[Warmer] = []
    for said in top.sections("warm"):
        warmer = _read_warmer(said, book, zone)
        if warmer.name in {other.name for other in warmers}:
            said.mistake("name", f'"{warmer.name}" is taken')
        warmers.append(warmer)
    return warmers


def _read_warmer(said: Section, book: RuleBook, zone: ZoneInfo) -> Warmer:
    name = said.required("name", NAME, "")
    when = said.many("when", choice("startup", "purge"))
    route = _read_route(said, book)
    source = _read_source(said, book, route)
    crons = _read_schedule(said, source, when)
    if "purge" in when and not isinstance(source, Popular):
        said.mistake("when", 'after a purge only what is read most can be known: "purge" needs source: popular')
    limit = said.one("limit", _between(1, MOST_ITEMS), 100)
    concurrency = said.one("concurrency", _between(1, MOST_AT_ONCE), 8)
    deadline = said.one("deadline", POSITIVE_DURATION, 30.0)
    said.close()
    return Warmer(
        name=name,
        digest=fingerprint_of_all({**said.shown, "timezone": zone.key}),
        source=source,
        zone=zone,
        on_startup="startup" in when,
        on_purge="purge" in when,
        crons=crons,
        route=route.name if route is not None else None,
        limit=limit,
        concurrency=concurrency,
        deadline=deadline,
    )


def _between(least: int, most: int) -> Kind[int]:
    kind = whole(least)

    def parse(scalar: Scalar) -> int:
        value = kind.parse(scalar)
        if value > most:
            raise ValueError
        return value

    return Kind(f"a whole number from {least} to {most}", parse)


def _read_route(said: Section, book: RuleBook) -> Route | None:
    """Read the route; one whose answers are a client's own cannot be warmed."""
    name = said.maybe("route", TEXT)
    if name is None:
        return None
    route = next((route for route in book.routes if route.name == name), None)
    if route is None:
        said.mistake("route", f'there is no route "{name}"{did_you_mean(name, [one.name for one in book.routes])}')
    elif route.scope != "public":
        said.mistake("route", f'"{name}" keeps a copy per credential, and nobody but its owner has that')
    return route


def _read_schedule(said: Section, source: Source, when: tuple[str, ...]) -> tuple[Cron, ...]:
    """Read the schedule; a prediction that says nothing of when has one of its own."""
    by_itself = isinstance(source, Predicted) and not when
    return said.many("schedule", CRON, (parse_cron(BEFORE_THE_HOUR),) if by_itself else (), single=True)


def _read_source(said: Section, book: RuleBook, route: Route | None) -> Source:
    if not isinstance(said.find("source"), Mapping):
        return _SOURCES[said.one("source", choice(*_SOURCES), "popular")]
    inner = said.section("source")
    urls = inner.many("urls", TEXT)
    listed = inner.maybe("list", TEXT)
    items = inner.maybe("items", ITEMS)
    inner.close()
    if bool(urls) == bool(listed) or inner.has("items") != bool(listed):
        said.mistake("source", _EXPECTED)
    for url in urls:
        try:
            serving = served_by(url, book)
        except ValueError as error:
            inner.mistake("urls", str(error))
            continue
        if route is not None and serving.name != route.name:
            inner.mistake("urls", f'the route "{serving.name}" serves "{url}", not "{route.name}"')
    if listed is None or items is None:
        return Urls(urls)
    return _listed(said, inner, listed, items, route)


def _listed(said: Section, inner: Section, listed: str, items: ItemPath, route: Route | None) -> Listed:
    if not listed.startswith(("/", "http://", "https://")):
        inner.mistake("list", f'expected a path like "/plans?page_size=100", got "{listed}"')
    if route is None and not said.has("route"):
        said.mistake("route", "missing: a list needs the route whose path the items go into")
    elif route is not None and not takes_items(route):
        said.mistake("route", f'"{route.name}" has no path with one variable that an item could go into')
    return Listed(listed, items)
