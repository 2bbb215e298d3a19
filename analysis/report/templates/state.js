// The reader's choices: which cell, which map over which axes, at which moment. The address holds them.
const DEFAULTS = { axes: "", map: "regime", at: "end", level: null, time: "step" };
const NAMES = Object.keys(DEFAULTS);
const state = { cell: document.body.dataset.picked, ...DEFAULTS };

const readAddress = () => {
  if (!location.hash.includes("=")) return;
  const said = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, DEFAULTS);
  for (const name of ["cell", ...NAMES]) {
    if (said.has(name)) state[name] = name === "level" ? Number(said.get(name)) : said.get(name);
  }
};

const writeAddress = () => {
  const said = new URLSearchParams({ cell: state.cell });
  for (const name of NAMES) {
    if (state[name] !== DEFAULTS[name]) said.set(name, state[name]);
  }
  history.replaceState(null, "", `#${said}`);
};
