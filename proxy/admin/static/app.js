// The page: it follows the event stream, shows a login where a token is asked for, and says when it knows nothing new.

import { hasToken, useToken } from "./api.js";
import { byId, mark, say } from "./dom.js";
import { prepareExplain } from "./explain.js";
import { clock } from "./format.js";
import { showHealth, showPurges, showReplicas, showStatus, showWarmers } from "./panels.js";
import { repaint, showPlots, take } from "./plots.js";
import { preparePurge } from "./purge.js";
import { showRoutes } from "./routes.js";
import { follow } from "./stream.js";
import { showTiles } from "./tiles.js";

const PARTS = [showStatus, showPlots, showTiles, showHealth, showRoutes, showPurges, showReplicas, showWarmers];
const REFUSED = "This token was refused.";
let last = null;  // the last snapshot

function hear(name, document) {
  if (name === "history") { take(document.points); return; }
  if (name !== "snapshot") return;
  if (document.point) take([document.point]);
  last = document;
  state("live");
  for (const part of PARTS) part(document);
}

function state(now, why = "") {
  const live = byId("live");
  mark(live, "data-state", now);
  say(live, now);
  byId("login").hidden = now !== "login";
  byId("board").hidden = now === "login" || !last;
  byId("status").hidden = now === "login";
  byId("leave").hidden = now === "login" || !hasToken();
  live.hidden = now === "login";
  for (const id of ["board", "status"]) byId(id).classList.toggle("is-old", now === "lost");
  const since = last ? ` These numbers are of ${clock(last.at)}.` : "";
  const notice = byId("notice");
  notice.hidden = now !== "lost";
  say(notice, now === "lost" ? `${(why || "The sidecar does not answer").replace(/\.$/, "")}.${since} Trying again…` : "");
  document.title = now === "live" ? `${last.service ?? "Sapwood"} · Sapwood` : "Sapwood";
}

async function run() {
  for (;;) {
    state("connecting");
    await follow(hear, (why) => state("lost", why));
    const tried = hasToken();
    forget();
    say(byId("login-error"), tried ? REFUSED : "");
    await signedIn();
  }
}

function forget() {
  useToken("");
  last = null;
  state("login");
  byId("token").value = "";
  byId("token").focus();
}

function signedIn() {
  const form = byId("login-form");
  return new Promise((done) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      const given = byId("token").value.trim();
      byId("token").value = "";
      // Nothing else can be in an Authorization field, so nothing else can be a token.
      if (!/^[\x21-\x7e]+$/.test(given)) { say(byId("login-error"), REFUSED); return; }
      useToken(given);
      done();
    };
  });
}

const THEMES = ["auto", "light", "dark"];

function prepareTheme() {
  const button = byId("theme");
  const root = document.documentElement;
  const tell = () => say(button, `Theme: ${root.dataset.theme ?? "auto"}`);
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
    mark(root, "data-theme", next === "auto" ? null : next);
    try { localStorage.setItem("sapwood-theme", next); } catch { /* this page only, then */ }
    tell();
    repaint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  tell();
}

// A reload is the surest way to forget a token, and whatever was shown with it.
byId("leave").addEventListener("click", () => location.reload());
prepareTheme();
preparePurge();
prepareExplain();
run();
