// The instructor's page is filled anew as the exercise goes on: what is to come is cancelled by whichever button is there.
(function () {
  "use strict";
  let pressed = 0;

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button.inject-cancel");
    if (!button) return;
    pressed += 1;
    button.disabled = true;
    window.dash_clientside.set_props("inject-cancel", { data: { number: Number(button.dataset.number), pressed } });
  });
})();
