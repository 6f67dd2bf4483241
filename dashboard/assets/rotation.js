// A wall that shows several pages in turn, as the settings say. The address changes without the page being loaded again:
// the next tick fills it. Whoever touches the screen stops it for a while.
(function () {
  "use strict";
  const told = document.getElementById("rotation");
  if (!told) return;
  const pages = told.dataset.pages.split(" ");
  const EVERY_MS = 1000 * Number(told.dataset.seconds), REST_MS = 60000, NARROW = 1000;
  let since = performance.now(), touched = -Infinity;

  function place() {
    return pages.indexOf(window.location.pathname);
  }

  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    document.addEventListener(kind, () => { touched = performance.now(); }, { passive: true });
  }

  setInterval(() => {
    const now = performance.now(), here = place();
    const rests = here < 0 || window.innerWidth < NARROW || now - touched < REST_MS;
    if (rests) since = now;
    if (rests || now - since < EVERY_MS) return;
    since = now;
    window.history.replaceState(null, "", pages[(here + 1) % pages.length] + window.location.search);
    window.scrollTo(0, 0);
  }, 250);
})();
