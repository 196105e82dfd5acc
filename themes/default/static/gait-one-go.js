// The rhythm of a short text that is always the same (an identifier, a password): by position only, and only if it was typed
// in one go, so that the n-th timing is always that of the n-th key.

import { isKeystroke, isModifier } from "./gait-recorder.js";
import { PAUSE_MS, rounded } from "./gait-typing.js";

const KEYS_LIMIT = 100;
// They end the typing, and are no part of the text.
const LEAVING = new Set(["Enter", "Tab"]);

/** The timings of a text: hold i is how long key i was held, and digraph i is from its keydown to the next one's. One
 * irregularity, and there are none: a wrong timing would be worse. */
export class OneGo {
  #strokes = [];
  #pressed = new Map(); // keystrokes without their keyup, by physical key
  #whole = true;

  /** How many keys went down. */
  get length() {
    return this.#strokes.length;
  }
  down(t, code) {
    const last = this.#strokes.at(-1);
    const follows = last === undefined || (t >= last.down && t - last.down <= PAUSE_MS);
    if (!this.#whole || !follows || this.length >= KEYS_LIMIT) return this.spoil();
    const stroke = { down: t, up: null };
    this.#pressed.set(code, stroke);
    this.#strokes.push(stroke);
    return undefined;
  }
  up(t, code) {
    const stroke = this.#pressed.get(code);
    this.#pressed.delete(code);
    if (stroke) stroke.up = t;
  }
  /** It was not typed in one go. */
  spoil() {
    this.restart();
    this.#whole = false;
  }
  /** The text is empty again. */
  restart() {
    this.#strokes = [];
    this.#pressed.clear();
    this.#whole = true;
  }
  /** The timings of a text of `length`, with the times of all events; `null` if it was not typed in one go. */
  timings(length) {
    const strokes = this.#strokes;
    const held = strokes.every(({ down, up }) => up !== null && up >= down && up - down <= PAUSE_MS);
    if (!this.#whole || !held || strokes.length !== length || length === 0) return null;
    return {
      hold_ms: strokes.map(({ down, up }) => rounded(up - down)),
      digraph_ms: strokes.slice(1).map(({ down }, i) => rounded(down - strokes[i].down)),
      times: strokes.flatMap(({ down, up }) => [down, up]),
    };
  }
}

/** Measures a field until `signal` aborts, as long as `readable` says that it may be. */
export function followField(field, signal, readable = () => true) {
  const typed = new OneGo();
  const listen = (type, take) =>
    field.addEventListener(type, (event) => (readable() ? take(event) : typed.spoil()), { passive: true, capture: true, signal });
  listen("keydown", (event) => {
    if (!event.isTrusted || isModifier(event) || LEAVING.has(event.key)) return;
    // A key with a name moves or deletes, and a repeated one writes by itself.
    if (isKeystroke(event) && event.key.length === 1) typed.down(event.timeStamp, event.code);
    else typed.spoil();
  });
  listen("keyup", (event) => event.isTrusted && typed.up(event.timeStamp, event.code));
  listen("input", (event) => {
    const { length } = field.value;
    if (length === 0) return typed.restart(); // what is typed from here on is whole again
    const atEnd = (field.selectionStart ?? length) === length;
    if (event.inputType !== "insertText" || length !== typed.length || !atEnd) typed.spoil();
    return undefined;
  });
  return { timings: () => (readable() ? typed.timings(field.value.length) : null) };
}
