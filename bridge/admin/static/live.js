/* A region that lives: its stream has it anew each time it is another. Where no stream is to be had, it is looked at now
   and then. Nobody is disturbed: while somebody points at it, is in it, or has scrolled on, what is new waits. */
(() => {
  "use strict";
  const region = document.querySelector("[data-live]");
  if (!region) return;
  const fresh = document.querySelector("[data-fresh]"), mark = document.querySelector("[data-mark]");
  const SILENCE = 45000, BETWEEN = 10000, SOON = 5000, PATIENCE = 10000;
  let stream, silence, trouble, looking, news;

  const tell = (state) => { mark.dataset.mark = state; };
  const isBusy = () => region.matches(":hover, :focus-within") || region.getBoundingClientRect().top < -200;
  const hold = (found) => {
    news = found;
    fresh.hidden = !news;
    tell(news ? "paused" : "live");
  };
  const take = () => {
    if (news) region.replaceChildren(...news.childNodes);
    hold(undefined);
  };
  const takeIfFree = () => news && !isBusy() && take();
  const show = (text) => {
    const found = new DOMParser().parseFromString(text, "text/html").body;
    hold(found.innerHTML === region.innerHTML ? undefined : found);
    takeIfFree();
  };

  /* The stream is there as long as it says something; a browser asks again by itself when it ends. */
  const heard = () => {
    clearTimeout(trouble);
    clearTimeout(silence);
    trouble = undefined;
    silence = setTimeout(() => { tell("away"); open(); }, SILENCE);
  };
  const failed = () => {
    if (stream.readyState === EventSource.CLOSED) return look();
    trouble ||= setTimeout(() => tell("away"), SOON);
  };
  const close = () => {
    for (const one of [silence, trouble, looking]) clearTimeout(one);
    trouble = undefined;
    stream?.close();
  };
  const open = () => {
    close();
    stream = new EventSource(region.dataset.live);
    stream.onmessage = (event) => { heard(); show(event.data); };
    stream.onerror = failed;
    stream.addEventListener("beat", (event) => { heard(); tell(news && event.data === "live" ? "paused" : event.data); });
  };

  /* None is to be had: the page itself says what is new, or that one has to sign in. */
  const look = async () => {
    close();
    try {
      const answer = await fetch(location.href, {
        headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(PATIENCE), redirect: "manual",
      });
      if (answer.type === "opaqueredirect") return location.reload();
      if (answer.ok) show(await answer.text());
      else tell("away");
    } catch { tell("away"); }
    looking = setTimeout(open, BETWEEN);
  };

  const attend = () => {
    if (!document.hidden) return open();
    close();
    tell("paused");
  };
  for (const name of ["mouseleave", "focusout"]) region.addEventListener(name, () => setTimeout(takeIfFree));
  addEventListener("scroll", takeIfFree, { passive: true });
  fresh.addEventListener("click", () => { take(); scrollTo({ top: 0 }); });
  document.addEventListener("visibilitychange", attend);
  attend();
})();
