"""``invalidate``: what a write that passes through purges, and what the clock does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import globs
from proxy.policy.rules import WriteRule
from proxy.settings.cron import parse_cron
from proxy.settings.fields import write_methods
from proxy.settings.fingerprints import fingerprint_of_all
from proxy.settings.keying import Anything, all_read, known_to_write, template
from proxy.settings.kinds import BOOLEAN, TEXT, by, choice
from proxy.settings.matching import read_matches
from proxy.settings.nearest import did_you_mean
from proxy.warming.schedule import ScheduledPurge

if TYPE_CHECKING:
    from collections.abc import Collection
    from zoneinfo import ZoneInfo

    from proxy.settings.sections import Section

_SELECTORS: Final = ("tags", "keys", "urls", "paths", "patterns", "users", "namespaces", "routes", "all")
CRON: Final = by(parse_cron, 'a cron expression like "*/30 * * * *"', lambda cron: cron.text)
GLOB: Final = by(globs.checked, 'a pattern like "recommendations:*"')


def read_writes(
    top: Section, namespaces: Collection[str], routes: Collection[str], zone: ZoneInfo
) -> tuple[list[WriteRule], list[ScheduledPurge]]:
    """Read ``invalidate``: rules that follow writes, and rules that follow the clock in that time zone."""
    writes: list[WriteRule] = []
    scheduled: list[ScheduledPurge] = []
    for said in top.sections("invalidate"):
        crons = said.many("schedule", CRON, single=True) if said.has("schedule") else ()
        rule = _read_write(said, namespaces, routes, scheduled=said.has("schedule"))
        if crons:
            digest = fingerprint_of_all({**said.shown, "timezone": zone.key})
            scheduled.append(ScheduledPurge(crons, zone, rule, digest))
        else:
            writes.append(rule)
    return writes, scheduled


def _read_write(said: Section, namespaces: Collection[str], routes: Collection[str], *, scheduled: bool) -> WriteRule:
    matches = () if scheduled else read_matches(said, "after", write_methods)
    readable = scheduled or all_read(said, "after", matches)
    kind = template((known_to_write(matches) if matches else ()) if readable else Anything())
    rule = WriteRule(
        matches=matches,
        tags=said.many("tags", kind),
        keys=said.many("keys", kind),
        urls=said.many("urls", kind),
        paths=said.many("paths", kind),
        users=said.many("users", kind),
        patterns=said.many("patterns", GLOB),
        namespaces=_names(said, "namespaces", namespaces),
        routes=_names(said, "routes", routes),
        everything=said.one("all", BOOLEAN, False),
        soft=said.one("mode", choice("hard", "soft"), "hard") == "soft",
        on_store_failure=said.one("on_store_failure", choice("pass", "refuse"), "pass"),
    )
    if scheduled:
        _check_schedule(said)
    said.close()
    _forget_what_is_empty(said)
    if not rule.everything and not any(said.has(key) for key in _SELECTORS[:-1]):
        said.desk.mistake(said.node.place, said.path, f"purges nothing: expected {', '.join(_SELECTORS[:-1])} or all")
    _check_paths(said, rule)
    return rule


def _check_paths(said: Section, rule: WriteRule) -> None:
    for key, values, foreign in (("paths", rule.paths, "?#"), ("urls", rule.urls, "#")):
        for value in values:
            if not value.text.startswith("/"):
                said.mistake(key, f'expected a path like "/plans/{{plan_id}}", got "{value.text}"')
            for sign in foreign:
                if sign in value.text:
                    said.mistake(key, f'expected no "{sign}" in it, got "{value.text}"')


def _check_schedule(said: Section) -> None:
    del said.shown["on_store_failure"]  # nobody waits for an answer
    if said.has("on_store_failure"):
        said.mistake("on_store_failure", "a schedule has nothing to refuse: it is run as soon as the store is back")
    if said.has("after"):
        said.mistake("after", "a rule follows a write or a schedule, not both")
    if said.is_empty_list("schedule"):
        said.mistake("schedule", "a schedule without a time")


def _names(said: Section, key: str, known: Collection[str]) -> tuple[str, ...]:
    names = said.many(key, TEXT)
    for name in names:
        if name not in known:
            said.mistake(key, f'there is no "{name}"{did_you_mean(name, known)}')
    return names


def _forget_what_is_empty(said: Section) -> None:
    for key in [key for key, value in said.shown.items() if value == []]:
        del said.shown[key]
