// The window in which an alarm is answered: opened by the buttons of its card, closed when it was done.
(function () {
  "use strict";
  const CLOSE_AFTER_MS = 1500;
  const window_ = () => document.getElementById("desk");

  function open(button) {
    const data = button.dataset;
    const what = {
      alarm: data.alarm,
      act: data.act,
      minutes: data.minutes ? Number(data.minutes) : null,
      language: document.documentElement.lang,
    };
    window.dash_clientside.set_props("desk-what", { data: what });
    window.dash_clientside.set_props("desk-said", { children: "" });
    document.getElementById("desk-title").textContent = data.title;
    if (!window_().open) window_().showModal();
    document.getElementById("desk-who").focus();
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button.act");
    if (button) open(button);
    if (event.target.closest(".desk-close")) window_().close();
  });

  // done: say so, then go
  new MutationObserver(() => {
    const said = document.getElementById("desk-said");
    if (said && said.textContent.startsWith("\u2713")) {
      setTimeout(() => {
        if (window_().open && said.textContent.startsWith("\u2713")) window_().close();
      }, CLOSE_AFTER_MS);
    }
  }).observe(document.documentElement, { subtree: true, childList: true, characterData: true });
})();
