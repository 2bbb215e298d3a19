// Generated strings of the picked cell: what of them is copied, how they are derived, from which rules.
const SVG = "http://www.w3.org/2000/svg";
const LEAF = 30, FLOOR = 46; // pixels between leaves, and between levels

const made = (name, properties = {}, ...children) => {
  const node = document.createElement(name);
  Object.assign(node, properties);
  node.append(...children);
  return node;
};

const drawn = (name, attributes, ...children) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

// The leaves as text, every copied substring as one mark.
const leavesOf = ([, , , tokens, , marks], { size, alphabet, separator }) => {
  const depth = Math.round(Math.log(tokens.length) / Math.log(size));
  const spans = marks.map(([level, node]) => {
    const length = size ** (depth - level);
    return [node * length, (node + 1) * length];
  });
  const parts = [];
  for (let i = 0; i < tokens.length; ) {
    const span = spans.find(([start]) => start === i);
    const end = span ? span[1] : i + 1;
    const text = tokens.slice(i, end).map((token) => alphabet?.[token] ?? token).join(separator);
    parts.push(span ? made("mark", { textContent: text }) : text, separator);
    i = end;
  }
  return parts;
};

const treeOf = ([step, sample, , tokens, parse, marks], { size, alphabet }) => {
  const levels = parse ?? [tokens];
  const depth = levels.length - 1;
  const width = tokens.length * LEAF, height = levels.length * FLOOR;
  const at = (level, node) => {
    const room = width / levels[level].length;
    return [(node + 0.5) * room, 18 + level * FLOOR];
  };
  const copied = (level, node) =>
    marks.some(([top, place]) => level >= top && Math.floor(node / size ** (level - top)) === place);
  const edges = [], nodes = [];
  levels.forEach((symbols, level) =>
    symbols.forEach((symbol, node) => {
      const [x, y] = at(level, node);
      const kind = `${symbol < 0 ? "broken" : "whole"}${copied(level, node) ? " copied" : ""}`;
      if (level > 0) {
        const [px, py] = at(level - 1, Math.floor(node / size));
        edges.push(drawn("line", { x1: px, y1: py + 10, x2: x, y2: y - 10, class: kind }));
      }
      const mark = drawn("rect", { x: x - 10, y: y - 10, width: 20, height: 20, rx: 4, class: kind });
      const text = drawn("text", { x, y: y + 4, "text-anchor": "middle", class: kind });
      text.textContent = symbol < 0 ? "×" : (alphabet?.[symbol] ?? symbol);
      nodes.push(mark, text);
    }),
  );
  const broken = levels.flat().filter((symbol) => symbol < 0).length;
  const label = parse
    ? `Derivation of string ${sample + 1} at step ${step}: ${depth} levels, ${broken} nodes do not parse`
    : `String ${sample + 1} at step ${step}`;
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label }, ...edges, ...nodes);
};

// Images: the bits of a leaf's place give its row and its column in turn.
const PICTURE = 8; // units of a pixel
const placeOf = (node) => {
  let row = 0, column = 0;
  for (let bit = 0; node >> (2 * bit); bit++) {
    column |= ((node >> (2 * bit)) & 1) << bit;
    row |= ((node >> (2 * bit + 1)) & 1) << bit;
  }
  return [column, row];
};
const pictureOf = ([step, sample, , tokens, , marks], { greys }, width) => {
  const side = Math.sqrt(tokens.length);
  const pixels = tokens.map((token, leaf) => {
    const [x, y] = placeOf(leaf);
    const grey = Math.round((255 * token) / Math.max(greys - 1, 1));
    return drawn("rect", { x: x * PICTURE, y: y * PICTURE, width: PICTURE, height: PICTURE, style: `fill: rgb(${grey}, ${grey}, ${grey})` });
  });
  const frames = marks.map(([level, node]) => {
    const [x, y] = placeOf(node);
    const size = (side >> level) * PICTURE;
    return drawn("rect", { x: x * size + 1, y: y * size + 1, width: size - 2, height: size - 2, class: "frame" });
  });
  const label = `Image ${sample + 1} at step ${step}, ${marks.length} copied parts`;
  const whole = side * PICTURE;
  return drawn("svg", { viewBox: `0 0 ${whole} ${whole}`, width, height: width, role: "img", "aria-label": label, class: "picture" }, ...pixels, ...frames);
};

const grammarOf = ({ rules, probabilities }) =>
  rules.map((table, level) => {
    const head = probabilities[level].map((p, k) => made("th", { scope: "col" }, `rule ${k + 1} `, made("small", { textContent: `p = ${p}` })));
    const body = (table ?? []).map((tuples, symbol) =>
      made("tr", {}, made("th", { scope: "row", textContent: symbol }), ...tuples.map((tuple) => made("td", { textContent: tuple.join(" ") }))),
    );
    const caption = `Level ${level}: a symbol, and what it is written as${table ? "" : "; too many rules to list"}`;
    return made("table", {}, made("caption", { textContent: caption }), made("thead", {}, made("tr", {}, made("th", { scope: "col", textContent: "symbol" }), ...head)), made("tbody", {}, ...body));
  });

const element = (id) => document.getElementById(id);

const listStrings = (own, step) => {
  const shown = own.strings.filter(([at]) => at === step);
  const show = (string, button) => {
    for (const other of element("strings-list").querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
    element("strings-tree").replaceChildren(own.greys ? pictureOf(string, own, 256) : treeOf(string, own));
  };
  const items = shown.map((string) => {
    const kind = string[2] ?? "";
    const button = made("button", { type: "button" }, made("span", { className: `kind ${kind}`, textContent: kind || (own.greys ? "image" : "string") }), " ", ...(own.greys ? [pictureOf(string, own, 64)] : leavesOf(string, own)));
    button.addEventListener("click", () => show(string, button));
    return [string, button];
  });
  element("strings-list").replaceChildren(...items.map(([, button]) => made("li", {}, button)));
  const first = items.find(([[, , , , , marks]]) => marks.length) ?? items[0];
  if (first) show(...first);
};

const showStrings = async (cell) => {
  const own = (await data).strings[cell];
  const some = Boolean(own?.strings.length);
  element("strings-none").hidden = some;
  element("strings-controls").hidden = !some;
  document.querySelector(".strings").hidden = !some;
  element("strings-grammar").hidden = !own?.grammar;
  element("strings-list").classList.toggle("pictures", Boolean(own?.greys));
  for (const one of document.querySelectorAll(".legend .of-grammar")) one.hidden = !own?.grammar;
  if (own?.grammar) element("strings-grammar").querySelector(".columns").replaceChildren(...grammarOf(own.grammar));
  if (!some) return;
  const steps = [...new Set(own.strings.map(([step]) => step))];
  const list = element("strings-step");
  list.replaceChildren(...steps.map((step) => made("option", { value: step, textContent: step.toLocaleString("en") })));
  list.value = steps[steps.length - 1];
  list.onchange = () => listStrings(own, Number(list.value));
  listStrings(own, steps[steps.length - 1]);
};
