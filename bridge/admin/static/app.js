/* What script adds to pages that work without it: `/` for the search, copying. Live: live.js. */
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

  /* What is chosen is taken at once; without script there is a button. */
  document.addEventListener("change", (event) => event.target.closest("[data-at-once]")?.requestSubmit());
  document.documentElement.classList.add("scripted");
})();
