// A tap on a dotted word shows what it means, in a window; without this script the word leads to the page of all words.
(function () {
  "use strict";
  let known = null;

  function made(kind, text, name) {
    const found = document.createElement(kind);
    if (text) found.textContent = text;
    if (name) found.className = name;
    return found;
  }

  function window_() {
    let found = document.getElementById("term-window");
    if (found) return found;
    found = made("dialog", "", "window term-window");
    found.id = "term-window";
    found.setAttribute("aria-labelledby", "term-title");
    document.body.append(found);
    found.addEventListener("click", (event) => {
      if (event.target === found || event.target.closest(".term-close")) found.close();
    });
    return found;
  }

  function show(told, name) {
    const term = told.terms[name], said = told.said, place = window_();
    const title = made("h2", term.title);
    title.id = "term-title";
    const parts = [title, made("p", term.meaning), made("b", said.how), made("p", term.how)];
    if (term.source) parts.push(made("b", said.source), made("p", term.source));
    const close = made("button", said.close, "term-close"), all = made("a", said.all);
    close.type = "button";
    all.href = "/words?lang=" + document.documentElement.lang + "#" + name;
    const acts = made("div", "", "acts");
    acts.append(close, all);
    place.replaceChildren(...parts, acts);
    if (!place.open) place.showModal();
    close.focus();
  }

  async function told() {
    const language = document.documentElement.lang;
    if (!known || known.language !== language) {
      const answer = await fetch("/words/" + language + ".json");
      if (!answer.ok) throw new Error(String(answer.status));
      known = { language: language, body: await answer.json() };
    }
    return known.body;
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const word = event.target.closest("a.term");
    if (!word) return;
    event.preventDefault();
    told().then((body) => show(body, word.hash.slice(1))).catch(() => window.location.assign(word.href));
  });

  // the page is filled after it was opened: go to the word that the address names once it is there
  const wanted = window.location.hash.slice(1);
  if (wanted && window.location.pathname === "/words") {
    const watch = new MutationObserver(() => {
      const place = document.getElementById(wanted);
      if (!place) return;
      watch.disconnect();
      place.classList.add("wanted");
      place.scrollIntoView();
    });
    watch.observe(document.documentElement, { subtree: true, childList: true });
  }
})();
