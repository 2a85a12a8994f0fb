// The three plots, on uPlot (a global: it is loaded as a plain script).

import { byId, make, say } from "./dom.js";
import { clock, percent, rate, took, NONE } from "./format.js";

const KEPT = 600;
const GAP = 3;  // seconds without a point that are shown as a gap
const SHORTEST = 60;  // seconds that the time axis shows at least

const STACK = [["failed", "failed"], ["bypass", "passed by"], ["fetched", "fetched"], ["stale", "stale"], ["hit", "hits"]];

const PLOTS = [
  {
    id: "plot-hit-rate", title: "Hit rate", top: 100,
    lines: [{ name: "hit_rate", label: "hit rate", series: "hit", show: percent, fill: true }],
    axis: (value) => `${value} %`,
  },
  {
    id: "plot-answers", title: "Answers per second", stacked: true,
    lines: STACK.map(([name, label]) => ({ name, label, series: name, show: rate, fill: true })),
    axis: (value) => (value >= 1000 ? `${value / 1000}k` : String(value)),
  },
  {
    id: "plot-latency", title: "Latency", logarithmic: true,
    lines: [
      { name: "cached_p50", label: "from cache p50", series: "hit", show: took, dashed: true },
      { name: "cached_p95", label: "p95", series: "hit", show: took },
      { name: "fetched_p50", label: "fetched p50", series: "fetched", show: took, dashed: true },
      { name: "fetched_p95", label: "p95", series: "fetched", show: took },
    ],
    axis: (value) => (value >= 1000 ? `${value / 1000} s` : `${value} ms`),
  },
];

// Canvases know no custom properties: an element is asked what they come to in this theme.
const probe = document.createElement("i");
function colour(name, share = 1) {
  if (!probe.isConnected) { probe.hidden = true; document.body.append(probe); }
  probe.style.color = `var(--${name})`;
  const shown = getComputedStyle(probe).color;
  return share === 1 ? shown : shown.replace("rgb(", "rgba(").replace(")", `, ${share})`);
}

export const points = [];

/** Take over points, older ones first; what is known already is passed over. */
export function take(more) {
  for (const point of more) if (!points.length || point.t > points.at(-1).t) points.push(point);
  points.splice(0, points.length - KEPT);
}

function columns(plot) {
  const times = [], values = plot.lines.map(() => []);
  let before = null;
  for (const point of points) {
    if (before !== null && point.t - before > GAP) {
      times.push((before + point.t) / 2);
      for (const column of values) column.push(null);
    }
    before = point.t;
    times.push(point.t);
    let above = plot.stacked ? plot.lines.reduce((sum, line) => sum + point[line.name], 0) : 0;
    plot.lines.forEach((line, index) => {
      values[index].push(plot.stacked ? above : point[line.name]);
      above -= point[line.name];
    });
  }
  return [times, ...values];
}

const scales = (plot) => ({
  x: { range: (_, from, to) => [Math.min(from, to - SHORTEST), to] },
  y: plot.logarithmic
    ? { distr: 3, range: (_, low, high) => [10 ** Math.floor(Math.log10(low || 0.1)), 10 ** Math.ceil(Math.log10((high || 10) * 1.01))] }
    : { range: (_, low, high) => [0, plot.top ?? Math.max(1, high * 1.1)] },
});

function axes(plot) {
  const common = { stroke: colour("ink-3"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  const isDecade = (value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6);
  const filter = (_, marks) => (plot.logarithmic ? marks.map((value) => (isDecade(value) ? value : null)) : marks);
  const grid = { stroke: colour("grid"), width: 1, filter };
  return [
    { ...common, grid: { show: false }, size: 24, space: 70, values: (_, marks) => marks.map((at) => clock(at).slice(0, at % 60 ? 8 : 5)) },
    { ...common, grid, filter, size: 48, gap: 4, space: 32, values: (_, marks) => marks.map((value) => (value === null ? "" : plot.axis(value))) },
  ];
}

class Plot {
  constructor(about) {
    this.about = about;
    this.figure = byId(about.id);
    this.keys = about.lines.map((line) =>
      make("span", { "data-series": line.series, "data-line": line.fill ? null : line.dashed ? "dashed" : "solid" }, `${line.label} `, make("b", { text: NONE })));
    this.box = make("div", { class: "canvas", role: "img", "aria-label": about.title });
    // What is stacked highest is drawn first.
    const legend = make("span", { class: "legend" }, ...(about.stacked ? [...this.keys].reverse() : this.keys));
    this.figure.replaceChildren(make("figcaption", {}, make("h3", { text: about.title }), legend), this.box);
    new ResizeObserver(() => this.fit()).observe(this.box);
  }

  build() {
    const { about } = this;
    this.plot?.destroy();
    const series = about.lines.map((line) => ({
      stroke: colour(line.series), width: about.stacked ? 1 : 1.75, dash: line.dashed ? [4, 4] : undefined,
      fill: line.fill ? (about.stacked ? colour(line.series) : colour(line.series, 0.14)) : undefined,
      points: { show: false }, spanGaps: false,
    }));
    this.plot = new uPlot({
      width: Math.max(200, this.box.clientWidth), height: this.box.clientHeight || 190,
      padding: [8, 20, 0, 0], legend: { show: false }, scales: scales(about), axes: axes(about), series: [{}, ...series],
      cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: !about.stacked, size: 6 } },
      hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx)] },
    }, columns(about), this.box);
  }

  fit() {
    if (this.plot && this.box.clientWidth) this.plot.setSize({ width: this.box.clientWidth, height: this.box.clientHeight });
  }

  show() {
    if (!this.plot) this.build();
    else this.plot.setData(columns(this.about));
    this.tell(this.plot.cursor.idx);
  }

  /** Let the legend say the values at the cursor, or the last ones. */
  tell(index) {
    const at = index === null || index === undefined ? null : this.plot?.data[0][index];
    const point = (at && points.find((one) => one.t === at)) || points.at(-1);
    if (!point) return;
    const values = this.about.lines.map((line) => line.show(point[line.name]));
    this.keys.forEach((key, number) => say(key.lastElementChild, values[number]));
    if (!at) this.box.setAttribute("aria-label", `${this.about.title}, now: ${this.about.lines.map((line, n) => `${line.label} ${values[n]}`).join(", ")}`);
  }
}

let plots = [];

export function showPlots() {
  if (!plots.length) plots = PLOTS.map((about) => new Plot(about));
  for (const plot of plots) plot.show();
}

export function repaint() {
  for (const plot of plots) plot.build();
}
