"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // Colors: automatic, light, dark.
  const button = document.getElementById("theme");
  const themes = ["automatic", "light", "dark"];
  const remembered = () => {
    try { return localStorage.getItem("cactus-theme"); } catch { return null; } // private windows
  };
  const use = (theme) => {
    root.dataset.theme = theme;
    button.textContent = `Colors: ${theme}`;
    try { localStorage.setItem("cactus-theme", theme); } catch { /* it holds for this page */ }
  };
  use(themes.includes(remembered()) ? remembered() : "automatic");
  button.addEventListener("click", () => {
    use(themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length]);
  });

  // Sorting: down, up, and as printed.
  const value = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.value;
    if (number !== undefined) return Number(number);
    const text = cell.textContent.trim();
    return text === "–" ? null : text.toLowerCase();
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const printed = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const control = document.createElement("button");
      control.type = "button";
      control.append(...head.childNodes);
      head.append(control);
      control.addEventListener("click", () => {
        const text = printed.some((row) => typeof value(row, column) === "string");
        const order = text ? ["ascending", "descending", "none"] : ["descending", "ascending", "none"];
        const now = head.getAttribute("aria-sort") ?? "none";
        const next = order[(order.indexOf(now) + 1) % order.length];
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next !== "none") head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        const sorted = next === "none" ? printed : [...printed].sort((a, b) => {
          const [x, y] = [value(a, column), value(b, column)];
          if (x === null || y === null) return (x === null) - (y === null); // empty cells last
          return sign * compare(x, y);
        });
        body.append(...sorted);
      });
    });
  }

  // Filters of the accuracies.
  const form = document.querySelector(".filters");
  if (form) {
    const chosen = (id) => document.getElementById(id)?.value ?? "";
    const rows = [...document.querySelectorAll("table.grid tbody tr")];
    const apply = () => {
      const words = chosen("find").toLowerCase().split(/\s+/).filter(Boolean);
      const [dataset, kind, verdict] = ["by-dataset", "by-kind", "by-verdict"].map(chosen);
      for (const row of rows) {
        const section = row.closest(".dataset");
        const text = `${section.querySelector("h3").textContent} ${row.cells[0].textContent}`.toLowerCase();
        row.hidden = !(
          (!dataset || section.dataset.dataset === dataset) &&
          (!kind || row.dataset.kind === kind) &&
          (!verdict || row.dataset.verdicts.split(" ").includes(verdict)) &&
          words.every((word) => text.includes(word))
        );
      }
      for (const section of document.querySelectorAll(".dataset")) {
        section.hidden = !section.querySelector("tbody tr:not([hidden])");
      }
      const shown = rows.filter((row) => !row.hidden).length;
      document.getElementById("shown").textContent =
        shown ? `${shown} of ${rows.length} rows` : `none of ${rows.length} rows`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  // A link to a closed entry opens it.
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const entry = target?.closest("details");
    if (!entry) return;
    entry.open = true;
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", open);
  open();
})();
