// The purge form. What is confirmed is exactly what was shown: any change to the form takes the preview back.

import { askJson, reason, Refused } from "./api.js";
import { badge, byId, make } from "./dom.js";
import { count, plural } from "./format.js";

const EXAMPLES = {
  tags: "plans\nplan:7", urls: "/plans/7?currency=EUR", paths: "/plans/7", keys: "plan_catalog:v1:catalog",
  patterns: "recommendations:*", users: "6f1c", namespaces: "plan_catalog", routes: "plan", all: "",
};

export function preparePurge() {
  const form = byId("purge");
  const kind = byId("purge-kind");
  const suggest = () => {
    byId("purge-which").hidden = kind.value === "all";
    byId("purge-values").placeholder = EXAMPLES[kind.value];
  };
  kind.addEventListener("change", suggest);
  form.addEventListener("input", () => show());
  form.addEventListener("submit", (event) => { event.preventDefault(); preview(); });
  suggest();
}

function order() {
  const kind = byId("purge-kind").value;
  const mode = byId("purge").elements.mode.value;
  if (kind === "all") return { all: true, mode };
  return { [kind]: byId("purge-values").value.split("\n").map((line) => line.trim()).filter(Boolean), mode };
}

const show = (...nodes) => byId("purge-result").replaceChildren(...nodes);

function mistakes(error) {
  const list = error instanceof Refused ? error.problem.mistakes ?? [] : [];
  if (!list.length) return [make("p", { class: "error", text: reason(error) })];
  return [
    make("p", { class: "error lead", text: "Nothing was purged." }),
    make("ul", { class: "list" }, ...list.map((one) => make("li", {}, make("span", { class: "mono", text: one.where }), ` ${one.detail}`))),
  ];
}

async function busy(button, work) {
  button.disabled = true;
  try { await work(); } catch (error) { show(...mistakes(error)); } finally { button.disabled = false; }
}

const preview = () => busy(byId("purge-preview"), async () => {
  const wanted = order();
  const hit = await askJson("purge", { method: "POST", body: { ...wanted, dry_run: true } });
  const list = hit.most_read.map((target) => make("li", { class: "mono", text: target }));
  const now = make("button", { class: "danger", type: "button", text: "Purge now", on: { click: () => carryOut(now, wanted) } });
  const not = make("button", { class: "plain", type: "button", text: "Cancel", on: { click: () => { show(); byId("purge-preview").focus(); } } });
  const what = hit.entries ? `About ${plural(hit.entries, "entry", "entries")}, read ${plural(hit.reads, "time")}` : "Nothing that this replica knows of";
  show(
    make("p", { class: "lead", text: what }),
    make("p", { class: "hint", text: hit.entries
      ? `An estimate, of what this replica has seen read. ${wanted.mode === "soft" ? "They would be stale." : "They would be gone."}`
      : "Other replicas and the store may hold entries yet; the purge holds against them, too." }),
    list.length ? make("ul", { class: "list", "aria-label": "Most read" }, ...list) : "",
    make("div", { class: "actions" }, now, not),
  );
  // Not the button itself: a key pressed twice must not purge.
  byId("purge-result").focus();
});

const carryOut = (button, wanted) => busy(button, async () => {
  const receipt = await askJson("purge", { method: "POST", body: { ...wanted, wait: "2s" } });
  const { live, confirmed } = receipt.replicas;
  show(
    make("p", { class: "lead" }, receipt.effective ? badge("good", "in force everywhere") : badge("warn", "acknowledged, on its way"), " Purged"),
    make("p", {}, `${plural(receipt.selectors, "selector")}, ${receipt.mode}; `, live === null ? "who has seen it could not be read" : `seen by ${count(confirmed)} of ${plural(live, "replica")}`),
    make("p", { class: "small mono", text: `seq ${receipt.seq}` }),
  );
  byId("purge-preview").focus();
});
