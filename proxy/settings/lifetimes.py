"""How long: what a route takes from its namespace, and a namespace from ``defaults``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from proxy.settings.fields import FIELD_PATTERN
from proxy.settings.kinds import DURATION, POSITIVE_DURATION, Kind, choice, show_duration, whole
from proxy.settings.nodes import Mapping, Scalar

if TYPE_CHECKING:
    from proxy.settings.sections import Section

NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The inheritable settings; seconds. A ``ttl`` or ``negative_ttl`` of None: only what the backend says."""

    ttl: float | None = 300.0  # the application's own response_cache: 5 minutes
    negative_ttl: float | None = 60.0  # its null caching
    stale_while_revalidate: float = 30.0
    stale_if_error: float = 3600.0
    on_store_failure: Literal["pass", "refuse"] = "pass"
    never_store: tuple[bytes, ...] = (
        b"x-request-id",
        b"x-correlation-id",
        b"x-ratelimit-*",
        b"ratelimit-*",
        b"server-timing",
    )


def _duration_or_none(scalar: Scalar) -> float | None:
    return None if scalar.text == NONE else DURATION.read(scalar)


DURATION_OR_NONE: Final[Kind[float | None]] = Kind(
    DURATION.expects, _duration_or_none, lambda seconds: NONE if seconds is None else show_duration(seconds)
)


def read_lifetimes(said: Section, above: Lifetimes) -> Lifetimes:
    """Read what a route, a namespace or ``defaults`` says, the rest from ``above``."""
    return Lifetimes(
        ttl=_read_ttl(said, above.ttl),
        negative_ttl=said.one("negative_ttl", DURATION_OR_NONE, above.negative_ttl),
        stale_while_revalidate=said.one("stale_while_revalidate", DURATION, above.stale_while_revalidate),
        stale_if_error=said.one("stale_if_error", DURATION, above.stale_if_error),
        on_store_failure=said.one("on_store_failure", choice("pass", "refuse"), above.on_store_failure),
        never_store=said.many("never_store", FIELD_PATTERN, above.never_store),
    )


def _read_ttl(said: Section, above: float | None) -> float | None:
    if not isinstance(said.find("ttl"), Mapping):
        ttl = said.one("ttl", DURATION_OR_NONE, above)
        said.shown["ttl"] = DURATION_OR_NONE.show(ttl)
        return ttl
    adaptive = said.section("ttl")
    base = adaptive.required("base", POSITIVE_DURATION, 300.0)
    for name, bound in (("hot", "above"), ("cold", "below")):
        step = adaptive.maybe_section(name)
        if step is not None:
            step.required(bound, whole(), 0)
            step.required("factor", FACTOR, 1.0)
            step.close()
    adaptive.one("window", POSITIVE_DURATION, 3600.0)
    least, most = adaptive.maybe("min", POSITIVE_DURATION), adaptive.maybe("max", POSITIVE_DURATION)
    if least is not None and most is not None and least > most:
        adaptive.mistake("min", "longer than max")
    adaptive.close()
    said.mistake("ttl", f"a ttl that follows the traffic is not built yet: write its base alone, {show_duration(base)}")
    return base


def _parse_factor(scalar: Scalar) -> float:
    if not scalar.is_number:
        raise ValueError
    factor = float(scalar.text)
    if not 0 < factor <= 1000:  # noqa: PLR2004 - a bound that no one means to cross
        raise ValueError
    return factor


FACTOR: Final = Kind("a factor above 0 like 2 or 0.5", _parse_factor)
