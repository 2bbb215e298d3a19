// What the page holds, once for all figures: some drawn whole, some of one cell at a time.
const root = document.documentElement;
const specs = JSON.parse(document.getElementById("specs").textContent);

const rows = (columns) => {
  const names = Object.keys(columns);
  return (columns[names[0]] ?? []).map((_, i) =>
    Object.fromEntries(names.map((name) => [name, columns[name][i]])),
  );
};

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
  return own.map(({ mean, half, places, ...row }) => {
    const at = (units) => (mean === null || units === null ? null : (mean + units) / 10 ** places);
    return { ...row, cell, mean: at(0), lower: at(half && -half), upper: at(half) };
  });
};
