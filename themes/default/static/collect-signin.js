// For the hosted sign-in page: measures the rhythm of typing the identifier where the page asks for it with
// <form data-collect="signin">, and that of the password, by position only, where it asks with <form data-collect-password>.
// They go into the form's hidden fields "behavior" and "behavior_password" when the form is sent.

import { Recorder, clockGrid, isPrivate, recordKeys } from "./gait-recorder.js";
import { followField } from "./gait-one-go.js";

// What a person types into the field; everything else (paste, drop, autofill, a suggestion) has no rhythm.
const TYPED = new Set(["insertText", "deleteContentBackward", "deleteContentForward"]);
const PASSWORD = 'input[type="password"][autocomplete~="current-password"]';
// A sign-in has one batch.
const SEQ = 0;

/** Collects for one form until `signal` aborts. `clock` tells the time in milliseconds, as `event.timeStamp` does. */
export function collect(form, { signal, clock = () => performance.now() } = {}) {
  if (form.getAttribute("data-collect") === "signin") collectIdentifier(form, signal, clock);
  if (form.hasAttribute("data-collect-password")) collectPassword(form, signal);
}

function collectIdentifier(form, signal, clock) {
  const target = form.querySelector('input[name="behavior"]');
  const identifier = form.querySelector('input[autocomplete~="username"], input[name="identifier"]');
  if (!target || !identifier || isPrivate({ target: identifier })) return;
  const recorder = new Recorder();
  let filled = false;
  recordKeys(recorder, identifier, signal);
  const field = followField(identifier, signal);
  identifier.addEventListener("blur", () => recorder.release(), { signal });
  identifier.addEventListener(
    "input",
    (event) => {
      if (!TYPED.has(event.inputType)) filled = true;
      if (identifier.value === "") {
        filled = false; // emptied: what is typed from here on is whole again
        recorder.clear();
      }
    },
    { signal },
  );
  const measured = () => {
    const batch = filled ? null : recorder.take(clock());
    if (batch === null) return "";
    const { path, digraph_ms, ...rest } = batch; // of free typing; a field has its own, or none
    const timings = field.timings();
    if (timings === null) return JSON.stringify({ ...rest, seq: SEQ });
    const metrics = { ...rest.metrics, hold_ms: timings.hold_ms };
    return JSON.stringify({ ...rest, seq: SEQ, metrics, digraph_ms: timings.digraph_ms });
  };
  form.addEventListener("submit", () => (target.value = measured()), { signal });
}

/** No more than the times of the keys leaves the page: no counts, and nothing at all where the typing was corrected. */
function collectPassword(form, signal) {
  const target = form.querySelector('input[name="behavior_password"]');
  const password = form.querySelector(PASSWORD);
  if (!target || !password || password.closest("[data-private]")) return;
  // A "show password" switch turns it into another kind of field.
  const field = followField(password, signal, () => password.type === "password");
  const measured = () => {
    const timings = field.timings();
    if (timings === null) return "";
    const { hold_ms, digraph_ms, times } = timings;
    const span_ms = Math.round(Math.max(...times) - times[0]);
    const batch = { v: 1, seq: SEQ, span_ms, clock_ms: clockGrid(times) ?? 1, pointer: "none", metrics: { hold_ms }, digraph_ms };
    return JSON.stringify(batch);
  };
  form.addEventListener("submit", () => (target.value = measured()), { signal });
}

if (typeof document !== "undefined") {
  for (const form of document.querySelectorAll("form[data-collect], form[data-collect-password]")) collect(form);
}
