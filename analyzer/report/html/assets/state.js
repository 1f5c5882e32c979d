// What is shown is in the address, and nowhere else: `#i0`, `#c1`, `#j2&of=i0&tab=frames&f=tcp.flags.reset&t=10-25`.

const TABS = ["ladder", "topology", "frames"];
const listeners = [];
let gone = null;
let state = parseHash();

/** What exists of a name like `i0`, `c1`, `j2`. */
function exists(name) {
  const [, kind, number] = /^([icj])(\d{1,15})$/.exec(name ?? "") ?? [];
  const id = Number(number);
  if (kind === "i") return id < findings.length ? { kind, id } : null;
  if (kind === "c") return connectionRows.has(id) ? { kind, id } : null;
  return kind === "j" && journeyRows.has(id) ? { kind, id } : null;
}

function parseHash() {
  const [head, ...rest] = location.hash.slice(1).replace(/^(?=[a-z]+=)/, "&").split("&");
  const told = new URLSearchParams(rest.join("&"));
  const chosen = exists(head);
  gone = head && chosen === null ? `${clip(head, 40)} is not in this page` : null;
  const of = exists(told.get("of"));
  const span = /^(\d{1,6})-(\d{1,6})$/.exec(told.get("t") ?? "");
  const tab = told.get("tab");
  return {
    chosen: chosen ?? first(),
    of: chosen?.kind === "j" && of !== null && of.kind !== "j" ? of : null,
    tab: TABS.includes(tab) ? tab : null,
    table: told.get("table") ?? "journeys",
    sort: told.get("sort") ?? "",
    f: told.get("f") ?? "",
    t: span === null ? null : [Number(span[1]), Number(span[2])].sort((a, b) => a - b),
  };
}

/** What the page opens with: the first incident, else the first connection, else the first journey. */
function first() {
  if (findings.some((one) => one.severity !== "info")) return { kind: "i", id: 0 };
  if (connectionRows.size) return { kind: "c", id: connectionRows.keys().next().value };
  if (journeyRows.size) return { kind: "j", id: journeyRows.keys().next().value };
  return null;
}

function nameOf(one) {
  return one === null ? "" : `${one.kind}${one.id}`;
}

/** The address of this state with some of it changed. */
function link(change) {
  const next = { ...state, ...change };
  if (change.chosen && change.of === undefined) next.of = change.chosen.kind === "j" ? home(change.chosen) : null;
  const told = new URLSearchParams();
  if (next.of) told.set("of", nameOf(next.of));
  if (next.tab) told.set("tab", next.tab);
  if (next.table !== "journeys") told.set("table", next.table);
  if (next.sort) told.set("sort", next.sort);
  if (next.f) told.set("f", next.f);
  if (next.t) told.set("t", next.t.join("-"));
  return `#${[nameOf(next.chosen), told.toString()].filter(Boolean).join("&")}`; // nothing to choose: only the rest
}

/** By which incident or connection one came to a journey: the present one, if it has it. */
function home(journey) {
  const here = state.chosen?.kind === "j" ? state.of : state.chosen;
  if (here !== null && here !== undefined && journeysOf(here).includes(journey.id)) return here;
  return null;
}

function go(change, { quietly = false } = {}) {
  const hash = link(change);
  if (hash === (location.hash || "#")) return;
  if (quietly) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  refresh();
}

function onState(listener) {
  listeners.push(listener);
}

function refresh() {
  const before = state;
  state = parseHash();
  for (const listener of listeners) listener(state, before);
}

addEventListener("popstate", refresh);
addEventListener("hashchange", refresh);
