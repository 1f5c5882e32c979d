// The third tab: all journeys, connections, ARP, what bridges learnt, NAT, DNS, ICMP errors, losses, each as a table.

const chip = (row) => el("span", { class: "verdict" }, mark(field.disposition(row), { size: 14 }), ` ${verdictName(field.disposition(row))}`);

function journeyWay(row) {
  const first = rawHops(row)[0];
  if (hop.src(first) === null) return `${hop.eth_src(first) ?? "?"} → ${hop.eth_dst(first) ?? "?"}`;
  return `${end(hop.src(first), hop.sport(first))} → ${end(hop.dst(first), hop.dport(first))}`;
}

function journeyLink(id, text = `J${id}`) {
  return journeyRows.has(id) ? el("a", { href: link({ chosen: { kind: "j", id }, tab: null }) }, text) : el("span", { title: "not in this page" }, text);
}

function connectionLink(id) {
  return connectionRows.has(id) ? el("a", { href: link({ chosen: { kind: "c", id }, tab: null }) }, `C${id}`) : `C${id}`;
}

const column = (title, get, options = {}) => ({ title, key: get, cell: (row) => (get(row) === null || get(row) === undefined ? "" : String(get(row))), ...options });
const when = (title, get) => column(title, get, { cell: (row) => since(get(row)), number: true });
const took = (title, get) => column(title, get, { cell: (row) => duration(get(row)), number: true });
const objects = (kind, list) => list.map((row) => unpack(kind, row));
const tupleText = (one) => `${end(one.src, one.sport)} → ${end(one.dst, one.dport)}${one.icmp_id === null ? "" : ` id ${one.icmp_id}`}`;

const TABLES = {
  __proto__: null, // what an address names is one of these, or nothing
  journeys: ["Journeys", () => ({
    rows: rows.journeys, idOf: field.id, filtered: (row, ids) => ids.has(field.id(row)),
    open: (row) => go({ chosen: { kind: "j", id: field.id(row) }, tab: null }),
    columns: [
      column("journey", field.id, { cell: (row) => journeyLink(field.id(row)) }), when("time", timeOf),
      column("verdict", field.disposition, { cell: chip }), column("packet", field.summary, { wide: true }), column("way", journeyWay, { wide: true }),
      column("hops", (row) => rawHops(row).length, { number: true }), took("latency", field.latency_ns),
      column("connection", field.connection, { cell: (row) => (field.connection(row) === null ? "" : connectionLink(field.connection(row))) }),
    ],
  })],
  connections: ["Connections", () => ({
    rows: objects("Connection", rows.connections), filtered: (one, ids) => (ofConnection.get(one.id) ?? []).some((id) => ids.has(id)),
    open: (one) => go({ chosen: { kind: "c", id: one.id }, tab: null }),
    columns: [
      column("connection", (one) => one.id, { cell: (one) => connectionLink(one.id) }), column("protocol", (one) => one.protocol),
      column("original", (one) => tupleText(one.original), { wide: true }), column("reply", (one) => tupleText(one.reply), { wide: true }),
      column("translation", (one) => one.nat.map((change) => `${natWord(change)} ${change.before} → ${change.after}`).join("; ") || "none", { wide: true }),
      column("packets", (one) => one.packets, { number: true }), when("begins", (one) => one.first_ns), took("lasts", (one) => one.last_ns - one.first_ns), column("basis", (one) => one.basis),
    ],
  })],
  losses: ["Losses", () => ({
    rows: losses,
    columns: [
      column("last seen at", (one) => one.last_point ?? "(outside)"), column("not seen at", (one) => one.next_point ?? (one.disposition === "left-host" ? "(outside)" : "")),
      column("fate", (one) => one.disposition), column("packets", (one) => one.packets, { number: true }), column("sent again", (one) => one.sent_again, { number: true }),
      column("connections", (one) => one.connections, { cell: (one) => el("span", {}, ...one.most.slice(0, 5).flatMap((of) => [connectionLink(of.connection), " "])) }), column("cause", (one) => one.cause),
    ],
  })],
  arp: ["ARP, NDP", () => ({
    rows: objects("ArpExchange", rows.arp),
    columns: [
      when("time", (one) => one.request_ns), column("protocol", (one) => one.protocol), column("asked", (one) => one.asked_ip),
      column("asker", (one) => (one.asker_ip === null ? one.asker : `${one.asker_ip} (${one.asker})`), { wide: true }), column("answer", (one) => one.answer_mac ?? "unanswered"),
      took("after", (one) => one.latency_ns), column("times asked", (one) => one.requests, { number: true }), column("seen at", (one) => `${one.point} #${one.request_frame}${one.reply_frame === null ? "" : `, #${one.reply_frame}`}`),
    ],
  })],
  fdb: ["FDB", () => ({
    rows: objects("LearntMac", rows.learnt),
    columns: [when("time", (one) => one.time_ns), column("MAC", (one) => one.mac), column("bridge", (one) => one.bridge), column("behind", (one) => one.point), column("container", (one) => one.container), column("by frame", (one) => one.frame, { number: true }), column("moved from", (one) => one.moved_from), column("recorded entry", (one) => one.entry, { wide: true })],
  })],
  nat: ["NAT", () => ({
    rows: objects("Connection", rows.connections).flatMap((one) => one.nat.map((change) => ({ ...change, of: one }))),
    columns: [
      column("connection", (one) => one.of.id, { cell: (one) => connectionLink(one.of.id) }), column("kind", natWord), column("before", (one) => one.before), column("after", (one) => one.after),
      column("reply", (one) => tupleText(one.of.reply), { wide: true }), column("rule", (one) => one.rule, { wide: true }), when("begins", (one) => one.of.first_ns),
      column("conntrack", (one) => (one.of.conntrack_id === null ? null : `id=${one.of.conntrack_id}${one.of.conntrack_state ? ` ${one.of.conntrack_state}` : ""}${one.of.conntrack_timeout_s === null ? "" : `, ${one.of.conntrack_timeout_s} s left`}`)), column("basis", (one) => one.basis),
    ],
  })],
  dns: ["DNS", () => ({
    rows: objects("NameQuery", rows.names),
    columns: [
      when("time", (one) => one.asked_ns), column("name", (one) => one.name, { wide: true }), column("type", (one) => one.kind), column("asker", (one) => named(one.asker)), column("server", (one) => one.server),
      column("outcome", (one) => one.outcome ?? "unanswered"), column("records", (one) => one.records.join(", "), { wide: true }), took("after", (one) => one.latency_ns),
      column("question", (one) => one.journey, { cell: (one) => journeyLink(one.journey) }), column("its answer", (one) => one.answer, { cell: (one) => (one.answer === null ? "" : journeyLink(one.answer)) }),
    ],
  })],
  errors: ["ICMP errors", () => ({
    rows: rows.journeys.filter((row) => field.error_about(row) !== null),
    columns: [
      when("time", timeOf), column("error", field.id, { cell: (row) => journeyLink(field.id(row)) }), column("says", field.summary, { wide: true }), column("from", (row) => hop.src(rawHops(row)[0])), column("to", (row) => hop.dst(rawHops(row).at(-1))),
      column("about", field.error_about, { cell: (row) => journeyLink(field.error_about(row)) }), column("which was", (row) => (journeyRows.has(field.error_about(row)) ? field.summary(journeyRows.get(field.error_about(row))) : null), { wide: true }),
    ],
  })],
};

const built = new Map();
function tableOf(name) {
  if (!built.has(name)) {
    const [label, make] = TABLES[name];
    const made = new DataTable({ label, ...make() });
    made.onSort = (sort) => go({ sort }, { quietly: true });
    built.set(name, made);
  }
  return built.get(name);
}

function drawTables(now) {
  const name = TABLES[now.table] === undefined ? "journeys" : now.table;
  const made = tableOf(name);
  const ids = passed(now);
  const tabs = el("nav", { class: "tables", "aria-label": "Tables" }, ...Object.entries(TABLES).map(([key, [label]]) => el("a", { href: link({ tab: "frames", table: key, sort: "" }), "aria-current": key === name ? "page" : null, "data-table": key }, label)));
  made.show(ids === null || made.filtered === undefined ? null : (row) => made.filtered(row, ids), now.sort);
  made.choose(now.chosen?.kind === "j" && name === "journeys" ? now.chosen.id : -1);
  return [tabs, made.element];
}
