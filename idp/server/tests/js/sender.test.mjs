// How batches get to the server: numbered, with a watch token, never queued.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, scriptedFetch } from "./page.mjs";

const { createSender } = await load("gait-sender.js");

const BATCH = { v: 1, span_ms: 5000, clock_ms: 0.1, pointer: "none", metrics: {} };
const endpoint = "https://id.example/continuous/samples";

test("batches carry rising numbers, above those of an earlier page, and the watch token", async () => {
  const { fetch, calls } = scriptedFetch({ state: "ok", next_s: 5 });
  const sender = createSender({ token: "gait_wt_1", endpoint, fetch, now: () => 1_790_000_000_000 });
  assert.deepEqual(await sender.send(BATCH), { state: "ok", next_s: 5, keys: false });
  await sender.send(BATCH);
  assert.deepEqual(calls.map((c) => c.json.seq), [1_790_000_000_000, 1_790_000_000_001]);
  assert.equal(calls[0].url, endpoint);
  assert.equal(calls[0].headers.Authorization, "Bearer gait_wt_1");
  assert.equal(calls[0].credentials, "omit");
});

test("a renewed watch token is used from the next batch on", async () => {
  const { fetch, calls } = scriptedFetch({ state: "ok", next_s: 5, watch_token: "gait_wt_2" });
  const sender = createSender({ token: "gait_wt_1", endpoint, fetch });
  await sender.send(BATCH);
  await sender.send(BATCH);
  assert.equal(calls[1].headers.Authorization, "Bearer gait_wt_2");
});

test("a token that ran out is asked for once", async () => {
  let asked = 0;
  const getToken = async () => {
    asked += 1;
    return { watch_token: "gait_wt_2", samples_endpoint: endpoint };
  };
  const { fetch, calls } = scriptedFetch({ status: 401 }, { state: "ok", next_s: 5 });
  const sender = createSender({ token: "gait_wt_1", endpoint, getToken, fetch });
  assert.equal((await sender.send(BATCH)).state, "ok");
  assert.equal(asked, 1);
  assert.equal(calls[1].headers.Authorization, "Bearer gait_wt_2");

  asked = 0;
  const refused = createSender({ token: "x", endpoint, getToken, fetch: scriptedFetch({ status: 401 }).fetch });
  assert.equal((await refused.send(BATCH)).state, "unwatched");
  assert.equal(asked, 1);
});

test("the first token and the endpoint may both come from getToken", async () => {
  const { fetch, calls } = scriptedFetch({ state: "ok", next_s: 5 });
  const sender = createSender({ getToken: async () => ({ watch_token: "gait_wt_9", samples_endpoint: endpoint }), fetch });
  assert.equal((await sender.send(BATCH)).state, "ok");
  assert.equal(calls[0].url, endpoint);
});

test("an ended session ends the watch, a missing consent only stops it", async () => {
  const asking = (error) => createSender({ endpoint, getToken: async () => ({ error }), fetch: scriptedFetch({}).fetch });
  assert.equal((await asking("session_ended").send(BATCH)).state, "ended");
  assert.equal((await asking("consent_required").send(BATCH)).state, "unwatched");
  assert.equal((await asking("invalid_token").send(BATCH)).state, "unwatched");
});

test("the server's state and pace are followed, within bounds", async () => {
  const answers = [
    { state: "step_up", next_s: 2 },
    { state: "ended", next_s: 0 },
    { state: "surprise", next_s: 1e9 },
  ];
  const sender = createSender({ token: "t", endpoint, fetch: scriptedFetch(...answers).fetch });
  assert.deepEqual(await sender.send(BATCH), { state: "step_up", next_s: 2, keys: false });
  assert.deepEqual(await sender.send(BATCH), { state: "ended", next_s: 5, keys: false });
  assert.deepEqual(await sender.send(BATCH), { state: "ok", next_s: 120, keys: false });
});

test("429 waits as long as it says; errors back off, and recover", async () => {
  const down = new TypeError("network");
  const { fetch } = scriptedFetch({ status: 429, headers: { "Retry-After": "17" } }, down, { status: 503 }, { state: "ok", next_s: 5 }, down);
  const sender = createSender({ token: "t", endpoint, fetch });
  assert.deepEqual(await sender.send(BATCH), { state: "offline", next_s: 17 });
  assert.deepEqual(await sender.send(BATCH), { state: "offline", next_s: 10 });
  assert.deepEqual(await sender.send(BATCH), { state: "offline", next_s: 20 });
  assert.deepEqual(await sender.send(BATCH), { state: "ok", next_s: 5, keys: false });
  assert.deepEqual(await sender.send(BATCH), { state: "offline", next_s: 5 });
});

test("key identities are only taken from an answer that says so in so many words", async () => {
  const answers = [{ state: "ok", next_s: 5, keys: true }, { state: "ok", next_s: 5, keys: "yes" }, new TypeError("network")];
  const sender = createSender({ token: "t", endpoint, fetch: scriptedFetch(...answers).fetch });
  assert.deepEqual([(await sender.send(BATCH)).keys, (await sender.send(BATCH)).keys, (await sender.send(BATCH)).keys], [true, false, undefined]);
});
