// A page small enough for Node: event targets that take plain objects as (trusted) events, and the modules under test.
import { defaultMaxListeners, EventEmitter } from "node:events";

EventEmitter.defaultMaxListeners = 4 * defaultMaxListeners; // a watched page listens to much with one signal

const STATIC = new URL("../../../../themes/default/static/", import.meta.url);

/** Imports one of the theme's modules. */
export const load = (name) => import(new URL(name, STATIC));

/** Something that listens, as an element or a document does. */
export class Target {
  #listeners = [];
  constructor(attributes = {}) {
    this.attributes = attributes;
    this.nodeType = 1;
    this.type = attributes.type ?? "text";
    this.value = "";
  }
  addEventListener(type, listener, { signal } = {}) {
    const entry = { type, listener };
    this.#listeners.push(entry);
    signal?.addEventListener("abort", () => this.#listeners.splice(this.#listeners.indexOf(entry), 1));
  }
  get listening() {
    return this.#listeners.length;
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  hasAttribute(name) {
    return name in this.attributes;
  }
  closest(selector) {
    return this.hasAttribute(selector.slice(1, -1)) ? this : null;
  }
  /** Dispatches a trusted event whose path is `path`, innermost first, and then this target. */
  emit(type, fields = {}, path = []) {
    const full = [...path, this];
    const key = typeof fields.key === "string" ? { code: codeOf(fields.key) } : {};
    const event = { type, isTrusted: true, target: full[0], composedPath: () => full, ...key, ...fields };
    for (const entry of this.#listeners.filter((l) => l.type === type)) entry.listener(event);
  }
}

/** The physical key that writes `key` on an American keyboard. */
export function codeOf(key) {
  if (/^[a-z]$/i.test(key)) return `Key${key.toUpperCase()}`;
  if (/^[0-9]$/.test(key)) return `Digit${key}`;
  return { " ": "Space", ".": "Period", ",": "Comma", "-": "Minus" }[key] ?? key;
}

/** A keystroke of `key` that goes down at `down` and up at `up`, in milliseconds. */
export function press(target, key, down, up, path = []) {
  target.emit("keydown", { key, timeStamp: down }, path);
  target.emit("keyup", { key, timeStamp: up }, path);
}

/** A `fetch` that answers from a script and remembers what it was asked. */
export function scriptedFetch(...answers) {
  const calls = [];
  const fetch = async (url, init) => {
    calls.push({ url, ...init, json: JSON.parse(init.body) });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    const { status = 200, headers = {}, ...body } = answer;
    return new Response(JSON.stringify(body), { status, headers });
  };
  return { fetch, calls };
}
