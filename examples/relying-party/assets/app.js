// The page's own script: starts Gait's collector, shows what it says, plays rhythms, and shows what the server is told.
import { batchOf } from "/assets/rhythm.js";

const POLL_MS = 2000;
const PLAY_EVERY_S = 2;

const $ = (id) => document.getElementById(id);
const app = $("app");
const { csrf, collector, samples } = app.dataset;
const STATES = {
  starting: "Watched: type or point, and Gait looks at the rhythm.",
  ok: "Watched. Gait has nothing to say.",
  step_up: "Gait wants to know if it is still you.",
  ended: "Gait ended this session.",
  offline: "Gait can’t be reached; trying again.",
  unwatched: "Not watched.",
  stopped: "Not watched any more.",
};

// Instead of "Sign in again": this app first shows that the tokens are dead.
const ENDED = {
  title: "This session has ended",
  body: "Gait ended it to protect the account. Its tokens are dead: go and see what the API says to them.",
  act: "See what is left",
};

let watched = null;
let playing = null;

function showState(state) {
  $("watch-state").dataset.state = state;
  $("watch-state").textContent = STATES[state] ?? state;
  if (state === "step_up" || state === "ended") showStatus(state);
  if (state === "ok") showStatus("signed_in");
}

function showStatus(status) {
  app.dataset.status = status;
  $("step-up-box").hidden = status !== "step_up";
  $("ended-box").hidden = status !== "ended";
  if (status !== "ended") return;
  playing = null;
  for (const id of ["play-alice", "play-attacker", "refresh", "report"]) $(id).disabled = true;
}

function post(path, form = new FormData(), accept = "application/json") {
  form.set("csrf", csrf);
  return fetch(path, { method: "POST", headers: { Accept: accept }, body: new URLSearchParams(form) });
}

async function getToken() {
  const answer = await post("/watch-token");
  if (answer.status >= 500) throw new Error("Gait can't be reached");
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return { error: "signed_out" };
  return answer.json();
}

async function startWatching() {
  if (app.dataset.watched !== "true" || app.dataset.status === "ended") return;
  try {
    const { textsFor, watch } = await import(collector);
    watched = watch({
      getToken,
      endpoint: samples,
      onState: showState,
      onSignOut: () => $("sign-out-form").requestSubmit(),
      inactivity_s: Number(app.dataset.inactivity),
      step_up_url: "/login?step_up=1",
      texts: { ...textsFor("en"), ended: ENDED },
    });
  } catch {
    $("watch-state").dataset.state = "unwatched";
    $("watch-state").textContent = "Gait’s collector can’t be loaded.";
    return;
  }
  for (const who of ["alice", "attacker"]) {
    $(`play-${who}`).disabled = false;
    $(`play-${who}`).addEventListener("click", () => play(who));
  }
}

const NAMES = { alice: "Alice", attacker: "the attacker" };

/** Sends the rhythm of `who` until the button is pressed again, Gait first asks who it is, or the session ends. */
async function play(who) {
  const again = playing === who;
  playing = again ? null : who;
  for (const name of Object.keys(NAMES)) $(`play-${name}`).setAttribute("aria-pressed", String(playing === name));
  if (again) return;
  const { rhythms, pointers } = await (await fetch("/assets/rhythms.json")).json();
  const asked = watched.state === "step_up";
  let end = " Stopped.";
  watched.pause();
  for (let sent = 1; playing === who; sent += 1) {
    const answer = await watched.send(batchOf(rhythms[who], pointers[who]));
    $("play-state").dataset.sent = String(sent);
    $("play-state").textContent = `Playing ${NAMES[who]}: ${sent} ${sent === 1 ? "batch" : "batches"} sent.`;
    if (answer.state === "ended" || answer.state === "unwatched") playing = null;
    // Nobody types behind Gait's dialog. Whoever waves it away and presses again goes on regardless.
    if (answer.state === "step_up" && !asked && playing === who) {
      playing = null;
      end = " Gait asked who it is, so this stopped. Press again to go on regardless: the session will end.";
    }
    // An unreachable or busy Gait says itself how long to wait.
    const wait = answer.state === "offline" ? answer.next_s : Math.min(answer.next_s, PLAY_EVERY_S);
    if (playing === who) await new Promise((done) => setTimeout(done, wait * 1000));
  }
  if (playing !== null) return; // the other one plays now
  $(`play-${who}`).setAttribute("aria-pressed", "false");
  $("play-state").textContent += end;
  watched.resume();
}

function element(name, text, data = {}) {
  const node = document.createElement(name);
  node.textContent = text;
  Object.assign(node.dataset, data);
  return node;
}

function time(epoch) {
  return new Date(epoch * 1000).toLocaleTimeString();
}

const EVENTS = {
  "risk-level-change": (c) => [
    `Risk ${c.previous_level ? `${c.previous_level} → ` : ""}${c.current_level}`,
    c.risk_reason ? `reason ${c.risk_reason}` : "",
  ],
  "session-revoked": (c) => ["Session revoked", c.reason ?? ""],
  "backchannel-logout": () => ["Signed out by Gait", "back-channel logout"],
  other: (c) => ["Another event", (c.uris ?? []).join(" ")],
};

let newest = 0;
function showCallbacks(callbacks) {
  for (const c of callbacks.filter((callback) => callback.id > newest)) {
    newest = c.id;
    const [title, detail] = (EVENTS[c.event] ?? EVENTS.other)(c);
    const item = element("li", "", { event: c.event, level: c.current_level ?? "" });
    item.append(element("strong", title));
    const line = [time(c.at), detail, c.txn ? `txn ${c.txn}` : ""].filter(Boolean).join(" · ");
    item.append(element("span", line));
    $("callbacks").prepend(item);
  }
  $("no-callbacks").hidden = newest > 0;
}

/** The server knows before the collector does: nobody was typing. */
async function tellEnd() {
  watched?.stop();
  showState("ended");
  if (!watched) return;
  const { openDialog } = await import(collector);
  openDialog("ended", { ended: ENDED }, { onAct: () => location.reload() });
}

/** What the server was told by Gait's callbacks; the collector may know earlier or later. */
async function poll() {
  try {
    const news = await (await fetch("/events.json", { headers: { Accept: "application/json" } })).json();
    showCallbacks(news.callbacks);
    const told = news.state !== app.dataset.served;
    app.dataset.served = news.state;
    if (news.state === "ended" && app.dataset.status !== "ended") tellEnd();
    else if (told && news.state === "step_up") showStatus("step_up");
    else if (told && news.state === "signed_in" && watched?.state !== "step_up") showStatus("signed_in");
  } catch {
    // The server may be restarting; the next poll will tell.
  }
  setTimeout(poll, POLL_MS);
}

function showOutcome(outcome) {
  const title = element("p", "");
  title.className = outcome.ok ? "good" : "bad";
  title.append(element("strong", outcome.title));
  $("outcome").replaceChildren(title, ...outcome.lines.map((line) => element("pre", line)));
}

/** The buttons work without this script too; with it the page stays, and so does what is playing. */
for (const form of document.querySelectorAll("form[data-outcome]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await post(form.getAttribute("action"), new FormData(form));
      const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
      showOutcome(isJson ? await answer.json() : { ok: false, title: "You are signed out", lines: [] });
    } catch {
      showOutcome({ ok: false, title: "The app can’t be reached", lines: [] });
    } finally {
      button.disabled = app.dataset.status === "ended" && button.id !== "call-api";
    }
  });
}

// A step-up leaves the page; what was written waits in this tab for the same person to come back.
const NOTE = `note of ${$("claim-sub").textContent}`;
$("note").value = sessionStorage.getItem(NOTE) ?? "";
$("note").addEventListener("input", () => sessionStorage.setItem(NOTE, $("note").value));
$("sign-out-form").addEventListener("submit", () => sessionStorage.clear());

for (const node of document.querySelectorAll("time[data-epoch]")) {
  if (node.dataset.epoch) node.textContent = `${new Date(node.dataset.epoch * 1000).toLocaleString()} (${node.dataset.epoch})`;
}
if (app.dataset.status === "ended") showStatus("ended");
poll();
startWatching();
