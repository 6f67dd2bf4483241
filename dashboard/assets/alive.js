// A page that no longer hears from its server must not look alive. This script depends on nothing else:
// it asks /healthz, hears the page's beat, and counts on a clock that cannot be set (performance.now).
(function () {
  "use strict";
  const ASK_EVERY_MS = 3000;
  const GIVE_UP_MS = 4000;
  const SERVER_SILENT_MS = 10000; // no answer from /healthz

  const root = document.documentElement;
  const asked = new URLSearchParams(window.location.search).get("lang");
  const box = document.getElementById("lost");
  const PAGE_SILENT_MS = Number(box.dataset.silentMs); // the server answers, but the page's own refresh has stopped
  const FIRST_MS = 30000; // the first drawing may take a slow screen so long
  if (asked && box.dataset[asked]) root.lang = asked;

  let answered = performance.now();
  let answeredAt = new Date();
  let beat = null;
  let beaten = performance.now();
  let beatenAt = new Date();

  function ask() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), GIVE_UP_MS);
    fetch("/healthz", { cache: "no-store", signal: stop.signal })
      .then((response) => {
        if (!response.ok) return;
        answered = performance.now();
        answeredAt = new Date(response.headers.get("Date") || Date.now());
      })
      .catch(() => {}) // silence is what is being measured
      .finally(() => clearTimeout(timer));
  }

  function beats() {
    beaten = performance.now();
    beatenAt = new Date();
  }

  // the page was filled
  function listen() {
    const element = document.getElementById("beat");
    const text = element ? element.textContent : null;
    if (text === beat || text === "") return;
    beat = text;
    beats();
  }

  function clock(at) {
    const zone = document.querySelector("[data-zone]");
    const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (zone) options.timeZone = zone.dataset.zone;
    return at.toLocaleTimeString(root.lang, options);
  }

  function look() {
    listen();
    const now = performance.now();
    const silent = now - answered > SERVER_SILENT_MS;
    const stuck = now - beaten > (beat === null ? FIRST_MS : PAGE_SILENT_MS);
    const call = box.dataset[root.lang + "Call"]; // whom to call while the board is blind
    const since = box.dataset[root.lang] + " " + clock(silent ? answeredAt : beatenAt);
    if (silent || stuck) box.textContent = call ? since + "\n" + call : since;
    box.hidden = !(silent || stuck);
    root.classList.toggle("is-lost", silent || stuck);
  }

  document.addEventListener("edtwin-beat", beats); // it was told that there is no news
  setInterval(ask, ASK_EVERY_MS);
  setInterval(look, 1000);
  ask();
})();
