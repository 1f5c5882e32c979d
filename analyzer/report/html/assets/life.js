// The right pane of a connection: its life from handshake to close, its two tuples, and where the time goes.

function lifeRow(kind, title, value, text) {
  return el("tr", {}, el("td", {}, mark(kind, { size: 14 })), el("th", { scope: "row" }, title), el("td", { class: "number" }, value), el("td", {}, text));
}

/** Journeys of a connection by direction, as rows. */
function ways(id) {
  const all = (ofConnection.get(id) ?? []).map((one) => journeyRows.get(one));
  const [forth, back] = ["original", "reply"].map((way) => all.filter((row) => field.direction(row) === way));
  return { all, forth, back };
}

function has(row, bits) {
  return ((field.tcp_flags(row) ?? 0) & bits) === bits;
}

function lifeOf(one) {
  const { all, forth, back } = ways(one.id);
  const name = (row) => `J${field.id(row)}`;
  const found = [];
  const again = all.filter((row) => field.retransmission_of(row) !== null);
  const sum = (list) => list.filter((row) => field.retransmission_of(row) === null).reduce((total, row) => total + (field.payload_len(row) ?? 0), 0);
  if (one.protocol === "tcp") {
    const syn = forth.find((row) => has(row, SYN));
    const answer = back.find((row) => has(row, SYN | ACK));
    const ack = answer && forth.find((row) => timeOf(row) >= timeOf(answer) && has(row, ACK) && !has(row, RST));
    if (syn === undefined) found.push(lifeRow("info", "Handshake", "", "before the captures began"));
    else if (answer === undefined) found.push(lifeRow("error", "Handshake", "", `SYN ${name(syn)}, no answer`));
    else found.push(lifeRow("delivered", "Handshake", duration(timeOf(ack ?? answer) - timeOf(syn)), `SYN ${name(syn)}, SYN-ACK ${name(answer)}${ack ? `, ACK ${name(ack)}` : ""}`));
  } else {
    const answered = forth.filter((row) => field.answered_by(row) !== null).length;
    found.push(lifeRow(back.length ? "delivered" : "warning", "Answers", count(back.length), back.length ? `to ${plural(forth.length, "packet")}${answered ? `, ${count(answered)} matched` : ""}` : `none to ${plural(forth.length, "packet")}`));
  }
  const bytes = [sum(forth), sum(back)];
  if (bytes[0] + bytes[1]) found.push(lifeRow("delivered", "Data", "", `${count(bytes[0])} B out, ${count(bytes[1])} B back`));
  if (one.protocol === "tcp") {
    found.push(again.length ? lifeRow("warning", "Sent again", count(again.length), again.slice(0, 5).map((row) => `${name(row)} after J${field.retransmission_of(row)}`).join(", ") + (again.length > 5 ? " …" : "")) : lifeRow("delivered", "Sent again", "0", "nothing"));
    const windows = all.filter((row) => !has(row, RST) && !has(row, SYN)).map((row) => field.window(row)).filter((window) => window !== null);
    if (windows.length) found.push(lifeRow(Math.min(...windows) === 0 ? "warning" : "delivered", "Window", count(Math.min(...windows)), Math.min(...windows) === 0 ? "shut: the receiver does not read" : "at the least, not scaled"));
    found.push(closeOf(all, name));
  }
  return el("table", { class: "life" }, el("tbody", {}, ...found));
}

function closeOf(all, name) {
  const reset = all.find((row) => has(row, RST));
  const side = (row) => (field.direction(row) === "original" ? "client" : "server");
  if (reset !== undefined) return lifeRow("rejected", "Close", "RST", `by ${side(reset)}, ${name(reset)}`);
  const fins = all.filter((row) => has(row, FIN) && field.retransmission_of(row) === null);
  if (!fins.length) return lifeRow("info", "Close", "", "open when the captures end");
  return lifeRow("delivered", "Close", fins.length > 1 ? duration(timeOf(fins.at(-1)) - timeOf(fins[0])) : "half", fins.slice(0, 2).map((row) => `FIN by ${side(row)} ${name(row)}`).join(", "));
}

function tuples(one) {
  const changed = (a, b) => (a === b ? null : "changed");
  const [original, reply] = [one.original, one.reply];
  const cells = (flow, other) => [el("td", { class: changed(end(flow.src, flow.sport), end(other.dst, other.dport)) }, el("code", {}, end(flow.src, flow.sport))), el("td", { class: changed(end(flow.dst, flow.dport), end(other.src, other.sport)) }, el("code", {}, end(flow.dst, flow.dport)))];
  const entry = one.conntrack_id === null ? null : `id ${one.conntrack_id}${one.conntrack_state ? `, ${one.conntrack_state}` : ""}${one.conntrack_timeout_s === null ? "" : `, ${one.conntrack_timeout_s} s left`}`;
  return block("conntrack, two tuples", one.basis,
    el("table", { class: "tuples" }, el("thead", {}, el("tr", {}, ...["tuple", "from", "to"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, el("tr", {}, el("th", { scope: "row" }, "original"), ...cells(original, reply)), el("tr", {}, el("th", { scope: "row" }, "reply"), ...cells(reply, original)))),
    ...one.nat.map((change) => el("div", {}, el("p", {}, el("b", {}, natWord(change)), ` ${change.before} → ${change.after} `, basisOf(change.basis)), change.rule === null ? null : el("code", { class: "line" }, change.rule))),
    one.nat.length ? null : el("p", {}, "Not translated."),
    one.published === null ? null : el("p", {}, `Published: ${one.published}`),
    entry === null ? null : el("p", { class: "dim" }, entry),
    one.relayed_to === null && one.relayed_from === null ? null : el("p", {}, one.relayed_to === null ? "Relayed from " : "Relayed as ", el("a", { href: link({ chosen: { kind: "c", id: one.relayed_to ?? one.relayed_from } }) }, `C${one.relayed_to ?? one.relayed_from}`)));
}

function beyondName(name) {
  const point = pointOf.get(name);
  return INSIDE.includes(point.role) ? `inside ${point.container ?? name}` : `beyond ${name}, and back`;
}

/** Median time from point to point, both ways, and what passes beyond the last point between a packet and its answer. */
function segments(one) {
  const { all } = ways(one.id);
  const took = new Map();
  const add = (name, kind, ns) => {
    if (ns === null || ns === undefined || ns < 0) return;
    if (!took.has(name)) took.set(name, { kind, times: [] });
    took.get(name).times.push(ns);
  };
  for (const row of all.slice(0, 500)) {
    const own = journey(field.id(row));
    own.hops.forEach((h, n) => n + 1 < own.hops.length && add(`${h.point} → ${own.hops[n + 1].point}`, "own", h.latency_ns));
    if (own.answered_by !== null && journeyRows.has(own.answered_by)) {
      const answer = journey(own.answered_by);
      const [from, to] = [own.hops.at(-1), answer.hops[0]];
      if (pointOf.get(from.point).host === pointOf.get(to.point).host) add(beyondName(from.point), "away", to.time_ns - from.time_ns);
    }
  }
  if (!took.size) return null;
  const list = [...took].map(([name, { kind, times }]) => ({ name, kind, ns: median(times) }));
  const most = Math.max(...list.map((row) => row.ns), 1);
  const bar = ({ kind, ns }) => svg("svg", { class: `bar ${kind}`, width: 90, height: 9, "aria-hidden": "true" }, svg("rect", { width: Math.max((ns / most) * 88, 1), height: 9 }));
  return block("Where the time goes, median", "observed", el("table", { class: "times" }, el("tbody", {}, ...list.map((row) => el("tr", {}, el("th", { scope: "row" }, row.name), el("td", { class: "number" }, duration(row.ns)), el("td", {}, bar(row)))))));
}

function whyConnection(id) {
  const one = connection(id);
  const incidents = incidentsOf({ kind: "c", id });
  return [
    el("h2", { id: "why-title" }, `C${id}: ${connectionTitle(one)}`),
    el("div", { class: "pane-body", tabindex: "0", role: "region", "aria-label": `Connection C${id}` },
      ...incidents.slice(0, 4).map((n) => el("p", { class: "incident" }, mark(findings[n].severity, { size: 14 }), " ", el("a", { href: link({ chosen: { kind: "i", id: n } }) }, findings[n].title))),
      block("Life", "observed", lifeOf(one)), tuples(one), segments(one),
      one.ambiguous ? el("p", {}, `Ambiguous${one.candidates ? ` with ${one.candidates.map((other) => `C${other}`).join(", ")}` : ""}: another grouping of the frames would explain them as well.`) : null),
  ];
}
