// What the server must know of this screen: the language asked for, the size of the base letter, narrow or wide.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.wall = {
  screen: function (tick) {
    const root = document.documentElement;
    return {
      tick: tick || 0,
      language: root.lang,
      rem_px: parseFloat(getComputedStyle(root).fontSize),
      narrow: window.innerWidth < 1000,
      path: window.location.pathname,
      query: window.location.search.slice(0, 600),
      number: Math.max(1, parseInt(new URLSearchParams(window.location.search).get("page"), 10) || 1),
    };
  },
};
