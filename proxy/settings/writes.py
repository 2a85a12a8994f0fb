"""``invalidate``: what a write that passes through purges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.policy.rules import WriteRule
from proxy.settings.cron import check_cron
from proxy.settings.fields import write_methods
from proxy.settings.keying import Anything, all_read, known_to_write, template
from proxy.settings.kinds import BOOLEAN, TEXT, by, choice
from proxy.settings.matching import read_matches
from proxy.settings.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from proxy.settings.sections import Section

_SELECTORS: Final = ("tags", "keys", "urls", "paths", "users", "namespaces", "routes", "all")
CRON: Final = by(check_cron, 'a cron expression like "*/30 * * * *"')


def read_writes(top: Section, namespaces: Collection[str], routes: Collection[str]) -> list[WriteRule]:
    """Read ``invalidate``."""
    return [_read_write(said, namespaces, routes) for said in top.sections("invalidate")]


def _read_write(said: Section, namespaces: Collection[str], routes: Collection[str]) -> WriteRule:
    scheduled = _read_schedule(said)
    patterns = said.many("patterns", TEXT)
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
        namespaces=_names(said, "namespaces", namespaces),
        routes=_names(said, "routes", routes),
        everything=said.one("all", BOOLEAN, False),
        soft=said.one("mode", choice("hard", "soft"), "hard") == "soft",
        on_store_failure=said.one("on_store_failure", choice("pass", "refuse"), "pass"),
    )
    if scheduled and said.has("after"):
        said.mistake("after", "a rule follows a write or a schedule, not both")
    said.close()
    _forget_what_is_empty(said)
    if patterns:
        said.mistake("patterns", "purging by pattern is not built yet: name tags, keys, paths or a namespace")
    elif not rule.everything and not any(said.has(key) for key in _SELECTORS[:-1]):
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


def _read_schedule(said: Section) -> bool:
    if not said.has("schedule"):
        return False
    said.many("schedule", CRON, single=True)
    said.mistake("schedule", "purging by the clock is not built yet: only after writes")
    return True


def _names(said: Section, key: str, known: Collection[str]) -> tuple[str, ...]:
    names = said.many(key, TEXT)
    for name in names:
        if name not in known:
            said.mistake(key, f'there is no "{name}"{did_you_mean(name, known)}')
    return names


def _forget_what_is_empty(said: Section) -> None:
    for key in [key for key, value in said.shown.items() if value == []]:
        del said.shown[key]
