// What is measured: the rhythm of typing and pointing, never what was typed (see gait-typing.js). Nothing at all is measured
// in password and one-time-code fields, or under an element with the attribute `data-private`.
//
// All times are those of the events themselves, so that a busy page changes no rhythm.

import { DOWN, DRAG, MOVE, Strokes, UP } from "./gait-strokes.js";
import { Typing, keep } from "./gait-typing.js";

/** The eight metrics, named and measured as the server reads them. */
export const METRICS = [
  "hold_ms", // milliseconds from keydown to keyup
  "flight_ms", // milliseconds from keyup to the next keydown; negative when keys overlap
  "mouse_velocity", // CSS pixels per millisecond, per movement segment
  "click_frequency", // clicks per second, one value per second-long window with a click
  "dwell_ms", // milliseconds that a pointer button is held down
  "scroll_distance", // CSS pixels per scroll burst
  "keypress_rate", // keys per second, one value per second-long window with a key
  "cursor_variation", // change of direction in radians, 0 to π, between movement segments
];

// The server takes 16 KiB; the sender adds the batch's number.
const BATCH_BYTES = 15.5 * 1024 - 32;
const DWELL_MAX_MS = 10_000;
const WINDOW_MS = 1000;
const SEGMENT_MS = 50; // pointers report 60 to 1000 times a second; segments make them comparable
const STROKE_GAP_MS = 200; // a pointer that rests this long starts a new stroke
const MIN_TURN_PX = 2; // the direction of a shorter segment is rounding noise
const BURST_GAP_MS = 150;
const SCROLL_CAUSE_MS = 500; // a scroll that no input came before is the page's own doing
const TIMES_LIMIT = 200; // that the clock's grid is estimated from
const GRIDS_MS = [100, 50, 20, 50 / 3, 10, 8, 5, 4, 2, 1, 0.5, 0.2, 0.1, 0.02, 0.005];

/** The coarsest known grid, in milliseconds, that all of these times lie on: the resolution of the browser's clock.
 * `null` for fewer than eight different times, which lie on many grids by chance. */
export function clockGrid(times) {
  if (new Set(times).size < 8) return null;
  const onGrid = (grid) => times.every((t) => Math.abs(t / grid - Math.round(t / grid)) * grid < Math.max(grid * 0.02, 1e-4));
  return GRIDS_MS.find(onGrid) ?? GRIDS_MS.at(-1);
}

/** Counts events in second-long windows, each of which begins with an event. */
class Windows {
  #start = null;
  #count = 0;
  add(t, out) {
    this.close(t, out);
    this.#start ??= t;
    this.#count += 1;
  }
  /** Reports the window if it is over; one that still runs waits for the next batch. */
  close(now, out) {
    if (this.#start === null || now - this.#start < WINDOW_MS) return;
    keep(out, (this.#count * 1000) / WINDOW_MS);
    this.clear();
  }
  clear() {
    this.#start = null;
    this.#count = 0;
  }
}

/** Reduces events, given as times in milliseconds and positions in CSS pixels, to a batch. It touches no page. */
export class Recorder {
  #metrics = {};
  #times = [];
  #typing = new Typing();
  #strokes = new Strokes();
  #buttons = new Map();
  #segment = null;
  #heading = null;
  #burst = null;
  #keys = new Windows();
  #clicks = new Windows();
  #pointer = "none";
  #began = null;
  #clock = 1;

  constructor() {
    this.#reset();
  }
  #reset() {
    this.#metrics = Object.fromEntries(METRICS.map((name) => [name, []]));
    this.#times = [];
    this.#pointer = "none";
  }
  #tick(t) {
    this.#began ??= t;
    this.#times.push(t);
    if (this.#times.length > TIMES_LIMIT) this.#times.shift();
  }

  /** Whether timings are kept by key too: only if the operator and the person have agreed to it. */
  set identities(on) {
    this.#typing.identities = on;
  }
  /** `code` names the physical key, until its keyup. */
  keydown(t, code) {
    this.#tick(t);
    if (this.#typing.down(t, code)) this.#keys.add(t, this.#metrics.keypress_rate);
  }
  keyup(t, code) {
    if (this.#typing.up(t, code)) this.#tick(t);
  }
  /** The text was changed by something else than a key. */
  breakTyping() {
    this.#typing.break();
  }

  buttondown(t, id, kind) {
    this.#tick(t);
    this.#seen(pointerOf(kind));
    this.#buttons.set(id, t);
    this.#clicks.add(t, this.#metrics.click_frequency);
  }
  buttonup(t, id) {
    const down = this.#buttons.get(id);
    this.#buttons.delete(id);
    if (down === undefined || t - down > DWELL_MAX_MS) return;
    this.#tick(t);
    keep(this.#metrics.dwell_ms, t - down);
  }
  #seen(pointer) {
    // A batch with any touch is a touch batch: the two rhythms must not be mixed.
    if (pointer !== null && this.#pointer !== "touch") this.#pointer = pointer;
  }

  /** A point of the path of the (first) pointer; `what` is one of `gait-strokes.js`. */
  stroke(t, x, y, kind, what) {
    this.#seen(this.#strokes.add(t, x, y, pointerOf(kind), what));
  }
  move(t, x, y, kind) {
    this.#tick(t);
    this.#seen(pointerOf(kind));
    const s = this.#segment;
    if (s === null || t - s.t > STROKE_GAP_MS || t < s.t) {
      this.#segment = { from: t, t, x0: x, y0: y, x, y, path: 0 };
      this.#heading = null;
      return;
    }
    s.path += Math.hypot(x - s.x, y - s.y);
    s.t = t;
    s.x = x;
    s.y = y;
    if (t - s.from >= SEGMENT_MS) this.#endSegment(s);
  }
  #endSegment(s) {
    if (s.path > 0) keep(this.#metrics.mouse_velocity, s.path / (s.t - s.from));
    const dx = s.x - s.x0;
    const dy = s.y - s.y0;
    if (Math.hypot(dx, dy) >= MIN_TURN_PX) {
      const heading = Math.atan2(dy, dx);
      if (this.#heading !== null) keep(this.#metrics.cursor_variation, turn(this.#heading, heading));
      this.#heading = heading;
    }
    this.#segment = { from: s.t, t: s.t, x0: s.x, y0: s.y, x: s.x, y: s.y, path: 0 };
  }

  scroll(t, distance) {
    if (!(distance > 0)) return;
    this.#tick(t);
    this.#endBurst(t);
    this.#burst ??= { t, distance: 0 };
    this.#burst.t = t;
    this.#burst.distance += distance;
  }
  #endBurst(now) {
    if (this.#burst === null || now - this.#burst.t <= BURST_GAP_MS) return;
    keep(this.#metrics.scroll_distance, this.#burst.distance);
    this.#burst = null;
  }

  /** Forgets the keys that are down: after a change of field or window their keyups never come. */
  releaseKeys() {
    this.#typing.release();
  }
  /** Forgets the stroke and the buttons that are held: what becomes of them is not to be seen. */
  releasePointer() {
    this.#buttons.clear();
    this.#segment = null;
    this.#heading = null;
    this.#strokes.drop();
  }
  /** Forgets what is half done. */
  release() {
    this.releaseKeys();
    this.releasePointer();
  }
  /** Forgets everything. */
  clear() {
    this.release();
    this.#typing.clear();
    this.#strokes.clear();
    this.#burst = null;
    this.#keys.clear();
    this.#clicks.clear();
    this.#began = null;
    this.#reset();
  }
  /** The batch up to `now`, or `null` if there is no measurement; what is half done stays for the next one. */
  take(now) {
    const began = this.#began ?? now;
    this.#began = now;
    this.#keys.close(now, this.#metrics.keypress_rate);
    this.#clicks.close(now, this.#metrics.click_frequency);
    this.#endBurst(now);
    this.#seen(this.#strokes.rest(now));
    const { hold_ms, flight_ms, digraph_ms, keys } = this.#typing.take();
    const strokes = this.#strokes.take(this.#pointer);
    const metrics = { ...this.#metrics, hold_ms, flight_ms };
    const lists = [...Object.values(metrics), digraph_ms, keys, strokes];
    if (lists.every((list) => list.length === 0)) return null;
    this.#clock = clockGrid(this.#times) ?? this.#clock;
    const span_ms = Math.max(0, Math.round(now - began));
    const batch = { v: 1, span_ms, clock_ms: this.#clock, pointer: this.#pointer, metrics };
    this.#reset();
    if (digraph_ms.length > 0) batch.digraph_ms = digraph_ms;
    if (keys.length > 0) batch.keys = keys;
    return bounded(batch, strokes);
  }
}

function pointerOf(kind) {
  return kind === "mouse" ? "mouse" : "touch";
}

/** The batch with as many strokes as it has room for, the newest first to be taken; without room, the oldest half of its
 * longest list gives way. */
function bounded(batch, strokes) {
  const bytes = (value) => JSON.stringify(value).length; // all of it is ASCII
  while (bytes(batch) > BATCH_BYTES) {
    const lists = [...Object.values(batch.metrics), batch.digraph_ms ?? [], batch.keys ?? []];
    const longest = lists.reduce((a, b) => (bytes(a) >= bytes(b) ? a : b));
    longest.splice(0, Math.ceil(longest.length / 2));
  }
  let room = BATCH_BYTES - bytes(batch) - '"path":[],'.length;
  const fitting = [];
  for (const stroke of strokes.reverse()) {
    room -= bytes(stroke);
    if (room < 0) break;
    fitting.unshift(...stroke);
  }
  return fitting.length > 0 ? { ...batch, path: fitting } : batch;
}

/** The angle between two headings, 0 to π. */
function turn(a, b) {
  const d = Math.abs(a - b) % (2 * Math.PI);
  return d > Math.PI ? 2 * Math.PI - d : d;
}

const PASSIVE = { passive: true, capture: true };

const wasPassword = new WeakSet(); // a "show password" switch turns the field into a text field
const SECRET_HINTS = /(^|\s)(one-time-code|current-password|new-password|cc-\S+)(\s|$)/i;

/** True if nothing may be measured at this event's target. */
export function isPrivate(event) {
  const path = event.composedPath?.() ?? [event.target];
  return path.some((node) => {
    if (node?.type === "password") wasPassword.add(node);
    if (node?.nodeType !== undefined && wasPassword.has(node)) return true;
    if (typeof node?.getAttribute !== "function") return false;
    const numeric = node.getAttribute("inputmode")?.toLowerCase() === "numeric"; // codes, PINs, card numbers
    const hints = node.getAttribute("autocomplete");
    return numeric || node.hasAttribute("data-private") || (hints !== null && SECRET_HINTS.test(hints));
  });
}

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Fn", "OS"]);

/** True for a key that only changes what others do. */
export function isModifier(event) {
  return MODIFIERS.has(event.key);
}

/** True for a keystroke that has a rhythm: not a shortcut, a modifier, an auto-repeat, an input method's, an autofill's, or
 * a soft keyboard's that has no keys. */
export function isKeystroke(event) {
  const named = (name) => typeof name === "string" && name !== "" && name !== "Unidentified";
  const composed = event.isComposing || event.key === "Process" || event.keyCode === 229;
  const shortcut = event.metaKey || ((event.ctrlKey || event.altKey) && !event.getModifierState?.("AltGraph"));
  return named(event.key) && named(event.code) && !composed && !shortcut && !event.repeat && !isModifier(event);
}

const NOT_TYPED = /^(insert(From|Replacement|Composition|Dictation)|history)/;

/** Feeds a recorder from the keystrokes below `root` until `signal` aborts. */
export function recordKeys(recorder, root, signal) {
  const listen = (type, take) => root.addEventListener(type, (event) => event.isTrusted && take(event), { ...PASSIVE, signal });
  listen("keydown", (event) => {
    if (event.repeat || isModifier(event)) return;
    if (isPrivate(event) || !isKeystroke(event)) recorder.breakTyping();
    else recorder.keydown(event.timeStamp, event.code);
  });
  // Whether the keydown counted decides: a modifier may have come or gone since.
  listen("keyup", (event) => isPrivate(event) || recorder.keyup(event.timeStamp, event.code));
  listen("input", (event) => NOT_TYPED.test(event.inputType ?? "insertReplacementText") && recorder.breakTyping());
}

/** Feeds a recorder from pointer events below `root` until `signal` aborts. */
export function recordPointer(recorder, root, signal) {
  const listen = (type, take) =>
    root.addEventListener(
      type,
      (event) => {
        if (!event.isTrusted) return;
        if (isPrivate(event)) recorder.releasePointer();
        else take(event);
      },
      { ...PASSIVE, signal },
    );
  const follow = (event, point, what) => {
    // A second finger has a path of its own, and would tear the first one's.
    if (event.isPrimary !== false) recorder.stroke(point.timeStamp, point.clientX, point.clientY, event.pointerType, what);
  };
  listen("pointerdown", (event) => {
    recorder.breakTyping(); // the way from the mouse back to the keys is no typing
    recorder.buttondown(event.timeStamp, event.pointerId, event.pointerType);
    follow(event, event, DOWN);
  });
  listen("pointerup", (event) => {
    recorder.buttonup(event.timeStamp, event.pointerId);
    follow(event, event, UP);
  });
  listen("pointercancel", () => recorder.releasePointer());
  listen("pointermove", (event) => {
    const points = event.getCoalescedEvents?.() ?? [];
    for (const p of points.length > 0 ? points : [event]) {
      recorder.move(p.timeStamp, p.clientX, p.clientY, event.pointerType);
      follow(event, p, event.buttons > 0 ? DRAG : MOVE);
    }
  });
}

/** Feeds a recorder from the scrolling that the person causes, until `signal` aborts. */
export function recordScroll(recorder, root, signal) {
  const options = { ...PASSIVE, signal };
  const positions = new WeakMap();
  const position = (target) => {
    const node = target.scrollingElement ?? target;
    return { x: node.scrollLeft ?? 0, y: node.scrollTop ?? 0 };
  };
  let cause = -Infinity;
  positions.set(root, position(root));
  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    root.addEventListener(type, (event) => event.isTrusted && (cause = event.timeStamp), options);
  }
  root.addEventListener(
    "scroll",
    (event) => {
      const before = positions.get(event.target);
      const after = position(event.target);
      positions.set(event.target, after);
      if (!event.isTrusted || !before || isPrivate(event) || event.timeStamp - cause > SCROLL_CAUSE_MS) return;
      cause = event.timeStamp; // momentum carries on without further input
      recorder.scroll(event.timeStamp, Math.abs(after.x - before.x) + Math.abs(after.y - before.y));
    },
    options,
  );
}
