// What an event costs the collector: `node idp/server/tests/js/cost.bench.mjs`. Printed, never asserted.
import { Target, load } from "./page.mjs";

const { Recorder, recordKeys, recordPointer } = await load("gait-recorder.js");
const EVENTS = 200_000;

/** Nanoseconds per event, the dispatch by the stand-in page included. */
function cost(emit) {
  const page = new Target();
  const recorder = new Recorder();
  const { signal } = new AbortController();
  recordKeys(recorder, page, signal);
  recordPointer(recorder, page, signal);
  const depth = Array.from({ length: 14 }, () => new Target()); // elements between the target and the document
  const before = performance.now();
  for (let i = 0; i < EVENTS; i += 1) {
    emit(page, depth, i);
    if (i % 1000 === 0) recorder.take(i * 10);
  }
  return ((performance.now() - before) * 1e6) / EVENTS;
}

const key = (...types) => (page, path, i) => page.emit(types[i % 2], { key: "a", timeStamp: i * 90 }, path);
const move = (type) => (page, path, i) => {
  page.emit(type, { timeStamp: i * 10, clientX: (i * 7) % 900, clientY: (i * 3) % 700, pointerType: "mouse", buttons: 0 }, path);
};
const costs = { key: [key("keydown", "keyup"), key("ignored", "ignored")], pointermove: [move("pointermove"), move("ignored")] };
for (const [name, [heard, ignored]] of Object.entries(costs)) {
  cost(heard); // warms up
  console.log(`${name}: ${Math.round(cost(heard))} ns an event, of which the stand-in page ${Math.round(cost(ignored))} ns`);
}
