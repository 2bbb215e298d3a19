// Figures as wide as there is room: fewer panels in a row, and none wider than the page.
const AXIS = 68; // pixels beside a panel for its axis
const LETTER = 5.9; // pixels of a letter of a subtitle

const panelWidth = (spec) => spec.width ?? spec.spec?.width ?? 0;

const wrapped = (lines, letters) => {
  const found = [""];
  for (const word of lines.join(" ").split(" ")) {
    const line = found[found.length - 1];
    if (line && line.length + word.length + 1 > letters) found.push(word);
    else found[found.length - 1] = line ? `${line} ${word}` : word;
  }
  return found;
};

// The first panel of a row has the labels of all of them.
const labelled = (panels, columns) => {
  const axes = panels.map((panel) =>
    (panel.layer ?? [panel]).map(({ encoding }) => encoding?.y).filter((y) => y?.axis?.labelExpr),
  );
  const bare = axes.flat().find((y) => y.axis.labelExpr === "''")?.axis;
  const full = axes[0]?.[0]?.axis;
  if (!bare || !full) return;
  axes.forEach((own, i) => own.forEach((y) => (y.axis = i % columns === 0 ? full : bare)));
};

const narrowed = (spec, room) => {
  if (typeof spec.width === "number") spec.width = Math.min(spec.width, Math.max(120, room - AXIS));
  return spec;
};

// Legends of several columns or side by side are wider than a phone.
const stacked = (node) => {
  if (Array.isArray(node)) node.forEach(stacked);
  else if (node && typeof node === "object") {
    if (node.legend?.columns > 2) node.legend.columns = 2;
    if (node.legend && !node.legend.orient) Object.assign(node.legend, { orient: "bottom", columns: 3, labelLimit: 140 });
    if (node.legend?.gradientLength) node.legend.gradientLength = 200;
    Object.values(node).forEach(stacked);
  }
};

const PHONE = 480;

/* A figure in so many pixels; `over` of them are taken by what only drawing tells: labels, legends. */
const fitted = (original, width, over = 0) => {
  const room = width - over;
  const spec = structuredClone(original);
  if (spec.config) spec.config.legend.layout = { bottom: { anchor: "start", direction: "vertical" } };
  if (width < PHONE) stacked(spec);
  if (Array.isArray(spec.title?.subtitle)) {
    spec.title.subtitle = wrapped(spec.title.subtitle, Math.min(room - 20, 560) / LETTER);
  }
  for (const side of ["hconcat", "concat"]) {
    const panels = spec[side];
    if (!panels) continue;
    panels.forEach((panel) => (panel.vconcat ? panel.vconcat.forEach((p) => narrowed(p, room)) : narrowed(panel, room)));
    if (side === "concat" && spec.columns) {
      const each = Math.max(...panels.map(panelWidth)) + (panels.length > 1 ? AXIS / 2 : 0);
      const columns = Math.max(1, Math.min(spec.columns, Math.floor((room - AXIS / 2) / each)));
      if (columns < spec.columns) labelled(panels, columns);
      spec.columns = columns;
    }
    const needed = panels.reduce((sum, panel) => sum + panelWidth(panel) + AXIS, 0);
    if (side === "hconcat" && needed > room) {
      spec.vconcat = panels;
      delete spec.hconcat;
    }
  }
  if (spec.facet && spec.columns) {
    narrowed(spec.spec, room);
    spec.columns = Math.max(1, Math.min(spec.columns, Math.floor(room / (panelWidth(spec) + AXIS))));
  }
  spec.vconcat?.forEach((part, i) => (spec.vconcat[i] = part.hconcat ? fitted(part, width, over) : narrowed(part, room)));
  return narrowed(spec, room);
};
