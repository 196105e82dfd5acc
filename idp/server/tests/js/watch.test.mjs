// The watch as a page lives with it: what it tells, what it stops, and the person who went away.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Target, load, press, scriptedFetch } from "./page.mjs";

const { watch } = await load("gait.js");
const endpoint = "https://id.example/continuous/samples";

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_790_000_000_000 });
  globalThis.document = Object.assign(new Target(), { documentElement: { lang: "en" }, visibilityState: "visible" });
  globalThis.window = new Target();
  globalThis.location = { assign: (url) => (location.went = url), reload: () => (location.went = "reloaded") };
  delete globalThis.BroadcastChannel;
});
afterEach(() => mock.timers.reset());

/** Lets promises settle: nothing here waits for real time. */
async function settle() {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
  await new Promise((done) => setImmediate(done));
}

async function type(seconds = 5) {
  const t = performance.now();
  press(document, "a", t, t + 80);
  press(document, "b", t + 200, t + 290);
  mock.timers.tick(seconds * 1000);
  await settle();
}

/** A watched page whose Gait gives these answers, one a batch. */
function watched(answers, options = {}) {
  const script = scriptedFetch(...answers);
  const told = [];
  const w = watch({ token: "gait_wt_1", endpoint, fetch: script.fetch, onState: (state) => told.push(state), ...options });
  return { w, told, calls: script.calls };
}

test("a batch goes out when there is something to send, and only then", async () => {
  const { w, calls, told } = watched([{ state: "ok", next_s: 5 }]);
  mock.timers.tick(5000);
  await settle();
  assert.equal(calls.length, 0);
  await type();
  assert.deepEqual(calls[0].json.metrics.hold_ms, [80, 90]);
  assert.deepEqual(told, ["starting", "ok"]);
  w.stop();
});

test("keys are told apart only after an answer that allows it, and no longer than that", async () => {
  const answers = [{ keys: true }, {}, { keys: true }].map((keys) => ({ state: "ok", next_s: 5, ...keys }));
  const { w, calls } = watched([...answers, new TypeError("network"), answers[1]]);
  for (let i = 0; i < 5; i += 1) await type();
  assert.deepEqual(calls.map((call) => call.json.keys?.length), [undefined, 3, undefined, 3, 3]);
  w.stop();
});

test("the last batch goes out when the page is hidden", async () => {
  const { w, calls } = watched([{ state: "ok", next_s: 5 }]);
  await type(1);
  document.visibilityState = "hidden";
  document.emit("visibilitychange");
  await settle();
  assert.equal(calls.length, 1);
  assert.equal(calls[0].keepalive, true);
  w.stop();
});

test("a demand for a step-up is told once, and leads where the app says", async () => {
  const asked = [];
  const answers = [{ state: "step_up", next_s: 5 }, { state: "step_up", next_s: 5 }, { state: "ok", next_s: 5 }, { state: "step_up", next_s: 5 }];
  const { w, told } = watched(answers, { onStepUp: (proceed) => asked.push(proceed), step_up_url: "/login?step_up=1" });
  for (let i = 0; i < 3; i += 1) await type();
  assert.equal(asked.length, 1);
  asked[0]();
  assert.equal(location.went, "/login?step_up=1");
  await type();
  assert.equal(asked.length, 2, "a new demand is told anew");
  assert.deepEqual(told, ["starting", "step_up", "ok", "step_up"]);
  w.stop();
});

test("an outage neither ends the watch nor forgets the demand", async () => {
  const asked = [];
  const answers = [{ state: "step_up", next_s: 5 }, new TypeError("network"), { state: "step_up", next_s: 5 }];
  const { w, told } = watched(answers, { onStepUp: () => asked.push(1) });
  for (let i = 0; i < 3; i += 1) await type();
  assert.deepEqual(told, ["starting", "step_up", "offline", "step_up"]);
  assert.equal(asked.length, 1);
  w.stop();
});

test("after the end nothing is collected or sent", async () => {
  let ended = 0;
  const { calls, told } = watched([{ state: "ended", next_s: 5 }], { onEnded: () => (ended += 1), inactivity_s: 60 });
  await type();
  await type(300);
  assert.equal(ended, 1);
  assert.equal(calls.length, 1);
  assert.deepEqual(told, ["starting", "ended"]);
  assert.equal(document.listening + window.listening, 0);
});

test("stop leaves no listener and no request behind", async () => {
  const { w, calls, told } = watched([{ state: "ok", next_s: 5 }], { inactivity_s: 60 });
  w.stop();
  w.stop();
  await type(300);
  assert.equal(calls.length, 0);
  assert.deepEqual(told, ["starting", "stopped"]);
  assert.equal(document.listening + window.listening, 0);
});

test("a person who withdrew their consent is no longer watched, and not bothered", async () => {
  const getToken = async () => ({ error: "consent_required" });
  const { told } = watched([{}], { token: null, getToken, onEnded: () => assert.fail(), onStepUp: () => assert.fail() });
  await type();
  assert.deepEqual(told, ["starting", "unwatched"]);
  assert.equal(document.listening, 0);
});

test("paused, it sends only what it is given", async () => {
  const { w, calls } = watched([{ state: "ok", next_s: 5 }]);
  w.pause();
  await type();
  assert.equal(calls.length, 0);
  const answer = await w.send({ v: 1, span_ms: 5000, clock_ms: 0.1, pointer: "none", metrics: { hold_ms: [1] } });
  assert.equal(answer.state, "ok");
  w.resume();
  await type();
  assert.equal(calls.length, 2);
  assert.deepEqual(calls[1].json.metrics.hold_ms, [80, 90], "what happened meanwhile is forgotten");
  w.stop();
});

test("an inactive person is warned, and then signed out", async () => {
  const warned = [];
  let out = 0;
  const { told } = watched([{}], { inactivity_s: 100, warn_s: 20, onInactive: (w) => warned.push(w.seconds), onSignOut: () => (out += 1) });
  mock.timers.tick(79_000);
  assert.deepEqual(warned, []);
  mock.timers.tick(1000);
  assert.deepEqual(warned, [20]);
  document.emit("pointermove", { timeStamp: 1, pointerType: "mouse" });
  mock.timers.tick(20_000);
  assert.equal(out, 1, "a nudged mouse is no answer to the warning");
  mock.timers.tick(60_000);
  assert.equal(out, 1);
  assert.deepEqual(told, ["starting", "stopped"]);
});

test("who answers the warning, or goes on typing before it, stays", async () => {
  let stay = null;
  const { w } = watched([{}], { inactivity_s: 100, warn_s: 20, onInactive: (warning) => (stay = warning.stay), onSignOut: () => assert.fail() });
  mock.timers.tick(70_000);
  document.emit("keydown", { key: "a", timeStamp: 1 });
  mock.timers.tick(79_000);
  assert.equal(stay, null);
  mock.timers.tick(5000);
  stay();
  mock.timers.tick(79_000);
  w.stop();
});

test("typing a password is activity, though nothing of it is measured", async () => {
  const { w, calls } = watched([{}], { inactivity_s: 100, warn_s: 20, onInactive: () => assert.fail() });
  const field = new Target({ type: "password" });
  for (let i = 0; i < 5; i += 1) {
    press(document, "x", i * 1000, i * 1000 + 80, [field]);
    mock.timers.tick(60_000);
  }
  await settle();
  assert.equal(calls.length, 0);
  w.stop();
});
