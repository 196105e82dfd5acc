// What is measured: the rhythm of typing and pointing, never what was typed.
//
// No variable in this file ever holds a key: holds are paired first-in-first-out, which keeps their sum, and so their
// mean, right even when keys are released out of order. Nothing at all is measured in password and one-time-code fields,
// or under an element with the attribute `data-private`.

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

// Eight lists of this length stay below the 16 KiB that a batch may have.
const LIST_LIMIT = 200;
const PAUSE_MS = 2000; // longer than this is thinking or leaving, not rhythm
const DWELL_MAX_MS = 10_000;
const WINDOW_MS = 1000;
const SEGMENT_MS = 50; // pointers report 60 to 1000 times a second; segments make them comparable
const STROKE_GAP_MS = 200; // a pointer that rests this long starts a new stroke
const MIN_TURN_PX = 2; // the direction of a shorter segment is rounding noise
const BURST_GAP_MS = 150;
const SCROLL_CAUSE_MS = 500; // a scroll that no input came before is the page's own doing
const GRIDS_MS = [100, 50, 20, 50 / 3, 10, 8, 5, 4, 2, 1, 0.5, 0.2, 0.1, 0.02, 0.005];

/** A bounded list: the oldest value gives way. */
function keep(list, value) {
  if (!Number.isFinite(value)) return;
  list.push(Math.round(value * 1000) / 1000);
  if (list.length > LIST_LIMIT) list.shift();
}

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

/** Reduces events, given as times in milliseconds and positions in CSS pixels, to the eight lists. It touches no page. */
export class Recorder {
  #metrics = {};
  #times = [];
  #pressed = []; // times of keydowns without their keyup, oldest first
  #overlap = []; // beside each of them: when the next key went down
  #lastUp = null; // time of the newest keyup, until a key goes down again
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
    if (this.#times.length > LIST_LIMIT) this.#times.shift();
  }

  keydown(t) {
    this.#tick(t);
    this.#dropStale(t);
    if (this.#pressed.length > 0) {
      this.#overlap[this.#overlap.length - 1] = t;
    } else if (this.#lastUp !== null && t - this.#lastUp <= PAUSE_MS) {
      keep(this.#metrics.flight_ms, t - this.#lastUp);
    }
    this.#pressed.push(t);
    this.#overlap.push(null);
    this.#lastUp = null;
    this.#keys.add(t, this.#metrics.keypress_rate);
  }
  keyup(t) {
    this.#dropStale(t);
    if (this.#pressed.length === 0) return;
    this.#tick(t);
    keep(this.#metrics.hold_ms, t - this.#pressed.shift());
    const next = this.#overlap.shift();
    if (next !== null) keep(this.#metrics.flight_ms, next - t);
    this.#lastUp = t;
  }
  /** A key held this long has lost its keyup to another window. */
  #dropStale(t) {
    while (this.#pressed.length > 0 && t - this.#pressed[0] > PAUSE_MS) {
      this.#pressed.shift();
      this.#overlap.shift();
    }
  }

  buttondown(t, id, kind) {
    this.#tick(t);
    this.#seen(kind);
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
  #seen(kind) {
    // A batch with any touch is a touch batch: the two rhythms must not be mixed.
    const now = kind === "mouse" ? "mouse" : "touch";
    if (this.#pointer !== "touch") this.#pointer = now;
  }

  move(t, x, y, kind) {
    this.#tick(t);
    this.#seen(kind);
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

  /** Forgets what is half done: keyups and button releases after a change of window or field never come. */
  release() {
    this.#pressed = [];
    this.#overlap = [];
    this.#lastUp = null;
    this.#buttons.clear();
    this.#segment = null;
    this.#heading = null;
  }
  /** Forgets everything. */
  clear() {
    this.release();
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
    if (METRICS.every((name) => this.#metrics[name].length === 0)) return null;
    this.#clock = clockGrid(this.#times) ?? this.#clock;
    const span_ms = Math.max(0, Math.round(now - began));
    const batch = { v: 1, span_ms, clock_ms: this.#clock, pointer: this.#pointer, metrics: this.#metrics };
    this.#reset();
    return batch;
  }
}

/** The angle between two headings, 0 to π. */
function turn(a, b) {
  const d = Math.abs(a - b) % (2 * Math.PI);
  return d > Math.PI ? 2 * Math.PI - d : d;
}

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
    return numeric || node.hasAttribute("data-private") || SECRET_HINTS.test(node.getAttribute("autocomplete") ?? "");
  });
}

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Fn", "OS"]);

/** True for a keystroke that has a rhythm: not a shortcut, a modifier, an auto-repeat, an input method's or an autofill's. */
export function isKeystroke(event) {
  const named = typeof event.key === "string" && event.key !== "Unidentified" && event.key !== "Process";
  const shortcut = event.ctrlKey || event.metaKey || (event.altKey && !event.getModifierState?.("AltGraph"));
  return named && !shortcut && !event.repeat && !event.isComposing && !MODIFIERS.has(event.key);
}

/** Feeds a recorder from the keystrokes below `root` until `signal` aborts. */
export function recordKeys(recorder, root, signal) {
  const listen = (type, take) =>
    root.addEventListener(
      type,
      (event) => {
        if (event.isTrusted && isKeystroke(event) && !isPrivate(event)) take(event.timeStamp);
      },
      { passive: true, capture: true, signal },
    );
  listen("keydown", (t) => recorder.keydown(t));
  listen("keyup", (t) => recorder.keyup(t));
}

/** Feeds a recorder from pointer events below `root` until `signal` aborts. */
export function recordPointer(recorder, root, signal) {
  const listen = (type, take) =>
    root.addEventListener(type, (event) => event.isTrusted && !isPrivate(event) && take(event), {
      passive: true,
      capture: true,
      signal,
    });
  listen("pointerdown", (e) => recorder.buttondown(e.timeStamp, e.pointerId, e.pointerType));
  listen("pointerup", (e) => recorder.buttonup(e.timeStamp, e.pointerId));
  listen("pointercancel", () => recorder.release());
  listen("pointermove", (event) => {
    const points = event.getCoalescedEvents?.() ?? [];
    for (const p of points.length > 0 ? points : [event]) recorder.move(p.timeStamp, p.clientX, p.clientY, event.pointerType);
  });
}

/** Feeds a recorder from the scrolling that the person causes, until `signal` aborts. */
export function recordScroll(recorder, root, signal) {
  const options = { passive: true, capture: true, signal };
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
