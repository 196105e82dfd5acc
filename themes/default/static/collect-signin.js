// For the hosted sign-in page: measures the rhythm of typing the identifier, and only of that, where the page asks for it
// with <form data-collect="signin">, and puts it into the form's hidden field "behavior" when the form is sent.

import { Recorder, isPrivate, recordKeys } from "./gait.js";

// What a person types into the field; everything else (paste, drop, autofill, a suggestion) has no rhythm.
const TYPED = new Set(["insertText", "deleteContentBackward", "deleteContentForward"]);

/** Collects for one form until `signal` aborts. `clock` tells the time in milliseconds, as `event.timeStamp` does. */
export function collect(form, { signal, clock = () => performance.now() } = {}) {
  const target = form.querySelector('input[name="behavior"]');
  const identifier = form.querySelector('input[autocomplete~="username"], input[name="identifier"]');
  if (!target || !identifier || isPrivate({ target: identifier })) return;
  const recorder = new Recorder();
  let filled = false;
  recordKeys(recorder, identifier, signal);
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
  form.addEventListener(
    "submit",
    () => {
      const batch = filled ? null : recorder.take(clock());
      target.value = batch ? JSON.stringify(batch) : "";
    },
    { signal },
  );
}

if (typeof document !== "undefined") {
  for (const form of document.querySelectorAll('form[data-collect="signin"]')) collect(form);
}
