// Keeps one page alone: the one that says that there is no connection. Numbers are never kept, so nothing old looks new.
const KEPT = "offline";
const PAGES = { fr: "/phone/offline?lang=fr", en: "/phone/offline?lang=en" };
const GIVE_UP_MS = 15000; // a server that takes the call and says nothing is no connection
const STYLES = /<link rel="stylesheet" href="([^"]+)"/g;

async function keep() {
  await caches.delete(KEPT);
  const cache = await caches.open(KEPT);
  await cache.addAll(Object.values(PAGES));
  const page = await (await cache.match(PAGES.fr)).text();
  await cache.addAll([...page.matchAll(STYLES)].map((found) => found[1]));
}

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});
self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.mode === "navigate") {
    const page = PAGES[address.searchParams.get("lang")] || PAGES.fr;
    const silent = AbortSignal.timeout(GIVE_UP_MS);
    event.respondWith(fetch(event.request, { signal: silent }).catch(() => caches.match(page)));
  } else if (event.request.destination === "style") {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});
