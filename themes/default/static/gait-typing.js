// The rhythm of keys: how long each is held, and how long it takes to the next.
//
// A keydown and its keyup are brought together by the physical key, which is known here from the one to the other and no
// longer. It is never sent and never stored, unless key identities were agreed to (see gait-keys.js); and then without order.

import { keyNumber, shuffle } from "./gait-keys.js";

/** Longer than this, in milliseconds, is thinking or leaving, not rhythm. */
export const PAUSE_MS = 2000;
// Ten lists of this length stay below the 16 KiB that a batch may have.
const LIST_LIMIT = 200;
const KEYS_LIMIT = 1000;

/** A bounded list: the oldest value gives way. */
export function keep(list, value) {
  if (!Number.isFinite(value)) return;
  list.push(rounded(value));
  if (list.length > LIST_LIMIT) list.shift();
}

/** To a microsecond, which no browser's clock can tell apart. */
export function rounded(ms) {
  return Math.round(ms * 1000) / 1000;
}

/** Reduces keystrokes, given as times in milliseconds, to lists of timings. */
export class Typing {
  #pressed = new Map(); // keystrokes without their keyup, by physical key, oldest first
  #last = null; // the newest keystroke, as long as the next one may follow on it
  #identities = false;
  #lists;

  constructor() {
    this.#empty();
  }
  #empty() {
    this.#lists = { hold_ms: [], flight_ms: [], digraph_ms: [], keys: [] };
  }

  /** Whether timings are kept by key too; off by default. */
  set identities(on) {
    if (on === this.#identities) return;
    this.#identities = on;
    this.#lists.keys = [];
    this.release();
  }

  /** A key goes down; false if nothing can be told from it. */
  down(t, code) {
    this.#dropStale(t);
    const held = this.#pressed.get(code);
    if (held) {
      // A repeat that doesn't say so, or a keyup that never came: nobody knows which.
      held.lost = true;
      this.break();
      return false;
    }
    const key = this.#identities ? keyNumber(code) : 0;
    const stroke = { down: t, up: null, next: null, lost: false, key };
    if (this.#last !== null && t >= this.#last.down) this.#follow(this.#last, stroke);
    this.#pressed.set(code, stroke);
    this.#last = stroke;
    return true;
  }
  #follow(before, stroke) {
    const ms = stroke.down - before.down;
    if (ms <= PAUSE_MS) {
      keep(this.#lists.digraph_ms, ms);
      this.#identify(before.key, stroke.key, ms);
    }
    if (before.up === null) before.next = stroke.down;
    else if (stroke.down - before.up <= PAUSE_MS) keep(this.#lists.flight_ms, stroke.down - before.up);
  }

  /** A key goes up; false if it isn't known to be down. */
  up(t, code) {
    this.#dropStale(t);
    const stroke = this.#pressed.get(code);
    this.#pressed.delete(code);
    if (!stroke || stroke.lost || t < stroke.down) return false;
    stroke.up = t;
    keep(this.#lists.hold_ms, t - stroke.down);
    this.#identify(stroke.key, null, t - stroke.down);
    if (stroke.next !== null) keep(this.#lists.flight_ms, stroke.next - t);
    return true;
  }
  /** Keeps how long a key was held, or took to the next one (`null`: held), where both are known. */
  #identify(key, next, ms) {
    if (key === 0 || next === 0) return;
    this.#lists.keys.push([key, next ?? 0, rounded(ms)]);
    if (this.#lists.keys.length > KEYS_LIMIT) this.#lists.keys.shift();
  }
  /** A key held this long has lost its keyup to another window. */
  #dropStale(t) {
    for (const [code, stroke] of this.#pressed) {
      if (t - stroke.down <= PAUSE_MS) return;
      this.#pressed.delete(code);
    }
  }

  /** What comes next doesn't follow on what came before: something else happened to the text in between. */
  break() {
    this.#last = null;
  }
  /** Forgets what is half done: a keyup after a change of window or field never comes. */
  release() {
    this.#pressed.clear();
    this.break();
  }
  clear() {
    this.release();
    this.#empty();
  }
  /** The lists so far; new ones begin. With key identities no list has an order, or it would give the keys' away. */
  take() {
    const lists = this.#lists;
    this.#empty();
    if (this.#identities) Object.values(lists).forEach(shuffle);
    return lists;
  }
}
