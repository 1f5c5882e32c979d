// A table of any size: only the rows in sight are in the document.

const LINE = 26;
const MARGIN_ROWS = 12;

/**
 * Columns are {title, key(row) for sorting, cell(row) for showing, number, wide}. A row is whatever `rows` holds.
 * `idOf` names a row; `open` is called with the row that was chosen.
 */
class DataTable {
  constructor({ label, columns, rows, idOf = null, open = null, filtered = undefined, empty = "Nothing of this kind was seen." }) {
    Object.assign(this, { label, columns, rows, idOf, open, filtered, empty });
    this.shown = rows;
    this.sort = { column: null, down: false };
    this.chosen = -1;
    this.body = el("tbody");
    this.heads = columns.map((column, index) => this.#head(column, index));
    this.table = el("table", { class: "data", "aria-label": label }, el("thead", {}, el("tr", {}, ...this.heads)), this.body);
    this.element = el("div", { class: "rows scroll", tabindex: "0", role: "region", "aria-label": label }, this.table);
    this.element.addEventListener("scroll", () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#draw(true)).observe(this.element);
  }

  #head(column, index) {
    const button = el("button", { type: "button", title: `Sort by ${column.title}` }, column.title);
    button.addEventListener("click", () => {
      const down = this.sort.column === index && !this.sort.down;
      this.onSort?.(`${down ? "-" : ""}${column.title}`);
    });
    return el("th", { scope: "col", class: column.number ? "number" : column.wide ? "wide" : null }, button);
  }

  /** Show the rows that pass, in the order that `sort` names: a column's title, with - for downwards. */
  show(passes, sort) {
    const down = sort.startsWith("-");
    const index = this.columns.findIndex((column) => column.title === sort.replace(/^-/, ""));
    this.sort = { column: index, down };
    this.heads.forEach((head, n) => {
      if (n === index) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.shown = passes === null ? this.rows : this.rows.filter(passes);
    if (index >= 0) {
      const key = this.columns[index].key;
      const keyed = this.shown.map((row, n) => [key(row), n, row]);
      const way = down ? -1 : 1;
      keyed.sort(([a, m], [b, n]) => (a === null) - (b === null) || (a < b ? -way : a > b ? way : m - n));
      this.shown = keyed.map(([, , row]) => row);
    }
    this.table.setAttribute("aria-rowcount", this.shown.length + 1);
    this.#draw(true);
  }

  #draw(anew = false) {
    const height = this.element.clientHeight || 400;
    const first = Math.max(Math.floor(this.element.scrollTop / LINE) - MARGIN_ROWS, 0);
    const stop = Math.min(Math.ceil((this.element.scrollTop + height) / LINE) + MARGIN_ROWS, this.shown.length);
    if (!anew && first === this.first && stop === this.stop) return;
    [this.first, this.stop] = [first, stop];
    const parts = [this.#space(first), ...this.shown.slice(first, stop).map((row, n) => this.#row(row, first + n))];
    parts.push(this.#space(this.shown.length - stop));
    if (!this.shown.length) parts.push(el("tr", { class: "empty" }, el("td", { colspan: this.columns.length }, this.rows.length ? "No row passes the filter." : this.empty)));
    this.body.replaceChildren(...parts);
  }

  #space(count) {
    const cell = el("td", { colspan: this.columns.length });
    cell.style.height = `${count * LINE}px`;
    return el("tr", { class: count ? "space" : "space none", "aria-hidden": "true" }, cell);
  }

  #row(row, index) {
    const id = this.idOf === null ? null : this.idOf(row);
    const current = id !== null && id === this.chosen;
    const cells = this.columns.map((column) => {
      const told = column.cell(row);
      const cell = el("td", { class: column.number ? "number" : column.wide ? "wide" : null }, told ?? "");
      if (typeof told === "string" && told.length > 24) cell.title = told;
      return cell;
    });
    const line = el("tr", { "aria-rowindex": index + 2, "aria-current": current ? "true" : null, class: current ? "current" : null }, ...cells);
    if (this.open !== null) {
      line.classList.add("opens");
      line.addEventListener("click", (event) => {
        if (!event.target.closest("a, button") && !String(getSelection())) this.open(row);
      });
    }
    return line;
  }

  /** Mark a row, and bring it into sight if it is not. */
  choose(id, { reveal = true } = {}) {
    if (this.chosen === id) return;
    this.chosen = id;
    const index = this.shown.findIndex((row) => this.idOf(row) === id);
    const top = index * LINE;
    const room = this.element.clientHeight - LINE * 2;
    if (reveal && index >= 0 && (top < this.element.scrollTop || top > this.element.scrollTop + room)) {
      this.element.scrollTop = Math.max(top - room / 2, 0);
    }
    this.#draw(true);
  }

  /** The row that is so many behind the marked one; the first in sight if none is marked. */
  beside(step) {
    const index = this.shown.findIndex((row) => this.idOf(row) === this.chosen);
    if (index < 0) return this.shown[0] ?? null;
    return this.shown[Math.min(Math.max(index + step, 0), this.shown.length - 1)];
  }
}
