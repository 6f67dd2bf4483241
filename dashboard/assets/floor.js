// The floor: draws the zones and their patients from one day of intervals, live, or played as fast as one likes. What is
// drawn is laid over the place that the page keeps for it and stays there, so that a page filled anew neither flickers
// nor takes a slider from a finger.
(function () {
  "use strict";
  const STAGES = ["triage", "provider", "decision", "departure", "bed"];
  const SHAPES = { bed: "square", departure: "diamond" };
  const ASK_EVERY_MS = 10000; // a day that could not be had is asked for again
  const STEP_MIN = 5; // of the slider, for keys
  const PEAK_STEP_MIN = 15;
  const MOST_ROWS = 7; // of dots in a zone; what does not fit is a number
  const CELLS_REM = [2.6, 2.2, 1.9, 1.65]; // of a dot with its surroundings: as large as leaves every zone in a few rows
  const FEW_ROWS = 3;
  const NARROW = 1000;
  const home = document.createElement("div");
  home.className = "floor-home";
  home.setAttribute("role", "region");

  let words = null;
  let stage = null; // the page's place for it
  let data = null; // the day that is drawn
  let mode = "live"; // live, played, ahead
  let minute = 0;
  let playing = false;
  let speed = null;
  let wantedDay = ""; // "" is the last 24 hours
  let asked = { key: null, at: -Infinity };
  let chosen = null; // the zone that was touched
  let width = 0;
  let last = null;
  let parts = null;
  let zones = new Map();
  let dots = new Map();

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  function clock(at) {
    const time = new Date((data.from + at * 60) * 1000);
    const told = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: stage.dataset.tz }).format(time);
    if (document.documentElement.lang !== "fr") return told;
    const [hour, min] = told.split(":");
    return Number(hour) + "\u00a0h" + (min === "00" ? "" : "\u00a0" + min);
  }

  function day(at) {
    const time = new Date((data.from + at * 60) * 1000);
    const locale = document.documentElement.lang === "fr" ? "fr-FR" : "en-GB";
    const form = { weekday: "long", day: "numeric", month: "short", timeZone: stage.dataset.tz };
    return new Intl.DateTimeFormat(locale, form).format(time);
  }

  function isoDay(at) {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: stage.dataset.tz }).format(new Date((data.from + at * 60) * 1000));
  }

  function duration(minutes) {
    const whole = Math.floor(minutes);
    if (whole < 60) return whole + "\u00a0min";
    if (whole < 1440) return Math.floor(whole / 60) + "\u00a0h\u00a0" + String(whole % 60).padStart(2, "0");
    const days = Math.floor(whole / 1440);
    return fill(days > 1 ? words.days_many : words.days_one, { n: days });
  }

  // --- the day ---------------------------------------------------------------------------------------------------------

  function ask() {
    const key = wantedDay || stage.dataset.at;
    const now = performance.now();
    if (asked.key === key && (asked.done || now - asked.at < ASK_EVERY_MS)) return;
    const mine = { key, at: now, done: false };
    asked = mine;
    fetch("/floor/day.json" + (wantedDay ? "?day=" + encodeURIComponent(wantedDay) : ""), { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("status " + answer.status))))
      .then((told) => {
        if (asked !== mine) return;
        mine.done = true;
        take(told);
      })
      .catch(() => {
        if (asked === mine && parts) parts.said.textContent = words.failed;
      });
  }

  function take(told) {
    const before = data;
    data = told;
    if (before && before.numbers_of !== told.numbers_of) forget(); // a number is another patient on another day
    if (mode === "live") minute = data.minutes;
    else if (before && before.day === data.day) minute += Math.round((before.from - data.from) / 60);
    else minute = data.day ? 0 : data.minutes;
    minute = Math.min(Math.max(minute, 0), data.minutes);
    plan();
    draw();
  }

  function forget() {
    for (const element of dots.values()) element.remove();
    dots = new Map();
    for (const zone of zones.values()) zone.slots.clear();
  }

  function tier(stageName, elapsed) {
    const usual = data.usual[stageName];
    if (!usual) return "unknown";
    return elapsed > usual[1] ? "longest" : elapsed > usual[0] ? "long" : "short";
  }

  // Who is where at a whole minute.
  function frame(at) {
    const there = new Map();
    for (const [number, s, zone, from, until, since] of data.pieces) {
      if (from <= at && (until < 0 || at < until)) {
        there.set(number, { zone: data.zones[zone], stage: STAGES[s], elapsed: at - since });
      }
    }
    return there;
  }

  // --- what is built once ----------------------------------------------------------------------------------------------

  function button(text, act) {
    const element = make("button", "floor-act", text);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  }

  function build() {
    home.replaceChildren();
    const controls = make("div", "floor-controls");
    const live = button(words.live, () => goLive());
    const ahead = button(words.ahead, () => goAhead());
    const play = button(words.play, () => toggle());
    const range = make("input", "floor-range");
    Object.assign(range, { type: "range", min: 0, max: 1440, step: 1 });
    range.setAttribute("aria-label", words.time);
    range.addEventListener("input", () => {
      playing = false;
      goPlayed(Number(range.value));
    });
    range.addEventListener("keydown", (event) => {
      const step = { ArrowRight: STEP_MIN, ArrowUp: STEP_MIN, ArrowLeft: -STEP_MIN, ArrowDown: -STEP_MIN }[event.key];
      if (!step || !data) return;
      event.preventDefault();
      playing = false;
      goPlayed(Math.min(Math.max(minute + step, 0), data.minutes));
    });
    const when = make("input", "floor-day");
    Object.assign(when, { type: "date" });
    when.setAttribute("aria-label", words.day);
    when.addEventListener("change", () => {
      wantedDay = when.value;
      mode = "played";
      playing = false;
      ask();
    });
    const pace = make("select", "floor-speed");
    pace.setAttribute("aria-label", words.speed);
    for (const n of words.speeds) pace.add(new Option(fill(words.a_second, { n }), n));
    speed = speed || words.speeds[1];
    pace.value = speed;
    pace.addEventListener("change", () => (speed = Number(pace.value)));
    controls.append(live, ahead, play, range, when, pace);
    const status = make("p", "floor-status");
    status.setAttribute("role", "status");
    const field = make("div", "floor-plan");
    const layer = make("div", "floor-layer");
    layer.setAttribute("aria-hidden", "true");
    const said = make("p", "floor-said", words.touch);
    said.setAttribute("aria-live", "polite");
    home.append(controls, status, field, said);
    parts = { live, ahead, play, range, when, pace, status, field, layer, said };
    zones = new Map();
    dots = new Map();
  }

  function zoneName(zone) {
    if (!zone.key.startsWith("@")) return document.documentElement.lang === "fr" ? zone.fr : zone.en;
    const name = words.stages[zone.key.slice(1)];
    return data.plan.some((other) => !other.key.startsWith("@") && other.told) ? fill(words.untold, { stage: name }) : name;
  }

  function peaks() {
    const most = new Map();
    for (let at = 0; at <= data.minutes; at += PEAK_STEP_MIN) {
      const count = new Map();
      for (const dot of frame(at).values()) count.set(dot.zone, (count.get(dot.zone) || 0) + 1);
      for (const [zone, n] of count) most.set(zone, Math.max(most.get(zone) || 0, n));
    }
    return most;
  }

  // The zones of the plan, row by row; a zone is as broad as it is likely to need.
  function plan() {
    const kept = new Map(zones);
    const peak = peaks();
    zones = new Map();
    parts.field.replaceChildren();
    const rows = new Map();
    for (const zone of data.plan) {
      const there = kept.get(zone.key) || { slots: new Map(), button: make("button", "floor-zone") };
      if (!kept.has(zone.key)) there.button.addEventListener("click", () => touch(zone.key));
      there.zone = zone;
      there.peak = Math.max(peak.get(zone.key) || 0, 1);
      there.button.type = "button";
      there.button.dataset.zone = zone.key;
      there.button.classList.toggle("untold", !zone.told);
      there.count = make("span", "floor-count");
      there.yard = make("span", "floor-yard");
      there.more = make("span", "floor-more");
      const head = make("span", "floor-zone-head");
      head.append(make("b", "", zoneName(zone)), there.count);
      there.yard.append(there.more);
      there.button.replaceChildren(head, there.yard);
      there.button.style.flexGrow = Math.pow(there.peak, 0.75).toFixed(2);
      if (!rows.has(zone.row)) rows.set(zone.row, make("div", "floor-row"));
      rows.get(zone.row).append(there.button);
      zones.set(zone.key, there);
    }
    parts.field.append(...rows.values(), parts.layer);
    measure();
  }

  // How many dots a row of a zone holds, and how high its yard must be for the fullest moment of the day.
  function measure() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    width = parts.field.clientWidth;
    const columns = (there, cell) => Math.max(1, Math.floor(there.yard.clientWidth / cell));
    const roomy = (size) => [...zones.values()].every((there) => Math.ceil(there.peak / columns(there, size * rem)) <= FEW_ROWS);
    const cell = rem * (window.innerWidth < NARROW ? 2.2 : CELLS_REM.find(roomy) || CELLS_REM[CELLS_REM.length - 1]);
    for (const there of zones.values()) {
      there.cell = cell;
      there.columns = columns(there, cell);
      there.rows = Math.min(MOST_ROWS, Math.ceil(there.peak / there.columns));
      there.yard.style.height = there.rows * cell + "px";
    }
    parts.layer.style.setProperty("--cell", cell + "px");
  }

  // Where the yards are now: what stands at their heads may have another height than before.
  function locate() {
    const base = parts.field.getBoundingClientRect();
    for (const there of zones.values()) {
      const yard = there.yard.getBoundingClientRect();
      there.x = yard.left - base.left;
      there.y = yard.top - base.top;
    }
  }

  // --- drawing ---------------------------------------------------------------------------------------------------------

  function draw() {
    if (!data || !parts) return;
    const blind = mode === "live" && stage.dataset.state === "off";
    const there = blind ? new Map() : frame(minute);
    document.documentElement.dataset.floor = mode;
    parts.field.classList.toggle("blind", blind);
    parts.layer.classList.toggle("quick", playing);
    for (const [number, element] of dots) {
      if (!there.has(number)) {
        element.remove();
        dots.delete(number);
      }
    }
    seat(there);
    for (const [key, zone] of zones) count(key, zone, there, blind);
    tell(blind);
    locate();
    for (const [number, dot] of there) place(number, dot);
    if (chosen) say(chosen, there);
    lay();
  }

  // Over the page's place for it, which is as high as what is drawn.
  function lay() {
    const place = stage.getBoundingClientRect();
    home.style.left = place.left + window.scrollX + "px";
    home.style.top = place.top + window.scrollY + "px";
    home.style.width = place.width + "px";
    stage.style.height = home.offsetHeight + "px";
  }

  // Everybody keeps the place they have in a zone; who comes takes the first that is free.
  function seat(there) {
    for (const [key, zone] of zones) {
      for (const [number] of zone.slots) {
        const dot = there.get(number);
        if (!dot || dot.zone !== key) zone.slots.delete(number);
      }
    }
    for (const [number, dot] of there) {
      const zone = zones.get(dot.zone);
      if (!zone) continue;
      const room = zone.columns * zone.rows;
      const now = zone.slots.get(number);
      if (now !== undefined && now < room) continue;
      const taken = new Set(zone.slots.values());
      let slot = 0;
      while (taken.has(slot)) slot += 1;
      if (now === undefined || slot < now) zone.slots.set(number, slot);
    }
  }

  function place(number, dot) {
    const zone = zones.get(dot.zone);
    if (!zone) return;
    let element = dots.get(number);
    if (!element) {
      element = make("i", "");
      dots.set(number, element);
      parts.layer.append(element);
    }
    const slot = zone.slots.get(number);
    const room = zone.columns * zone.rows;
    const hidden = slot >= room || (zone.slots.size > room && slot === room - 1);
    const x = zone.x + (slot % zone.columns) * zone.cell;
    const y = zone.y + Math.floor(slot / zone.columns) * zone.cell;
    element.className = ["floor-dot", SHAPES[dot.stage] || "round", tier(dot.stage, dot.elapsed), hidden ? "hidden" : ""].join(" ");
    element.style.translate = x.toFixed(1) + "px " + y.toFixed(1) + "px";
  }

  function count(key, zone, there, blind) {
    let n = 0;
    for (const dot of there.values()) n += dot.zone === key ? 1 : 0;
    const room = zone.columns * zone.rows;
    const over = Math.max(0, n - room);
    zone.more.textContent = over ? "+" + (over + 1) : "";
    const known = zone.zone.told && !blind;
    const told = zone.zone.spaces === null ? String(n) : fill(words.of, { n, spaces: zone.zone.spaces });
    zone.count.textContent = known ? told : "\u2014";
    zone.button.classList.toggle("over", known && zone.zone.spaces !== null && n > zone.zone.spaces);
    zone.button.setAttribute("aria-pressed", String(chosen === key));
  }

  function tell(blind) {
    const dataset = stage.dataset;
    const at = { time: clock(minute), day: day(minute) };
    const known = dataset.state === "stale" ? words.last_known : words.as_of;
    parts.status.textContent = mode === "ahead" ? "" : mode === "played" ? fill(words.played, at) : blind ? words.off : fill(known, at);
    parts.live.setAttribute("aria-pressed", String(mode === "live"));
    parts.ahead.setAttribute("aria-pressed", String(mode === "ahead"));
    parts.play.textContent = playing ? words.pause : words.play;
    parts.play.setAttribute("aria-pressed", String(playing));
    parts.range.max = data.minutes;
    parts.range.value = minute;
    parts.range.setAttribute("aria-valuetext", at.day + ", " + at.time);
    parts.when.min = dataset.first;
    parts.when.max = dataset.last;
    parts.when.value = wantedDay || isoDay(minute);
    home.setAttribute("aria-label", document.querySelector(".page .hospital")?.textContent || words.day);
    home.className = "floor-home " + (mode === "live" ? "is-" + dataset.state : "is-" + mode);
  }

  function touch(key) {
    chosen = chosen === key ? null : key;
    if (!chosen) parts.said.textContent = words.touch;
    draw();
  }

  // How many, the longest, and what is usual, stage by stage.
  function say(key, there) {
    const zone = zones.get(key);
    if (!zone) return;
    const mine = [...there.values()].filter((dot) => dot.zone === key);
    const n = fill(mine.length > 1 ? words.many : words.one, { n: mine.length });
    const space = document.documentElement.lang === "fr" ? "\u00a0" : "";
    const lines = STAGES.map((name) => [name, mine.filter((dot) => dot.stage === name)]).filter(([, some]) => some.length);
    const told = lines.map(([name, some]) => {
      const longest = duration(Math.max(...some.map((dot) => dot.elapsed)));
      const usual = data.usual[name];
      const ordinary = usual ? fill(words.usual, { median: duration(usual[0]), nine: duration(usual[1]) }) : words.no_usual;
      return fill(words.said, { stage: words.stages[name], n: some.length, longest }) + " (" + ordinary + ")";
    });
    const known = zone.zone.told ? (mine.length ? n : words.nobody) : words.not_told;
    parts.said.textContent = zoneName(zone.zone) + space + ": " + [known, ...told].join(space + "; ") + ".";
  }

  // --- live, played, ahead ---------------------------------------------------------------------------------------------

  function goLive() {
    mode = "live";
    playing = false;
    if (wantedDay) {
      wantedDay = "";
      asked = { key: null, at: -Infinity };
      ask();
    } else {
      minute = data ? data.minutes : 0;
      draw();
    }
  }

  function goAhead() {
    mode = "ahead";
    playing = false;
    draw();
  }

  function goPlayed(at) {
    mode = "played";
    minute = at;
    draw();
  }

  function toggle() {
    if (!data) return;
    playing = !playing;
    last = null;
    if (playing && (mode !== "played" || minute >= data.minutes)) minute = 0;
    mode = "played";
    draw();
    if (playing) requestAnimationFrame(turn);
  }

  let exact = 0;
  function turn(now) {
    if (!playing || !data) return;
    if (last === null) exact = minute;
    else exact += ((now - last) / 1000) * speed;
    last = now;
    const at = Math.min(data.minutes, Math.floor(exact));
    if (at >= data.minutes) playing = false;
    if (at !== minute || !playing) {
      minute = at;
      draw();
    }
    if (playing) requestAnimationFrame(turn);
  }

  // --- the page --------------------------------------------------------------------------------------------------------

  function look() {
    const found = document.getElementById("floor-stage");
    if (!found) {
      if (stage) delete document.documentElement.dataset.floor;
      stage = null;
      playing = false;
      home.hidden = true;
      return;
    }
    const spoken = found.dataset.words;
    stage = found;
    if (!parts || spoken !== home.dataset.words) {
      words = JSON.parse(spoken);
      home.dataset.words = spoken;
      build();
      if (data) plan();
    }
    home.hidden = false;
    if (!home.isConnected) document.body.append(home);
    lay();
    ask();
    if (data && parts.field.clientWidth && Math.abs(parts.field.clientWidth - width) > 1) measure();
    draw();
  }

  const ofThePage = (record) => !home.contains(record.target);
  new MutationObserver((records) => records.some(ofThePage) && look()).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-at", "data-state", "data-words"] });
  window.addEventListener("resize", look);
  setInterval(look, 3000);
})();
