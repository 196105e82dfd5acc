// The hosted sign-in page: only the identifier's rhythm, only if it was typed; the password's only where the page asks for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Target, load, press } from "./page.mjs";

const { collect } = await load("collect-signin.js");

/** A sign-in form with its hidden fields, its identifier and its password. */
function signIn({ form: attributes = { "data-collect": "signin" }, identifier: more = { autocomplete: "username webauthn" }, secret = {} } = {}) {
  const form = new Target(attributes);
  const hidden = new Target({ type: "hidden" });
  const hiddenPassword = new Target({ type: "hidden" });
  const identifier = new Target(more);
  const password = new Target({ type: "password", autocomplete: "current-password", ...secret });
  const fields = [["behavior_password", hiddenPassword], ["behavior", hidden], ["password", password], ["username", identifier]];
  form.querySelector = (selector) => fields.find(([part]) => selector.includes(part))[1];
  collect(form, { clock: () => 9000 });
  const sent = (field) => {
    form.emit("submit");
    return field.value === "" ? null : JSON.parse(field.value);
  };
  return { form, hidden, identifier, password, batch: () => sent(hidden), secretBatch: () => sent(hiddenPassword) };
}

/** One key that writes into a field, from `down` to `up`. */
function write(field, key, down, up = down + 80, inputType = "insertText") {
  field.emit("keydown", { key, timeStamp: down });
  field.value += key;
  field.emit("input", { inputType });
  field.emit("keyup", { key, timeStamp: up });
}

function type(field, text, from = 1000) {
  [...text].forEach((key, i) => write(field, key, from + i * 180, from + 80 + i * 180));
}

test("the rhythm of the identifier goes into the hidden field at submit", () => {
  const { hidden, identifier, batch } = signIn();
  type(identifier, "alice");
  assert.equal(hidden.value, "");
  const { v, pointer, seq, metrics, digraph_ms, ...rest } = batch();
  assert.deepEqual([v, pointer, seq], [1, "none", 0]);
  assert.deepEqual(metrics.hold_ms, [80, 80, 80, 80, 80]);
  assert.deepEqual(metrics.flight_ms, [100, 100, 100, 100]);
  assert.deepEqual(digraph_ms, [180, 180, 180, 180]);
  assert.deepEqual(Object.keys(rest).sort(), ["clock_ms", "span_ms"]);
});

test("nothing typed elsewhere is seen", () => {
  const { form, batch } = signIn();
  press(form, "s", 1000, 1090, [new Target({ type: "password" })]);
  assert.equal(batch(), null);
});

test("hold i is of key i, in whatever order they are released", () => {
  const { identifier, batch } = signIn();
  const down = (key, timeStamp) => {
    identifier.emit("keydown", { key, timeStamp });
    identifier.value += key;
    identifier.emit("input", { inputType: "insertText" });
  };
  const up = (key, timeStamp) => identifier.emit("keyup", { key, timeStamp });
  down("a", 1000);
  down("l", 1100);
  up("l", 1150);
  up("a", 1170);
  down("i", 1300);
  up("i", 1390);
  const { metrics, digraph_ms } = batch();
  assert.deepEqual(metrics.hold_ms, [170, 50, 90]);
  assert.deepEqual(digraph_ms, [100, 200]);
});

test("a filled or pasted identifier has no rhythm, until it is typed anew", () => {
  const { identifier, batch } = signIn();
  type(identifier, "al");
  identifier.value = "alice";
  identifier.emit("input", { inputType: "insertFromPaste" });
  assert.equal(batch(), null);

  press(identifier, "Backspace", 3000, 3050);
  identifier.value = "";
  identifier.emit("input", { inputType: "deleteContentBackward" });
  type(identifier, "bob", 4000);
  const { metrics, digraph_ms } = batch();
  assert.equal(metrics.hold_ms.length, 3);
  assert.equal(digraph_ms.length, 2);
});

const IRREGULAR = {
  "a correction": (field) => {
    press(field, "Backspace", 2000, 2050);
    field.value = field.value.slice(0, -1);
    field.emit("input", { inputType: "deleteContentBackward" });
    write(field, "e", 2200);
  },
  "a moved caret": (field) => press(field, "ArrowLeft", 2000, 2050),
  "a caret moved by the mouse": (field) => {
    field.selectionStart = 2;
    write(field, "e", 2000);
  },
  "a replaced selection": (field) => {
    field.emit("keydown", { key: "x", timeStamp: 2000 });
    field.value = "alicx";
    field.emit("input", { inputType: "insertText" });
    field.emit("keyup", { key: "x", timeStamp: 2080 });
  },
  "a pause": (field) => write(field, "e", 9000),
  "a lost keyup": (field) => {
    field.emit("keydown", { key: "x", timeStamp: 2000 });
    field.value += "x";
    field.emit("input", { inputType: "insertText" });
  },
  "a held key": (field) => {
    field.emit("keydown", { key: "x", timeStamp: 2000 });
    field.emit("keydown", { key: "x", timeStamp: 2500, repeat: true });
  },
  "a letter from nowhere": (field) => {
    field.value += "x";
    field.emit("input", { inputType: "insertText" });
  },
  "a value set by a script": (field) => (field.value = "somebody"),
  "undoing": (field) => field.emit("keydown", { key: "z", ctrlKey: true, timeStamp: 2000 }),
  "an input method": (field) => field.emit("keydown", { key: "Process", timeStamp: 2000 }),
};

for (const [what, happen] of Object.entries(IRREGULAR)) {
  test(`${what} leaves no digraphs of the identifier, and nothing of the password`, () => {
    const page = signIn({ form: { "data-collect": "signin", "data-collect-password": "" } });
    type(page.identifier, "alice");
    type(page.password, "alice");

    happen(page.identifier);
    happen(page.password);
    const batch = page.batch();
    assert.equal(batch.digraph_ms, undefined);
    assert.ok(batch.metrics.hold_ms.length >= 5, "free typing it still is");
    assert.equal(page.secretBatch(), null);
  });
}

test("an identifier that the page was sent with was not typed in one go", () => {
  const { identifier, batch } = signIn();
  identifier.value = "ali";
  type(identifier, "ce");
  assert.equal(batch().digraph_ms, undefined);
});

test("Enter and Tab end the typing and are no part of it", () => {
  for (const key of ["Enter", "Tab"]) {
    const { identifier, batch } = signIn();
    type(identifier, "alice");
    identifier.emit("keydown", { key, timeStamp: 2000 });
    const { metrics, digraph_ms } = batch();
    assert.deepEqual([metrics.hold_ms.length, digraph_ms.length], [5, 4]);
  }
});

test("an identifier field that takes a code is left alone", () => {
  const { identifier } = signIn({ identifier: { autocomplete: "username", inputmode: "numeric" } });
  assert.equal(identifier.listening, 0);
});

test("without its own attribute nothing is measured of a password", () => {
  const { password, secretBatch } = signIn();
  assert.equal(password.listening, 0);
  type(password, "quiet harbour");
  assert.equal(secretBatch(), null);
});

test("a password is measured by position, and nothing else of it is sent", () => {
  const { password, identifier, secretBatch, batch } = signIn({ form: { "data-collect-password": "" } });
  assert.equal(identifier.listening, 0, "the identifier takes its own attribute");
  type(password, "quiet harbour");
  const sent = secretBatch();
  assert.deepEqual(Object.keys(sent).sort(), ["clock_ms", "digraph_ms", "metrics", "pointer", "seq", "span_ms", "v"]);
  assert.deepEqual(Object.keys(sent.metrics), ["hold_ms"]);
  assert.deepEqual([sent.metrics.hold_ms.length, sent.digraph_ms.length], [13, 12]);
  assert.deepEqual(sent.digraph_ms, Array(12).fill(180));
  assert.equal(sent.pointer, "none");
  assert.equal(batch(), null);
  const other = signIn({ form: { "data-collect-password": "" } });
  type(other.password, "qwert asdfghj");
  assert.deepEqual(other.secretBatch(), sent, "another password of the same rhythm");
});

test("a password that is shown, private, or a code is not measured", () => {
  const shown = signIn({ form: { "data-collect-password": "" } });
  type(shown.password, "quiet");
  shown.password.type = "text";
  write(shown.password, "x", 1900);
  shown.password.type = "password";
  assert.equal(shown.secretBatch(), null);
  const hidden = signIn({ form: { "data-collect-password": "" }, secret: { "data-private": "" } });
  assert.equal(hidden.password.listening, 0);
});
