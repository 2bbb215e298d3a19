(() => {
  "use strict";
  const root = document.documentElement;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const specs = read("specs");
  const rows = (columns) => {
    const names = Object.keys(columns);
    return (columns[names[0]] ?? []).map((_, i) =>
      Object.fromEntries(names.map((name) => [name, columns[name][i]])),
    );
  };

  // Some data is drawn whole, some of one cell at a time: only the picked cell's becomes rows.
  const inflated = async (id) => {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  const data = inflated("data");
  const whole = data.then(({ whole }) =>
    Object.fromEntries(Object.entries(whole).map(([name, columns]) => [name, rows(columns)])),
  );
  const ofCell = async (name, cell) => {
    const own = rows((await data).by_cell[name][cell] ?? {});
    const end = ({ mean, half }, sign) => (mean === null || half === null ? null : mean + sign * half);
    return own.map((row) => ({ ...row, cell, lower: end(row, -1), upper: end(row, 1) }));
  };
  const SIGNAL = "picked_cell";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const plots = [...document.querySelectorAll("[data-figure]")];
  let views = [];
  let picked = document.body.dataset.picked;
  let drawing = 0;

  const theme = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const hasSignal = ({ view }) => SIGNAL in view.getState().signals;

  // One picked cell for the whole page: whoever changes it, everyone follows.
  const pick = async (cell) => {
    picked = cell;
    const { signals } = await data;
    for (const { view, spec } of views) {
      if (picked !== cell) return; // another one was picked meanwhile
      if (view.signal(SIGNAL) !== cell) view.signal(SIGNAL, cell);
      for (const name of spec.data) view.data(name, await ofCell(name, cell));
      for (const name of spec.signals) {
        if (signals[name][cell]) view.signal(name, signals[name][cell]);
      }
      await view.runAsync();
      const list = view.container().querySelector(`[name="${SIGNAL}"]`);
      if (list && list.value !== cell) list.value = cell;
    }
    root.dataset.picked = cell;
  };

  const follow = ({ view }) => {
    view.addEventListener("click", (_, item) => {
      const cell = item?.datum?.cell;
      if (cell && cell !== picked) setTimeout(() => pick(cell));
    });
    view.addSignalListener(SIGNAL, (_, cell) => {
      const next = typeof cell === "string" ? cell : picked; // a click on nothing keeps the cell
      if (next !== picked || next !== cell) setTimeout(() => pick(next));
    });
  };

  // The nearest cell in a direction, within the same panel.
  const neighbour = async (dx, dy) => {
    const { phase } = await whole;
    const here = phase.find((row) => row.cell === picked);
    const ahead = (row) => (row.x - here.x) * dx + (row.y - here.y) * dy;
    const aside = (row) => Math.abs((row.x - here.x) * dy) + Math.abs((row.y - here.y) * dx);
    return phase
      .filter((row) => row.panel === here.panel && ahead(row) > 0)
      .sort((a, b) => aside(a) - aside(b) || ahead(a) - ahead(b))[0];
  };

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const onKey = async (event) => {
    if (!(event.key in ARROWS) || event.target.tagName === "SELECT") return;
    event.preventDefault();
    const next = await neighbour(...ARROWS[event.key]);
    if (next) pick(next.cell);
  };

  const draw = async () => {
    const turn = ++drawing;
    const name = theme();
    delete root.dataset.ready;
    button.hidden = false;
    button.textContent = name === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to the ${button.textContent.toLowerCase()} theme`);
    for (const { view } of views) view.finalize();
    const drawn = await Promise.all(
      plots.map(async (plot) => {
        const spec = specs[plot.dataset.figure];
        const own = await Promise.all(spec.data.map(async (data) => [data, await ofCell(data, picked)]));
        const drawing = { ...spec[name], datasets: { ...(await whole), ...Object.fromEntries(own) } };
        const result = await vegaEmbed(plot, drawing, {
          renderer: "svg",
          tooltip: { theme: name },
          actions: { export: true, source: false, compiled: false, editor: false },
          downloadFileName: plot.dataset.figure,
        });
        const bindings = plot.querySelector(".vega-bindings");
        if (bindings) plot.prepend(bindings);
        plot.querySelector("summary")?.setAttribute("aria-label", "Save this figure");
        return { view: result.view, spec };
      }),
    );
    if (turn !== drawing) return;
    views = drawn.filter(hasSignal);
    views.forEach(follow);
    await pick(picked);
    root.dataset.ready = name;
  };

  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    draw();
  });
  system.addEventListener("change", () => root.dataset.theme || draw());
  const diagram = document.querySelector('[data-figure="phase-diagram"]');
  diagram.tabIndex = 0;
  diagram.addEventListener("keydown", onKey);
  draw();
})();
