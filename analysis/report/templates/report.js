// Draws the figures, and lets all of them follow the reader's choices.
const SIGNAL = "picked_cell";
const system = matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");
const lists = Object.fromEntries(
  ["picked", "axes", "map", "moment", "level", "time"].map((id) => [id, document.getElementById(id)]),
);
const plots = [...document.querySelectorAll("[data-figure]")];
let views = new Map();
let drawing = 0;
let shown = null;

const theme = () => root.dataset.theme || (system.matches ? "dark" : "light");
const has = ({ view }, signal) => signal in view.getState().signals;

// Groups of marks that say nothing are no graphics to a screen reader.
const hushed = (container) => {
  for (const mark of container.querySelectorAll('[role="graphics-symbol"]:not([aria-label])')) {
    mark.removeAttribute("role");
    mark.removeAttribute("aria-roledescription");
  }
};

// What a training step of a cell is worth, and how time is called then.
const SIGNAL_WORTH = "step_worth", SIGNAL_TIME = "time_said", STEP_TITLE = "training step";
const TIMES = { step: STEP_TITLE, epochs: "epochs", flop: "floating-point operations" };
const worthOf = ({ maps }) => {
  const worth = state.time === "step" ? null : maps[state.time][maps.cells.indexOf(state.cell)];
  return worth === null ? [1, STEP_TITLE] : [worth, TIMES[state.time]];
};
const timed = (compiled) => {
  const titles = (node) => {
    for (const axis of node.axes ?? []) if (axis.title === STEP_TITLE) axis.title = { signal: SIGNAL_TIME };
    (node.marks ?? []).forEach(titles);
  };
  titles(compiled);
  compiled.signals = [...(compiled.signals ?? []), { name: SIGNAL_TIME, value: STEP_TITLE }];
  return compiled;
};

const showCell = async () => {
  const { cell } = state;
  const { signals, strata, ...rest } = await data;
  const [worth, time] = worthOf(rest);
  for (const drawn of views.values()) {
    if (state.cell !== cell) return; // another one was picked meanwhile
    const { view, spec } = drawn;
    if (has(drawn, SIGNAL)) view.signal(SIGNAL, cell);
    if (has(drawn, SIGNAL_WORTH)) {
      view.signal(SIGNAL_WORTH, worth);
      view.signal(SIGNAL_TIME, time);
    }
    for (const name of spec.data) view.data(name, await ofCell(name, cell));
    for (const name of spec.signals) {
      if (signals[name][cell]) view.signal(name, signals[name][cell]);
    }
    await view.runAsync();
    hushed(view.container());
  }
  lists.picked.value = cell;
  lists.time.value = state.time;
  for (const row of document.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
  document.querySelector(`tr[data-cell="${CSS.escape(cell)}"]`)?.classList.add("chosen");
  const stratum = document.getElementById("stratum");
  stratum.textContent = strata[cell] ?? "";
  stratum.hidden = !strata[cell];
  await showStrings(cell);
  root.dataset.picked = cell;
};

const showMap = async () => {
  const { maps } = await data;
  const { phase, phase_lines } = await viewed();
  const parameter = maps.parameters.find(({ key }) => key === state.map);
  const levels = state.at === "end" || state.at === "best" ? [] : levelsOf(maps, state.at);
  if (levels.length && !levels.includes(state.level)) state.level = fullest(maps, state.at, levels);
  if (!levels.length) state.level = null;
  const moments = momentsOf(maps, state.at, state.level);
  const drawn = views.get(parameter ? "map" : "phase-diagram");
  const name = parameter ? "map" : "phase";
  if (drawn) {
    const end = state.at === "end";
    const cells = parameter
      ? mapRows(maps, phase, moments, parameter)
      : regimeRows(maps, phase, moments, end);
    drawn.view.data(name, cells);
    const known = state.axes ? [] : rows(maps.lines);
    drawn.view.data(`${name}_lines`, lineRows(known, phase_lines, state.at, state.level));
    if (parameter) {
      drawn.view.signal("map_limits", parameter.limits);
      drawn.view.signal("map_colours", parameter.colours);
      drawn.view.signal("map_log", parameter.kind === "steps");
      drawn.view.signal("map_title", parameter.title);
    }
    const fixed = parameter?.kind === "steps";
    const said = levelSaid(maps, state.at, state.level, moments);
    const moment = fixed ? "median over seeds" : end ? "at the last measured step" : `at ${said}`;
    drawn.view.signal("moment_said", moment);
    await drawn.view.runAsync();
    hushed(drawn.view.container());
  }
  for (const figure of MAPS) {
    const box = document.getElementById(`figure-${figure}`);
    if (box) box.hidden = (figure === "map") !== Boolean(parameter);
  }
  lists.map.value = parameter ? parameter.key : "regime";
  lists.axes.value = state.axes || lists.axes.options[0].value;
  lists.moment.value = state.at;
  lists.level.closest("label").hidden = !levels.length;
  lists.level.max = Math.max(0, levels.length - 1);
  lists.level.value = levels.indexOf(state.level);
  const text = state.at === "end" ? "" : levelSaid(maps, state.at, state.level, moments);
  lists.level.setAttribute("aria-valuetext", text);
  document.getElementById("level-said").textContent = text;
  root.dataset.map = [lists.map.value, state.at, state.level].join(" ");
  root.dataset.axes = lists.axes.value;
};

const choose = async (choice) => {
  const before = { ...state };
  Object.assign(state, choice);
  writeAddress();
  if (state.axes !== before.axes) return draw(MAPS);
  if (state.cell !== before.cell || state.time !== before.time) await showCell();
  if (["map", "at", "level"].some((name) => state[name] !== before[name])) {
    await showMap();
    writeAddress();
  }
};

const follow = ({ view }) => {
  view.addEventListener("click", (_, item) => {
    const cell = item?.datum?.cell;
    if (cell && cell !== state.cell) setTimeout(() => choose({ cell }));
  });
};

// The nearest cell in a direction, within the same panel.
const neighbour = async (dx, dy) => {
  const { phase } = await viewed();
  const here = phase.find((row) => row.cell === state.cell);
  const ahead = (row) => (row.x - here.x) * dx + (row.y - here.y) * dy;
  const aside = (row) => Math.abs((row.x - here.x) * dy) + Math.abs((row.y - here.y) * dx);
  return phase
    .filter((row) => row.panel === here.panel && ahead(row) > 0)
    .sort((a, b) => aside(a) - aside(b) || ahead(a) - ahead(b))[0];
};

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const onKey = async (event) => {
  if (!(event.key in ARROWS)) return;
  event.preventDefault();
  const next = await neighbour(...ARROWS[event.key]);
  if (next) choose({ cell: next.cell });
};

const embedded = async (plot, name) => {
  const other = MAPS.includes(plot.dataset.figure) && (await viewed());
  const spec = specs[plot.dataset.figure];
  const drawn = other?.view ? overAxes(spec[name], other) : spec[name];
  const own = await Promise.all(spec.data.map(async (set) => [set, await ofCell(set, state.cell)]));
  const room = plot.clientWidth || plot.closest("section").clientWidth;
  const datasets = { ...(await whole), ...other?.datasets, ...Object.fromEntries(own) };
  const options = {
    renderer: "svg",
    tooltip: { theme: name },
    actions: { export: true, source: false, compiled: false, editor: false },
    downloadFileName: plot.dataset.figure,
    patch: spec[name].params?.some((one) => one.name === SIGNAL_WORTH) ? timed : undefined,
  };
  let over = 0;
  let result = await vegaEmbed(plot, { ...fitted(drawn, room), datasets }, options);
  for (let again = 0; again < 2 && plot.clientWidth; again++) {
    const beyond = Math.ceil(plot.querySelector("svg").getBoundingClientRect().width - room);
    if (beyond <= 0) break;
    over += beyond;
    result.view.finalize();
    result = await vegaEmbed(plot, { ...fitted(drawn, room, over), datasets }, options);
  }
  const bindings = plot.querySelector(".vega-bindings");
  if (bindings) plot.prepend(bindings);
  plot.querySelector("summary")?.setAttribute("aria-label", "Save this figure");
  return [plot.dataset.figure, { view: result.view, spec }];
};

// All figures, or those of some names; the others stay as they are.
const draw = async (names = null) => {
  const turn = ++drawing;
  const name = theme();
  delete root.dataset.ready;
  shown = root.clientWidth;
  button.hidden = false;
  button.textContent = name === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-label", `Switch to the ${button.textContent.toLowerCase()} theme`);
  const chosen = plots.filter((plot) => !names || names.includes(plot.dataset.figure));
  for (const plot of chosen) {
    views.get(plot.dataset.figure)?.view.finalize();
    const box = plot.closest("figure");
    if (MAPS.includes(plot.dataset.figure)) box.hidden = false; // a hidden one has no width
  }
  const drawn = await Promise.all(chosen.map((plot) => embedded(plot, name)));
  if (turn !== drawing) return;
  views = new Map([...views, ...drawn]);
  drawn.forEach(([, one]) => follow(one));
  await showCell();
  await showMap();
  root.dataset.drawn = shown;
  root.dataset.ready = name;
};

// The choices of the address, where the page knows them.
const restore = async () => {
  const { maps, views: known } = await data;
  readAddress();
  if (!known.slice(1).some(({ key }) => key === state.axes)) state.axes = "";
  if (!maps.cells.includes(state.cell)) state.cell = document.body.dataset.picked;
  if (!(state.time in TIMES)) state.time = "step";
  if (![...lists.moment.options].some(({ value }) => value === state.at)) state.at = "end";
};

const start = async () => {
  const { maps, views: known } = await data;
  await restore();
  lists.axes.closest("label").hidden = known.length < 2;
  document.getElementById("time-controls").hidden = false;
  document.getElementById("map-controls").hidden = false;
  lists.picked.closest("label").hidden = false;
  const map = document.getElementById("figure-map");
  if (map) map.hidden = true;
  for (const list of [lists.moment, lists.time]) list.querySelector('[value="flop"]').hidden = !levelsOf(maps, "flop").length;
  lists.picked.addEventListener("change", () => choose({ cell: lists.picked.value }));
  lists.axes.addEventListener("change", () => choose({ axes: lists.axes.selectedIndex ? lists.axes.value : "" }));
  lists.time.addEventListener("change", () => choose({ time: lists.time.value }));
  lists.map.addEventListener("change", () => choose({ map: lists.map.value }));
  lists.moment.addEventListener("change", () => choose({ at: lists.moment.value, level: null }));
  lists.level.addEventListener("input", () => choose({ level: levelsOf(maps, state.at)[lists.level.value] }));
  for (const name of MAPS) {
    const diagram = document.querySelector(`[data-figure="${name}"]`);
    if (diagram) diagram.tabIndex = 0;
    diagram?.addEventListener("keydown", onKey);
  }
  document.querySelectorAll("table.sortable").forEach(sortable);
  await draw();
};

button.addEventListener("click", () => {
  root.dataset.theme = theme() === "dark" ? "light" : "dark";
  draw();
});
system.addEventListener("change", () => root.dataset.theme || draw());
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => Math.abs(root.clientWidth - shown) > 40 && draw(), 200);
});
addEventListener("hashchange", async () => {
  if (!location.hash.includes("=")) return;
  const { axes } = state;
  await restore();
  if (state.axes !== axes) return draw(MAPS);
  await showCell();
  await showMap();
});
// Paper shows what is folded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("main details:not([open])")].filter((d) => !d.closest(".plot"));
  folded.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)));
start();
