// Counts down to the moment when a button may be pressed. Without this script the words stand still and the server says no.
for (const button of document.querySelectorAll("button[data-wait]")) {
  const words = button.parentElement.querySelector(".wait");
  const end = performance.now() + Number(button.dataset.wait) * 1000;
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    button.disabled = left > 0;
    if (left <= 0) return words.remove();
    words.textContent = words.dataset.words.replace("{}", left);
    setTimeout(tick, 250);
  };
  tick();
}
