"""A bar chart as SVG, by hand: no dependency, readable on light and on dark."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 760
LEFT: Final = 170
RIGHT: Final = 90
BAR: Final = 14
STEP: Final = 18
HEADING: Final = 22
GAP: Final = 10
TOP: Final = 34
STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 14px; font-weight: 600; }
.group { font-weight: 600; }
.label { text-anchor: end; }
.whisker { stroke: #1f2328; stroke-width: 1; }
.ours { fill: #1a7f37; }
.theirs { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .whisker { stroke: #e6edf3; }
  .ours { fill: #3fb950; }
  .theirs { fill: #6e7681; }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with what is written before and after it, and the bounds of its spread."""

    label: str
    value: float
    low: float
    high: float
    said: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Bars under a heading."""

    heading: str
    bars: tuple[Bar, ...]


def drawn(title: str, groups: Sequence[Group]) -> str:
    """Return the SVG: every bar on one scale, from nothing to the largest upper bound."""
    largest = max((bar.high for group in groups for bar in group.bars), default=0.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / largest
    parts = [f'<text class="title" x="8" y="20">{escape(title)}</text>']
    down = TOP
    for group in groups:
        parts.append(f'<text class="group" x="8" y="{down + 14}">{escape(group.heading)}</text>')
        down += HEADING
        for bar in group.bars:
            parts += _bar(bar, down, scale)
            down += STEP
        down += GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{down}" viewBox="0 0 {WIDTH} {down}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def _bar(bar: Bar, down: int, scale: float) -> list[str]:
    kind = "ours" if bar.ours else "theirs"
    low, high, end = (LEFT + bound * scale for bound in (bar.low, bar.high, bar.value))
    middle = down + BAR / 2
    return [
        f'<text class="label" x="{LEFT - 8}" y="{down + 11}">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{down}" width="{end - LEFT:.1f}" height="{BAR}" rx="2"/>',
        f'<line class="whisker" x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}"/>',
        f'<text x="{max(high, end) + 6:.1f}" y="{down + 11}">{escape(bar.said)}</text>',
    ]
