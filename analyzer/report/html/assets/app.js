// Puts the page together: panes, choosing, keys, theme.

const root = document.documentElement;
root.classList.add("js");
const app = { way: null };
const [narrow, paper] = [matchMedia("(max-width: 720px)"), matchMedia("print")];
const PAPER_WIDTH = 700;
const middleHead = el("h2", { id: "way-title" });
const tabBar = el("nav", { class: "tabs", "aria-label": "Middle pane" });
const stepper = el("span", { class: "stepper" });
const middle = el("div", { class: "middle-body" });
const why = el("aside", { class: "why", id: "why", "aria-labelledby": "why-title" });
listed = el("nav", { class: "list", id: "list", "aria-label": "Incidents, connections, journeys" });
const listButton = el("button", { type: "button", class: "list-button", "aria-expanded": "false", "aria-controls": "list", "aria-label": "Incidents, connections, journeys" }, "☰ ", el("span", {}, listText()));
document.getElementById("app").append(listButton, listed, el("div", { class: "middle" }, el("div", { class: "pane-head" }, middleHead, tabBar, stepper), el("div", { id: "walk" }), middle), why);
document.getElementById("filter-place").replaceWith(filterField.form);

function listText() {
  const loud = findings.filter((one) => one.severity !== "info").length;
  return [plural(loud, "incident"), plural(rows.connections.length, "connection"), plural(rows.journeys.length, "journey")].join(", ");
}

const TITLES = { ladder: "Ladder", topology: "Topology", frames: "Tables" };

function tabOf(now) {
  return now.tab ?? (standsFor(now) === null ? "topology" : "ladder");
}

function middleTitle(now, tab) {
  if (tab === "topology") return "Topology, all networks";
  if (tab === "frames") return TABLES[now.table]?.[0] ?? "Tables";
  if (now.chosen?.kind === "c") return `C${now.chosen.id}, both directions`;
  const id = standsFor(now);
  if (id === null) return "The way";
  const row = journeyRows.get(id);
  return `The way of J${id}, ${field.says(row) ?? field.summary(row)}`;
}

function drawMiddle(now) {
  const tab = tabOf(now);
  const width = paper.matches ? PAPER_WIDTH : Math.max(middle.clientWidth, 300);
  middleHead.textContent = middleTitle(now, tab);
  tabBar.replaceChildren(...TABS.map((name) => el("a", { href: link({ tab: name }), "aria-current": name === tab ? "page" : null, "data-tab": name }, TITLES[name])));
  middle.dataset.tab = tab;
  stepper.replaceChildren(stepButton(-1, "‹", "Previous journey"), stepButton(1, "›", "Next journey"));
  app.way = null;
  if (tab === "frames") return middle.replaceChildren(...drawTables(now));
  if (tab === "topology") return middle.replaceChildren(el("div", { class: "scroll picture", tabindex: "0", role: "region", "aria-label": "Topology" }, drawTopology(now, width - 4, redraw)), flowTable(now));
  const context = contextOf(now);
  const kept = passed(now);
  const all = context === null ? [] : journeysOf(context);
  const ids = all.filter((id) => kept === null || kept.has(id));
  if (!all.length) return middle.replaceChildren(el("p", { class: "empty" }, "No packet of this page is evidence for it: it is in what was recorded of the host. The topology shows where."));
  if (!ids.length) {
    app.way = wayOf(all.slice(0, MOST_TOGETHER), standsFor(now), width);
    return middle.replaceChildren(drawWay(app.way, width, standsFor(now)), el("p", { class: "empty" }, "No journey of this passes the filter."));
  }
  const chosen = ids.includes(standsFor(now)) ? standsFor(now) : ids[0];
  app.way = wayOf(ids.slice(0, MOST_TOGETHER), chosen, width);
  const ladder = el("div", { class: "scroll picture", tabindex: "0", role: "region", "aria-label": "Ladder" }, drawLadder(app.way, ids, chosen, context, width, redraw));
  const below = now.chosen?.kind === "c" ? sequencePlot(ids, width) : hopTable(journey(chosen));
  middle.replaceChildren(drawWay(app.way, width, chosen), ladder, ...(narrow.matches ? [steps(ids, chosen)] : []), ...(below === null ? [] : [below]));
  reveal(ladder.querySelector(".ladder-row.current"), ladder);
}

/** On a phone, the ladder is a list of steps. */
function steps(ids, chosen) {
  return el("div", { class: "phone-steps" }, stepList(journey(chosen)));
}

function stepButton(by, word, label) {
  return el("button", { type: "button", "aria-label": label, on: { click: () => stepJourney(by) } }, word);
}

/** The journey beside the one that is shown, in its incident or connection. */
function stepJourney(by) {
  const context = contextOf(state);
  if (context === null) return;
  const ids = context.kind === "j" ? rows.journeys.map(field.id) : journeysOf(context);
  const here = ids.indexOf(standsFor(state));
  const id = ids[Math.min(Math.max(here + by, 0), ids.length - 1)];
  if (id !== undefined) go({ chosen: { kind: "j", id }, of: context.kind === "j" ? null : context });
}

function reveal(row, pane) {
  if (row === null) return;
  const [a, b] = [row.getBoundingClientRect(), pane.getBoundingClientRect()];
  if (a.top < b.top || a.bottom > b.bottom) pane.scrollTop += a.top - b.top - Math.max((b.height - a.height) / 3, 0);
}

let wellShown = false;
function showWorked() {
  wellShown = true;
  drawWhy(state);
}

function drawWhy(now) {
  const context = contextOf(now);
  const loud = findings.some((one) => one.severity !== "info");
  const opening = !loud && !location.hash.slice(1).match(/^[icj]\d/);
  const content = wellShown || now.chosen === null || opening ? whyWell() : now.chosen.kind === "c" ? whyConnection(now.chosen.id) : context?.kind === "i" ? whyIncident(context.id, standsFor(now)) : whyJourney(now.chosen.id);
  why.replaceChildren(...content);
}

function draw(now, before) {
  if (before !== undefined && (nameOf(before.chosen) !== nameOf(now.chosen) || before.tab !== now.tab)) walk.reset();
  const focused = focusedOne();
  const scroll = listed.scrollTop;
  drawList(now);
  listed.scrollTop = scroll;
  reveal(listed.querySelector('[aria-current="true"]'), listed);
  drawMiddle(now);
  drawWhy(now);
  timeBar.draw(now);
  filterField.show(now);
  focusAgain(focused);
  if (gone !== null) say(`${gone}: the first one is shown`);
  document.getElementById("gone").textContent = gone === null ? "" : `${gone}: the first one is shown.`;
}

/** What has the focus, so that it has it again when it is drawn anew: by its name, else by what it says. */
const saidBy = (one) => `${one.localName} ${one.dataset.name ?? one.dataset.j ?? one.getAttribute("aria-label") ?? one.textContent}`;
function focusedOne() {
  const one = document.activeElement;
  if (one === null || one === document.body || one.closest("#filter, dialog") !== null) return null;
  return { said: saidBy(one), pane: one.closest(PANES)?.id ?? null };
}
const PANES = "#list, #why, #time, #app, #walk";
function focusAgain(focused) {
  if (focused === null || (document.activeElement !== null && document.activeElement !== document.body)) return;
  const all = document.querySelectorAll("a, button, [tabindex]");
  [...all].find((one) => (one.closest(PANES)?.id ?? null) === focused.pane && saidBy(one) === focused.said)?.focus({ preventScroll: true });
}

function redraw() {
  const focused = focusedOne();
  const scroll = middle.querySelector(".picture")?.scrollTop ?? 0;
  drawMiddle(state);
  const picture = middle.querySelector(".picture");
  if (picture !== null) picture.scrollTop = scroll;
  focusAgain(focused);
}

onState((now, before) => {
  wellShown = false;
  if (nameOf(before.chosen) !== nameOf(now.chosen)) toggleList(false);
  draw(now, before);
});

function toggleList(open) {
  root.classList.toggle("list-open", open);
  listButton.setAttribute("aria-expanded", String(open));
}
listButton.addEventListener("click", () => toggleList(!root.classList.contains("list-open")));

const keysOn = document.getElementById("keys-on");
const help = document.getElementById("help");
function chooseBeside(step) {
  const row = rowBeside(step);
  if (row === null) return;
  const chosen = exists(row.dataset.name);
  go({ chosen, ...(chosen.kind === "j" ? {} : { of: null }) }, { quietly: true });
  listed.querySelector('[aria-current="true"]')?.focus({ preventScroll: true });
}

const KEYS = {
  "/": () => filterField.input.focus(),
  j: () => chooseBeside(1), k: () => chooseBeside(-1),
  "[": () => stepJourney(-1), "]": () => stepJourney(1),
  1: () => go({ tab: "ladder" }), 2: () => go({ tab: "topology" }), 3: () => go({ tab: "frames" }),
  w: () => (walk.active() ? walk.stop() : walk.begin()),
  c: () => why.querySelector(".command .copy")?.click() ?? (why.querySelector(".command .copy") === null && say("This remedy has no command")), m: () => document.getElementById("markdown-button").click(),
  t: () => document.getElementById("theme-button").click(), "?": () => help.showModal(),
  Escape: () => (walk.active() ? walk.stop() : root.classList.contains("list-open") ? toggleList(false) : state.f ? go({ f: "" }) : state.t ? go({ t: null }) : null),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.closest("input, select, textarea")) return;
  const inList = event.target.closest("#list") !== null;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const walked = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (walk.active() && walked !== undefined) return event.preventDefault(), walk.move(walked);
  if (inList && step !== undefined) return event.preventDefault(), chooseBeside(step);
  const act = KEYS[event.key];
  if (act === undefined || (event.key.length === 1 && !keysOn.checked)) return;
  event.preventDefault();
  act();
});

const press = (id, act) => document.getElementById(id).addEventListener("click", act);
press("walk-button", () => (walk.active() ? walk.stop() : walk.begin()));
press("help-button", () => help.showModal());
press("print-button", () => print());
press("theme-button", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
document.getElementById("markdown-button").replaceWith(Object.assign(copyButton(() => asMarkdown(state, app.way), "Incident", "Copy as Markdown"), { id: "markdown-button" }));

paper.addEventListener("change", redraw);
addEventListener("beforeprint", redraw);
let drawnWidth = 0;
new ResizeObserver(() => {
  if (middle.clientWidth === drawnWidth) return;
  drawnWidth = middle.clientWidth;
  redraw();
  timeBar.draw(state);
}).observe(middle);

document.querySelectorAll("#heading a[data-i]").forEach((one) => one.addEventListener("click", (event) => (event.preventDefault(), go({ chosen: { kind: "i", id: Number(one.dataset.i) }, of: null }))));
draw(state);
drawnWidth = middle.clientWidth;
root.dataset.readyMs = (performance.now() - began).toFixed(0);
root.classList.add("ready");
