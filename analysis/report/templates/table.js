// Tables sort by a click on a column's name; rows of cells pick their cell.
const sortable = (table) => {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const key = ({ cells }) => {
        const said = cells[column].dataset.at ?? cells[column].textContent;
        return said === "" ? NaN : Number(said);
      };
      const sorted = [...body.rows].map((row) => [key(row), row]).sort(([a], [b]) => {
        if (a !== a || b !== b) return (a !== a) - (b !== b); // undefined ones come last
        return down ? b - a : a - b;
      });
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...sorted.map(([, row]) => row));
    });
  });
  body.addEventListener("click", (event) => {
    const { cell } = event.target.closest("tr")?.dataset ?? {};
    if (cell) choose({ cell });
  });
};
