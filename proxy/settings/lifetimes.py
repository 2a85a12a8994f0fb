"""How long: what a route takes from its namespace, and a namespace from ``defaults``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from proxy.policy.adaptive import Adaptive, Bound
from proxy.settings.fields import FIELD_PATTERN
from proxy.settings.kinds import DURATION, POSITIVE_DURATION, Kind, choice, show_duration, whole
from proxy.settings.nodes import Mapping, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.settings.sections import Section

NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The inheritable settings; seconds. A ``ttl`` or ``negative_ttl`` of None: only what the backend says.

    ``adaptive``: how ``ttl`` follows the traffic.
    """

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
    adaptive: Adaptive | None = None


def _duration_or_none(scalar: Scalar) -> float | None:
    return None if scalar.text == NONE else DURATION.read(scalar)


DURATION_OR_NONE: Final[Kind[float | None]] = Kind(
    DURATION.expects, _duration_or_none, lambda seconds: NONE if seconds is None else show_duration(seconds)
)


def read_lifetimes(said: Section, above: Lifetimes) -> Lifetimes:
    """Read what a route, a namespace or ``defaults`` says, the rest from ``above``."""
    ttl, adaptive = _read_ttl(said, above)
    return Lifetimes(
        ttl=ttl,
        negative_ttl=said.one("negative_ttl", DURATION_OR_NONE, above.negative_ttl),
        stale_while_revalidate=said.one("stale_while_revalidate", DURATION, above.stale_while_revalidate),
        stale_if_error=said.one("stale_if_error", DURATION, above.stale_if_error),
        on_store_failure=said.one("on_store_failure", choice("pass", "refuse"), above.on_store_failure),
        never_store=said.many("never_store", FIELD_PATTERN, above.never_store),
        adaptive=adaptive,
    )


def _read_ttl(said: Section, above: Lifetimes) -> tuple[float | None, Adaptive | None]:
    """Return the ttl, and how it follows the traffic: with what is said, what is above says neither."""
    if not said.has("ttl") and above.adaptive is not None:
        said.shown["ttl"] = _shown(above.ttl, above.adaptive)
        return above.ttl, above.adaptive
    if not isinstance(said.find("ttl"), Mapping):
        ttl = said.one("ttl", DURATION_OR_NONE, above.ttl)
        said.shown["ttl"] = DURATION_OR_NONE.show(ttl)
        return ttl, None
    return _read_adaptive(said.section("ttl"))


def _read_adaptive(said: Section) -> tuple[float, Adaptive]:
    base = said.required("base", POSITIVE_DURATION, 300.0)
    hot, cold = _read_bound(said, "hot", "above", MORE), _read_bound(said, "cold", "below", LESS)
    adaptive = Adaptive(
        window=said.one("window", WINDOW, 3600.0),  # the strategy's: reads in an hour
        hot=hot,
        cold=cold,
        least=said.maybe("min", POSITIVE_DURATION),
        most=said.maybe("max", POSITIVE_DURATION),
    )
    said.close()
    if not said.has("hot") and not said.has("cold"):
        said.mistake("base", f"follows nothing without hot or cold: write it alone, ttl: {show_duration(base)}")
    if adaptive.least is not None and adaptive.least > base:
        said.mistake("min", f"longer than the base, {show_duration(base)}")
    if adaptive.most is not None and adaptive.most < base:
        said.mistake("max", f"shorter than the base, {show_duration(base)}")
    if hot is not None and cold is not None and cold.reads > hot.reads:
        said.mistake("cold", f"below {cold.reads} is cold, and above {hot.reads} is hot: some would be both")
    return base, adaptive


def _read_bound(said: Section, key: str, bound: str, factor: Kind[float]) -> Bound | None:
    step = said.maybe_section(key)
    if step is None:
        return None
    found = Bound(step.required(bound, whole(), 0), step.required("factor", factor, 1.0))
    step.close()
    return found


def _shown(base: float | None, adaptive: Adaptive) -> dict[str, Any]:
    """Return what ``_read_adaptive`` shows of the same."""
    shown: dict[str, Any] = {"base": DURATION_OR_NONE.show(base)}
    for key, bound, of in (("hot", "above", adaptive.hot), ("cold", "below", adaptive.cold)):
        if of is not None:
            shown[key] = {bound: of.reads, "factor": of.factor}
    shown["window"] = show_duration(adaptive.window)
    for key, seconds in (("min", adaptive.least), ("max", adaptive.most)):
        if seconds is not None:
            shown[key] = show_duration(seconds)
    return shown


def _number(least: float, most: float) -> Callable[[Scalar], float]:
    def parse(scalar: Scalar) -> float:
        if not scalar.is_number:
            raise ValueError
        number = float(scalar.text)
        if not least <= number <= most:
            raise ValueError
        return number

    return parse


MORE: Final = Kind("a factor from 1 to 100", _number(1, 100))
LESS: Final = Kind("a factor from 0.01 to 1", _number(0.01, 1))

SHORTEST_WINDOW: Final = 60.0
LONGEST_WINDOW: Final = 7 * 86400.0
"""Counts are merged every 5 s, and kept for two windows."""


def _parse_window(scalar: Scalar) -> float:
    seconds = DURATION.read(scalar)
    if not SHORTEST_WINDOW <= seconds <= LONGEST_WINDOW:
        raise ValueError
    return seconds


WINDOW: Final = Kind('a duration from "1m" to "7d"', _parse_window, show_duration)
