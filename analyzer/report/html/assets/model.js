// What belongs together: journeys of a connection, of an incident, and what is compared with them.

const findings = rows.findings.map((row) => unpack("ToldFinding", row));
const decisionOf = new Map(rows.decisions.map((row) => unpack("Decision", row)).map((one) => [one.journey, one]));
const partyOf = new Map(rows.parties.map((row) => unpack("Party", row)).map((one) => [one.address, one]));
const serviceOf = new Map([...partyOf.values()].filter((one) => one.service !== null).map((one) => [one.name, one.service]));
const worked = rows.worked.map((row) => unpack("Worked", row));
const notes = rows.notes.map((row) => unpack("Note", row));
const losses = rows.losses.map((row) => unpack("Loss", row));
const nodes = rows.nodes.map((row) => unpack("Node", row));
const edges = rows.edges.map((row) => unpack("Edge", row));

const field = Object.fromEntries(
  ["id", "connection", "direction", "protocol", "summary", "disposition", "latency_ns", "answered_by", "retransmission_of",
    "error_about", "ambiguous", "tcp_flags", "payload_len", "rejected_by", "answers", "seq", "window", "says", "cause"].map((name) => [name, reader("ToldJourney", name)]),
);
const hop = Object.fromEntries(
  ["point", "frames", "time_ns", "src", "dst", "sport", "dport", "eth_src", "eth_dst", "vlan"].map((name) => [name, reader("Hop", name)]),
);
const hopsAt = fields.ToldJourney?.get("hops").index;
const rawHops = (row) => row[hopsAt];
const timeOf = (row) => hop.time_ns(rawHops(row)[0]);
/** Journeys on one ladder, and of one connection that are all told of an incident. */
const MOST_TOGETHER = 400, MOST_WHOLE = 60;

const ofConnection = new Map();
const sentAgain = new Map();
const atFrame = new Map();
for (const row of rows.journeys) {
  const [id, connection, again] = [field.id(row), field.connection(row), field.retransmission_of(row)];
  if (connection !== null) ofConnection.set(connection, [...(ofConnection.get(connection) ?? []), id].slice(0, 1e5));
  if (again !== null) sentAgain.set(again, [...(sentAgain.get(again) ?? []), id]);
  if (["arp", "icmpv6"].includes(field.protocol(row))) {
    for (const one of rawHops(row)) atFrame.set(`${hop.point(one)} ${hop.frames(one)[0]}`, id);
  }
}

/** Whether a journey did not get where it was to go, or had to be sent again and was never answered. */
function isBad(id) {
  return BAD.includes(field.disposition(journeyRows.get(id)));
}

/** Whether a packet is evidence of a loss, though its end is not: it left, and was sent again, or never answered. */
const unanswered = new Set(rows.arp.map((row) => unpack("ArpExchange", row)).filter((one) => one.answer_mac === null).map((one) => `${one.asked_ip} ${one.asker_ip}`));
function wasLostBeyond(id) {
  const row = journeyRows.get(id);
  if (field.protocol(row) === "arp") return /^ARP who has/.test(field.summary(row)) && unanswered.has(`${hop.dst(rawHops(row)[0])} ${hop.src(rawHops(row)[0])}`);
  if (!["left-host", "not-observable"].includes(field.disposition(row))) return false;
  const [again, answered] = [(sentAgain.get(id) ?? []).length > 0, field.answered_by(row) !== null];
  return field.cause(row) === null ? again && !answered : again || !answered; // a copy of it may be what was answered
}

/** Whether a packet is a question of who has an address, or its answer: flooded, it is no part of anybody's way. */
function isNeighbours(one) {
  return one.protocol === "arp" || /^NDP /.test(one.summary);
}

/** A packet's name: what its payload says, else what it is without its protocol, which is told beside it. */
const questionIn = new Map();
for (const one of rows.names.map((row) => unpack("NameQuery", row))) {
  for (const id of [one.journey, one.answer]) if (id !== null) questionIn.set(id, one);
}
function packetName(row) {
  return field.says(row) ?? field.summary(row).replace(/^(TCP|ICMP|ICMPv6) (?=\S)/, "");
}

function inOrder(ids) {
  return [...new Set(ids)].filter((id) => journeyRows.has(id)).sort((a, b) => timeOf(journeyRows.get(a)) - timeOf(journeyRows.get(b)) || a - b);
}

/** Questions and answers of ARP and NDP that a journey waited for. */
function waitedFor(id) {
  const found = [];
  for (const step of journey(id).steps) {
    if (step.exchange === null) continue;
    const { point, request_frame, reply_frame } = step.exchange;
    found.push(atFrame.get(`${point} ${request_frame}`), atFrame.get(`${point} ${reply_frame}`));
  }
  return found.filter((one) => one !== undefined);
}

function evidenceOf(finding) {
  const ids = finding.evidence.map((one) => one.journey ?? atFrame.get(`${one.point} ${one.frame}`) ?? null);
  return [...new Set(ids.filter((id) => id !== null && journeyRows.has(id)))];
}

const together = new Map();
/** The journeys of an incident, a connection or a journey, in order of time. */
function journeysOf(one) {
  const name = nameOf(one);
  if (!together.has(name)) together.set(name, gathered(one));
  return together.get(name);
}

function gathered(one) {
  if (one.kind === "c") {
    const { relayed_to, relayed_from } = connection(one.id);
    return inOrder(withErrors([one.id, relayed_to, relayed_from].flatMap((id) => ofConnection.get(id) ?? [])));
  }
  if (one.kind === "j") {
    const own = journey(one.id);
    const family = [own.id, own.answers, own.answered_by, own.rejected_by, own.error_about, own.retransmission_of, ...waitedFor(own.id), ...(sentAgain.get(own.id) ?? [])];
    return inOrder(family.filter((id) => id !== null));
  }
  const finding = findings[one.id];
  const evidence = evidenceOf(finding);
  const connections = new Set(evidence.map((id) => field.connection(journeyRows.get(id))).filter((id) => id !== null));
  const found = evidence.flatMap((id) => [...waitedFor(id), id, ...askedAgain(id)]);
  for (const id of connections) {
    const all = ofConnection.get(id) ?? [];
    found.push(...(all.length <= MOST_WHOLE ? all : all.filter((other) => isBad(other) || wasLostBeyond(other) || sentAgain.has(other)).slice(0, MOST_WHOLE)));
  }
  return inOrder(withErrors(found));
}

/** The same question of the same asker, if it is one that nobody answered. */
function askedAgain(id) {
  const row = journeyRows.get(id);
  if (field.protocol(row) !== "arp" || !wasLostBeyond(id)) return [];
  const same = (other) => field.protocol(other) === "arp" && field.summary(other) === field.summary(row) && hop.src(rawHops(other)[0]) === hop.src(rawHops(row)[0]);
  return rows.journeys.filter(same).map(field.id).slice(0, MOST_WHOLE);
}

function withErrors(ids) {
  return ids.flatMap((id) => [id, field.rejected_by(journeyRows.get(id))]).filter((id) => id !== null);
}

/** The incidents that a connection or journey is evidence of. */
function incidentsOf(one) {
  return findings.map((_, id) => id).filter((id) => {
    const ids = journeysOf({ kind: "i", id });
    return one.kind === "j" ? ids.includes(one.id) : ids.some((other) => field.connection(journeyRows.get(other)) === one.id);
  });
}

/** A connection that went well from the same container to the same host, or to another one. */
function comparedWith(ids) {
  const first = ids.map((id) => field.connection(journeyRows.get(id))).find((id) => id !== null);
  if (first === undefined) return null;
  const own = connection(first);
  const all = rows.connections.map((row) => unpack("Connection", row)).slice(0, 2000);
  const fine = (one) => one.id !== first && (ofConnection.get(one.id) ?? []).length > 1 && (ofConnection.get(one.id) ?? []).every((id) => !isBad(id) && !wasLostBeyond(id)) && (ofConnection.get(one.id) ?? []).some((id) => field.direction(journeyRows.get(id)) === "reply");
  const here = new Set(ids.map((id) => field.connection(journeyRows.get(id))));
  const alike = (one) => !here.has(one.id) && one.original.src === own.original.src && one.original.dst === own.original.dst && one.original.dport !== own.original.dport;
  return all.find((one) => alike(one) && fine(one)) ?? null;
}

/** The journey that stands for a selection: the chosen one, else the first that broke, else the first with a connection. */
function standsFor(now) {
  if (now.chosen === null) return null;
  if (now.chosen.kind === "j") return now.chosen.id;
  const ids = journeysOf(now.chosen);
  if (now.chosen.kind === "i") {
    const evidence = evidenceOf(findings[now.chosen.id]);
    return evidence.find(isBad) ?? evidence[0] ?? ids[0] ?? null;
  }
  return ids.find((id) => field.connection(journeyRows.get(id)) === now.chosen.id) ?? ids[0] ?? null;
}

/** What a selection is part of: its incident, connection, or itself. */
function contextOf(now) {
  if (now.chosen === null || now.chosen.kind !== "j") return now.chosen;
  const connection = field.connection(journeyRows.get(now.chosen.id));
  return now.of ?? (connection !== null && connectionRows.has(connection) ? { kind: "c", id: connection } : now.chosen);
}
