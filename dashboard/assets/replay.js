// The replay: the choice of an instant, and the clock that lets the truth come in. All that is chosen stands in the
// page's address, so that a link opens the same view again; the server fills the page from it.
(function () {
  "use strict";
  const BEAT_MS = 200;
  const LOOK_MS = 700; // while an instant is being read, or forecast
  const QUARTER_MS = 15 * 60 * 1000;
  const HOUR_MS = 60 * 60 * 1000;

  let playing = false;
  let held = false; // the clock is under a finger
  let clock = null; // ms
  let last = 0; // of the beat before
  let looked = 0;
  let asked = 0;

  const page = () => document.querySelector(".replay-all");

  // --- the address ---------------------------------------------------------------------------------------------------

  function local(ms, zone) {
    const parts = {};
    const form = { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
    for (const part of new Intl.DateTimeFormat("en-GB", form).formatToParts(new Date(ms))) parts[part.type] = part.value;
    return parts;
  }

  function offset(ms, zone) {
    const there = local(ms, zone);
    const minutes = (Date.UTC(there.year, there.month - 1, there.day, there.hour, there.minute) - ms) / 60000;
    const two = (value) => String(value).padStart(2, "0");
    const size = Math.abs(Math.round(minutes));
    return (minutes < 0 ? "-" : "+") + two(Math.floor(size / 60)) + ":" + two(size % 60);
  }

  function written(ms, zone) {
    const there = local(ms, zone);
    const text = there.year + "-" + there.month + "-" + there.day + "T" + there.hour + ":" + there.minute;
    const again = local(ms - HOUR_MS, zone); // the hour that autumn repeats: its second passage says its offset
    return again.hour === there.hour && again.day === there.day ? text + offset(ms, zone) : text;
  }

  function changed(change) {
    const params = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(change)) {
      if (value === null || value === "") params.delete(name);
      else params.set(name, value);
    }
    return window.location.pathname + "?" + params.toString().replaceAll("%3A", ":");
  }

  function ask() {
    window.dash_clientside.set_props("screen", { data: { ...window.dash_clientside.wall.screen(0), tick: "replay" + (asked += 1) } });
  }

  function go(change) {
    playing = false;
    clock = null;
    window.history.pushState(null, "", changed(change));
    ask();
  }

  function keep(change) {
    window.history.replaceState(null, "", changed(change));
  }

  // --- building ------------------------------------------------------------------------------------------------------

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function labelled(words, input, className) {
    const label = make("label", className, words);
    label.append(input);
    return label;
  }

  function instant(name, value, told) {
    const input = make("input", "replay-" + name);
    input.type = "datetime-local";
    input.step = 60;
    input.min = told.first.slice(0, 16);
    input.max = told.last.slice(0, 16);
    input.value = (value || "").slice(0, 16);
    return input;
  }

  function chooser(place, told) {
    const at = instant("at", told.written, told);
    const vs = instant("vs", told.vs, told);
    const show = make("button", "replay-go", told.wordsGo);
    show.type = "button";
    show.addEventListener("click", () => go({ at: at.value, vs: vs.value, to: null }));
    for (const input of [at, vs]) input.addEventListener("keydown", (event) => event.key === "Enter" && show.click());
    const day = make("input", "replay-day");
    day.type = "range";
    Object.assign(day, { min: 0, max: 95, step: 1 });
    const there = told.written.slice(11, 16).split(":").map(Number);
    day.value = there[0] * 4 + Math.floor(there[1] / 15);
    const hour = (value) => String(Math.floor(value / 4)).padStart(2, "0") + ":" + String((value % 4) * 15).padStart(2, "0");
    const named = () => day.setAttribute("aria-valuetext", hour(day.value));
    named();
    day.addEventListener("input", () => {
      at.value = told.written.slice(0, 11) + hour(day.value);
      named();
    });
    day.addEventListener("change", () => go({ at: at.value, to: null }));
    place.replaceChildren(labelled(told.wordsAt, at), labelled(told.wordsVs, vs), show, labelled(told.wordsDay, day, "replay-slide"));
  }

  function runner(place, told) {
    const play = make("button", "replay-play", told.wordsPlay);
    const start = make("button", "replay-start", told.wordsStart);
    const end = make("button", "replay-end", told.wordsEnd);
    const copy = make("button", "replay-copy", told.wordsCopy);
    for (const button of [play, start, end, copy]) button.type = "button";
    const speed = make("select", "replay-speed");
    for (const one of told.speeds.split(",")) {
      const option = make("option", "", one + "\u00d7");
      option.value = one;
      speed.append(option);
    }
    speed.value = new URLSearchParams(window.location.search).get("speed") || told.speed;
    const slide = make("input", "replay-clock");
    slide.type = "range";
    Object.assign(slide, { min: Number(told.at), max: Number(told.end), step: QUARTER_MS / 3 });
    play.addEventListener("click", () => {
      if (!playing && clock >= Number(page().dataset.end)) clock = Number(page().dataset.at);
      playing = !playing;
      if (!playing) stopped();
    });
    start.addEventListener("click", () => jump(Number(page().dataset.at)));
    end.addEventListener("click", () => jump(Number(page().dataset.end)));
    copy.addEventListener("click", () => {
      stopped();
      navigator.clipboard.writeText(window.location.href).then(
        () => (copy.textContent = told.wordsCopied),
        () => window.prompt(told.wordsCopy, window.location.href)
      );
      setTimeout(() => (copy.textContent = told.wordsCopy), 2000);
    });
    speed.addEventListener("change", () => keep({ speed: speed.value === told.defaultSpeed ? null : speed.value }));
    slide.addEventListener("input", () => {
      held = true;
      clock = Number(slide.value);
      applied();
    });
    slide.addEventListener("change", () => {
      held = false;
      jump(Number(slide.value));
    });
    place.replaceChildren(play, labelled(told.wordsSpeed, speed), start, end, labelled(told.wordsClock, slide, "replay-slide"), make("output", "replay-time"), copy);
  }

  function build(root) {
    const told = root.dataset;
    const key = [told.written, told.vs, told.first, told.last, told.language].join("|");
    for (const [name, builder] of [["replay-choose", chooser], ["replay-run", runner]]) {
      const place = document.getElementById(name);
      if (!place || !told.written || !told.first) continue;
      if (place.dataset.built !== key || !place.firstChild) {
        if (place.contains(document.activeElement) && place.dataset.at === told.at) continue; // somebody is typing
        builder(place, told);
        place.dataset.built = key;
        place.dataset.at = told.at;
      }
    }
  }

  // --- the clock -----------------------------------------------------------------------------------------------------

  function jump(ms) {
    playing = false;
    clock = ms;
    stopped();
    applied();
  }

  function stopped() {
    const root = page();
    if (root && root.dataset.at) keep({ to: clock === Number(root.dataset.at) ? null : written(clock, root.dataset.zone) });
  }

  function said(ms, root) {
    const there = local(ms, root.dataset.zone);
    return root.dataset.language === "fr" ? Number(there.hour) + "\u00a0h\u00a0" + there.minute : there.hour + ":" + there.minute;
  }

  function drawn(root) {
    const at = Number(root.dataset.at);
    const hours = (clock - at) / HOUR_MS;
    for (const place of root.querySelectorAll(".replay-chart")) {
      const graph = place.querySelector(".js-plotly-plot");
      if (!graph || !graph.data || !window.Plotly) continue;
      const trace = graph.data.findIndex((one) => one.name === "came");
      const all = JSON.parse(place.dataset.afterwards);
      const count = hours > 0 ? all.x.filter((x) => x <= hours + 1e-6).length : 0;
      if (trace >= 0 && graph.data[trace].x.length !== count) {
        window.Plotly.restyle(graph, { x: [all.x.slice(0, count)], y: [all.y.slice(0, count)] }, [trace]);
      }
      const line = (graph.layout.shapes || []).findIndex((one) => one.name === "clock");
      if (line >= 0 && Math.abs(graph.layout.shapes[line].x0 - hours) > 0.01) {
        window.Plotly.relayout(graph, { ["shapes[" + line + "].x0"]: hours, ["shapes[" + line + "].x1"]: hours });
      }
    }
  }

  function applied() {
    const root = page();
    if (!root || clock === null) return;
    drawn(root);
    for (const one of root.querySelectorAll(".replay-came")) one.hidden = Number(one.dataset.valid) > clock;
    const slide = root.querySelector(".replay-clock");
    if (!slide) return;
    if (!held) slide.value = clock;
    slide.setAttribute("aria-valuetext", said(clock, root));
    root.querySelector(".replay-time").textContent = said(clock, root);
    root.querySelector(".replay-play").textContent = playing ? root.dataset.wordsPause : root.dataset.wordsPlay;
  }

  function beat() {
    const root = page();
    const now = performance.now();
    const passed = now - last;
    last = now;
    if (!root) return;
    if ((root.dataset.state === "looking" || root.dataset.forecasting) && now - looked > LOOK_MS) {
      looked = now;
      ask();
    }
    if (!root.dataset.at) return;
    build(root);
    if (root.dataset.state !== "shown") return;
    const at = Number(root.dataset.at);
    const end = Number(root.dataset.end);
    if (clock === null || clock < at || clock > end) clock = Number(root.dataset.to);
    if (playing && !held) {
      const speed = root.querySelector(".replay-speed");
      clock = Math.min(end, clock + passed * Number(speed ? speed.value : root.dataset.speed));
      if (clock >= end) {
        playing = false;
        stopped();
      }
    }
    applied();
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !page()) return;
    const step = event.target.closest("a.replay-step, .replay-ways a");
    if (step && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      playing = false;
      clock = null;
      window.history.pushState(null, "", step.getAttribute("href"));
      ask();
      return;
    }
    const button = event.target.closest("button.replay-act");
    if (!button || button.disabled) return;
    button.disabled = true; // until the page is filled anew
    window.dash_clientside.set_props("replay-ask", { data: { query: window.location.search.slice(0, 600), n: (asked += 1) } });
    setTimeout(ask, 300);
  });
  window.addEventListener("popstate", () => {
    if (!page()) return;
    playing = false;
    clock = null;
    ask();
  });
  setInterval(beat, BEAT_MS);
})();
