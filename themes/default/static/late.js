// A mail that can't be sent is noticed some seconds after its page was shown. This looks again, now and then, and changes nothing else
// on the page. Without it the person reads it when the page is loaded anew.
const place = document.getElementById("late");
const look = async () => {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("late");
  if (now && now.textContent.trim() !== place.textContent.trim()) place.replaceChildren(...now.childNodes);
};
for (const seconds of [3, 8, 20, 60]) setTimeout(() => look().catch(() => {}), seconds * 1000);
