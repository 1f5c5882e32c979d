// The ladder: a row a journey, time downwards, on the lanes of the way. A ring at each point that saw the packet; a leg
// that turns back is drawn below the one before; a mark stands where the packet ended.

const LEG = 15, SILENT = 10, ROUTINE = 3, MANY = 16;
const unfolded = new Set();
const badged = new Set(["src", "dst"]);

/** The hops of a journey as legs: runs of lanes in one direction. A hop that only lies between turns nothing back. */
function legsOf(one, way) {
  const stops = one.hops.map((h, n) => ({ lane: way.place.get(h.point), hop: h, n })).filter((stop) => stop.lane !== undefined);
  const legs = [];
  let direction = 0;
  for (const stop of stops) {
    const leg = legs.at(-1);
    const step = leg === undefined ? 0 : Math.sign(stop.lane - leg.at(-1).lane);
    if (leg !== undefined && step === 0 && way.lanes[stop.lane].kind === "more") continue;
    if (leg === undefined) legs.push([stop]);
    else if (step !== 0 && (direction === 0 || step === direction)) {
      leg.push(stop);
      direction = step;
    } else if (step === -direction && step !== 0 && isBetween(stop, leg, stops.at(-1))) {
      leg.splice(leg.findIndex((other) => Math.sign(other.lane - stop.lane) === direction), 0, stop);
    } else {
      legs.push(step === 0 ? [stop] : [{ ...leg.at(-1), turn: true }, stop]);
      direction = step;
    }
  }
  return legs;
}

/** Whether a hop lies on a leg that was drawn already, and nothing was translated there: a bridge's copy came late. */
function isBetween(stop, leg, last) {
  const lanes = leg.map((other) => other.lane);
  const within = stop.lane > Math.min(...lanes) && stop.lane < Math.max(...lanes) && !lanes.includes(stop.lane);
  return within && stop !== last && !stop.hop.rewrites.some((r) => badged.has(r.field));
}

function isFlooded(one) {
  return one.steps.some((step) => step.kind === "fdb" && /^flooded/.test(step.text));
}

/** What a row says of a packet: its name, and what it carries. */
function rowTitle(one) {
  const again = one.retransmission_of !== null ? " again" : "";
  return `J${one.id} ${packetName(journeyRows.get(one.id))}${again}`;
}

/** Byte range of a segment, counted from the first that was seen in its direction. */
function rangeText(one) {
  if (one.seq === null || !one.payload_len) return "";
  const from = progress(one);
  return from === null ? "" : `${count(from)} to ${count(from + one.payload_len)}`;
}

/** Rows with what stands between them: silences, and runs of ordinary packets. */
function arranged(ids, chosen, context) {
  const list = ids.map(journey);
  const gaps = list.slice(1).map((one, n) => one.hops[0].time_ns - list[n].hops[0].time_ns).filter((gap) => gap >= 0);
  const usual = Math.max(median(gaps) ?? 0, 1e3);
  const ordinary = (one) => one.id !== chosen && list.length > MANY && one.connection !== null && !isBad(one.id) && !wasLostBeyond(one.id) && one.retransmission_of === null && !((one.tcp_flags ?? 0) & (SYN | FIN | RST)) && one.error_about === null && one.rejected_by === null && !(one.protocol.startsWith("icmp") && one.answered_by === null && one.answers === null);
  const found = [];
  let run = [];
  const flush = () => {
    const name = `${nameOf(context)} ${run[0]?.id}`;
    if (run.length >= ROUTINE && !unfolded.has(name)) found.push({ fold: run, name });
    else found.push(...run.map((one) => ({ one })));
    run = [];
  };
  list.forEach((one, n) => {
    const gap = n ? one.hops[0].time_ns - list[n - 1].hops[0].time_ns : 0;
    const silent = gap > SILENT * usual && gap > 1e7;
    if (silent || !ordinary(one)) flush();
    if (silent) found.push({ silence: gap, before: list[n - 1] });
    if (ordinary(one)) run.push(one);
    else found.push({ one });
  });
  flush();
  return found;
}

function drawLadder(way, ids, chosen, context, width, redraw) {
  const shown = ids.slice(0, MOST_TOGETHER);
  const start = shown.length ? journey(shown[0]).hops[0].time_ns : 0;
  const parts = [];
  let y = 14;
  parts.push(svg("text", { class: "dim", x: 6, y: 10 }, "since first"));
  for (const row of arranged(shown, chosen, context)) {
    if (row.one !== undefined) {
      const height = rowHeight(row.one, way, chosen);
      parts.push(drawRow(row.one, way, y, height, chosen, start, width));
      y += height;
    } else {
      parts.push(drawFold(row, y, width, redraw));
      y += 16;
    }
  }
  if (ids.length > shown.length) {
    parts.push(svg("text", { class: "dim", x: TIMES, y: y + 12 }, `${count(ids.length - shown.length)} more journeys: narrow them by a filter or a span of time`));
    y += 18;
  }
  const compared = context?.kind === "i" ? comparedWith(ids) : null;
  if (compared !== null && shown.length) y = drawCompared(compared, parts, way, y, width, start);
  const lines = way.lanes.map((lane) => svg("path", { class: `life ${lane.kind}`, d: `M${lane.x} 0V${y + 4}` }));
  const picture = svg("svg", { class: "ladder", width, height: y + 8, viewBox: `0 0 ${width} ${y + 8}`, role: "group", "aria-label": `Ladder: ${plural(shown.length, "journey")} on ${plural(way.lanes.length, "lane")}` }, ...lines, ...parts);
  return picture;
}

function rowHeight(one, way, chosen) {
  const legs = isFlooded(one) ? 1 : Math.max(legsOf(one, way).length, 1);
  return 26 + (legs - 1) * LEG + (one.id === chosen && one.hops.length > 1 && legs === 1 ? 16 : 0);
}

function drawFold(row, y, width, redraw) {
  const silence = row.silence !== undefined;
  const answer = silence && row.before.answered_by === null && row.before.connection !== null && row.before.direction === "original";
  const [first, last] = silence ? [] : [row.fold[0].id, row.fold.at(-1).id];
  const text = silence ? `${duration(row.silence)} without a packet${answer ? ", while an answer is waited for" : ""}` : `▸ J${first} to J${last}: ${count(row.fold.length)} packets in order`;
  const group = svg("g", { class: "fold" }, svg("rect", { x: 0, y: y + 1, width, height: 14 }), silence ? svg("path", { class: "zigzag", d: `M${TIMES - 18} ${y + 2}l6 3-6 3 6 3-6 3` }) : null, svg("text", { class: "dim", x: TIMES, y: y + 12 }, fit(text, width - TIMES - 8)));
  if (silence) return group;
  const button = svg("g", { role: "button", tabindex: "0", class: "opens", "aria-label": `Show J${first} to J${last}` }, group);
  const open = () => (unfolded.add(row.name), redraw());
  button.addEventListener("click", open);
  button.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), open()));
  return button;
}

/** One packet. */
function drawRow(one, way, y, height, chosen, start, width, other = false) {
  const current = one.id === chosen;
  const tone = other ? "other" : isBad(one.id) && one.error_about === null ? (one.retransmission_of !== null ? "again" : "main") : one.retransmission_of !== null ? "again" : one.error_about !== null ? "error" : one.protocol === "arp" || one.connection === null ? "other" : one.direction === "reply" ? "reply" : "main";
  const line = y + 17;
  const legs = legsOf(one, way);
  const parts = [svg("rect", { class: "ground", x: 0, y, width, height })];
  parts.push(svg("text", { class: "when", x: 6, y: line + 4 }, fit(`+${duration(one.hops[0].time_ns - start)}`, TIMES - 8)));
  if (!legs.length) return svg("g", {}, ...parts);
  parts.push(...(isFlooded(one) ? drawFan(one, way, line, tone) : legs.flatMap((leg, n) => drawLeg(one, leg, legs, n, way, line + n * LEG, tone))));
  parts.push(...drawChanges(one, legs, way, line, tone), ...drawTitle(one, legs, way, line, width));
  parts.push(...drawEnd(one, legs, way, line + (legs.length - 1) * LEG, tone, width));
  if (current && legs.length === 1 && !isFlooded(one)) parts.push(...drawTimes(one, legs[0], way, line));
  return svg("a", { class: `ladder-row${current ? " current" : ""}`, href: link({ chosen: { kind: "j", id: one.id } }), "aria-label": `${rowTitle(one)}, ${verdictName(one.disposition)}`, "aria-current": current ? "true" : null, "data-j": one.id, tabindex: current ? "0" : "-1" }, ...parts);
}

function arrowHead(x, y, direction, tone) {
  return svg("path", { class: `head ${tone}`, d: `M${x} ${y}l${-7 * direction} -4v8z` });
}

function drawLeg(one, leg, legs, n, way, y, tone) {
  const xs = leg.map((stop) => way.lanes[stop.lane].x);
  const direction = Math.sign(xs.at(-1) - xs[0]) || (one.direction === "reply" ? -1 : 1);
  const parts = [];
  if (xs.length > 1) parts.push(svg("path", { class: `line ${tone}`, d: `M${xs[0]} ${y}H${xs.at(-1)}` }));
  if (xs.length > 1) parts.push(arrowHead(xs.at(-1) - 4 * direction, y, direction, tone));
  if (n > 0) parts.unshift(turn(way.lanes[legs[n - 1].at(-1).lane].x, xs[0], y - LEG, y, tone));
  for (const stop of leg) if (!stop.turn) parts.push(svg("circle", { class: `ring ${tone}`, cx: way.lanes[stop.lane].x, cy: y, r: 3.2, "data-hop": stop.n }));
  return parts;
}

/** The bend between two legs, outwards. */
function turn(from, to, above, y, tone) {
  const side = from >= to ? 1 : -1;
  const out = Math.max(from, to) * (side > 0) + Math.min(from, to) * (side < 0) + 14 * side;
  return svg("path", { class: `line ${tone}`, d: `M${from} ${above}C${out} ${above} ${out} ${y} ${to} ${y}` });
}

function drawFan(one, way, y, tone) {
  const stops = one.hops.map((h) => way.place.get(h.point)).filter((lane) => lane !== undefined);
  const from = way.lanes[stops[0]].x;
  const parts = [...new Set(stops.slice(1))].flatMap((lane, n) => {
    const x = way.lanes[lane].x;
    const [direction, drop] = [Math.sign(x - from) || 1, n * 4];
    return [svg("path", { class: `line ${tone}`, d: `M${from} ${y}Q${from + 14 * direction} ${y + drop} ${from + 26 * direction} ${y + drop}H${x - 4 * direction}` }), arrowHead(x - 4 * direction, y + drop, direction, tone)];
  });
  return [...parts, ...[...new Set(stops)].map((lane, n) => svg("circle", { class: `ring ${tone}`, cx: way.lanes[lane].x, cy: y + (n > 1 ? (n - 1) * 4 : 0), r: 3.2 }))];
}

function drawTitle(one, legs, way, y, width) {
  const leg = legs[0];
  const [a, z] = [way.lanes[leg[0].lane].x, way.lanes[leg.at(-1).lane].x];
  const leftward = z < a || (z === a && one.direction === "reply");
  const start = leftward && outerOf(one, leg, way) ? way.lanes.at(-1).x : a;
  const text = rowTitle(one);
  const beside = leftward && wide(text, 11, 650) > start - TIMES - 10; // it does not fit in front of where it comes from
  const x = beside ? Math.min(a, z) + 6 : leftward ? start - 6 : a + 6;
  const shown = fit(text, leftward && !beside ? x - TIMES : width - x - 8, 11, 650);
  const parts = [svg("text", { class: `title${one.retransmission_of !== null ? " again" : ""}`, x, y: y - 6, "text-anchor": leftward && !beside ? "end" : "start" }, shown)];
  const range = rangeText(one);
  if (range && !beside && Math.abs(z - start) > wide(shown, 11, 650) + wide(range) + 24) parts.push(svg("text", { class: "dim", x: leftward ? z + 6 : z - 6, y: y - 6, "text-anchor": leftward ? "start" : "end" }, range));
  return parts;
}

/** Whether a packet came from beyond its first point. */
function outerOf(one, leg, way) {
  const role = pointOf.get(one.hops[0].point).role;
  return !INSIDE.includes(role) && way.lanes[leg[0].lane + 1]?.kind === "outside" && one.direction === "reply";
}

function drawChanges(one, legs, way, y, tone) {
  const parts = [];
  const tunnels = one.steps.filter((step) => step.kind === "tunnel" && /VNI \d/.test(step.text));
  const tunnelled = tunnels[Math.floor(tunnels.length / 2)];
  legs.forEach((leg, k) => leg.forEach((stop, n) => {
    if (stop.turn || stop.n === 0) return;
    const changes = one.hops[stop.n].rewrites.filter((r) => badged.has(r.field) && ["SNAT", "DNAT"].includes(r.by));
    const tunnel = tunnelled !== undefined && tunnelled.at_hop === stop.n ? tunnelled : undefined;
    if (!changes.length && !tunnel) return;
    const previous = n > 0 ? leg[n - 1] : legs[k - 1]?.at(-1);
    if (previous === undefined) return;
    const middle = (way.lanes[previous.lane].x + way.lanes[stop.lane].x) / 2;
    const room = Math.abs(way.lanes[previous.lane].x - way.lanes[stop.lane].x) || way.gap;
    const nat = changes.length ? natWordOf(one, changes[0]) : null;
    const first = nat !== null && firstOf(one);
    if (tunnel) parts.push(badge(/VNI \d+/.exec(tunnel.text)[0].replace("VNI", "VXLAN"), middle, y + k * LEG, "tunnel", room));
    else if (first) parts.push(badge(one.direction === "reply" ? `${nat} undone` : nat, middle, y + k * LEG, tone, room));
    else parts.push(svg("path", { class: "diamond", d: `M${middle} ${y + k * LEG - 5}l5 5-5 5-5-5z` }));
  }));
  return parts;
}

function natWordOf(one, change) {
  const of = one.connection === null ? null : connection(one.connection);
  return of?.nat.map(natWord).find((word) => (change.by === "SNAT" ? ["SNAT", "MASQUERADE"] : ["DNAT", "REDIRECT"]).includes(word)) ?? change.by;
}

/** Whether a journey is the first of its connection in its direction. */
function firstOf(one) {
  return (ofConnection.get(one.connection) ?? []).find((id) => field.direction(journeyRows.get(id)) === one.direction) === one.id;
}

function badge(text, x, y, tone, gap) {
  const short = text.endsWith(" undone") && wide(text) > gap - 18 ? "undone" : text;
  const shown = fit(short, Math.max(gap - 18, 40));
  const width = wide(shown) + 10;
  return svg("g", { class: `nat-badge ${tone}` }, svg("rect", { x: x - width / 2, y: y - 6, width, height: 14, rx: 2 }), svg("text", { x, y: y + 5, "text-anchor": "middle" }, shown));
}

/** What is beyond what was captured, and the mark where the packet ended. */
function drawEnd(one, legs, way, y, tone, width) {
  const parts = [];
  const [start, last] = [legs[0][0], legs.at(-1).at(-1)];
  const outside = (lane) => way.lanes[lane]?.kind === "outside";
  const firstY = y - (legs.length - 1) * LEG;
  const role = (h) => pointOf.get(h.point).role;
  const sx = way.lanes[start.lane].x, lx = way.lanes[last.lane].x;
  if (!INSIDE.includes(role(one.hops[0])) && one.protocol !== "arp") {
    const from = one.direction === "reply" ? [way.lanes.length - 1, start.lane + 1] : [0, start.lane - 1];
    if (outside(from[0]) && from[0] !== start.lane && outside(from[1])) parts.push(svg("path", { class: "unseen", d: `M${way.lanes[from[0]].x} ${firstY}H${sx}` }));
  }
  const proxy = way.lanes.findIndex((lane) => lane.kind === "proxy");
  if (proxy >= 0 && one.connection !== null) parts.push(...drawRelayed(one, way.lanes[proxy].x, sx, lx, firstY, y, tone));
  const { kind } = BAD.includes(one.disposition) || wasLostBeyond(one.id) ? breakOf(one.id) : { kind: null };
  const direction = Math.sign(lx - way.lanes[legs.at(-1)[0].lane].x) || (one.direction === "reply" ? -1 : 1);
  if (kind === null) {
    const target = one.direction === "reply" ? 0 : way.lanes.length - 1;
    const beyond = one.disposition === "left-host" || (one.disposition === "delivered" && !INSIDE.includes(role(one.hops.at(-1))));
    if (beyond && outside(target) && target !== last.lane && one.protocol !== "arp") {
      const x = way.lanes[target].x;
      parts.push(svg("path", { class: "unseen", d: `M${lx} ${y}H${x - 6 * direction}` }), arrowHead(x - 3 * direction, y, direction, "faint"));
    } else if (one.disposition === "not-observable") {
      parts.push(mark("not-observable", { size: 16, x: lx + 12 * direction - 8, y: y - 8 }));
    }
    return parts;
  }
  const hook = way.lanes[way.broken];
  const here = (kind === "dropped" || kind === "rejected") && hook !== undefined && Math.sign(hook.x - lx) === direction ? hook.x : lx + direction * Math.min(way.gap / 2, Math.max(46, one.hops.length === 1 ? wide(rowTitle(one), 11, 650) + 26 : 0));
  parts.push(svg("path", { class: `line ${tone}`, d: `M${lx} ${y}H${here - 8 * direction}` }), mark(kind, { size: 16, x: here - 8, y: y - 8 }));
  const rightwards = direction > 0;
  const told = one.protocol === "arp" ? "no answer" : kind === "lost" && wasLostBeyond(one.id) ? "lost beyond" : `${kind}, #${frameText(one.hops.at(-1).frames)}`;
  if (rightwards && width - here > 60) parts.push(svg("text", { class: `told ${kind === "lost" ? "warn" : "bad"}`, x: here + 13, y: y + 4 }, fit(told, width - here - 20)));
  return parts;
}

/** The end of a leg at the process that relays: it takes the packet, or sends it. */
function drawRelayed(one, x, sx, lx, firstY, y, tone) {
  const of = connection(one.connection);
  const takes = (of.relayed_to !== null) === (one.direction === "original");
  if (of.relayed_to === null && of.relayed_from === null) return [];
  const bar = svg("path", { class: "relay", d: `M${x} ${y - 8}v16` });
  if (takes) return [svg("path", { class: `line ${tone}`, d: `M${lx} ${y}H${x}` }), arrowHead(x - 2 * Math.sign(x - lx), y, Math.sign(x - lx), tone), bar];
  return [svg("path", { class: `line ${tone}`, d: `M${x} ${firstY}H${sx}` }), bar];
}

function drawTimes(one, leg, way, y) {
  return leg.slice(1).map((stop, n) => {
    const before = leg[n];
    const took = one.hops[before.n].latency_ns;
    return took === null ? null : svg("text", { class: "dim", x: (way.lanes[before.lane].x + way.lanes[stop.lane].x) / 2, y: y + 20, "text-anchor": "middle" }, duration(took));
  });
}

function drawCompared(compared, parts, way, y, width, start) {
  const ids = (ofConnection.get(compared.id) ?? []).slice(0, 2);
  const list = ids.map(journey);
  if (!list.every((one) => one.hops.some((h) => way.place.has(h.point)))) return y;
  const text = `For comparison, C${compared.id}: the same host, ${compared.original.dport === null ? compared.protocol : `port ${compared.original.dport}`}`;
  parts.push(svg("g", { class: "fold" }, svg("rect", { x: 0, y: y + 1, width, height: 14 }), svg("text", { class: "dim", x: TIMES, y: y + 12 }, fit(text, width - TIMES - 8))));
  y += 16;
  for (const one of list) {
    const height = rowHeight(one, way, null);
    parts.push(drawRow(one, way, y, height, null, start, width, true));
    y += height;
  }
  return y;
}
