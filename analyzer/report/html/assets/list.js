// The left pane: incidents, then connections, then the journeys of what is chosen, then the state of the captures.



/** One row: a verdict, a text, perhaps a second line, and a number at the right. */
function listRow({ kind, title, second, number, target, current, related, label }) {
  return el(
    "a",
    { class: `row${second ? " tall" : ""}${related ? " related" : ""}`, href: link({ chosen: target, ...(target.kind === "j" ? {} : { of: null }) }), "aria-current": current ? "true" : null, "data-name": nameOf(target), title: second ? `${title}\n${second}` : title, tabindex: current ? "0" : "-1" },
    mark(kind, { name: label ?? verdictName(kind) }),
    el("span", { class: "text" }, el("span", { class: "first" }, title), second ? el("span", { class: "second" }, second) : null),
    el("span", { class: "number" }, number ?? ""),
  );
}

/** The loudest incident that connections are evidence of. */
let incidentOf = null;
function severityOf(id) {
  if (incidentOf === null) {
    incidentOf = new Map();
    for (const one of findings.filter((each) => each.severity !== "info")) {
      for (const journey of evidenceOf(one)) {
        const number = field.connection(journeyRows.get(journey));
        if (number !== null && incidentOf.get(number) !== "error") incidentOf.set(number, one.severity);
      }
    }
  }
  return incidentOf.get(id) ?? null;
}

/** The end of a connection that speaks for it: the worst one of its journeys, else the incident that it is evidence of. */
const ORDER = ["error", "warning", "dropped", "rejected", "lost", "not-observable", "left-host", "delivered"];
function connectionVerdict(id) {
  const ids = ofConnection.get(id) ?? [];
  if (ids.some(wasLostBeyond)) return "lost";
  const kinds = new Set(ids.map((one) => field.disposition(journeyRows.get(one))));
  if (!BAD.some((kind) => kinds.has(kind)) && severityOf(id) !== null) return severityOf(id);
  if (kinds.has("delivered") && !BAD.some((kind) => kinds.has(kind))) return "delivered";
  return ORDER.find((kind) => kinds.has(kind)) ?? "not-observable";
}

function natWord(change) {
  return change.rule?.includes("MASQUERADE") ? "MASQUERADE" : change.kind;
}

/** What kind of connection it is, in a few words. */
function connectionText(one) {
  const told = [`C${one.id} ${one.protocol.toUpperCase()}`];
  if (one.original.sport !== null) told[0] += ` :${one.original.sport}`;
  told.push(...one.nat.map(natWord));
  const ids = ofConnection.get(one.id) ?? [];
  const flags = ids.reduce((all, id) => all | (field.tcp_flags(journeyRows.get(id)) ?? 0), 0);
  const again = ids.filter((id) => field.retransmission_of(journeyRows.get(id)) !== null).length;
  if (again) told.push(`${again} sent again`);
  if (ids.length && !ids.some((id) => field.direction(journeyRows.get(id)) === "reply")) told.push("no answer");
  else if (one.protocol === "tcp") told.push(flags & RST ? "reset" : flags & FIN ? "closed" : "open");
  if (one.relayed_to !== null) told.push(`relayed as C${one.relayed_to}`);
  if (one.relayed_from !== null) told.push(`relayed from C${one.relayed_from}`);
  return told.join(", ");
}

function connectionTitle(one) {
  return `${named(one.original.src)} → ${named(one.original.dst, one.original.dport)}`;
}

function incidentTitle(finding) {
  const sign = { error: "✕", warning: "△", info: "·" }[finding.severity];
  if (!finding.who.length || !finding.what.length) return finding.title;
  const more = (names) => (names.length > 1 ? `${names[0]} +${names.length - 1}` : names[0]);
  return `${more(finding.who)} ${sign} ${more(finding.what)}`;
}

const SHOWN_CONNECTIONS = 400;
let listed = null;

function drawList(now) {
  const ids = passed(now);
  const context = contextOf(now);
  const related = context?.kind === "i" ? new Set(journeysOf(context).map((id) => field.connection(journeyRows.get(id)))) : new Set();
  const incidents = findings.map((one, id) => ({ one, id }));
  const loud = incidents.filter(({ one }) => one.severity !== "info");
  const quiet = incidents.filter(({ one }) => one.severity === "info");
  const own = now.chosen?.kind === "j" ? incidentsOf(now.chosen) : now.chosen?.kind === "c" ? incidentsOf(now.chosen) : [];
  const incidentRow = ({ one, id }) => listRow({ kind: one.severity, title: incidentTitle(one), second: one.who.length ? one.cause : one.detail === one.title ? null : one.detail, number: one.packets === null ? "" : count(one.packets), target: { kind: "i", id }, current: now.chosen?.kind === "i" && now.chosen.id === id, related: own.includes(id), label: one.severity });
  const shown = rows.connections.filter((row) => ids === null || (ofConnection.get(row[0]) ?? []).some((id) => ids.has(id)));
  const ranked = shown.map((row) => ({ id: row[0], kind: connectionVerdict(row[0]) }));
  ranked.sort((a, b) => related.has(b.id) - related.has(a.id) || rank(a.kind) - rank(b.kind) || a.id - b.id);
  const connections = ranked.slice(0, SHOWN_CONNECTIONS).map(({ id, kind }) => {
    const one = connection(id);
    return listRow({ kind, title: connectionTitle(one), second: connectionText(one), number: count(one.packets), target: { kind: "c", id }, current: now.chosen?.kind === "c" && now.chosen.id === id, related: related.has(id) || (now.chosen?.kind === "j" && field.connection(journeyRows.get(now.chosen.id)) === id) });
  });
  const members = context === null ? [] : journeysOf(context);
  const listIds = context === null || (context.kind === "j" && ids !== null) ? rows.journeys.map(field.id) : members;
  const kept = listIds.filter((id) => ids === null || ids.has(id));
  const journeys = kept.slice(0, MOST_TOGETHER).map((id) => {
    const row = journeyRows.get(id);
    const again = field.retransmission_of(row) !== null ? " again" : "";
    return listRow({ kind: wasLostBeyond(id) ? "lost" : field.disposition(row), title: `J${id} ${packetName(row)}${again}`, number: (timeOf(row) / 1e9).toFixed(3), target: { kind: "j", id }, current: now.chosen?.kind === "j" && now.chosen.id === id, related: standsFor(now) === id });
  });
  const of = context === null ? "" : context.kind === "i" ? " of the incident" : context.kind === "c" ? ` of C${context.id}` : " beside";
  listed.replaceChildren(
    head("Incidents", count(loud.length)), ...(loud.length ? loud.map(incidentRow) : [el("p", { class: "none" }, "None. ", worked.length ? el("button", { type: "button", class: "plain", on: { click: showWorked } }, "What was shown to work") : "")]),
    ...(quiet.length ? [head("Notes", count(quiet.length)), ...quiet.map(incidentRow)] : []),
    head(`Connections ${count(shown.length)}`, "packets"), ...connections,
    ...(shown.length > connections.length ? [more(`${count(shown.length - connections.length)} more connections`, { tab: "frames", table: "connections" })] : []),
    head(`Journeys${of} ${count(kept.length)}`, "s"), ...journeys,
    el("div", { class: "foot" }, ...verdictLinks(), kept.length < rows.journeys.length || kept.length > journeys.length ? more(`All ${count(rows.journeys.length)} journeys`, { tab: "frames", table: "journeys", f: "", t: null }) : null, ...captureState()),
  );
  const current = listed.querySelector('[aria-current="true"]') ?? listed.querySelector("a.row");
  if (current !== null) current.tabIndex = 0;
}

function rank(kind) {
  return ORDER.indexOf(kind);
}

function head(title, number) {
  return el("h2", {}, el("span", {}, title), el("span", { class: "number" }, number));
}

function more(text, change) {
  return el("a", { class: "more", href: link(change) }, text);
}

/** How all journeys of the page ended, each a filter. */
function verdictLinks() {
  const counts = new Map();
  for (const row of rows.journeys) counts.set(field.disposition(row), (counts.get(field.disposition(row)) ?? 0) + 1);
  return [el("ul", { class: "verdicts", "aria-label": "How journeys ended" }, ...Object.keys(VERDICTS).filter((kind) => counts.has(kind)).map((kind) => el("li", {}, el("a", { "data-verdict": kind, href: link({ f: state.f === `verdict == ${kind}` ? "" : `verdict == ${kind}` }) }, mark(kind, { size: 14 }), ` ${count(counts.get(kind))} ${VERDICTS[kind]}`))))];
}

function captureState() {
  const frames = points.reduce((sum, point) => sum + point.frames, 0);
  const weak = notes.filter((note) => !note.good).map((note) => note.text);
  return [el("p", {}, `${plural(points.length, "point")}, ${plural(frames, "frame")}. ${weak.length ? `${clip(weak[0], 90)}.` : "The captures are complete."} `, el("button", { type: "button", class: "plain", on: { click: showWorked } }, "What these captures can tell"))];
}

/** The row that is so many behind the current one. */
function rowBeside(step) {
  const all = [...listed.querySelectorAll("a.row")];
  const here = all.findIndex((row) => row.getAttribute("aria-current") === "true");
  return all[Math.min(Math.max(here + step, 0), all.length - 1)] ?? null;
}
