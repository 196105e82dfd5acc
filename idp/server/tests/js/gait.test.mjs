// What the collector measures, what it must never see, and how it talks to the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Target, codeOf, load, press } from "./page.mjs";

const { METRICS, Recorder, clockGrid, isPrivate, recordKeys, textsFor } = await load("gait.js");
const { recordPointer, recordScroll } = await load("gait-recorder.js");
const { MOVE, UP } = await load("gait-strokes.js");

/** The metrics of what happens on a page during `act`. */
function measure(act, until = 60_000, record = recordKeys) {
  const page = new Target();
  const recorder = new Recorder();
  record(recorder, page, new AbortController().signal);
  act(page, recorder);
  return recorder.take(until)?.metrics ?? null;
}

test("holds and flights are measured in milliseconds", () => {
  const m = measure((page) => {
    press(page, "a", 1000, 1090);
    press(page, "b", 1200, 1280);
  });
  assert.deepEqual(m.hold_ms, [90, 80]);
  assert.deepEqual(m.flight_ms, [110]);
});

test("keys that overlap have a negative flight, and each keeps its own hold when they are released crosswise", () => {
  const m = measure((page) => {
    page.emit("keydown", { key: "a", timeStamp: 1000 });
    page.emit("keydown", { key: "b", timeStamp: 1080 });
    page.emit("keyup", { key: "b", timeStamp: 1110 });
    page.emit("keyup", { key: "a", timeStamp: 1150 });
  });
  assert.deepEqual(m.hold_ms, [30, 150], "in the order they were released");
  assert.deepEqual(m.flight_ms, [80 - 150], "from a's keyup to b's keydown");
});

test("a pause for thought is no flight", () => {
  const m = measure((page) => {
    press(page, "a", 1000, 1090);
    press(page, "b", 9000, 9080);
  });
  assert.deepEqual(m.flight_ms, []);
});

test("auto-repeat, shortcuts, modifiers, input methods, autofill and scripts are not typing", () => {
  const nothing = [
    { key: "a", repeat: true },
    { key: "v", ctrlKey: true },
    { key: "c", metaKey: true },
    { key: "Shift" },
    { key: "Process" },
    { key: "Unidentified" },
    { key: "a", keyCode: 229 },
    { key: "a", code: "" },
    { key: "a", code: "Unidentified" },
    { key: "a", isComposing: true },
    { key: undefined },
    { key: "a", isTrusted: false },
  ];
  for (const fields of nothing) {
    const m = measure((page) => {
      page.emit("keydown", { ...fields, timeStamp: 1000 });
      page.emit("keyup", { ...fields, timeStamp: 1080 });
    });
    assert.equal(m, null, JSON.stringify(fields));
  }
});

test("a held key keeps its first keydown through the repeats", () => {
  const m = measure((page) => {
    page.emit("keydown", { key: "a", timeStamp: 1000 });
    for (let t = 1500; t < 1800; t += 30) page.emit("keydown", { key: "a", repeat: true, timeStamp: t });
    page.emit("keyup", { key: "a", timeStamp: 1800 });
  });
  assert.deepEqual(m.hold_ms, [800]);
});

test("nothing is taken from secrets, or from what the app declares private", () => {
  const secrets = [
    [new Target({ type: "password" })],
    [new Target({ autocomplete: "one-time-code" })],
    [new Target({ autocomplete: "section-a current-password" })],
    [new Target({ autocomplete: "cc-number" })],
    [new Target({ inputmode: "numeric" })],
    [new Target(), new Target({ "data-private": "" })],
  ];
  for (const path of secrets) {
    assert.equal(measure((page) => press(page, "a", 1000, 1090, path)), null, JSON.stringify(path[0].attributes));
    const pointed = measure((page) => page.emit("pointerdown", { timeStamp: 1, pointerId: 1, pointerType: "mouse" }, path), 1e4, recordPointer);
    assert.equal(pointed, null);
  }
});

test("a password stays private when the page shows it", () => {
  const field = new Target({ type: "password" });
  assert.ok(isPrivate({ target: field }));
  field.type = "text";
  assert.ok(isPrivate({ target: field }));
});

test("no key is stored, and none leaves the page", () => {
  const page = new Target();
  const recorder = new Recorder();
  recordKeys(recorder, page, new AbortController().signal);
  [..."hunter2"].forEach((key, i) => press(page, key, 1000 + i * 100, 1080 + i * 100));
  const text = JSON.stringify(recorder.take(5000));
  assert.deepEqual(Object.keys(JSON.parse(text)).sort(), ["clock_ms", "digraph_ms", "metrics", "pointer", "span_ms", "v"]);
  assert.deepEqual(Object.keys(JSON.parse(text).metrics).sort(), [...METRICS].sort());
  assert.ok(Object.values(JSON.parse(text).metrics).flat().every((x) => typeof x === "number"));
});

test("a keyup that another window took doesn't make a long hold", () => {
  const m = measure((page, recorder) => {
    page.emit("keydown", { key: "Tab", timeStamp: 1000 });
    recorder.release();
    press(page, "a", 1300, 1380);
  });
  assert.deepEqual(m.hold_ms, [80]);
  const stale = measure((page) => {
    page.emit("keydown", { key: "x", timeStamp: 1000 });
    press(page, "a", 8000, 8080);
  });
  assert.deepEqual(stale.hold_ms, [80]);
});

test("keys and clicks are counted in whole seconds that have any", () => {
  const page = new Target();
  const recorder = new Recorder();
  recordKeys(recorder, page, new AbortController().signal);
  recordPointer(recorder, page, new AbortController().signal);
  for (const t of [0, 200, 400, 900, 5000, 5100]) press(page, "a", t, t + 50);
  page.emit("pointerdown", { timeStamp: 5200, pointerId: 1, pointerType: "mouse" });
  page.emit("pointerup", { timeStamp: 5310, pointerId: 1, pointerType: "mouse" });
  const first = recorder.take(5500);
  assert.deepEqual(first.metrics.keypress_rate, [4]);
  assert.deepEqual(first.metrics.dwell_ms, [110]);
  assert.equal(first.pointer, "mouse");
  const second = recorder.take(7000);
  assert.deepEqual(second.metrics.keypress_rate, [2]);
  assert.deepEqual(second.metrics.click_frequency, [1]);
  assert.equal(second.span_ms, 1500);
});

test("pointer speed is per segment, whatever the mouse's report rate", () => {
  for (const step of [1, 8, 16]) {
    const m = measure(
      (page) => {
        for (let t = 0; t <= 1000; t += step) page.emit("pointermove", { timeStamp: t, clientX: t * 0.5, clientY: 0, pointerType: "mouse" });
      },
      2000,
      recordPointer,
    );
    assert.ok(m.mouse_velocity.length >= 15);
    for (const v of m.mouse_velocity) assert.ok(Math.abs(v - 0.5) < 1e-3);
    for (const a of m.cursor_variation) assert.equal(a, 0);
  }
});

test("a turn is the angle between segments, and a rest is no turn", () => {
  const corner = (rest) =>
    measure(
      (page) => {
        const move = (timeStamp, clientX, clientY) => page.emit("pointermove", { timeStamp, clientX, clientY, pointerType: "mouse" });
        for (let t = 0; t <= 50; t += 10) move(t, t, 0);
        for (let t = 10; t <= 60; t += 10) move(50 + rest + t, 50, t);
      },
      5000,
      recordPointer,
    );
  assert.deepEqual(corner(0).cursor_variation, [1.571]);
  assert.deepEqual(corner(900).cursor_variation, []);
});

test("coalesced pointer events are all used", () => {
  const m = measure(
    (page) => {
      for (let t = 0; t < 400; t += 100) {
        const points = [25, 50, 75, 100].map((d) => ({ timeStamp: t + d, clientX: t + d, clientY: 0 }));
        page.emit("pointermove", { timeStamp: t + 100, clientX: t + 100, clientY: 0, pointerType: "mouse", getCoalescedEvents: () => points });
      }
    },
    1000,
    recordPointer,
  );
  assert.equal(m.mouse_velocity.length, 7);
});

test("scrolling is measured per burst, and only if a person caused it", () => {
  const scroll = (page, t, y) => {
    page.scrollTop = y;
    page.emit("scroll", { timeStamp: t });
  };
  const m = measure(
    (page) => {
      scroll(page, 100, 300); // the page's own
      page.emit("wheel", { timeStamp: 1000 });
      scroll(page, 1010, 400);
      scroll(page, 1100, 450);
      page.emit("wheel", { timeStamp: 2000 });
      scroll(page, 2010, 440);
    },
    9000,
    recordScroll,
  );
  assert.deepEqual(m.scroll_distance, [150, 10]);
});

test("touch is told apart from a mouse", () => {
  const recorder = new Recorder();
  recorder.buttondown(0, 1, "touch");
  recorder.buttonup(80, 1);
  recorder.move(100, 1, 1, "mouse");
  assert.equal(recorder.take(1000).pointer, "touch");
});

test("lists are bounded, keep the newest, and a full batch fits into 15.5 KiB", () => {
  const recorder = new Recorder();
  for (let i = 0; i < 20_000; i += 1) {
    recorder.keydown(i * 1200.123, "KeyA");
    recorder.keyup(i * 1200.123 + (i % 1100) + 0.123, "KeyA");
    recorder.buttondown(i * 1200.123, 1, "mouse");
    recorder.buttonup(i * 1200.123 + 9000.123, 1);
    recorder.move(i * 60.123, i % 999, (i * 7) % 999, "mouse");
    recorder.stroke(i * 8.123, (i * 12_345.6) % 19_999, (i * 7.7) % 999, "mouse", i % 50 === 0 ? UP : MOVE);
    recorder.scroll(i * 1200.123, 123_456.123);
  }
  const batch = recorder.take(1e9);
  for (const name of METRICS) assert.ok(batch.metrics[name].length <= 200, name);
  assert.equal(batch.metrics.hold_ms.at(-1), Math.round(((19_999 % 1100) + 0.123) * 1000) / 1000);
  assert.ok(JSON.stringify({ ...batch, seq: Date.now() }).length <= 15.5 * 1024);
});

test("without a measurement there is no batch", () => {
  assert.equal(new Recorder().take(1000), null);
});

test("the clock's resolution is the grid of the event times", () => {
  const times = (grid) => Array.from({ length: 40 }, (_, i) => Math.round((i * 37.7 + i * i * 3.31) / grid) * grid);
  for (const grid of [100, 50 / 3, 1, 0.1]) assert.equal(clockGrid(times(grid)), grid);
  assert.equal(clockGrid([100, 200, 300]), null);
});

test("the messages speak the page's language, and English otherwise", () => {
  assert.equal(textsFor("de-AT").inactive.seconds(1), "1 Sekunde");
  assert.equal(textsFor("fr").ended.act, "Sign in again");
  assert.equal(textsFor(undefined), textsFor("en"));
});
