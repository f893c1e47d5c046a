// Tables that sort, filter and copy. Without this script they are plain tables.
"use strict";

(() => {
  const FILTERED = ["Benchmark", "Method", "Rival", "N"];

  /** A cell's number ("12.3 [10, 15]" is 12.3), or null. */
  function numberOf(text) {
    const found = text.replace(/[,−]/g, (mark) => (mark === "−" ? "-" : "")).match(/^[<+]?\s*(-?\d+(\.\d+)?)/);
    return found ? Number(found[1]) : null;
  }

  function compare(a, b) {
    const [x, y] = [numberOf(a), numberOf(b)];
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x === null ? 1 : -1; // what is no number stands last
    return a.localeCompare(b, "en");
  }

  function sortable(table, headings) {
    const body = table.tBodies[0], original = [...body.rows];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" };
        const order = next[heading.getAttribute("aria-sort") || "none"];
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        if (order !== "none") heading.setAttribute("aria-sort", order);
        const sign = order === "descending" ? -1 : 1;
        const text = (row) => row.cells[column].textContent;
        const rows = order === "none" ? original : [...original].sort((a, b) => sign * compare(text(a), text(b)));
        table.classList.toggle("sorted", order !== "none");
        body.append(...rows);
      });
    });
  }

  function filters(table, headings, bar) {
    const chosen = new Map();
    headings.forEach((heading, column) => {
      const name = heading.textContent.trim();
      const values = [...new Set([...table.tBodies[0].rows].map((row) => row.cells[column].textContent))];
      if (!FILTERED.includes(name) || values.length < 2) return;
      const select = document.createElement("select");
      select.setAttribute("aria-label", `Show only this ${name}`);
      select.append(...[`${name}: all`, ...values].map((value) => new Option(value)));
      select.addEventListener("change", () => {
        chosen.set(column, select.selectedIndex ? select.value : null);
        for (const row of table.tBodies[0].rows)
          row.hidden = [...chosen].some(([place, value]) => value !== null && row.cells[place].textContent !== value);
      });
      bar.append(select);
    });
  }

  const shownRows = (table) =>
    [...table.tHead.rows, ...table.tBodies[0].rows].filter((row) => !row.hidden)
      .map((row) => [...row.cells].map((cell) => cell.textContent.trim()));

  function csv(table) {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return shownRows(table).map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  }

  function latex(table) {
    const escaped = (text) => text.replaceAll("\\", "\\textbackslash ").replace(/[&%#_$]/g, "\\$&").replaceAll("–", "--")
      .replaceAll("−", "$-$").replaceAll("<", "\\textless{}");
    const [head, ...rows] = shownRows(table).map((row) => row.map(escaped).join(" & ") + " \\\\");
    const sides = [...table.tHead.rows[0].cells].map((cell) => (cell.classList.contains("number") ? "r" : "l")).join("");
    return [`\\begin{tabular}{${sides}}`, "\\toprule", head, "\\midrule", ...rows, "\\bottomrule", "\\end{tabular}", ""].join("\n");
  }

  function copies(table, bar) {
    for (const [name, made] of [["CSV", csv], ["LaTeX", latex]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Copy ${name}`;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(made(table));
          button.textContent = "Copied";
        } catch {
          button.textContent = "The browser did not allow it";
        }
        setTimeout(() => { button.textContent = `Copy ${name}`; }, 1500);
      });
      bar.append(button);
    }
  }

  for (const table of document.querySelectorAll("#report table")) {
    const headings = [...table.tHead.rows[0].cells];
    const bar = document.createElement("div");
    bar.className = "tools";
    filters(table, headings, bar);
    copies(table, bar);
    sortable(table, headings);
    table.parentElement.before(bar);
  }
})();
