"""A picture of hit rates: one bar for each day, the strategy's figures as lines. Plain SVG, readable on light and dark."""

from __future__ import annotations

from html import escape
from pathlib import Path  # noqa: TC003 - a program, not a package

WIDTH, LEFT, TOP, BAR, GAP = 760, 240, 56, 22, 14
CAPTION = "50,000 reads of 5,000 plans in a day, Zipf; TTL 1 h; the backend takes 300 ms and has 12 hands"
SCALE = (WIDTH - LEFT - 150) / 100


def draw(file: Path, bars: list[tuple[str, float, int]], strategy: dict[str, float]) -> None:
    """Write bars of ``(name, percent, backend requests)``."""
    height = TOP + len(bars) * (BAR + GAP) + 34
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        '<g font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="22" font-size="15" font-weight="600" fill="#1b2a22">Hit rate by what is warmed</text>',
    ]
    for name, value in (("before", "strategy: 60"), ("asked", "asked: 80"), ("after", "strategy: 88")):
        x = LEFT + strategy[name] * SCALE
        anchor = "start" if name == "after" else "end"
        lines += [
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 28}" stroke="#8a8f8c" stroke-dasharray="4 3"/>',
            f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="{anchor}" font-size="11" fill="#5c625e">{value} %</text>',
        ]
    for number, (name, percent, fetched) in enumerate(bars):
        y = TOP + number * (BAR + GAP)
        end = LEFT + percent * SCALE
        lines += [
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end" fill="#1b2a22">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{percent * SCALE:.1f}" height="{BAR}" fill="{"#3c7d55" if number else "#b98a3e"}"/>',
            f'<text x="{end + 6:.1f}" y="{y + 15}" fill="#1b2a22">{percent:.1f} %</text>',
            f'<text x="{WIDTH - 12}" y="{y + 15}" text-anchor="end" font-size="11" fill="#5c625e">{fetched:,} fetched</text>',
        ]
    lines += [
        f'<text x="16" y="{height - 10}" font-size="11" fill="#5c625e">{CAPTION}</text>',
        "</g></svg>",
    ]
    file.write_text("\n".join(lines) + "\n")
