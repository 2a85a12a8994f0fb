// What the rules make of a URL, and what is stored for it.

import { askJson, reason } from "./api.js";
import { badge, byId, make } from "./dom.js";
import { bytes, duration } from "./format.js";

const OUTCOMES = { cache: ["good", "may be cached"], pass: ["warn", "passes through"], answered: ["calm", "answered here"] };

export function prepareExplain() {
  const form = byId("explain");
  form.addEventListener("submit", (event) => { event.preventDefault(); explain(form.querySelector("button")); });
}

async function explain(button) {
  const method = byId("explain-method").value;
  const url = byId("explain-url").value.trim();
  const asked = new URLSearchParams({ method, url });
  for (const line of byId("explain-fields").value.split("\n")) if (line.trim()) asked.append("header", line.trim());
  button.disabled = true;
  try {
    const reads = method === "GET" || method === "HEAD";
    const [said, stored] = await Promise.all([
      askJson(`explain?${asked}`),
      reads ? askJson(`entries?${new URLSearchParams({ url })}`).catch((error) => ({ failure: reason(error) })) : null,
    ]);
    byId("explain-result").replaceChildren(...verdict(said), facts(said), ...(stored ? kept(said, stored) : []));
  } catch (error) {
    byId("explain-result").replaceChildren(make("p", { class: "error", text: reason(error) }));
  } finally {
    button.disabled = false;
  }
}

function verdict(said) {
  const [tone, word] = OUTCOMES[said.outcome] ?? ["", said.outcome];
  const route = said.route === "none" ? "No route takes it" : `Route ${said.route}`;
  return [make("p", { class: "lead" }, badge(tone, word), ` ${route}`), ...(said.reason ? [make("p", { class: "hint", text: said.reason })] : [])];
}

const chips = (names) => names.length && make("div", { class: "chips" }, ...names.map((name) => make("span", { class: "chip", text: name })));

function facts(said) {
  const windows = [["while refreshed", said.stale_while_revalidate], ["while the backend fails", said.stale_if_error]];
  const stale = windows.filter(([, seconds]) => seconds).map(([when, seconds]) => `${duration(seconds)} ${when}`).join(", ");
  return list([
    ["Not taken by", said.passed_over.length && make("ul", { class: "list" }, ...said.passed_over.map((one) => make("li", { text: `${one.route}: ${one.because}` })))],
    ["Logical key", said.logical_key && make("span", { class: "chip", text: said.logical_key })],
    ["Key parts", said.key.length && make("ul", { class: "list" }, ...said.key.map((one) => make("li", {}, `${one.part} `, make("span", { class: "mono", text: one.value }))))],
    ["Lifetime", said.ttl !== null && `${duration(said.ttl)}, from ${said.ttl_from}`],
    ["Stale", stale],
    ["Tags", chips(said.tags)],
    ["Forwarded as", make("span", { class: "mono", text: said.forwarded.target })],
    ["Not forwarded", chips(said.not_forwarded)],
    ["Purges", chips(said.purges)],
  ]);
}

function kept(said, stored) {
  const head = make("p", { class: "lead", text: "Stored now" });
  if (stored.failure) return [head, make("p", { class: "hint", text: stored.failure })];
  if (!stored.entries.length) return said.outcome === "cache" ? [head, make("p", { class: "hint", text: "Nothing: the next request is fetched." })] : [];
  return [head, ...stored.entries.map((entry) => list([
    ["State", entry.uncacheable ? badge("warn", `not kept: ${entry.uncacheable}`) : entry.purged ? badge("bad", "purged") : entry.fresh ? badge("good", "fresh") : badge("warn", "stale")],
    ["Status", entry.status && `${entry.status}, ${bytes(entry.bytes)}`],
    ["Age", entry.age !== undefined && `${duration(entry.age)} of ${duration(entry.lifetime)}, by ${entry.lifetime_from}`],
    ["Varies by", entry.vary?.length ? chips(entry.vary) : null],
    ["Key", entry.key && make("span", { class: "mono", text: entry.key })],
  ]))];
}

const list = (rows) => make("dl", { class: "facts-list" },
  ...rows.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", {}, value)]));
