// The tables: what each lists, and how its rows are told.

const field = Object.fromEntries(
  ["id", "connection", "protocol", "summary", "disposition", "latency_ns", "answered_by", "ambiguous"].map((name) => [
    name,
    reader("ToldJourney", name),
  ]),
);
const hopsOf = reader("ToldJourney", "hops");
const hop = Object.fromEntries(
  ["point", "time_ns", "src", "dst", "sport", "dport", "eth_src", "eth_dst"].map((name) => [name, reader("Hop", name)]),
);
const hopsAt = fields.ToldJourney?.get("hops").index;
const rawHops = (row) => row[hopsAt];
const firstHop = (row) => rawHops(row)[0];
const natOf = new Map(
  rows.connections.map((row) => [row[0], reader("Connection", "nat")(row).map((change) => change.kind)]),
);

function containersOf(row) {
  const found = rawHops(row).map((one) => pointOf.get(hop.point(one))?.container).filter(Boolean);
  return [...new Set(found)];
}

/** All that a text filter looks at, made once a row. */
const searched = new WeakMap();
function searchText(row) {
  if (!searched.has(row)) {
    const parts = [`j${field.id(row)}`, field.summary(row), field.disposition(row)];
    if (field.connection(row) !== null) parts.push(`c${field.connection(row)}`);
    for (const one of rawHops(row)) {
      parts.push(hop.point(one), end(hop.src(one), hop.sport(one)), end(hop.dst(one), hop.dport(one)));
      parts.push(hop.eth_src(one), hop.eth_dst(one));
    }
    searched.set(row, [...parts, ...containersOf(row)].join(" ").toLowerCase());
  }
  return searched.get(row);
}

/** Return a test for the filters in the state, null if there is none. */
function journeyFilter({ q, protocol, container, verdict, nat }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length && !protocol && !container && !verdict && !nat) return null;
  return (row) => {
    const changed = natOf.get(field.connection(row)) ?? [];
    return (
      (!protocol || field.protocol(row) === protocol) &&
      (!verdict || field.disposition(row) === verdict) &&
      (!container || containersOf(row).includes(container)) &&
      (!nat || (nat === "none" ? !changed.length : nat === "any" ? changed.length > 0 : changed.includes(nat))) &&
      words.every((word) => searchText(row).includes(word))
    );
  };
}

function way(row) {
  const first = firstHop(row);
  if (hop.src(first) === null) return `${hop.eth_src(first) ?? "?"} → ${hop.eth_dst(first) ?? "?"}`;
  return `${end(hop.src(first), hop.sport(first))} → ${end(hop.dst(first), hop.dport(first))}`;
}

function journeyTable(open) {
  return new DataTable({
    label: "Journeys",
    rows: rows.journeys,
    idOf: field.id,
    open: (row) => open(field.id(row)),
    columns: [
      { title: "journey", key: field.id, cell: (row) => journeyLink(field.id(row)) },
      { title: "time", key: (row) => hop.time_ns(firstHop(row)), cell: (row) => since(hop.time_ns(firstHop(row))), number: true },
      { title: "verdict", key: field.disposition, cell: (row) => badge(field.disposition(row)) },
      { title: "packet", key: field.summary, cell: field.summary, wide: true },
      { title: "way", key: way, cell: way, wide: true },
      { title: "hops", key: (row) => rawHops(row).length, cell: (row) => String(rawHops(row).length), number: true },
      { title: "latency", key: field.latency_ns, cell: (row) => duration(field.latency_ns(row)), number: true },
      { title: "connection", key: field.connection, cell: (row) => (field.connection(row) === null ? "" : `C${field.connection(row)}`) },
    ],
  });
}

function objects(kind, list) {
  return list.map((row) => unpack(kind, row));
}

function natText(changes) {
  const told = changes.map((c) => `${c.rule?.includes("MASQUERADE") ? "MASQUERADE" : c.kind} ${c.before} → ${c.after}`);
  return told.join("; ");
}

function relayText(one) {
  const told = [];
  if (one.relayed_to !== null) told.push(`relayed to C${one.relayed_to}`);
  if (one.relayed_from !== null) told.push(`relayed from C${one.relayed_from}`);
  return told.join(", ");
}

function connectionTable(open) {
  const get = (name) => reader("Connection", name);
  const [id, protocol, original, reply, nat, packets, first, last, basis] = [
    "id", "protocol", "original", "reply", "nat", "packets", "first_ns", "last_ns", "basis",
  ].map(get);
  return new DataTable({
    label: "Connections",
    rows: rows.connections,
    idOf: id,
    open: (row) => open(`c${id(row)}`),
    columns: [
      { title: "connection", key: id, cell: (row) => el("a", { href: link({ view: "journeys", q: `c${id(row)}`, j: null }) }, `C${id(row)}`) },
      { title: "protocol", key: protocol, cell: protocol },
      { title: "original", key: (row) => tuple(original(row)), cell: (row) => tuple(original(row)), wide: true },
      { title: "reply", key: (row) => tuple(reply(row)), cell: (row) => tuple(reply(row)), wide: true },
      { title: "translation", key: (row) => natText(nat(row)), cell: (row) => [natText(nat(row)), relayText(unpack("Connection", row))].filter(Boolean).join("; ") || "none", wide: true },
      { title: "packets", key: packets, cell: (row) => count(packets(row)), number: true },
      { title: "begins", key: first, cell: (row) => since(first(row)), number: true },
      { title: "lasts", key: (row) => last(row) - first(row), cell: (row) => duration(last(row) - first(row)), number: true },
      { title: "basis", key: basis, cell: basis },
    ],
  });
}

function plain(label, list, columns, empty) {
  return new DataTable({
    label,
    rows: list,
    empty,
    columns: columns.map(([title, get, options = {}]) => ({
      title,
      key: options.key ?? get,
      cell: options.cell ?? ((row) => (get(row) === null ? "" : String(get(row)))),
      ...options,
    })),
  });
}

const time = (get) => ({ key: get, cell: (row) => since(get(row)), number: true });
const took = (get) => ({ key: get, cell: (row) => duration(get(row)), number: true });
const goes = (get) => ({ key: get, cell: (row) => (get(row) === null ? "" : journeyLink(get(row))) });

function arpTable() {
  return plain("ARP and NDP", objects("ArpExchange", rows.arp), [
    ["time", (a) => a.request_ns, time((a) => a.request_ns)],
    ["protocol", (a) => a.protocol],
    ["asked", (a) => a.asked_ip],
    ["asker", (a) => (a.asker_ip === null ? a.asker : `${a.asker_ip} (${a.asker})`), { wide: true }],
    ["answer", (a) => a.answer_mac ?? "unanswered"],
    ["after", (a) => a.latency_ns, took((a) => a.latency_ns)],
    ["asked times", (a) => a.requests, { number: true }],
    ["seen at", (a) => `${a.point} #${a.request_frame}${a.reply_frame === null ? "" : `, #${a.reply_frame}`}`],
  ], "Nobody asked for an address.");
}

function learntTable() {
  return plain("Learnt by bridges", objects("LearntMac", rows.learnt), [
    ["time", (l) => l.time_ns, time((l) => l.time_ns)],
    ["MAC", (l) => l.mac],
    ["bridge", (l) => l.bridge],
    ["behind", (l) => l.point],
    ["container", (l) => l.container],
    ["by frame", (l) => l.frame, { number: true }],
    ["moved from", (l) => l.moved_from],
    ["recorded entry", (l) => l.entry, { wide: true }],
  ], "No bridge learnt anything: that takes a packet which several points saw.");
}

function natTable() {
  const list = rows.connections.filter((row) => natOf.get(row[0]).length).map((row) => unpack("Connection", row));
  const mappings = list.flatMap((one) => one.nat.map((change) => ({ ...change, of: one })));
  return plain("NAT mappings", mappings, [
    ["connection", (m) => m.of.id, { cell: (m) => el("a", { href: link({ view: "journeys", q: `c${m.of.id}`, j: null }) }, `C${m.of.id}`) }],
    ["kind", (m) => (m.rule?.includes("MASQUERADE") ? "MASQUERADE" : m.kind)],
    ["before", (m) => m.before],
    ["after", (m) => m.after],
    ["reply", (m) => tuple(m.of.reply), { wide: true }],
    ["rule", (m) => m.rule, { wide: true }],
    ["begins", (m) => m.of.first_ns, time((m) => m.of.first_ns)],
    ["seen for", (m) => m.of.last_ns - m.of.first_ns, took((m) => m.of.last_ns - m.of.first_ns)],
    ["conntrack", (m) => (m.of.conntrack_id === null ? null : `id=${m.of.conntrack_id}${m.of.conntrack_state ? ` ${m.of.conntrack_state}` : ""}${m.of.conntrack_timeout_s === null ? "" : `, ${m.of.conntrack_timeout_s} s left`}`)],
    ["basis", (m) => m.basis],
  ], "Nothing was translated.");
}

function nameTable() {
  return plain("DNS", objects("NameQuery", rows.names), [
    ["time", (n) => n.asked_ns, time((n) => n.asked_ns)],
    ["name", (n) => n.name, { wide: true }],
    ["type", (n) => n.kind],
    ["asker", (n) => n.asker],
    ["server", (n) => n.server],
    ["outcome", (n) => n.outcome ?? "unanswered"],
    ["records", (n) => n.records.join(", "), { wide: true }],
    ["after", (n) => n.latency_ns, took((n) => n.latency_ns)],
    ["question", (n) => n.journey, goes((n) => n.journey)],
    ["its answer", (n) => n.answer, goes((n) => n.answer)],
  ], "No DNS message was seen.");
}

function errorTable() {
  const about = reader("ToldJourney", "error_about");
  const list = rows.journeys.filter((row) => about(row) !== null);
  return plain("ICMP errors", list, [
    ["time", (r) => hop.time_ns(firstHop(r)), time((r) => hop.time_ns(firstHop(r)))],
    ["error", field.id, goes(field.id)],
    ["says", field.summary, { wide: true }],
    ["from", (r) => hop.src(firstHop(r))],
    ["to", (r) => hop.dst(rawHops(r).at(-1))],
    ["about", about, goes(about)],
    ["which was", (r) => (journeyRows.has(about(r)) ? field.summary(journeyRows.get(about(r))) : null), { wide: true }],
    ["its way", (r) => (journeyRows.has(about(r)) ? way(journeyRows.get(about(r))) : null), { wide: true }],
  ], "No ICMP error that quotes a packet of these captures.");
}
