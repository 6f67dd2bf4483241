// The buttons of the validation's back-test: what they ask for is written where the server hears it.
(function () {
  "use strict";
  let asked = 0;
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button.backtest-act");
    if (!button || button.disabled) return;
    button.disabled = true; // until the page is filled anew
    const data = { act: button.dataset.act, n: (asked += 1) };
    const run = (button.dataset.run || "").split(",").map(Number);
    if (run.length === 3) [data.days, data.every_h, data.members] = run;
    window.dash_clientside.set_props("backtest-ask", { data: data });
  });
})();
