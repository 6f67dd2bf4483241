// What-if: the sliders, built from what the server offers. The question stands in the page's address, so that it can be
// sent to somebody; it is asked again while its answer gets better, and now and then for the sake of a newer forecast.
(function () {
  "use strict";
  const ASK_EVERY_MS = 300; // while more members come
  const LOOK_EVERY_MS = 5000; // once all have
  const GIVE_UP_MS = 4000; // an answer that was lost
  const OFFER_FIRST_MS = 1500;
  const OFFER_EVERY_MS = 60000; // what can be asked changes with forecasts, and with what others save
  const LOOSE_MS = 120; // a slider under way is asked about so often
  const at_home = window.location.pathname.replace(/\/+$/, "") === "/whatif";
  const root = document.documentElement;
  const NARROW = 1000;

  let offer = null;
  let wanted = 0;
  let n = 0;
  let asked = 0;
  let pending = null;
  let held = false; // a slider is under a finger
  const viewer = own();
  const q = read();

  function own() {
    let mine = window.sessionStorage.getItem("edtwin-viewer");
    if (!mine) {
      mine = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
      window.sessionStorage.setItem("edtwin-viewer", mine);
    }
    return mine;
  }

  // --- the address ---------------------------------------------------------------------------------------------------

  function pairs(text) {
    const out = {};
    for (const part of (text || "").split(",")) {
      const cut = part.lastIndexOf("=");
      const value = Number(part.slice(cut + 1));
      if (cut > 0 && Number.isFinite(value)) out[part.slice(0, cut)] = value;
    }
    return out;
  }

  function read() {
    const params = new URLSearchParams(window.location.search);
    return {
      preset: params.get("s"),
      numbers: pairs(params.get("n")),
      values: pairs(params.get("v")),
      at: params.get("at"),
      measure: params.get("m") || "ed_census",
    };
  }

  function address(language) {
    const told = (values) => Object.entries(values).map(([name, value]) => name + "=" + value).join(",");
    const params = new URLSearchParams();
    params.set("lang", language);
    if (q.preset) params.set("s", q.preset);
    if (Object.keys(q.numbers).length) params.set("n", told(q.numbers));
    if (Object.keys(q.values).length) params.set("v", told(q.values));
    if (q.at) params.set("at", q.at);
    if (q.measure !== "ed_census") params.set("m", q.measure);
    return "?" + params.toString();
  }

  // --- asking --------------------------------------------------------------------------------------------------------

  function ask() {
    n += 1;
    asked = performance.now();
    window.dash_clientside.set_props("whatif-asked", {
      data: {
        ...q,
        viewer: viewer,
        n: n,
        language: root.lang,
        theme: root.dataset.theme || "dark",
        rem_px: parseFloat(getComputedStyle(root).fontSize),
        narrow: window.innerWidth < NARROW,
      },
    });
  }

  function changed() {
    window.history.replaceState(null, "", address(root.lang));
    mark();
    if (pending === null) {
      pending = setTimeout(() => {
        pending = null;
        ask();
      }, LOOSE_MS);
    }
  }

  function look() {
    if (!window.dash_clientside || !window.dash_clientside.set_props || !document.getElementById("whatif")) return;
    const now = performance.now();
    const none = offer === null || offer.language !== root.lang;
    if (now - wanted > (none ? OFFER_FIRST_MS : OFFER_EVERY_MS) && !held) {
      wanted = now;
      window.dash_clientside.set_props("whatif-wanted", { data: { language: root.lang, n: now } });
    }
    if (none) return;
    const state = window.edtwinWhatif || {};
    const since = now - asked;
    const answered = state.n === n || since > GIVE_UP_MS;
    if (answered && since > (state.whole || state.failed ? LOOK_EVERY_MS : ASK_EVERY_MS)) ask();
  }

  // --- building ------------------------------------------------------------------------------------------------------

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function shown(lever, value) {
    const locale = root.lang;
    const unit = lever.unit ? "\u00a0" + lever.unit : "";
    const number = new Intl.NumberFormat(locale, { signDisplay: lever.signed ? "exceptZero" : "auto" });
    return number.format(value).replace("-", "\u2212") + unit;
  }

  function slider(lever, into) {
    const row = make("label", "whatif-lever");
    const head = make("span", "whatif-lever-name", lever.said);
    if (lever.now !== null) head.append(" ", make("small", "", offer.words.there.replace("{n}", lever.now)));
    const value = make("output", "whatif-lever-value");
    const range = make("input");
    Object.assign(range, { type: "range", min: lever.low, max: lever.high, step: lever.step });
    range.value = into[lever.name] ?? lever.neutral;
    const tell = () => {
      const there = Number(range.value);
      value.textContent = shown(lever, there);
      range.setAttribute("aria-valuetext", value.textContent);
      row.classList.toggle("moved", there !== lever.neutral);
      const share = ((there - lever.low) / (lever.high - lever.low)) * 100;
      range.style.setProperty("--there", share + "%");
    };
    range.addEventListener("input", () => {
      const there = Number(range.value);
      if (there === lever.neutral) delete into[lever.name];
      else into[lever.name] = there;
      tell();
      changed();
    });
    range.addEventListener("dblclick", () => {
      range.value = lever.neutral;
      range.dispatchEvent(new Event("input"));
    });
    tell();
    row.append(head, value, range);
    return row;
  }

  function presets() {
    const box = make("label", "whatif-preset");
    const pick = make("select");
    pick.append(new Option(offer.words.none, ""));
    for (const one of offer.presets) pick.append(new Option(one.said, one.name));
    pick.value = q.preset || "";
    if (q.preset && pick.value !== q.preset) {
      pick.append(new Option(q.preset, q.preset)); // the server says that there is none
      pick.value = q.preset;
    }
    pick.addEventListener("change", () => {
      q.preset = pick.value || null;
      q.numbers = {};
      build();
      changed();
    });
    box.append(make("span", "", offer.words.preset), pick);
    return box;
  }

  function moment() {
    const box = make("fieldset", "whatif-moment");
    box.append(make("legend", "", offer.words.moment));
    const when = make("input");
    Object.assign(when, { type: "datetime-local", step: 900, min: offer.first || "", max: offer.last, value: q.at || "" });
    const choice = (name, checked) => {
      const label = make("label");
      const radio = make("input");
      Object.assign(radio, { type: "radio", name: "whatif-when", checked: checked });
      radio.addEventListener("change", () => {
        q.at = name === "now" ? null : when.value || offer.last;
        when.value = q.at || "";
        changed();
      });
      label.append(radio, " " + offer.words[name]);
      return [label, radio];
    };
    const [now] = choice("now", !q.at);
    const [past, radio] = choice("past", Boolean(q.at));
    when.addEventListener("change", () => {
      if (!when.value) return;
      radio.checked = true;
      q.at = when.value;
      changed();
    });
    when.setAttribute("aria-label", offer.words.past);
    box.append(now);
    if (offer.first) box.append(past, when);
    return box;
  }

  function build() {
    const place = document.getElementById("whatif-controls");
    place.replaceChildren(presets());
    const preset = offer.presets.find((one) => one.name === q.preset);
    if (preset && preset.numbers.length) {
      const numbers = make("div", "whatif-group whatif-numbers");
      for (const lever of preset.numbers) numbers.append(slider(lever, q.numbers));
      place.append(numbers);
    }
    for (const group of offer.groups) {
      const box = make("fieldset", "whatif-group whatif-" + group.kind);
      box.append(make("legend", "", group.name));
      for (const lever of group.levers) box.append(slider(lever, q.values));
      place.append(box);
    }
    const reset = make("button", "whatif-reset", offer.words.reset);
    reset.type = "button";
    reset.addEventListener("click", () => {
      q.preset = null;
      q.numbers = {};
      q.values = {};
      build();
      changed();
    });
    place.append(reset, moment());
    mark();
  }

  function mark() {
    for (const tab of document.querySelectorAll(".whatif-tab")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.measure === q.measure));
    }
  }

  document.addEventListener("click", (event) => {
    if (!at_home || !(event.target instanceof Element)) return;
    const tab = event.target.closest(".whatif-tab");
    if (tab) {
      q.measure = tab.dataset.measure;
      changed();
    }
    if (event.target.closest("#whatif-save")) wanted = performance.now() - OFFER_EVERY_MS + OFFER_FIRST_MS;
    const other = event.target.closest(".switch a"); // the same question in the other language
    if (other) other.setAttribute("href", address(other.lang));
  });

  document.addEventListener("pointerdown", () => (held = true));
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => (held = false));

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.whatif = {
    build: function (found) {
      if (!found || !at_home) return window.dash_clientside.no_update;
      const other = offer === null || JSON.stringify(found) !== JSON.stringify(offer);
      offer = found;
      if (other) build();
      if (n === 0) ask();
      return true;
    },
    heard: function (state) {
      window.edtwinWhatif = state;
      return window.dash_clientside.no_update;
    },
  };

  if (at_home) {
    root.classList.add("at-whatif");
    document.addEventListener("edtwin-theme", () => n && ask());
    setInterval(look, 100);
  }
})();
