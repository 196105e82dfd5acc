// Only for the mode with key identities, which takes the operator's setting and the person's consent: numbers for physical
// keys, and an order that tells nothing.

const CODES = [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("").map((letter) => `Key${letter}`),
  ..."0123456789".split("").map((digit) => `Digit${digit}`),
  ...["Space", "Enter", "Backspace", "Tab", "Delete", "Escape"],
  ...["Minus", "Equal", "BracketLeft", "BracketRight", "Backslash", "Semicolon", "Quote", "Backquote", "Comma", "Period", "Slash"],
  ...["IntlBackslash", "IntlRo", "IntlYen"],
  ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Insert"],
  ..."0123456789".split("").map((digit) => `Numpad${digit}`),
  ...["NumpadAdd", "NumpadSubtract", "NumpadMultiply", "NumpadDivide", "NumpadDecimal", "NumpadEnter"],
];

// The server counts by these numbers: a new key goes to the end, and none is ever taken out.
const NUMBERS = new Map(CODES.map((code, i) => [code, i + 1]));

/** The number, 1 to 255, of a physical key (`KeyboardEvent.code`); 0 for one that has none. */
export function keyNumber(code) {
  return NUMBERS.get(code) ?? 0;
}

/** A whole number from 0 to `below` - 1, each as likely as the others. */
function drawn(below) {
  const draw = new Uint32Array(1);
  const most = 2 ** 32 - (2 ** 32 % below);
  do crypto.getRandomValues(draw);
  while (draw[0] >= most);
  return draw[0] % below;
}

/** Shuffles a list in place (Fisher and Yates), so that its order tells nothing, and returns it. */
export function shuffle(list) {
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = drawn(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}
