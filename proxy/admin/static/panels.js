// Health, purges, replicas, warmers.

import { badge, byId, keyed, make, mark, say } from "./dom.js";
import { ago, bytes, count, duration, moment, percent, plural } from "./format.js";

const STATUS = { healthy: "good", degraded: "warn", unhealthy: "bad" };

export function showStatus(now) {
  const place = byId("status");
  if (!place.children.length) place.append(badge("", ""), make("span"));
  const [pill, why] = place.children;
  mark(pill, "data-tone", STATUS[now.health?.status] ?? "");
  say(pill, now.health?.status ?? "unknown");
  say(why, now.health?.message ?? "the store has not answered yet");
  say(byId("service"), now.service);
  say(byId("about"), `Sapwood ${now.version}, configuration ${now.hash.slice(0, 12)}`);
}

export function showHealth(now) {
  const { health, stats } = now;
  const up = (word) => ({ up: "good", down: "bad" })[word] ?? "";
  const store = health?.store ?? { kind: "store", status: "unknown", breaker: "unknown" };
  const memory = stats?.redis_memory_ratio ? `, ${percent(100 * stats.redis_memory_ratio)} of its limit` : "";
  const inRedis = stats?.used_memory_human ? `${stats.used_memory_human} used${memory}, ${plural(stats.connected_clients, "client")}` : "";
  const answers = health?.latency_ms === null ? "no answer" : `answers in ${health?.latency_ms ?? "–"} ms`;
  const cards = [
    {
      name: `Store: ${store.kind}`, tone: up(store.status), word: store.status,
      facts: store.kind === "memory" ? "in this process, not shared" : [answers, `breaker ${store.breaker}`, inRedis].filter(Boolean).join(", "),
    },
    {
      name: "Backend", tone: up(health?.upstream.status), word: health?.upstream.status ?? "unknown",
      facts: `${plural(now.in_flight, "request")} in flight`,
    },
    { name: "In memory", tone: "", word: bytes(now.memory.bytes), facts: `${plural(now.memory.entries, "entry", "entries")} ready without asking the store` },
    {
      name: "Caching", tone: health?.enabled === false ? "warn" : "good", word: health?.enabled === false ? "off" : "on",
      facts: `${count(stats?.cache_hits)} from the cache, ${count(stats?.cache_misses)} fetched`,
    },
  ];
  keyed(byId("health"), cards, (card) => card.name, () => make("li", { class: "card" }, make("span", { class: "name" }), badge("", ""), make("span", { class: "facts" })), (node, card) => {
    const [name, pill, facts] = node.children;
    say(name, card.name);
    mark(pill, "data-tone", card.tone);
    say(pill, card.word);
    say(facts, card.facts);
  });
}

function emptiness(id, list, none, unknown) {
  const place = byId(id);
  place.hidden = Boolean(list?.length);
  say(place, list ? none : unknown);
}

const line = (...children) => make("div", { class: "line" }, ...children);

export function showPurges(now) {
  emptiness("purges-empty", now.purges, "Nothing was purged yet.", "The store does not say: it has not answered.");
  keyed(byId("purges"), now.purges ?? [], (purge) => purge.seq || `?${purge.at}`, beginPurge, (node, purge) => {
    const [first, chips, receipt] = node.children;
    const when = first.lastElementChild;
    say(when, ago(purge.at, now.at));
    const { live, confirmed } = purge.replicas;
    const [tone, word] = purge.failure ? ["bad", "not acknowledged"] : purge.effective ? ["good", "in force everywhere"] : ["warn", "on its way"];
    mark(first.children[0], "data-tone", tone);
    say(first.children[0], word);
    const seen = purge.failure ?? (live === null ? "" : `seen by ${confirmed} of ${plural(live, "replica")}`);
    say(receipt, [seen, purge.seq && `seq ${purge.seq}`, purge.request_id && `request ${purge.request_id}`].filter(Boolean).join(" · "));
    mark(chips, "title", null);
  });
}

function beginPurge(purge) {
  const by = { api: "by API", write: "by a write", schedule: "by the clock", retry: "sent again" }[purge.kind] ?? "elsewhere";
  const chips = purge.selectors.map((name) => make("span", { class: "chip", text: name === "all" ? "everything" : name }));
  if (purge.count > chips.length) chips.push(make("span", { class: "small", text: `and ${count(purge.count - chips.length)} more` }));
  return make("li", {},
    line(badge("", ""), badge("", purge.mode), make("span", { class: "small", text: by }), make("time", { class: "end", title: moment(purge.at) })),
    make("div", { class: "chips" }, ...chips),
    make("div", { class: "small mono" }));
}

export function showReplicas(now) {
  emptiness("replicas-empty", now.replicas, "Nobody follows the ledger yet.", "The store does not say: it has not answered.");
  keyed(byId("replicas"), now.replicas ?? [], (one) => one.name, beginReplica, (node, one) => {
    const [first, second] = node.children;
    mark(first.children[0], "data-tone", one.current ? "good" : "warn");
    say(first.children[0], one.current ? "up to date" : "behind");
    say(first.lastElementChild, `lag ${duration(one.looked)}`);
    const trust = one.max_lag ? `hot hits trust it for ${duration(one.max_lag)}` : "asks before each hit";
    say(second, `${one.seen ? `at ${one.seen}` : "position not known yet"} · ${trust}`);
  });
}

function beginReplica(one) {
  return make("li", {},
    line(badge("", ""), make("span", { class: "mono", text: one.name }), one.is_this ? badge("calm", "this one") : null, make("span", { class: "end" })),
    make("div", { class: "small mono" }));
}

const RUNS = { done: "good", running: "calm", pending: "", failed: "bad" };

export function showWarmers(now) {
  const latest = new Map();
  for (const job of [...(now.warm?.jobs ?? [])].reverse()) for (const run of job.runs) latest.set(run.warmer, run);
  const rows = Object.entries(now.warm?.warmers ?? {}).map(([name, about]) => {
    const run = latest.get(name) ?? about.last_run;
    latest.delete(name);
    return { name, about, run };
  });
  for (const [name, run] of latest) rows.push({ name: name || "URLs by hand", about: {}, run });
  const place = byId("warmers-empty");
  place.hidden = rows.length > 0;
  say(place, "No warmer is configured. What is asked for first is fetched then.");
  keyed(byId("warmers"), rows, (row) => row.name, beginWarmer, (node, { about, run }) => {
    const [first, bar, second] = node.children;
    mark(first.children[1], "data-tone", RUNS[run?.state] ?? "");
    say(first.children[1], run?.state ?? "not run yet");
    say(first.lastElementChild, about.next_run ? `next ${moment(Date.parse(about.next_run) / 1000)}` : "");
    const done = run ? run.warmed + run.fresh + run.failed + run.skipped : 0;
    bar.hidden = !run?.total;
    bar.max = run?.total || 1;
    bar.value = done;
    say(second, run ? [`${count(done)} of ${count(run.total)}`, `${count(run.warmed)} warmed`, `${count(run.fresh)} fresh already`, run.failed && `${count(run.failed)} failed`, run.skipped && `${count(run.skipped)} skipped`, run.seconds !== null && `took ${duration(run.seconds)}`, run.error].filter(Boolean).join(" · ") : "");
  });
}

function beginWarmer(row) {
  return make("li", {},
    line(make("span", { class: "mono", text: row.name }), badge("", ""), make("span", { class: "end" })),
    make("progress", { "aria-label": `Progress of ${row.name}` }),
    make("div", { class: "small" }));
}
