// Puts the page together: views, filters, keys, theme.

const root = document.documentElement;
root.classList.add("js");
const work = document.getElementById("work");

const VIEWS = [
  ["journeys", "Journeys", rows.journeys.length, () => journeyTable((id) => setState({ j: id }))],
  ["connections", "Connections", rows.connections.length, () => connectionTable((q) => setState({ view: "journeys", q, j: null, sort: "" }))],
  ["plots", "Plots", null, null],
  ["arp", "ARP/NDP", rows.arp.length, arpTable],
  ["fdb", "FDB", rows.learnt.length, learntTable],
  ["nat", "NAT", null, natTable],
  ["dns", "DNS", rows.names.length, nameTable],
  ["errors", "ICMP errors", null, errorTable],
];
const built = new Map();

function build(view) {
  if (!built.has(view)) {
    const make = VIEWS.find(([name]) => name === view)[3];
    const made = make === null ? plotsView() : make();
    if (made instanceof DataTable) made.onSort = (sort) => setState({ sort }, { quietly: true });
    built.set(view, made);
  }
  return built.get(view);
}

const tabs = el("nav", { class: "views", "aria-label": "Views" }, ...VIEWS.map(([name, title, number]) => el("a", { "data-view": name }, title, number === null ? null : el("span", { class: "count" }, count(number)))));
const search = el("input", { type: "search", id: "search", placeholder: "Filter: address, port, MAC, point, words (/)", "aria-label": "Filter by text", autocomplete: "off", spellcheck: "false" });
const selects = {
  protocol: select("protocol", [...new Set(rows.journeys.map(field.protocol))].sort()),
  verdict: select("verdict", Object.keys(VERDICTS), (key) => VERDICTS[key][1]),
  container: select("container", [...new Set(points.map((p) => p.container).filter(Boolean))].sort()),
  nat: select("nat", ["any", "none", "SNAT", "DNAT"], (key) => (key === "any" ? "translated" : key === "none" ? "not translated" : key)),
};
const shownCount = el("output", { class: "dim" });
const filters = el("form", { class: "filters", role: "search", "aria-label": "Filters" }, search, ...Object.values(selects), el("button", { type: "reset", class: "reset" }, "Clear"), shownCount);
const table = el("div", { class: "list" });
const detail = el("div", { class: "detail" });
work.append(tabs, filters, el("div", { class: "split" }, table, detail));

function select(name, keys, word = (key) => key) {
  const found = el("select", { "aria-label": name === "nat" ? "Filter by translation" : `Filter by ${name}` }, el("option", { value: "" }, name === "nat" ? "any translation" : `any ${name}`), ...keys.map((key) => el("option", { value: key }, word(key))));
  found.addEventListener("change", () => setState({ [name]: found.value }));
  return found;
}

filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => setState({ q: "", protocol: "", container: "", verdict: "", nat: "" }));
search.addEventListener("input", () => setState({ q: search.value }, { quietly: true }));

let shown = null;
let shownJourney = null;

function showState(now) {
  const view = VIEWS.some(([name]) => name === now.view) ? now.view : "journeys";
  const made = build(view);
  for (const tab of tabs.children) {
    tab.href = link({ view: tab.dataset.view, sort: "" });
    if (tab.dataset.view === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (shown !== view) {
    table.replaceChildren(made instanceof DataTable ? made.element : made.view);
    work.dataset.view = view;
    shown = view;
    if (!(made instanceof DataTable)) made.draw();
  }
  if (search.value !== now.q) search.value = now.q;
  for (const [name, one] of Object.entries(selects)) if (one.value !== now[name]) one.value = now[name];
  filters.hidden = view !== "journeys";
  if (made instanceof DataTable) {
    made.show(view === "journeys" ? journeyFilter(now) : null, now.sort);
    shownCount.textContent = `${count(made.shown.length)} of ${plural(made.rows.length, "row")}`;
  }
  if (view === "journeys") made.choose(now.j ?? -1);
  if (shownJourney !== now.j) {
    shownJourney = now.j;
    detail.replaceChildren(...(now.j === null ? [] : [journeyDetail(now.j)]));
    detail.scrollTop = 0;
    graph.light(now.j === null ? null : journey(now.j));
  }
  work.classList.toggle("chosen", view === "journeys" && now.j !== null);
}

/** What to look at first: a journey that died, else one that was translated, else the longest. */
function firstChoice() {
  const dead = rows.journeys.find((row) => BAD.includes(field.disposition(row)));
  const changed = rows.journeys.find((row) => natOf.get(field.connection(row))?.length && rawHops(row).length > 2);
  const long = rows.journeys.reduce((best, row) => (rawHops(row).length > rawHops(best).length ? row : best), rows.journeys[0]);
  const row = dead ?? changed ?? long;
  return row === undefined ? null : field.id(row);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => (state.view === "journeys" ? search.focus() : setState({ view: "journeys" })),
  "?": () => help.showModal(),
  Enter: () => document.getElementById("detail-title")?.focus(),
  Escape: () => built.get(shown)?.element?.focus(),
};
VIEWS.forEach(([name], n) => (KEYS[n + 1] = () => setState({ view: name, sort: "" })));

function move(step) {
  const made = built.get(shown);
  if (shown !== "journeys") return;
  const row = made.beside(step);
  if (row !== null) setState({ j: field.id(row) }, { quietly: true });
}

const help = document.getElementById("help");
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const typing = event.target.closest("input, select, textarea");
  if (typing && event.key === "Escape") return typing.blur();
  if (typing || (event.key === "Enter" && event.target.closest("a, button, summary"))) return;
  const act = KEYS[event.key];
  if (act !== undefined) {
    event.preventDefault();
    act();
  }
});
document.getElementById("help-button").addEventListener("click", () => help.showModal());

const THEMES = ["light", "dark"];
document.getElementById("theme-button").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = THEMES[dark ? 0 : 1];
  built.delete("plots"); // its colours are those of before
  if (shown === "plots") shown = null;
  refresh();
});

onState(showState);
if (state.j === null && state.view === "journeys" && !location.hash) {
  const choice = firstChoice();
  if (choice !== null) history.replaceState(null, "", link({ j: choice }));
}
refresh();
root.dataset.readyMs = (performance.now() - began).toFixed(0);
root.classList.add("ready");
