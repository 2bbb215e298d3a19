// The diagram at another moment, or as a map of an order parameter.
const MAPS = ["phase-diagram", "map"];
const CLOSE = 0.5001; // octaves between a measured step and the one that was asked for
const REGIME_NAMES = ["underfit", "generalizing", "slop", "memorizing"];
const count = new Intl.NumberFormat("en");

// Powers of two that lie between what the first and the last step are worth in some cell.
const levelsOf = (maps, at) => {
  if (at === "step") return maps.steps;
  const worth = maps[at].filter((x) => x !== null);
  if (!worth.length) return [];
  const first = Math.ceil(Math.log2(Math.min(...worth) * maps.steps[0]));
  const last = Math.floor(Math.log2(Math.max(...worth) * maps.steps[maps.steps.length - 1]));
  return Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i));
};

// Of every cell the number of the step to look at; null where none is near enough.
const momentsOf = (maps, at, level) =>
  maps.cells.map((_, cell) => {
    const measured = maps.steps.map((_, i) => i).filter((i) => maps.regimes.seeds[i][cell] !== null);
    if (!measured.length) return null;
    if (at === "end") return measured[measured.length - 1];
    if (at === "best") return maps.best[cell] === null ? null : maps.steps.indexOf(maps.best[cell]);
    const worth = at === "step" ? 1 : maps[at][cell];
    if (worth === null) return null;
    const away = (i) => Math.abs(Math.log2((maps.steps[i] * worth) / level));
    const nearest = measured.reduce((a, b) => (away(b) < away(a) ? b : a));
    return away(nearest) <= (at === "step" ? 1e-6 : CLOSE) ? nearest : null;
  });

// The level at which most cells can be compared, the later one of equals.
const fullest = (maps, at, levels) => {
  const found = levels.map((level) => momentsOf(maps, at, level).filter((i) => i !== null).length);
  return levels[found.lastIndexOf(Math.max(...found))];
};

// Vega marks the rows that it holds; a row that is to replace one must not carry its mark.
const unmarked = (row) => Object.fromEntries(Object.entries(row));

const regimeRows = (maps, phase, moments, end) => {
  if (end) return phase.map(unmarked);
  const at = new Map(maps.cells.map((cell, i) => [cell, i]));
  return phase.map((row) => {
    const cell = at.get(row.cell);
    const i = moments[cell];
    const of = (name) => (i === null ? null : maps.regimes[name][i][cell]);
    const named = (name) => (of(name) === null ? null : REGIME_NAMES[of(name)]);
    return {
      ...unmarked(row), step: i === null ? null : maps.steps[i], provisional: false, seeds: of("seeds"),
      regime: named("regime"), share: of("share"), runner_up: named("runner_up"),
      runner_up_share: of("runner_up_share"), excess_copies: of("excess_copies"),
      novel_validity: of("novel_validity"), partial_margin: of("partial_margin"),
    };
  });
};

const said = (mean, half, kind) => {
  if (mean === null) return "undefined";
  if (kind === "steps") return count.format(Math.round(mean));
  const text = mean.toPrecision(3);
  return half === null ? text : `${text} ± ${half.toPrecision(2)}`;
};

const mapRows = (maps, phase, moments, parameter) => {
  const at = new Map(maps.cells.map((cell, i) => [cell, i]));
  const onset = maps.onsets[parameter.key];
  const grid = maps.values[parameter.key];
  return phase.map((row) => {
    const cell = at.get(row.cell);
    const i = onset ? 0 : moments[cell];
    const of = (name) => (onset ? onset[name]?.[cell] : i === null ? null : grid[name]?.[i]?.[cell]) ?? null;
    const mean = of("mean");
    const mark = onset ? onset.censored[cell] : null;
    return {
      ...unmarked(row), mean, half: of("half"), seeds: of("seeds"), censored: mark,
      step: onset || i === null ? null : maps.steps[i],
      shade: mean !== null && parameter.kind === "steps" ? Math.log2(mean) : mean,
      said: `${mark ? `${mark} ` : ""}${said(mean, of("half"), parameter.kind)}`,
    };
  });
};

// The line on which half of the seeds memorize is known for the end, and for steps over the first axes.
const lineRows = (atSteps, atEnd, at, level) => {
  if (at === "end") return atEnd.map(unmarked);
  return at === "step" ? atSteps.filter((row) => row.at_step === level) : [];
};

// The cells and the line where the chosen axes put them, and how that is drawn.
const viewed = async () => {
  const { phase, phase_lines } = await whole;
  const view = (await data).views.find(({ key }) => key === state.axes);
  if (!view?.places) return { phase, phase_lines };
  const places = new Map(rows(view.places).map((row) => [row.cell, row]));
  const placed = phase.filter(({ cell }) => places.has(cell)).map((row) => ({ ...unmarked(row), ...places.get(row.cell) }));
  const lines = rows(view.lines);
  const datasets = { phase: placed, phase_lines: lines, map: placed, map_lines: lines };
  return { phase: placed, phase_lines: lines, view, datasets };
};

const quantity = (field) => ({ field, type: "quantitative" });
const BAND = {
  x: { orient: "horizontal", x: quantity("x_low"), x2: { field: "x_high" }, y: quantity("y") },
  y: { orient: "vertical", y: quantity("y_low"), y2: { field: "y_high" }, x: quantity("x") },
};

// A diagram over other axes: its first panel again and again, with those axes.
const overAxes = (original, { view }) => {
  const spec = structuredClone(original);
  const [template] = spec.concat;
  const ofPanel = "datum.panel === ";
  const panelOf = (name, i) => {
    const panel = structuredClone(template);
    Object.assign(panel, { width: view.width, height: view.height });
    panel.title.text = name;
    panel.layer = panel.layer.filter(({ mark }) => mark.type !== "area" || (view.band && view.along));
    for (const layer of panel.layer) {
      for (const step of layer.transform ?? []) {
        if (String(step.filter).startsWith(ofPanel)) step.filter = `${ofPanel}${JSON.stringify(name)}`;
      }
      if (layer.mark.type === "area") {
        const { orient, ...encoding } = BAND[view.along];
        layer.mark.orient = orient;
        layer.encoding = { ...encoding, detail: layer.encoding.detail };
      }
      if (layer.encoding.y2?.value) layer.encoding.y2.value = view.height;
      for (const side of ["x", "y"]) {
        const own = layer.encoding[side];
        if (!own?.scale) continue;
        Object.assign(own, { scale: view[side].scale, axis: { ...view[side].axis } });
        if (side === "y" && i % view.columns) own.axis = view.y.bare;
        if (side === "x" && i + view.columns < view.panels.length) own.axis.title = null;
      }
    }
    return panel;
  };
  spec.concat = view.panels.map(panelOf);
  spec.columns = view.columns;
  if (spec.title.subtitle) spec.title.subtitle = view.subtitle;
  return spec;
};

const levelSaid = (maps, at, level, moments) => {
  const seen = [...new Set(moments.filter((i) => i !== null))].map((i) => maps.steps[i]).sort((a, b) => a - b);
  const steps = seen.length
    ? seen.length === 1 ? `step ${count.format(seen[0])}` : `steps ${count.format(seen[0])} to ${count.format(seen[seen.length - 1])}`
    : "no cell was measured then";
  if (at === "end" || at === "step") return steps;
  if (at === "best") return steps;
  const worth = at === "epochs" ? `${count.format(level)} epochs` : `${level.toExponential(1)} FLOP`;
  return `${worth}: ${steps}`;
};
