"""``match`` and ``after``: method lists and path templates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.policy.rules import Match
from proxy.policy.templates import PathTemplate
from proxy.settings.kinds import Kind, by

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.settings.sections import Section

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


#: Names are labels of metrics and parts of keys.
NAME: Final = by(_name, 'a name of letters, digits, "-", "_" and "."')


def read_matches(said: Section, key: str, methods_of: Callable[[str], frozenset[bytes]]) -> tuple[Match, ...]:
    """Read one match or a list of them; at least one must be there."""

    def parse(text: str) -> tuple[str, Match]:
        parts = text.split()
        if len(parts) != 2 or not parts[1].startswith("/"):  # noqa: PLR2004 - methods and path
            raise ValueError
        return " ".join(parts), Match(methods_of(parts[0]), PathTemplate.parse(parts[1]))

    kind: Kind[tuple[str, Match]] = by(parse, 'a method and a path like "GET /plans/{id}"', lambda pair: pair[0])
    if not said.has(key):
        said.mistake(key, f"missing: expected {kind.expects}")
    return tuple(match for _, match in said.many(key, kind, single=True))
