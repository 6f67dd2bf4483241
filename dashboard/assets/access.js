// Where people sign in: whoever no longer is, is led to do so; what is refused is said. It listens to what the page asks.
(function () {
  "use strict";
  const SAID_MS = 15000;
  const WINDOWS = { desk: "desk-said", talk: "talk-said" };
  const ask = window.fetch;
  let until = null;
  let leaving = false;

  function leave() {
    if (leaving) return;
    leaving = true;
    const here = window.location.pathname + window.location.search;
    window.location.assign("/sign-in?lang=" + document.documentElement.lang + "&next=" + encodeURIComponent(here));
  }

  function say(told) {
    const words = told[document.documentElement.lang] || told.error;
    const box = document.getElementById("refused");
    const open = document.querySelector("dialog[open]"); // an open window is all that is seen and heard
    const said = open && WINDOWS[open.id];
    if (said) window.dash_clientside.set_props(said, { children: "\u2718 " + words });
    if (said || !words || !box) return;
    box.textContent = words;
    box.showPopover();
    clearTimeout(until);
    until = setTimeout(() => box.hidePopover(), SAID_MS);
  }

  window.fetch = function (...asked) {
    return ask.apply(this, asked).then((answer) => {
      if (answer.status === 401) leave();
      if (answer.status === 403 || answer.status === 429) answer.clone().json().then(say, () => {});
      return answer;
    });
  };
})();
