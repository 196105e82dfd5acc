// Keys: each timing is the right one or none, and nothing of what was typed can be read from a batch.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Target, codeOf, load, press } from "./page.mjs";

const { Recorder, recordKeys } = await load("gait.js");
const { keyNumber, shuffle } = await load("gait-keys.js");

/** The batch of what happens on a page during `act`. */
function batchOf(act, { identities = false, until = 60_000 } = {}) {
  const page = new Target();
  const recorder = new Recorder();
  recorder.identities = identities;
  recordKeys(recorder, page, new AbortController().signal);
  act(page, recorder);
  return recorder.take(until);
}

/** Types a text with the same times whatever it is: a new key every 140 ms, each held 90 to 199 ms. */
function typed(page, text) {
  const events = [...text].flatMap((key, i) => [
    { type: "keydown", key, timeStamp: 1000 + i * 140.3 },
    { type: "keyup", key, timeStamp: 1000 + i * 140.3 + 90 + ((i * 37) % 110) },
  ]);
  events.sort((a, b) => a.timeStamp - b.timeStamp).forEach(({ type, ...fields }) => page.emit(type, fields));
}

const FOX = "the quick brown fox jumps over lazy dogs";
const PIN = "my card number is 4821-9035, not 6172-04";

test("without key identities two texts typed with the same timings make the same batch, byte for byte", () => {
  const [one, other] = [FOX, PIN].map((text) => JSON.stringify(batchOf((page) => typed(page, text))));
  assert.equal(one, other);
  assert.ok(JSON.parse(one).digraph_ms.length === FOX.length - 1);
  for (const word of ["Key", "Digit", "code", "keys", "\"key\""]) assert.ok(!one.includes(word), word);
});

test("a digraph is the time from keydown to keydown: the hold and the flight between them", () => {
  const batch = batchOf((page) => {
    press(page, "a", 1000, 1090);
    press(page, "b", 1200, 1280);
    press(page, "c", 1350, 1440);
  });
  assert.deepEqual(batch.digraph_ms, [200, 150]);
  const { hold_ms, flight_ms } = batch.metrics;
  assert.deepEqual(flight_ms.map((flight, i) => hold_ms[i] + flight), batch.digraph_ms);
});

test("a pause, a shortcut, an input method, a soft keyboard's key and a private field each end the chain", () => {
  const between = [
    (page) => page.emit("keydown", { key: "v", ctrlKey: true, timeStamp: 1150 }),
    (page) => page.emit("keydown", { key: "Process", timeStamp: 1150 }),
    (page) => page.emit("keydown", { key: "Unidentified", code: "", timeStamp: 1150 }),
    (page) => page.emit("keydown", { key: "x", timeStamp: 1150 }, [new Target({ "data-private": "" })]),
    (page) => page.emit("input", { inputType: "insertFromPaste" }),
    (page) => page.emit("input", { inputType: "insertFromDrop" }),
    (page) => page.emit("input", { inputType: "insertCompositionText" }),
    (page) => page.emit("input", { inputType: "insertReplacementText" }),
    (page) => page.emit("input", {}),
  ];
  for (const happen of between) {
    const batch = batchOf((page) => {
      press(page, "a", 1000, 1090);
      happen(page);
      press(page, "b", 1200, 1280);
    });
    assert.deepEqual([batch.metrics.hold_ms, batch.metrics.flight_ms, batch.digraph_ms], [[90, 80], [], undefined], String(happen));
  }
  const long = batchOf((page) => {
    press(page, "a", 1000, 1090);
    press(page, "b", 3001, 3080);
  });
  assert.equal(long.digraph_ms, undefined);
});

test("shift for a capital doesn't end the chain, and is no key of its own", () => {
  const batch = batchOf((page) => {
    press(page, "a", 1000, 1090);
    page.emit("keydown", { key: "Shift", code: "ShiftLeft", timeStamp: 1150 });
    press(page, "B", 1200, 1280);
    page.emit("keyup", { key: "Shift", code: "ShiftLeft", timeStamp: 1290 });
  });
  assert.deepEqual([batch.metrics.hold_ms, batch.digraph_ms], [[90, 80], [200]]);
});

test("repeats that don't say so, and a keyup that never came, give no timing at all", () => {
  const batch = batchOf((page) => {
    for (const timeStamp of [1000, 1300, 1330, 1360]) page.emit("keydown", { key: "a", timeStamp });
    page.emit("keyup", { key: "a", timeStamp: 1400 });
    press(page, "b", 1500, 1580);
  });
  assert.deepEqual([batch.metrics.hold_ms, batch.metrics.flight_ms, batch.digraph_ms], [[80], [], undefined]);
});

test("a keyup counts even if a modifier went down since, and one without a keydown never", () => {
  const batch = batchOf((page) => {
    page.emit("keydown", { key: "a", timeStamp: 1000 });
    page.emit("keyup", { key: "a", ctrlKey: true, timeStamp: 1090 });
    page.emit("keydown", { key: "c", ctrlKey: true, timeStamp: 1200 });
    page.emit("keyup", { key: "c", timeStamp: 1280 });
  });
  assert.deepEqual(batch.metrics.hold_ms, [90]);
});

test("a busy page that handles everything late and at once changes no rhythm", async () => {
  const late = batchOf((page) => {
    const until = performance.now() + 60;
    while (performance.now() < until); // the page is busy; then all events are handled in no time
    press(page, "a", 1000, 1090);
    press(page, "b", 1200, 1280);
  });
  assert.deepEqual([late.metrics.hold_ms, late.metrics.flight_ms, late.digraph_ms], [[90, 80], [110], [200]]);
});

test("typing with the keyboard alone makes a batch without a pointer or a path", () => {
  const batch = batchOf((page) => typed(page, FOX));
  assert.equal(batch.pointer, "none");
  assert.equal("path" in batch, false);
});

test("with key identities the timings are there by key, and no list has an order", () => {
  const batch = batchOf((page) => typed(page, FOX), { identities: true });
  const numbers = [...FOX].map((key) => keyNumber(codeOf(key)));
  const holds = batch.keys.filter(([, next]) => next === 0).map(([key]) => key);
  assert.deepEqual(holds.toSorted(), numbers.toSorted());
  const pairs = batch.keys.filter(([, next]) => next !== 0).map(([key, next]) => `${key} ${next}`);
  assert.deepEqual(pairs.toSorted(), numbers.slice(1).map((next, i) => `${numbers[i]} ${next}`).toSorted());
  assert.ok(batch.keys.every(([key, next, ms]) => key >= 1 && key <= 255 && next >= 0 && next <= 255 && ms > 0));
  // 40 of them stay in order by chance once in 40! times.
  assert.notDeepEqual(holds, numbers);
  const plain = batchOf((page) => typed(page, FOX));
  for (const [list, ordered] of [
    [batch.metrics.hold_ms, plain.metrics.hold_ms],
    [batch.metrics.flight_ms, plain.metrics.flight_ms],
  ]) {
    assert.notDeepEqual(list, ordered, "a list in order would tell the keys' order");
    assert.deepEqual(list.toSorted(), ordered.toSorted());
  }
});

test("key identities: nothing from private fields, nothing of unknown keys, and nothing once they are withdrawn", () => {
  for (const secret of [{ type: "password" }, { "data-private": "" }, { autocomplete: "one-time-code" }]) {
    assert.equal(batchOf((page) => press(page, "a", 1000, 1080, [new Target(secret)]), { identities: true }), null);
  }
  const unknown = batchOf((page) => press(page, "é", 1000, 1080), { identities: true });
  assert.deepEqual([unknown.metrics.hold_ms, unknown.keys], [[80], undefined]);
  const withdrawn = batchOf(
    (page, recorder) => {
      typed(page, FOX);
      recorder.identities = false;
    },
    { identities: true },
  );
  assert.equal(withdrawn.keys, undefined);
});

test("key identities: at most a thousand timings, within the batch's bounds", () => {
  const batch = batchOf((page) => typed(page, FOX.repeat(20)), { identities: true, until: 1e6 });
  assert.ok(batch.keys.length > 0 && batch.keys.length <= 1000, String(batch.keys.length));
  assert.ok(JSON.stringify({ ...batch, seq: Date.now() }).length <= 15.5 * 1024);
});

test("each key has a number of its own, from 1 to 255", () => {
  const codes = ["KeyA", "KeyZ", "Digit0", "Space", "Enter", "Numpad9", "NumpadEnter", "IntlBackslash"];
  const numbers = codes.map(keyNumber);
  assert.equal(new Set(numbers).size, codes.length);
  assert.ok(numbers.every((n) => n >= 1 && n <= 255));
  assert.equal(keyNumber("KeyÉ"), 0);
});

test("a shuffled list has the same members, in any order", () => {
  const seen = new Set();
  for (let i = 0; i < 300; i += 1) seen.add(shuffle([1, 2, 3]).join(""));
  assert.deepEqual([...seen].toSorted(), ["123", "132", "213", "231", "312", "321"]);
});
