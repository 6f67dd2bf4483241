// The telephone's page renews itself: it asks for what stands on it, and puts it in its place when there is news.
// What is old is greyed by alive.js, which watches the beat.
(function () {
  "use strict";
  const body = document.body;
  const EVERY_MS = Number(body.dataset.refreshMs);
  const GIVE_UP_MS = 8000;
  const language = document.documentElement.lang;
  let version = body.dataset.version;
  let asking = false;
  let beats = 0;

  function put(text) {
    const page = document.getElementById("phone");
    const focused = page.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    page.innerHTML = text;
    const same = focused && [...page.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused);
    if (same) same.focus({ preventScroll: true });
  }

  function ask() {
    if (asking || document.hidden) return;
    asking = true;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), GIVE_UP_MS);
    fetch("/phone/board?lang=" + language, {
      cache: "no-store", headers: { "If-None-Match": '"' + version + '"' }, signal: stop.signal,
    })
      .then((answer) => {
        if (answer.status === 200) {
          const told = answer.headers.get("ETag") || "";
          return answer.text().then((text) => { put(text); version = told.replace(/^W\//, "").replaceAll('"', ""); beats += 1; });
        }
        if (answer.status === 304) beats += 1;
      })
      .catch(() => {}) // silence is what alive.js measures
      .finally(() => {
        clearTimeout(timer);
        asking = false;
        document.getElementById("beat").textContent = String(beats);
      });
  }

  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
  document.getElementById("beat").textContent = "first";
  if ("serviceWorker" in navigator && window.isSecureContext) {
    navigator.serviceWorker.register("/phone-worker.js", { scope: "/phone" }).catch(() => {});
  }
})();
