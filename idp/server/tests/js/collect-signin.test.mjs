// The hosted sign-in page: only the identifier's rhythm, only if it was typed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Target, load, press } from "./page.mjs";

const { collect } = await load("collect-signin.js");

/** A sign-in form, with its hidden field and its identifier. */
function signIn(identifierAttributes = { autocomplete: "username webauthn" }) {
  const form = new Target();
  const hidden = new Target({ type: "hidden" });
  const identifier = new Target(identifierAttributes);
  form.querySelector = (selector) => (selector.includes("behavior") ? hidden : identifier);
  collect(form, { clock: () => 5000 });
  const type = (text) => {
    [...text].forEach((key, i) => {
      press(identifier, key, 1000 + i * 180, 1080 + i * 180);
      identifier.value += key;
      identifier.emit("input", { inputType: "insertText" });
    });
  };
  return { form, hidden, identifier, type };
}

test("the rhythm of the identifier goes into the hidden field at submit", () => {
  const { form, hidden, type } = signIn();
  type("alice");
  assert.equal(hidden.value, "");
  form.emit("submit");
  const batch = JSON.parse(hidden.value);
  assert.equal(batch.v, 1);
  assert.equal(batch.pointer, "none");
  assert.deepEqual(batch.metrics.hold_ms, [80, 80, 80, 80, 80]);
  assert.deepEqual(batch.metrics.flight_ms, [100, 100, 100, 100]);
  assert.equal("seq" in batch, false);
});

test("nothing typed elsewhere is seen", () => {
  const { form, hidden } = signIn();
  press(form, "s", 1000, 1090, [new Target({ type: "password" })]);
  form.emit("submit");
  assert.equal(hidden.value, "");
});

test("a filled or pasted identifier has no rhythm, until it is typed anew", () => {
  const { form, hidden, identifier, type } = signIn();
  type("al");
  identifier.value = "alice";
  identifier.emit("input", { inputType: "insertFromPaste" });
  form.emit("submit");
  assert.equal(hidden.value, "");

  identifier.value = "";
  identifier.emit("input", { inputType: "deleteContentBackward" });
  type("bob");
  form.emit("submit");
  assert.equal(JSON.parse(hidden.value).metrics.hold_ms.length, 3);
});

test("an identifier field that takes a code is left alone", () => {
  const { identifier } = signIn({ autocomplete: "username", inputmode: "numeric" });
  assert.equal(identifier.listening, 0);
});
