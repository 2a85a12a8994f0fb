// The six numbers that say how it goes.

import { byId, draw, make, mark, say, sparkline } from "./dom.js";
import { count, duration, latency, percent, rate, span, took } from "./format.js";
import { points } from "./plots.js";

const SHOWN = 120;  // points of each sparkline

const split = (text) => { const [value, unit = ""] = text.split(" "); return [value, unit]; };

const TILES = [
  {
    name: "Hit rate", series: "hit", line: (point) => point.hit_rate, top: 100,
    value: (now) => split(percent(now.point?.hit_rate)), sub: (now) => `${percent(now.stats?.hit_rate)} since the reset`,
  },
  {
    name: "Answers", series: "hit", line: (point) => point.hit + point.stale + point.fetched + point.bypass + point.failed,
    value: (now) => [rate(TILES[1].line(now.point)), "/s"], sub: (now) => `${count(now.stats?.total_requests)} since the reset`,
  },
  {
    name: "From cache, p95", series: "hit", line: (point) => point.cached_p95,
    value: (now) => latency(now.point?.cached_p95), sub: (now) => `p50 ${took(now.point?.cached_p50)}`,
  },
  {
    name: "Fetched, p95", series: "fetched", line: (point) => point.fetched_p95,
    value: (now) => latency(now.point?.fetched_p95), sub: (now) => `p50 ${took(now.point?.fetched_p50)}`,
  },
  {
    name: "Backend time saved", series: "hit", line: (point) => point.saved,
    value: (now) => span(now.stats?.seconds_saved), sub: (now) => `${duration(now.point?.saved)} each second now`,
  },
  {
    name: "Failed", series: "failed", line: (point) => point.failed,
    value: (now) => [rate(now.point?.failed), "/s"], sub: (now) => `${percent(now.stats?.error_rate)} since the reset`,
  },
];

export function showTiles(now) {
  const place = byId("tiles");
  if (!place.children.length) place.append(...TILES.map(begin));
  TILES.forEach((tile, index) => {
    const [value, unit] = now.point ? tile.value(now) : ["–", ""];
    const node = place.children[index];
    const dd = node.children[1];
    say(dd.firstElementChild, value);
    say(dd.lastElementChild, unit);
    draw(node.querySelector(".spark"), points.slice(-SHOWN).map(tile.line), SHOWN, tile.top);
    say(node.querySelector(".sub"), tile.sub(now));
  });
}

function begin(tile) {
  const node = make("div", { class: "card tile", "data-series": tile.series },
    make("dt", { text: tile.name }),
    make("dd", { class: "value" }, make("span"), make("span", { class: "unit" })),
    make("dd", {}, sparkline()),
    make("dd", { class: "sub" }));
  mark(node, "data-tile", tile.name);
  return node;
}
