// Sorting, filtering and the choice of a scenario: comforts of a page that is complete without them.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const FEWEST = 12;

  const say = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // Rows between two heads belong together: they are sorted among themselves and stay below their head.
  const blocksOf = (body) => {
    const blocks = [{ head: null, rows: [] }];
    for (const row of body.rows) {
      if (row.classList.contains("head")) blocks.push({ head: row, rows: [] });
      else blocks[blocks.length - 1].rows.push(row);
    }
    return blocks;
  };

  const textAt = (row, column) => {
    let at = 0;
    for (const cell of row.cells) {
      at += cell.colSpan;
      // A cell over several columns says why there is no value in any of them.
      if (at > column) return cell.colSpan > 1 ? "" : (cell.querySelector("span, a") ?? cell).textContent.trim();
    }
    return "";
  };

  const numberIn = (text) => {
    const found = text.replace(/[\u202f\u00a0]/g, "").replace(/\u2212/g, "-").match(/^[^\d.+-]{0,8}([+-]?(?:\d+\.?\d*|\.\d+))/);
    return found ? Number(found[1]) : NaN;
  };

  const comparison = (rows, column, sign) => {
    const text = new Map(rows.map((row) => [row, textAt(row, column)]));
    const known = rows.filter((row) => /[\p{L}\d]/u.test(text.get(row)));
    const numbers = new Map(known.map((row) => [row, numberIn(text.get(row))]));
    const numeric = column > 0 && known.filter((row) => !Number.isNaN(numbers.get(row))).length * 2 > known.length;
    const value = (row) => (numeric ? numbers.get(row) : text.get(row));
    const absent = (row) => !numbers.has(row) || (numeric && Number.isNaN(numbers.get(row)));
    return (a, b) => {
      if (absent(a) || absent(b)) return absent(a) - absent(b);
      return sign * (numeric ? value(a) - value(b) : value(a).localeCompare(value(b), undefined, { numeric: true }));
    };
  };

  const sortable = (table) => {
    const heads = [...table.tHead.querySelectorAll("th[data-column]")];
    const bodies = [...table.tBodies];
    const original = bodies.map((body) => blocksOf(body));
    const sort = (th) => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[th.ariaSort ?? "none"];
      for (const other of heads) other.ariaSort = null;
      if (next !== "none") th.ariaSort = next;
      bodies.forEach((body, i) => {
        for (const { head, rows } of original[i]) {
          const sign = next === "descending" ? -1 : 1;
          const sorted = next === "none" ? rows : [...rows].sort(comparison(rows, Number(th.dataset.column), sign));
          if (head) body.append(head);
          body.append(...sorted);
        }
      });
    };
    for (const th of heads) {
      const button = make("button", { type: "button", className: "sort", title: words.sort }, ...th.childNodes);
      button.addEventListener("click", () => sort(th));
      th.append(button);
    }
  };

  const filterable = (table, tools) => {
    const input = make("input", { type: "search", autocomplete: "off" });
    const told = make("output", {});
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      let all = 0;
      for (const body of table.tBodies) {
        for (const { head, rows } of blocksOf(body)) {
          const whole = head !== null && head.textContent.toLowerCase().includes(wanted);
          for (const row of rows) row.hidden = !whole && !row.textContent.toLowerCase().includes(wanted);
          if (head) head.hidden = rows.every((row) => row.hidden);
          if (body.hidden) continue;
          shown += rows.filter((row) => !row.hidden).length;
          all += rows.length;
        }
      }
      told.textContent = wanted ? say(words.shown, { n: shown, all }) : "";
    });
    const name = table.tHead.querySelector('th[data-column="0"]').textContent.trim();
    tools.append(make("label", {}, `${say(words.filter, { column: name })} `, input), told);
  };

  const switchable = (table, tools) => {
    const others = [...table.tBodies].filter((body) => body.dataset.variant);
    const select = make("select", {}, make("option", { value: "" }, words.published));
    select.append(...others.map((body) => make("option", { value: body.dataset.variant }, body.dataset.variant)));
    const told = make("output", {});
    select.addEventListener("change", () => {
      for (const body of table.tBodies) body.hidden = (body.dataset.variant ?? "") !== select.value;
      const chosen = others.find((body) => body.dataset.variant === select.value);
      table.classList.toggle("varied", Boolean(chosen));
      told.textContent = chosen ? chosen.dataset.reason : "";
    });
    tools.append(make("label", {}, `${words.scenario} `, select), told);
  };

  for (const table of document.querySelectorAll("table[id]")) {
    const rows = table.tBodies[0].querySelectorAll("tr:not(.head)").length;
    const tools = make("div", { className: "tools" });
    if (table.tBodies.length > 1) switchable(table, tools);
    if (rows >= FEWEST) filterable(table, tools);
    if (rows > 1) sortable(table);
    if (tools.childNodes.length) table.closest(".scroll").before(tools);
  }

  // A link into a closed table opens it.
  const open = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details")?.setAttribute("open", "");
  addEventListener("hashchange", open);
  open();
})();
