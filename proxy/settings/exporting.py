"""``cloudwatch``: whether metrics go there, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.observe.options import CloudWatchOptions
from proxy.settings.kinds import DURATION as _DURATION
from proxy.settings.kinds import TEXT, at_least, by, choice

if TYPE_CHECKING:
    from proxy.settings.sections import Section

_NAMESPACE: Final = re.compile(r"(?!AWS/)[\w.\-/#][\w.\-/#:]{0,254}", re.ASCII)
_DIMENSION: Final = re.compile(r"([!-9;-<>-~][!-<>-~]{0,254})=([!-~](?:[ -~]{0,1022}[!-~])?)")

MOST_DIMENSIONS: Final = 30
"""As CloudWatch has it."""

SHORTEST: Final = 1.0


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise ValueError
    return text


def _dimension(text: str) -> tuple[str, str]:
    found = _DIMENSION.fullmatch(text)
    if found is None:
        raise ValueError
    return found[1], found[2]


NAMESPACE: Final = by(_namespace, 'a namespace like "TreeBeard/Cache", not one of AWS/')
DIMENSION: Final = by(_dimension, 'a dimension like "Service=api"', "=".join)
INTERVAL: Final = at_least(_DURATION, SHORTEST, 'a duration from "1s" up')


def read_cloudwatch(top: Section, service: str) -> CloudWatchOptions | None:
    """Read ``cloudwatch``; None where it is left out."""
    said = top.maybe_section("cloudwatch")
    if said is None:
        return None
    options = CloudWatchOptions(
        mode=said.one("mode", choice("put", "emf"), "emf"),
        namespace=said.one("namespace", NAMESPACE, "TreeBeard/Cache"),
        region=said.maybe("region", TEXT),
        interval=said.one("interval", INTERVAL, 60.0),
        dimensions=said.many("dimensions", DIMENSION, (("Service", service),)),
    )
    if len(options.dimensions) > MOST_DIMENSIONS:
        said.mistake("dimensions", f"expected at most {MOST_DIMENSIONS}, got {len(options.dimensions)}")
    if len(dict(options.dimensions)) < len(options.dimensions):
        said.mistake("dimensions", "a name is given twice")
    said.close()
    return options
