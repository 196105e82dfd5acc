// The three messages that Gait may have for the person, as accessible dialogs. They need no inline style, so that they
// also appear under a strict Content-Security-Policy, and take their colours from `--gait-accent` and `--gait-on-accent`.

const TEXTS = {
  en: {
    step_up: {
      title: "Is it still you?",
      body: "The way this session is being used looks different from usual. Please confirm that it is you, to go on.",
      act: "Confirm it’s me",
      leave: "Not now",
    },
    ended: {
      title: "This session has ended",
      body: "To protect the account, this session was ended. Sign in again to go on.",
      act: "Sign in again",
    },
    inactive: {
      title: "Are you still there?",
      body: "Nothing has happened here for a while. You will be signed out in:",
      act: "Stay signed in",
      leave: "Sign out now",
      seconds: (n) => (n === 1 ? "1 second" : `${n} seconds`),
    },
  },
  de: {
    step_up: {
      title: "Sind das noch Sie?",
      body: "Diese Sitzung wird anders benutzt als sonst. Bitte bestätigen Sie, dass Sie es sind, um weiterzumachen.",
      act: "Ich bin es",
      leave: "Jetzt nicht",
    },
    ended: {
      title: "Diese Sitzung ist beendet",
      body: "Zum Schutz des Kontos wurde diese Sitzung beendet. Melden Sie sich neu an, um weiterzumachen.",
      act: "Neu anmelden",
    },
    inactive: {
      title: "Sind Sie noch da?",
      body: "Hier ist seit einer Weile nichts geschehen. Sie werden abgemeldet in:",
      act: "Angemeldet bleiben",
      leave: "Jetzt abmelden",
      seconds: (n) => (n === 1 ? "1 Sekunde" : `${n} Sekunden`),
    },
  },
};

/** The texts for a language tag; English where there is no translation. */
export function textsFor(language) {
  return TEXTS[String(language ?? "").toLowerCase().split("-")[0]] ?? TEXTS.en;
}

const STYLE = `
dialog.gait { --a: var(--gait-accent, #1d4ed8); --on: var(--gait-on-accent, #fff);
  box-sizing: border-box; width: min(26rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); overflow: auto; margin: auto;
  padding: 1.5rem; border: 1px solid #8a94a6; border-radius: .75rem; background: #fff; color: #1a2233;
  font: 1rem/1.5 system-ui, sans-serif; box-shadow: 0 1rem 3rem rgb(0 0 0 / .35); }
dialog.gait::backdrop { background: rgb(10 15 30 / .55); }
dialog.gait h2 { margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.3; }
dialog.gait h2:focus { outline: none; }
dialog.gait p { margin: 0 0 1rem; }
dialog.gait .gait-count { font-weight: 600; font-variant-numeric: tabular-nums; }
dialog.gait .gait-buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
dialog.gait button { font: inherit; min-height: 2.75rem; padding: .5rem 1rem; border: 2px solid var(--a); border-radius: .5rem;
  background: transparent; color: inherit; cursor: pointer; }
dialog.gait button.gait-act { background: var(--a); color: var(--on); font-weight: 600; }
dialog.gait button:focus-visible { outline: 3px solid var(--a); outline-offset: 3px; }
@media (prefers-color-scheme: dark) {
  dialog.gait { --a: var(--gait-accent, #9db8ff); --on: var(--gait-on-accent, #0b1020); background: #161d2e; color: #eef2fb; }
}`;

let sheet = null;
function adoptStyle() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

/**
 * Opens a dialog. `onAct` runs for the main button, `onLeave` for the other one. Escape counts as `escape`: "leave",
 * "act", or `null` where closing the dialog would leave a page on which nothing works any more.
 * @returns {{close: () => void, count: (seconds: number) => void}}
 */
export function openDialog(kind, texts, { onAct, onLeave, escape = null }) {
  adoptStyle();
  const text = texts[kind];
  const title = element("h2", { id: `gait-${kind}-title`, tabIndex: -1, textContent: text.title });
  const body = element("p", { id: `gait-${kind}-body`, textContent: text.body });
  const counter = element("p", { className: "gait-count" });
  counter.setAttribute("role", "timer"); // not a live region: a voice that counts down is a nuisance
  const act = element("button", { type: "button", className: "gait-act", textContent: text.act });
  const leave = text.leave ? [element("button", { type: "button", className: "gait-leave", textContent: text.leave })] : [];
  const buttons = element("div", { className: "gait-buttons" }, act, ...leave);
  const dialog = element("dialog", { className: "gait" }, title, body, ...(text.seconds ? [counter] : []), buttons);
  dialog.dataset.kind = kind;
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.setAttribute("aria-describedby", body.id);

  const close = () => {
    dialog.close(); // gives the focus back to where it was
    dialog.remove();
  };
  const answer = (then) => {
    close();
    then?.();
  };
  act.addEventListener("click", () => answer(onAct));
  leave[0]?.addEventListener("click", () => answer(onLeave));
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (escape === "act") answer(onAct);
    if (escape === "leave") answer(onLeave);
  });
  // A browser may close a dialog on a second Escape without asking.
  dialog.addEventListener("close", () => {
    if (!dialog.isConnected) return;
    if (escape === null) dialog.showModal();
    else answer(escape === "act" ? onAct : onLeave);
  });
  document.body.append(dialog);
  dialog.showModal();
  title.focus(); // not a button: somebody may be typing, and their next key must not press it
  return { close, count: (seconds) => (counter.textContent = text.seconds(seconds)) };
}
