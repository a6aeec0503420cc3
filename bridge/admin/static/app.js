/* What script adds to pages that work without it: `/` for the search, copying, once and not twice. Live: live.js. */
(() => {
  "use strict";

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) return event.target.blur();
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.querySelector("[data-find]")?.focus();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });

  /* What would happen is looked up while one types, a moment after the last letter. */
  const form = document.querySelector("form[data-tries]");
  let rest, under;
  form?.addEventListener("input", () => {
    clearTimeout(rest);
    rest = setTimeout(async () => {
      under?.abort();
      under = new AbortController();
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form),
          headers: { "HX-Request": "true" }, signal: under.signal, redirect: "error" });
        const found = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.ok) document.getElementById(form.dataset.tries).replaceChildren(...found.body.childNodes);
      } catch { /* the button is there */ }
    }, 400);
  });

  /* Who presses twice means once: until the next page is there, or might have come, a form is not sent again. */
  const AGAIN = 10000;
  const rests = (sent) => sent.removeAttribute("aria-busy");
  document.addEventListener("submit", (event) => {
    const sent = event.target;
    if (sent.method !== "post" || "atOnce" in sent.dataset) return;
    if (sent.ariaBusy) return event.preventDefault();
    sent.ariaBusy = "true";
    setTimeout(rests, AGAIN, sent);
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach(rests));

  /* What is chosen is taken at once; without script there is a button. */
  document.addEventListener("change", (event) => event.target.closest("[data-at-once]")?.requestSubmit());
  document.documentElement.classList.add("scripted");
})();
