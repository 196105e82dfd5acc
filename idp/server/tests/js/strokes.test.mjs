// The pointer's path: only strokes that are over, in relative steps, of one kind of pointer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Target, load } from "./page.mjs";

const { Recorder, recordPointer } = await load("gait-recorder.js");
const { REST_MS, STROKE_LIMIT } = await load("gait-strokes.js");
const [MOVE, DOWN, DRAG, UP] = [0, 1, 2, 3];

/** A page whose pointer is recorded, and what a hand does on it. */
function hand(pointerType = "mouse") {
  const page = new Target();
  const recorder = new Recorder();
  recordPointer(recorder, page, new AbortController().signal);
  const at = (type, timeStamp, clientX, clientY, fields = {}, path = []) =>
    page.emit(type, { timeStamp, clientX, clientY, pointerId: 1, pointerType, buttons: 0, ...fields }, path);
  return {
    page,
    recorder,
    at,
    /** Moves to the right for `n` points of 10 ms and 3 px. */
    move: (from, n, fields) => {
      for (let i = 0; i < n; i += 1) at("pointermove", from + i * 10, 100 + i * 3, 50, fields);
    },
    path: (now) => recorder.take(now)?.path,
  };
}

test("a movement and its click are one stroke, told in steps", () => {
  const { at, move, path } = hand();
  move(1000, 3);
  at("pointerdown", 1100, 106, 52, { buttons: 1 });
  at("pointerup", 1190, 106, 52);
  assert.deepEqual(path(1200), [
    [0, 0, 0, MOVE],
    [10, 3, 0, MOVE],
    [10, 3, 0, MOVE],
    [80, 0, 2, DOWN],
    [90, 0, 0, UP],
  ]);
});

test("no place on the page can be read from a path", () => {
  const paths = [0, 500].map((shift) => {
    const { at, path } = hand();
    for (let i = 0; i < 5; i += 1) at("pointermove", 1000 + i * 10, shift + i * 3, shift / 2);
    at("pointerdown", 1100, shift + 12, shift / 2, { buttons: 1 });
    at("pointerup", 1190, shift + 12, shift / 2);
    return path(1200);
  });
  assert.deepEqual(paths[0], paths[1]);
});

test("a drag is told from a move", () => {
  const { at, move, path } = hand();
  at("pointerdown", 990, 97, 50, { buttons: 1 });
  move(1000, 3, { buttons: 1 });
  at("pointerup", 1030, 109, 50);
  assert.deepEqual(path(1100).map((point) => point[3]), [DOWN, DRAG, DRAG, DRAG, UP]);
});

test("a stroke that isn't over waits for the next batch, and ends with a rest", () => {
  const { at, move, path } = hand();
  move(1000, 6);
  assert.equal(path(1060), undefined);
  at("pointermove", 1060, 118, 50);
  assert.equal(path(1060 + REST_MS), undefined);
  assert.equal(path(1061 + REST_MS).length, 7);
  move(5000, 6);
  move(5060 + REST_MS, 6);
  assert.equal(path(6000 + REST_MS).length, 6, "the next movement ends it as well");
});

test("a long stroke ends at its largest length, and the next one begins anew", () => {
  const { move, path } = hand();
  move(1000, STROKE_LIMIT + 10);
  const points = path(1000 + STROKE_LIMIT * 10);
  assert.equal(points.length, STROKE_LIMIT);
  assert.equal(path(1e6).length, 10);
});

test("fewer than four points are no stroke", () => {
  const { at, path } = hand();
  at("pointerdown", 1000, 10, 10, { buttons: 1 });
  at("pointerup", 1090, 10, 10);
  assert.equal(path(2000), undefined);
});

test("a fast pointer is thinned to steps of at least 8 ms, coalesced events included", () => {
  const { at, path } = hand();
  for (let t = 1000; t < 1400; t += 16) {
    const points = Array.from({ length: 16 }, (_, i) => ({ timeStamp: t + i, clientX: (t + i) / 2, clientY: 0 }));
    at("pointermove", t + 15, (t + 15) / 2, 0, { getCoalescedEvents: () => points });
  }
  const points = path(1e4);
  assert.equal(points.length, 50);
  for (const [dt, dx] of points.slice(1)) assert.deepEqual([dt, dx], [8, 4]);
});

test("events that come without a movement, or out of order, are no points", () => {
  const { at, path } = hand();
  for (const [t, x] of [[1000, 0], [1010, 5], [1050, 5], [1005, 9], [1060, 9], [1070, 14]]) at("pointermove", t, x, 0);
  assert.deepEqual(path(1e4), [[0, 0, 0, MOVE], [10, 5, 0, MOVE], [50, 4, 0, MOVE], [10, 5, 0, MOVE]]);
});

test("a button that goes down where the pointer just came to doesn't look like a new stroke", () => {
  const { at, move, path } = hand();
  move(1000, 4);
  at("pointerdown", 1030, 109, 50, { buttons: 1 });
  at("pointerup", 1120, 109, 50);
  assert.deepEqual(path(1200).slice(1), [[10, 3, 0, MOVE], [10, 3, 0, MOVE], [10, 3, 0, DOWN], [90, 0, 0, UP]]);
});

test("mouse and touch are never in one path: with any touch, only touch counts", () => {
  const { recorder, at, move } = hand();
  move(1000, 6);
  at("pointerup", 1060, 118, 50);
  const touch = { pointerType: "touch", buttons: 1 };
  at("pointerdown", 2000, 10, 10, touch);
  for (let i = 1; i < 5; i += 1) at("pointermove", 2000 + i * 16, 10, 10 + i * 5, touch);
  at("pointerup", 2080, 10, 30, { pointerType: "touch" });
  const batch = recorder.take(3000);
  assert.equal(batch.pointer, "touch");
  assert.deepEqual(batch.path.map((point) => point[3]), [DOWN, DRAG, DRAG, DRAG, DRAG, UP]);
});

test("a pen counts as touch, and a second finger is not followed", () => {
  const { recorder, at } = hand("pen");
  at("pointerdown", 2000, 10, 10, { buttons: 1 });
  for (let i = 1; i < 5; i += 1) {
    at("pointermove", 2000 + i * 16, 10, 10 + i * 5, { buttons: 1 });
    at("pointermove", 2001 + i * 16, 300, 10 + i * 5, { buttons: 1, pointerId: 2, isPrimary: false });
  }
  at("pointerup", 2080, 10, 30);
  const batch = recorder.take(3000);
  assert.equal(batch.pointer, "touch");
  assert.ok(batch.path.every(([, dx]) => dx === 0));
});

test("a stroke whose rest falls into the next batch tells there what made it", () => {
  const { recorder, move } = hand();
  move(1000, 6);
  assert.equal(recorder.take(1100).pointer, "mouse");
  const batch = recorder.take(5000);
  assert.deepEqual([batch.pointer, batch.path.length], ["mouse", 6]);
});

test("a private place, a cancelled touch and a lost window leave no stroke behind", () => {
  const secret = [new Target({ "data-private": "" })];
  for (const happen of [
    (h) => h.at("pointermove", 1060, 118, 50, {}, secret),
    (h) => h.at("pointercancel", 1060, 118, 50),
    (h) => h.recorder.release(),
  ]) {
    const h = hand();
    h.move(1000, 6);
    happen(h);
    assert.equal(h.path(1e4), undefined, String(happen));
  }
});

test("when a batch is full the oldest strokes give way", () => {
  const { at, recorder } = hand();
  let t = 1000;
  for (let stroke = 0; stroke < 40; stroke += 1) {
    for (let i = 0; i < 100; i += 1) at("pointermove", (t += 10.3), (i * 1234.5) % 1999, (i * 777.7) % 999);
    at("pointerdown", (t += 20), stroke, 0, { buttons: 1 });
    at("pointerup", (t += 50 + stroke), stroke, 0);
  }
  const batch = recorder.take(t + 1);
  assert.ok(JSON.stringify({ ...batch, seq: Date.now() }).length <= 15.5 * 1024);
  const ups = batch.path.filter((point) => point[3] === UP).map(([dt]) => dt);
  assert.ok(ups.length >= 3);
  assert.deepEqual(ups, Array.from({ length: ups.length }, (_, i) => 90 - ups.length + i), "the newest, in order");
});
