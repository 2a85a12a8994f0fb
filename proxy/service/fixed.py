"""What a reload cannot change, because a room took it when it was built: better refused than taken and not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.settings import needs_restart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proxy.settings import Settings

BUILT_IN: Final = (
    "hosts",
    "trusted_proxies",
    "limits",
    "upstream",
    "store",
    "memory",
    "purge",
    "admin",
    "probes",
    "cloudwatch",
)
"""Sections whose settings the listeners, the backend's pool, the store and the ledger were built with."""

SWAPPED: Final = frozenset({"limits.variants", "limits.tags", "purge.wait_at_most", "purge.refresh_at_once"})
"""Those among them that the pipeline asks for each time."""


def fixed(old: Settings, new: Settings) -> list[str]:
    """Name the settings that changed and that only a restart can put to use, as they are written in the file."""
    names = [*needs_restart(old, new), *(name for name in _changed(old.shown, new.shown) if name not in SWAPPED)]
    if (old.admin.token is None) != (new.admin.token is None):  # a change of the token itself is swapped
        names.append("admin.token")
    return [name for name in dict.fromkeys(names) if name != "probes.listen" or "probes" not in names]


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for section in BUILT_IN:
        before, after = old.get(section), new.get(section)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from (f"{section}.{name}" for name in {**before, **after} if before.get(name) != after.get(name))
        else:
            yield section
