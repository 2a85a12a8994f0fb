"""The chart, as what reads SVG sees it."""

from xml.etree import ElementTree as ET

import pytest

from bench.peers.chart import Bar, Group, drawn

SVG = "{http://www.w3.org/2000/svg}"


def chart(*groups):
    return ET.fromstring(drawn("CPU", groups))


def test_bars_are_on_one_scale():
    root = chart(
        Group("one", (Bar("a", 10, 9, 12, "10", ours=True), Bar("b", 20, 20, 40, "20"))),
        Group("two", (Bar("c", 40, 40, 40, "40"),)),
    )
    widths = [float(bar.get("width")) for bar in root.iter(f"{SVG}rect")]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.2)
    assert widths[2] == pytest.approx(4 * widths[0], abs=0.2)
    assert [bar.get("class") for bar in root.iter(f"{SVG}rect")] == ["ours", "theirs", "theirs"]


def test_everything_is_inside():
    root = chart(Group("one", tuple(Bar(f"{n}", n, n, 2 * n, f"{n}") for n in range(1, 9))))
    height, width = float(root.get("height")), float(root.get("width"))
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x")) + float(bar.get("width")) <= width
        assert float(bar.get("y")) + float(bar.get("height")) <= height
    assert all(float(line.get("x2")) < width for line in root.iter(f"{SVG}line"))


def test_text_is_escaped():
    root = chart(Group("a < b & c", (Bar('"<script>"', 1, 1, 1, "1 > 0"),)))
    said = [text.text for text in root.iter(f"{SVG}text")]
    assert said == ["CPU", "a < b & c", '"<script>"', "1 > 0"]


def test_it_reads_on_light_and_on_dark():
    style = chart().find(f"{SVG}style").text
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert all("fill" in part and ".ours" in part and ".theirs" in part for part in (light, dark))


def test_nothing_measured_is_a_chart_without_bars():
    assert not list(chart(Group("none", ())).iter(f"{SVG}rect"))
    assert chart(Group("idle", (Bar("a", 0, 0, 0, "0"),))).find(f"{SVG}rect").get("width") == "0.0"
