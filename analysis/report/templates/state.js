// The reader's choices: which cell, which map, at which moment. The address holds them.
const DEFAULTS = { map: "regime", at: "end", level: null };
const state = { cell: document.body.dataset.picked, ...DEFAULTS };

const readAddress = () => {
  if (!location.hash.includes("=")) return;
  const said = new URLSearchParams(location.hash.slice(1));
  for (const name of ["cell", "map", "at", "level"]) {
    if (said.has(name)) state[name] = name === "level" ? Number(said.get(name)) : said.get(name);
  }
};

const writeAddress = () => {
  const said = new URLSearchParams({ cell: state.cell });
  for (const name of ["map", "at", "level"]) {
    if (state[name] !== DEFAULTS[name]) said.set(name, state[name]);
  }
  history.replaceState(null, "", `#${said}`);
};
