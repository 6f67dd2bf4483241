// What the server must know of this screen: the language asked for, the theme, the size of the base letter, narrow or wide.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.wall = {
  screen: function (tick) {
    const root = document.documentElement;
    return {
      tick: tick || 0,
      language: root.lang,
      theme: root.dataset.theme || "dark",
      rem_px: parseFloat(getComputedStyle(root).fontSize),
      narrow: window.innerWidth < 1000,
      path: window.location.pathname,
      query: window.location.search.slice(0, 600),
      number: Math.max(1, parseInt(new URLSearchParams(window.location.search).get("page"), 10) || 1),
    };
  },
  scheme: function (screen, scheme) {
    return screen.theme === scheme ? window.dash_clientside.no_update : screen.theme;
  },
};

// another theme: what is drawn by the server is asked for at once
(function () {
  "use strict";
  let times = 0;
  document.addEventListener("edtwin-theme", () => {
    const { set_props, wall } = window.dash_clientside;
    if (set_props) set_props("screen", { data: wall.screen("theme" + (times += 1)) });
  });
})();
