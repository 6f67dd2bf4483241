// Light or dark, before the first paint: what was chosen last in this browser, else what the device prefers. The wall, the
// pages that its screen turns through and the telephone's page are always dark: they have no data-theme.
(function () {
  "use strict";
  const KEY = "edtwin-theme";
  const FOR_THE_VISIT = KEY + ":";
  const NARROW = 1000;
  const root = document.documentElement;
  const told = document.currentScript.dataset;
  const follow = told.follow.split(" ");
  const turning = (told.turning || "").split(" ");
  const light = window.matchMedia("(prefers-color-scheme: light)");

  // a browser that keeps nothing still has the tab's own name, which lasts for the visit
  function chosen() {
    let kept = window.name.startsWith(FOR_THE_VISIT) ? window.name.slice(FOR_THE_VISIT.length) : null;
    try {
      kept = window.localStorage.getItem(KEY) || kept;
    } catch (refused) {}
    return kept === "light" || kept === "dark" ? kept : null;
  }

  function choose(theme) {
    try {
      window.localStorage.setItem(KEY, theme);
    } catch (refused) {
      window.name = FOR_THE_VISIT + theme;
    }
    apply();
  }

  function follows() {
    const turns = window.innerWidth >= NARROW && turning.includes(window.location.pathname);
    return follow.includes(window.location.pathname.replace(/^\/+|\/+$/g, "")) && !turns;
  }

  function apply() {
    const before = root.dataset.theme;
    if (follows()) root.dataset.theme = chosen() || (light.matches ? "light" : "dark");
    else delete root.dataset.theme;
    if (root.dataset.theme !== before) document.dispatchEvent(new Event("edtwin-theme"));
  }

  let pressed = null; // the switch: its page is filled anew, and the new one takes the focus
  document.addEventListener("click", (event) => {
    pressed = (event.target instanceof Element && event.target.closest("button.theme")) || pressed;
    if (pressed && pressed.contains(event.target)) choose(root.dataset.theme === "light" ? "dark" : "light");
  });
  new MutationObserver(() => {
    const again = pressed && !pressed.isConnected && document.querySelector("button.theme");
    if (!again) return;
    if (document.activeElement === document.body) again.focus({ preventScroll: true });
    pressed = null;
  }).observe(root, { subtree: true, childList: true });
  light.addEventListener("change", apply);
  window.addEventListener("storage", apply); // another tab has chosen
  window.addEventListener("pageshow", apply); // an older page is shown again
  window.addEventListener("resize", apply);
  apply();
})();
