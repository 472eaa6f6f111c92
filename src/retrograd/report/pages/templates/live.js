// Polls the program that serves this page for progress of the run, and updates the page.
(() => {
  let known = document.documentElement.dataset.version;
  const parts = ["body > header", "main"];
  const summaries = () => [...document.querySelectorAll("main summary")];

  async function takeOver(version) {
    const reply = await fetch("/");
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    const open = new Set(summaries().filter((each) => each.parentElement.open).map((each) => each.textContent));
    const focused = document.activeElement;
    const place = focused.matches("summary, a, [tabindex]") ? [focused.tagName, focused.textContent] : null;
    for (const part of parts) {
      document.querySelector(part).replaceChildren(...fresh.querySelector(part).childNodes);
    }
    for (const each of summaries()) each.parentElement.open = open.has(each.textContent);
    if (place && !document.contains(focused)) {
      const again = [...document.querySelectorAll(place[0])].find((each) => each.textContent === place[1]);
      again?.focus({ preventScroll: true });
    }
    known = fresh.documentElement.dataset.version ?? version;
  }

  async function look() {
    try {
      const reply = await fetch("/version");
      const version = await reply.text();
      if (reply.ok && version !== known) await takeOver(version);
      document.body.classList.remove("gone");
    } catch {
      document.body.classList.add("gone");
    }
    setTimeout(look, 1000);
  }
  look();
})();
