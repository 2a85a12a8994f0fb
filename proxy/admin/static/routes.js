// The routes as a table that sorts.

import { badge, byId, draw, keyed, make, mark, say, sparkline } from "./dom.js";
import { bytes, count, duration, moment, percent, rate } from "./format.js";

const SHOWN = 60;  // snapshots of each sparkline, one a second
const ADVICE = { raise: ["warn", "raise"], lower: ["calm", "lower"], keep: ["good", "fits"], wait: ["", "too early"] };
const WEIGHT = { raise: 3, lower: 2, keep: 1, wait: 0 };

const NAMES = { none: "no route", implicit: "every path" };

const COLUMNS = [
  { key: "name", label: "Route", of: (row) => row.name },
  { key: "rate", label: "Requests/s", of: (row) => row.rate, begin: (cell) => cell.append(make("span", { class: "pace" }, sparkline(), make("span"))) },
  { key: "requests", label: "Requests", of: (row) => row.requests },
  { key: "hit_rate", label: "Hit rate", of: (row) => (row.passes ? -1 : row.hit_rate), begin: (cell) => cell.append(make("span", { class: "gauge" }, make("i"), make("span"))) },
  { key: "saved", label: "Saved", of: (row) => row.seconds_saved },
  { key: "stored", label: "Stored", of: (row) => row.stored_bytes },
  { key: "stale", label: "Stale", of: (row) => row.stale },
  { key: "errors", label: "Errors", of: (row) => row.errors },
  { key: "advice", label: "TTL advice", of: (row) => WEIGHT[row.advice.advice] ?? 0, wide: true, begin: (cell) => cell.append(make("div", { class: "advice" }, badge("", ""), make("span", { class: "hint" }))) },
];

const SHOW = {
  rate: (cell, row) => {
    const [spark, text] = cell.firstElementChild.children;
    draw(spark, row.rates, SHOWN);
    say(text, rate(row.rate));
  },
  requests: (cell, row) => say(cell, count(row.requests)),
  hit_rate: (cell, row) => {
    const [bar, text] = cell.firstElementChild.children;
    bar.style.setProperty("--part", `${row.passes ? 0 : row.hit_rate}%`);
    say(text, row.passes ? "–" : percent(row.hit_rate));
  },
  saved: (cell, row) => say(cell, duration(row.seconds_saved)),
  stored: (cell, row) => say(cell, bytes(row.stored_bytes)),
  stale: (cell, row) => say(cell, count(row.stale)),
  errors: (cell, row) => say(cell, count(row.errors)),
  advice: (cell, row) => {
    const [pill, because] = cell.firstElementChild.children;
    const [tone, word] = row.passes ? ["", "not cached"] : ADVICE[row.advice.advice] ?? ["", row.advice.advice];
    mark(pill, "data-tone", tone);
    say(pill, word);
    say(because, row.passes ? "passes through" : row.advice.because);
  },
};

let sorted = { key: "requests", down: true };
let last = null;
const seen = new Map();  // route: what was counted at each of the last snapshots

export function showRoutes(now) {
  if (!byId("routes-head").children.length) byId("routes-head").append(...COLUMNS.map(head));
  last = now;
  const routes = Object.entries(now.stats?.routes ?? {});
  say(byId("routes-since"), now.stats ? since(now.stats) : "");
  byId("routes-empty").hidden = routes.length > 0;
  byId("routes").hidden = routes.length === 0;
  // Other replicas' counts arrive every few seconds, this one's at once: a rate is of this one.
  const here = now.stats?.replica?.routes ?? {};
  for (const [name] of routes) remember(name, here[name]?.requests ?? 0, now.at);
  const rows = routes.map(([name, line]) => ({
    ...line, name, ...rates(name), advice: line.ttl_advice ?? { advice: "wait", because: "" },
    passes: line.requests === line.bypass,
  }));
  paint(rows);
}

function since(stats) {
  const counted = `counted since ${moment(Date.parse(stats.last_reset) / 1000)}`;
  return stats.replicas?.live > 1 ? `${counted} by ${stats.replicas.live} replicas; rates are of this one` : counted;
}

function remember(name, requests, at) {
  const counted = seen.get(name) ?? [];
  // After a reset or a restart the counts begin again: the difference would be no rate.
  if (counted.length && requests < counted.at(-1).requests) counted.length = 0;
  if (!counted.length || at > counted.at(-1).at) counted.push({ at, requests });
  counted.splice(0, counted.length - SHOWN - 1);
  seen.set(name, counted);
}

function rates(name) {
  const counted = seen.get(name);
  const each = counted.slice(1).map((one, index) => (one.requests - counted[index].requests) / (one.at - counted[index].at));
  const lately = counted.slice(-6);
  const passed = lately.at(-1).at - lately[0].at;
  return { rates: each, rate: passed ? (lately.at(-1).requests - lately[0].requests) / passed : 0 };
}

function paint(rows) {
  const column = COLUMNS.find((one) => one.key === sorted.key);
  rows.sort((one, other) => {
    const [a, b] = [column.of(one), column.of(other)];
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return (sorted.down ? -order : order) || one.name.localeCompare(other.name);
  });
  keyed(byId("routes-body"), rows, (row) => row.name, begin, (node, row) => {
    COLUMNS.slice(1).forEach((one, index) => SHOW[one.key](node.children[index + 1], row));
  });
}

function begin(row) {
  const cells = COLUMNS.slice(1).map((column) => {
    const cell = make("td", { role: "cell", "data-name": column.label, class: column.wide ? "wide" : null });
    column.begin?.(cell);
    return cell;
  });
  return make("tr", { role: "row" }, make("th", { scope: "row", role: "rowheader", text: NAMES[row.name] ?? row.name }), ...cells);
}

function head(column) {
  const button = make("button", { type: "button", text: column.label, on: { click: () => sortBy(column) } });
  const cell = make("th", { scope: "col", role: "columnheader", "data-column": column.key }, button);
  if (column.key === sorted.key) cell.setAttribute("aria-sort", "descending");
  return cell;
}

function sortBy(column) {
  sorted = { key: column.key, down: sorted.key === column.key ? !sorted.down : column.key !== "name" };
  for (const cell of byId("routes-head").children) {
    mark(cell, "aria-sort", cell.dataset.column === sorted.key ? (sorted.down ? "descending" : "ascending") : null);
  }
  showRoutes(last);
}
