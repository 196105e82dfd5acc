// Gait's collector for third-party pages: watches the rhythm of a session, never what is typed (see gait-recorder.js).
//
//   import { watch } from "https://id.example/static/gait.js";
//   const w = watch({ getToken, endpoint, onState, onStepUp, onEnded, onInactive, inactivity_s, step_up_url });
//   w.stop();

import { openDialog, textsFor } from "./gait-dialog.js";
import { Recorder, recordKeys, recordPointer, recordScroll } from "./gait-recorder.js";
import { createSender } from "./gait-sender.js";

export { METRICS, Recorder, clockGrid, isKeystroke, isModifier, isPrivate, recordKeys } from "./gait-recorder.js";
export { createSender } from "./gait-sender.js";
export { openDialog, textsFor } from "./gait-dialog.js";

const FIRST_BATCH_S = 5;
const SHARE_ACTIVITY_MS = 5000;

/**
 * Starts watching this page.
 *
 * @param {object} options
 * @param {string} [options.token] the first watch token, if the server put one into the page
 * @param {() => Promise<string|object>} [options.getToken] asked for a token when there is none or it has run out; resolves
 *   to the watch token, or to the JSON answer of Gait's `/continuous/token`, errors included
 * @param {string} [options.endpoint] Gait's `/continuous/samples`; by default what the token's answer names
 * @param {(state: string) => void} [options.onState] `starting`, `ok`, `step_up`, `ended`, `offline`, `unwatched`, `stopped`
 * @param {(proceed: () => void) => void} [options.onStepUp] instead of the dialog; `proceed` goes to `step_up_url`
 * @param {(proceed: () => void) => void} [options.onEnded] instead of the dialog; `proceed` goes to `sign_in_url`
 * @param {(warning: {seconds: number, stay: () => void, signOut: () => void}) => void} [options.onInactive] instead of
 *   the dialog that warns before an inactive person is signed out
 * @param {() => void} [options.onSignOut] signs out after inactivity; by default the page goes to `sign_out_url`
 * @param {number} [options.inactivity_s] seconds without input until the person is signed out; 0, the default, is never
 * @param {number} [options.warn_s] how many seconds before that the warning comes
 * @param {string} [options.step_up_url] where the app starts a new authorization request for a step-up
 * @param {string} [options.sign_in_url] where the app signs people in; by default the page is loaded again
 * @param {string} [options.sign_out_url] where the app signs people out; by default the page is loaded again
 * @param {object} [options.texts] instead of the built-in texts, in the shape of `textsFor("en")`
 * @returns {{stop: () => void, pause: () => void, resume: () => void, send: (batch: object) => Promise<object>, state: string}}
 */
export function watch(options) {
  const watched = new Watch(options);
  watched.start();
  return watched;
}

class Watch {
  #options;
  #texts;
  #abort = new AbortController();
  #recorder = new Recorder();
  #sender;
  #timer = null;
  #paused = false;
  #verdict = "starting"; // what Gait said last; being offline doesn't change it
  #dialog = null;
  #idle = null;
  /** What `onState` was told last. */
  state = null;

  constructor(options) {
    this.#options = options;
    this.#texts = options.texts ?? textsFor(document.documentElement.lang || navigator.language);
    this.#sender = createSender(options);
  }

  start() {
    const { signal } = this.#abort;
    recordKeys(this.#recorder, document, signal);
    recordPointer(this.#recorder, document, signal);
    recordScroll(this.#recorder, document, signal);
    const release = () => this.#recorder.release();
    window.addEventListener("blur", release, { signal });
    document.addEventListener("focusin", () => this.#recorder.releaseKeys(), { capture: true, passive: true, signal });
    document.addEventListener("visibilitychange", () => this.#visibility(), { signal });
    if (this.#options.inactivity_s > 0) this.#watchIdle(signal);
    this.#tell("starting");
    this.#schedule(FIRST_BATCH_S);
  }

  /** Ends the watch: no listener, timer, dialog or request of it is left. */
  stop() {
    const running = !this.#abort.signal.aborted;
    this.#halt();
    this.#show(null);
    if (running) this.#tell("stopped");
  }

  /** Stops collecting until `resume`; the state is still followed by what `send` is answered. */
  pause() {
    this.#paused = true;
  }

  resume() {
    this.#recorder.clear();
    this.#paused = false;
  }

  /** Posts one batch in the shape that `Recorder.take` returns, and follows the answer. */
  async send(batch, how) {
    const answer = await this.#sender.send(batch, how);
    if (this.#abort.signal.aborted) return answer;
    if (answer.keys !== undefined) this.#recorder.identities = answer.keys;
    this.#follow(answer.state);
    return answer;
  }

  #halt() {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#recorder.clear();
  }

  #schedule(seconds) {
    if (this.#abort.signal.aborted) return;
    this.#timer = setTimeout(async () => this.#schedule((await this.#flush()) ?? FIRST_BATCH_S), seconds * 1000);
  }

  /** Sends what there is; resolves to the seconds to wait for the next time. */
  async #flush(how) {
    const batch = this.#paused ? null : this.#recorder.take(performance.now());
    return batch ? (await this.send(batch, how)).next_s : undefined;
  }

  #visibility() {
    this.#recorder.release();
    if (document.visibilityState === "hidden") this.#flush({ keepalive: true });
  }

  #tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.#options.onState?.(state);
  }

  #follow(state) {
    this.#tell(state);
    if (state === "offline" || state === this.#verdict) return;
    this.#verdict = state;
    if (state === "unwatched") return this.#halt();
    if (state === "ok") return this.#show(null);
    const { onStepUp, onEnded, step_up_url, sign_in_url } = this.#options;
    if (state === "step_up") return this.#message("step_up", onStepUp, step_up_url, "leave");
    this.#halt();
    return this.#message("ended", onEnded, sign_in_url, null);
  }

  #message(kind, callback, url, escape) {
    const proceed = () => go(url);
    if (callback) {
      this.#show(null);
      return callback(proceed);
    }
    return this.#show(openDialog(kind, this.#texts, { onAct: proceed, escape }));
  }

  /** At most one dialog is open. */
  #show(dialog) {
    this.#dialog?.close();
    this.#dialog = dialog;
  }

  #watchIdle(signal) {
    const { inactivity_s, warn_s = Math.min(60, inactivity_s / 2), onInactive } = this.#options;
    const stay = () => this.#idle.touch();
    const signOut = () => {
      this.stop();
      if (this.#options.onSignOut) this.#options.onSignOut();
      else go(this.#options.sign_out_url);
    };
    let warning = null;
    this.#idle = idleClock(inactivity_s, warn_s, signal, {
      onWarn: (seconds) => {
        if (warning === null) {
          warning = onInactive ? {} : openDialog("inactive", this.#texts, { onAct: stay, onLeave: signOut, escape: "act" });
          onInactive?.({ seconds, stay, signOut });
        }
        warning?.count?.(seconds);
      },
      onActive: () => {
        warning?.close?.();
        warning = null;
      },
      onExpire: signOut,
    });
    signal.addEventListener("abort", () => warning?.close?.());
  }
}

function go(url) {
  if (url) location.assign(url);
  else location.reload();
}

/** Tells of inactivity. Input in another tab of the same origin is activity too. While the warning stands, only an answer
 * to it counts, not a nudged mouse. */
function idleClock(inactivity_s, warn_s, signal, { onWarn, onActive, onExpire }) {
  let last = Date.now(); // a wall clock, because others stand still while a computer sleeps
  let shared = 0;
  let warned = false;
  const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("gait-activity") : null;
  const seen = () => {
    last = Date.now();
    if (warned) onActive();
    warned = false;
  };
  const touch = () => {
    seen();
    if (last - shared < SHARE_ACTIVITY_MS) return;
    shared = last;
    channel?.postMessage(null);
  };
  const onInput = (event) => event.isTrusted && !warned && touch();
  for (const type of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"]) {
    document.addEventListener(type, onInput, { capture: true, passive: true, signal });
  }
  channel?.addEventListener("message", seen, { signal });
  let timer = null;
  const tick = () => {
    const left = Math.ceil((last - Date.now()) / 1000 + inactivity_s);
    if (left <= 0) return onExpire();
    if (left <= warn_s) {
      warned = true;
      onWarn(left);
    }
    timer = setTimeout(tick, 1000);
    return undefined;
  };
  timer = setTimeout(tick, 1000);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    channel?.close();
  });
  return { touch };
}
