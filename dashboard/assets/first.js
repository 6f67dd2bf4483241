// What the page shows before its scripts have come goes as soon as they have filled the frame.
(function () {
  "use strict";
  const first = document.getElementById("first-sight");
  if (!first) return;
  const watch = new MutationObserver(() => {
    if (!document.querySelector("#wall.wall, #page.page")) return;
    watch.disconnect();
    first.remove();
  });
  watch.observe(document.body, { subtree: true, childList: true, attributeFilter: ["class"] });
})();
