// Gives each secret a button that shows it: a typing mistake that can be seen needs no second try.
const { show, hide } = document.querySelector("script[data-show]").dataset;
for (const input of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.textContent = show;
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? hide : show;
    input.focus();
  });
  // A secret is sent as a secret, so that the browser doesn't remember it as a text.
  input.form.addEventListener("submit", () => { input.type = "password"; });
  const box = document.createElement("span");
  box.className = "reveal-box";
  const focused = document.activeElement === input;
  input.replaceWith(box);
  box.append(input, button);
  if (focused) input.focus(); // what is moved loses it
}
