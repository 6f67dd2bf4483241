// The window in which people act on a proposal: opened by the buttons of its card, closed when it was done.
(function () {
  "use strict";
  const CLOSE_AFTER_MS = 1500;
  const NEEDS = {
    comment: ["note"], support: [], unsupport: [], withdraw: [], adopt: ["note", "until"],
    adapt: ["note", "until", "other"], decline: ["note"], end: [],
  };
  const window_ = () => document.getElementById("talk");

  function open(button) {
    const data = button.dataset;
    window.dash_clientside.set_props("talk-what", {
      data: { proposal: data.proposal, act: data.act, language: document.documentElement.lang },
    });
    window.dash_clientside.set_props("talk-said", { children: "" });
    window.dash_clientside.set_props("talk-note", { value: "" });
    for (const name of ["note", "until", "other"]) {
      const field = window_().querySelector(`.talk-${name}`);
      if (field) field.hidden = !NEEDS[data.act].includes(name);
    }
    document.getElementById("talk-title").textContent = data.title;
    if (!window_().open) window_().showModal();
    document.getElementById("talk-who").focus();
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button.talk-act");
    if (button) open(button);
    if (event.target.closest(".talk-close")) window_().close();
  });

  // done: say so, then go
  new MutationObserver(() => {
    const said = document.getElementById("talk-said");
    if (said && said.textContent.startsWith("\u2713")) {
      setTimeout(() => {
        if (window_().open && said.textContent.startsWith("\u2713")) window_().close();
      }, CLOSE_AFTER_MS);
    }
  }).observe(document.documentElement, { subtree: true, childList: true, characterData: true });
})();
