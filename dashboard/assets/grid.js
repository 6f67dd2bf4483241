// The buttons of the robustness map: what they ask for is written where the server hears it.
(function () {
  "use strict";
  let asked = 0;
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button.grid-act");
    if (!button || button.disabled) return;
    button.disabled = true; // until the page is filled anew
    asked += 1;
    window.dash_clientside.set_props("grid-ask", { data: { act: button.dataset.act, n: asked } });
  });
})();
