// What the server must know of this screen: the language asked for, the theme, the size of the base letter, narrow or wide;
// and when it is told. A page asks every few seconds whether there is news, and is filled anew only where there is, or
// where the screen is another one: whatever is handed to Dash makes it walk through all of the page.
window.dash_clientside = window.dash_clientside || {};
(function () {
  "use strict";
  const EVERY_MS = Number(document.body.dataset.refreshMs);
  const PATIENCE_MS = 10000; // with a page that is being filled; asked again sooner, a slow screen would begin anew for ever
  const LONGEST_MS = 20000; // until it is asked for again although nothing came: the server may be back
  let told = null; // what the server was told last
  let shown = null; // what the page shows: a word of it, its name, and what of the screen it was made for
  let times = 0;
  let answered = null; // which of the times that it was asked to be filled
  let askedAt = performance.now();
  let patience = PATIENCE_MS;

  function here() {
    const root = document.documentElement;
    return {
      language: root.lang,
      theme: root.dataset.theme || "dark",
      rem_px: parseFloat(getComputedStyle(root).fontSize),
      narrow: window.innerWidth < 1000,
      path: window.location.pathname,
      query: window.location.search.slice(0, 600),
      number: Math.max(1, parseInt(new URLSearchParams(window.location.search).get("page"), 10) || 1),
    };
  }

  window.dash_clientside.wall = {
    screen: function (asked) {
      const screen = here();
      told = JSON.stringify(screen);
      return { tick: asked || 0, ...screen };
    },
    answered: function (beat, version) {
      answered = beat;
      shown = version ? JSON.parse(version) : null;
      return window.dash_clientside.no_update;
    },
    scheme: function (screen, scheme) {
      return screen.theme === scheme ? window.dash_clientside.no_update : screen.theme;
    },
  };

  function fill() {
    const { set_props } = window.dash_clientside;
    if (!set_props) return;
    askedAt = performance.now();
    set_props("asked", { data: (times += 1) });
  }

  // Whether what was asked for last is still to come; where it takes too long it is asked for again.
  function waits() {
    if (answered === String(times)) patience = PATIENCE_MS;
    else if (performance.now() - askedAt < patience) return true;
    else patience = Math.min(2 * patience, LONGEST_MS);
    return false;
  }

  function ask() {
    if (waits()) return null;
    const screen = JSON.stringify(here());
    if (!shown || told !== screen) return fill();
    const [word, page, , query] = shown;
    const since = times;
    return fetch("/news/" + page + query, { cache: "no-store", headers: { "Edtwin-Screen": screen } })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error("status " + answer.status))))
      .then((news) => {
        if (news === word) document.dispatchEvent(new Event("edtwin-beat"));
        else if (since === times) fill(); // else another answer has come before
      })
      .catch(() => {}); // alive.js says so where it lasts
  }

  setInterval(ask, EVERY_MS);
  document.addEventListener("edtwin-theme", fill); // what is drawn by the server is asked for at once
})();
