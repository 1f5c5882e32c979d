// The way: which nodes the journeys of a selection pass, in order, and where it breaks. Its nodes head the ladder's lanes.

const INSIDE = ["container", "veth"];
const TIMES = 84, LEAST_GAP = 92, NODE = 130;

/** Put sequences of points into one order that keeps each of them, the longest first. */
function merged(sequences) {
  const order = [];
  for (const sequence of [...sequences].sort((a, b) => b.length - a.length)) {
    sequence.forEach((name, n) => {
      if (order.includes(name)) return;
      const before = sequence.slice(0, n).reverse().find((one) => order.includes(one));
      const after = sequence.slice(n + 1).find((one) => order.includes(one));
      if (before !== undefined) order.splice(order.indexOf(before) + 1, 0, name);
      else if (after !== undefined) order.splice(order.indexOf(after), 0, name);
      else order.push(name);
    });
  }
  return order;
}

/** The first of a node's addresses that is of the same version of IP. */
function addressOf(node, six) {
  return node?.details.find((one) => /^[\da-f.:]+(\/\d+)?$/i.test(one) && one.includes(":") === six) ?? node?.details[0] ?? "";
}

/** A point's name without that of its host, which stands above it. */
function bare(point) {
  return point.host !== null && point.name.startsWith(`${point.host}:`) ? point.name.slice(point.host.length + 1) : point.name;
}

function pointNode(name, names, six = false) {
  const point = pointOf.get(name);
  const node = nodes.find((one) => one.point === name);
  const container = nodes.find((one) => one.kind === "container" && one.name === point.container && one.host === point.host);
  const twin = INSIDE.includes(point.role) && names.some((other) => other !== name && INSIDE.includes(pointOf.get(other).role) && pointOf.get(other).container === point.container);
  const isContainer = INSIDE.includes(point.role) && point.container !== null && !(twin && point.role === "veth");
  return {
    kind: "point", point: name, host: point.host, role: point.role,
    name: isContainer ? point.container : (point.interface ?? bare(point)),
    sub: isContainer ? addressOf(container, six) : point.role === "bridge" || !node?.details.length ? point.role : addressOf(node, six),
    at: isContainer ? `captured at\n${bare(point)}` : "captured",
  };
}

/** What stopped a journey: the stage of its host's decision, or the step that says so. */
function breakOf(id) {
  const one = journey(id);
  const decision = decisionOf.get(id) ?? [...decisionOf.values()].find((other) => field.connection(journeyRows.get(other.journey) ?? []) === one.connection && one.connection !== null && journeyRows.has(other.journey) && journey(other.journey).disposition === one.disposition);
  const stage = decision?.stages.find((other) => other.outcome === "stopped") ?? null;
  const step = one.steps.find((other) => other.kind === "filter") ?? null;
  return { kind: wasLostBeyond(id) ? "lost" : one.disposition, stage, step, decision: decision ?? null };
}

/**
 * The nodes of a selection: those of its journeys' points, what lies outside, the hook where it broke.
 * `place` tells a point's lane, `broken` the lane of the hook, -1 without one.
 */
function wayOf(ids, chosen, width) {
  const told = ids.map(journey).filter((one) => !isNeighbours(one) && one.hops.length);
  const main = told.length ? told : ids.map(journey);
  const sequence = (one) => {
    const names = one.hops.map((h) => h.point).filter((name, n, all) => n === 0 || all[n - 1] !== name);
    return one.direction === "reply" ? names.reverse() : names;
  };
  const onward = main.filter((one) => one.connection !== null && connection(one.connection).relayed_from !== null);
  const parts = onward.length && onward.length < main.length ? [main.filter((one) => !onward.includes(one)), onward] : [main];
  const order = [...new Set(parts.flatMap((part) => merged(part.map(sequence))))];
  const own = main.find((one) => one.id === chosen);
  const asks = (one) => one.direction !== "reply" && one.error_about === null;
  const first = [own, ...main.filter((one) => own !== undefined && one.connection === own.connection), ...main].find((one) => one !== undefined && asks(one)) ?? main[0];
  const six = Boolean(first?.hops[0].src?.includes(":"));
  let lanes = order.map((name) => pointNode(name, order, six));
  const bad = (chosen !== null && isBad(chosen) ? chosen : null) ?? ids.find((id) => isBad(id) && journey(id).direction !== "reply") ?? ids.find(isBad) ?? null;
  addHook(lanes, bad, six);
  addProxy(lanes, main);
  addOutside(lanes, first);
  const back = (bad ?? own?.id ?? null) !== null && journey(bad ?? own.id).direction === "reply";
  const counted = main.filter((one) => one.direction === (journeyRows.has(chosen) ? journey(chosen).direction : "original") && one.connection !== null);
  for (const lane of lanes) {
    if (lane.kind !== "point") continue;
    const seen = counted.filter((one) => one.hops.some((h) => h.point === lane.point)).length;
    lane.count = counted.length ? `${count(seen)} of ${count(counted.length)} seen` : "";
    lane.passed = seen > 0 || !counted.length;
  }
  lanes = folded(lanes, chosen, width);
  const place = new Map();
  lanes.forEach((lane, n) => (lane.points ?? [lane.point]).forEach((name) => name && place.set(name, n)));
  const room = width - TIMES - 14;
  const gap = Math.min(Math.max(room / lanes.length, lanes.length > 1 ? (room - NODE) / (lanes.length - 1) : 0), 230);
  const box = Math.min(gap - 8, NODE);
  const left = TIMES + box / 2 + Math.max((room - box - gap * (lanes.length - 1)) / 2, 0);
  lanes.forEach((lane, n) => (lane.x = Math.round(left + n * gap)));
  const ended = bad === null && (chosen === null || !wasLostBeyond(chosen)) ? null : journey(bad ?? chosen);
  return { lanes, place, broken: lanes.findIndex((lane) => lane.kind === "hook"), bad, gap, box, back, ended };
}

/** Put the hook that stopped a journey behind the point that saw it last, and the way out that it did not reach. */
function addHook(lanes, bad, six) {
  if (bad === null) return;
  const one = journey(bad);
  const { kind, stage, step, decision } = breakOf(bad);
  const reversed = one.direction === "reply";
  const last = lanes.findIndex((lane) => lane.point === one.hops.at(-1).point);
  const next = losses.find((loss) => loss.disposition === kind && loss.last_point === one.hops.at(-1).point)?.next_point ?? null;
  const out = points.find((point) => decision !== null && point.host === decision.host && (point.interface ?? point.name) === decision.out);
  const there = INSIDE.includes(pointOf.get(one.hops.at(-1).point).role) && pointOf.get(one.hops.at(-1).point).container === partyOf.get(one.hops.at(-1).dst)?.name;
  const waiting = there ? null : (out?.name ?? next); // where it was to go, unless it is there
  const add = (place, lane) => lanes.splice(place, 0, lane);
  if (waiting !== null && waiting !== undefined && pointOf.has(waiting) && !lanes.some((lane) => lane.point === waiting)) {
    add(reversed ? Math.max(last, 0) : last + 1, { ...pointNode(waiting, [], six), waiting: true, at: "captured,\nnot reached" });
  }
  if (kind === "lost" || (stage === null && step === null)) return;
  const name = stage?.name.split(" ").at(-1) ?? "host";
  const isRule = stage !== null && (stage.chain !== null || stage.rule !== null);
  const place = lanes.findIndex((lane) => lane.point === one.hops.at(-1).point);
  add(reversed ? place : place + 1, {
    kind: "hook", host: pointOf.get(one.hops.at(-1).point).host, name: isRule ? name : "host", sub: isRule ? `${stage.name.split(" ").slice(0, -1).join(" ")} hook` : clip(stage?.name ?? "", 18),
    verdict: kind, count: kind, at: isRule && stage.number !== null ? `${stage.chain}\nrule ${stage.number}` : isRule ? "policy" : "",
  });
}

/** Put the process between its two connections that takes from one what it sends in the other. */
function addProxy(lanes, main) {
  const before = main.find((one) => one.connection !== null && connection(one.connection).relayed_to !== null);
  const after = main.find((one) => one.connection !== null && before !== undefined && one.connection === connection(before.connection).relayed_to);
  if (after === undefined) return;
  const place = lanes.findIndex((lane) => after.hops.some((h) => h.point === lane.point) && !before.hops.some((h) => h.point === lane.point));
  const text = main.flatMap((one) => one.steps).find((step) => step.kind === "proxy")?.text ?? "";
  const name = /^proxy: ([\w.-]+) takes/.exec(text)?.[1] ?? (/user-mode/.test(text) ? "user-mode network" : "docker-proxy");
  if (place > 0) lanes.splice(place, 0, { kind: "proxy", host: lanes[place - 1].host, name, sub: `C${before.connection}, then C${after.connection}`, count: "", at: "a process", passed: true });
}

/** Add who is beyond what was captured, as far as addresses tell it. */
function addOutside(lanes, first) {
  if (first === undefined || first.hops[0].src === null || !lanes.length) return;
  const [a, z] = [first.hops[0], first.hops.at(-1)];
  const own = (ip) => partyOf.get(ip)?.kind === "host";
  const outside = (ip, port, host) => own(ip) ? { kind: "self", host: partyOf.get(ip).host, name: "this host", sub: ip, at: "", count: port === null ? "" : `port ${port}`, passed: true } : ({ kind: "outside", host: null, name: partyOf.get(ip)?.kind === "gateway" ? "gateway" : clip(named(ip), 22), sub: named(ip) === ip ? (port === null ? "" : `port ${port}`) : end(ip, port), at: "", count: "no capture", near: host });
  const seam = (lane) => lane.kind === "point" && !INSIDE.includes(lane.role) && lane.role !== "loopback";
  if (isNeighbours(first)) {
    if (first.protocol === "arp" && wasLostBeyond(first.id)) lanes.push({ kind: "outside", host: null, name: a.dst, sub: "asked for", at: "", count: "no answer" });
    return;
  }
  const there = new Set(lanes.map((lane) => lane.name));
  if (seam(lanes[0]) && !there.has(named(a.src))) lanes.unshift(outside(a.src, null, null));
  if (!there.has(named(z.dst)) && (seam(lanes.at(-1)) || lanes.at(-1).kind === "hook")) {
    const last = lanes.at(-1);
    const uplink = nodes.findIndex((node) => node.kind === "uplink" && (node.point === last.point || node.name === last.name));
    const gateway = nodes.find((node, n) => node.kind === "gateway" && node.name.includes(":") === z.dst.includes(":") && edges.some((edge) => (edge.a === uplink && edge.b === n) || (edge.b === uplink && edge.a === n)));
    if (gateway !== undefined && !own(z.dst) && last.role === "uplink" && gateway.name !== z.dst && lanes.length < 7) lanes.push({ kind: "outside", host: null, name: "gateway", sub: gateway.name, at: "", count: "no capture" });
    lanes.push(outside(z.dst, z.dport, null));
  }
}

/** Fold lanes that only pass the journey on, where there are more than fit. */
function folded(lanes, chosen, width) {
  const most = Math.max(Math.floor((width - TIMES - 14) / LEAST_GAP), 3);
  if (lanes.length <= most) return lanes;
  const one = chosen === null ? null : journey(chosen);
  const quiet = (lane, n) => lane.kind === "point" && !lane.waiting && n > 0 && n < lanes.length - 1 && one?.hops.at(-1).point !== lane.point && !one?.hops.some((h) => h.point === lane.point && h.rewrites.some((r) => ["src", "dst"].includes(r.field)));
  const middle = lanes.map((lane, n) => [lane, n]).filter(([lane, n]) => quiet(lane, n)).map(([, n]) => n);
  const away = middle.slice(0, lanes.length - most + 1);
  if (!away.length) return lanes;
  const more = { kind: "more", host: lanes[away[0]].host, name: `${away.length} more`, sub: "pass it on", at: "", count: "", passed: true, points: away.map((n) => lanes[n].point) };
  const kept = lanes.filter((_, n) => !away.includes(n));
  kept.splice(away[0], 0, more);
  return kept;
}

/** Draw the way: a box for each node, the host's frame behind, and the mark where it broke. */
function drawWay(way, width, chosen) {
  const { lanes, box } = way;
  const picture = svg("svg", { class: "way-picture", width, height: 134, viewBox: `0 0 ${width} 134`, role: "group", "aria-label": `The way: ${lanes.map((lane) => `${lane.name} ${lane.count}`).join("; ")}` });
  const hosts = [...new Set(lanes.filter((lane) => lane.kind !== "outside").map((lane) => lane.host))];
  for (const host of hosts) {
    const own = lanes.filter((lane) => lane.kind !== "outside" && lane.host === host);
    const [from, to] = [own[0].x - box / 2 - 6, own.at(-1).x + box / 2 + 6];
    picture.append(svg("rect", { class: "host", x: from, y: 4, width: to - from, height: 126, rx: 6 }), svg("text", { class: "dim", x: from + 8, y: 18 }, fit(host === null ? "the host" : `host ${host}`, to - from - 16)));
  }
  lanes.forEach((lane, n) => {
    if (lane.kind === "outside" && (n === 0 || lanes[n - 1].kind !== "outside")) {
      const last = lanes.findLastIndex((one, k) => k >= n && lanes.slice(n, k + 1).every((other) => other.kind === "outside"));
      picture.append(svg("text", { class: "dim", x: lane.x - box / 2, y: 18 }, fit("beyond: no capture", lanes[last].x - lane.x + box)));
    }
    if (n > 0) picture.append(joint(lanes[n - 1], lane, box, way));
    picture.append(nodeBox(lane, n, box));
  });
  const side = (way.back ? 1 : -1) * (box / 2);
  if (way.broken >= 0) picture.append(mark(lanes[way.broken].verdict, { size: 18, x: lanes[way.broken].x + side - 9, y: 48 }));
  else if (way.ended !== null && way.place.has(way.ended.hops.at(-1).point)) {
    const { kind } = breakOf(way.ended.id);
    picture.append(mark(kind, { size: 18, x: lanes[way.place.get(way.ended.hops.at(-1).point)].x - side - 9, y: 48 }));
  }
  const nat = natLine(chosen);
  if (nat && lanes.length > 1) picture.append(svg("text", { class: "nat", x: lanes.at(-1).x + box / 2, y: 125, "text-anchor": "end" }, fit(`◇ ${nat}`, lanes.at(-1).x - lanes[0].x + box, 11, 650)));
  return picture;
}

function natLine(chosen) {
  const id = chosen === null ? null : field.connection(journeyRows.get(chosen));
  const one = id === null ? null : connection(id);
  return one === null ? "" : one.nat.map((change) => `${natWord(change)} ${change.before} → ${change.after}`).join("; ");
}

function joint(a, b, box, way) {
  const place = way.lanes.indexOf(b);
  const behind = way.broken >= 0 && (way.back ? place <= way.broken : place > way.broken);
  const dead = b.waiting || behind || b.count === "not reached";
  const kind = dead ? "dead" : a.kind === "outside" || b.kind === "outside" ? "unseen" : "seen";
  const [from, to] = [a.x + box / 2, b.x - box / 2];
  return svg("path", { class: `joint ${kind}`, d: `M${from} 57H${to}${kind === "dead" || to - from < 7 ? "" : way.back ? `M${from + 6} 53l-6 4l6 4` : `m-6 -4l6 4l-6 4`}` });
}

function nodeBox(lane, n, box) {
  const state = lane.kind === "hook" ? `broken ${lane.verdict}` : lane.kind === "outside" ? "outside" : lane.waiting || lane.passed === false ? "waiting" : "passed";
  const [x, y] = [lane.x - box / 2, 29];
  const test = lane.kind === "point" ? `point == ${quoted(lane.point)}` : null;
  const middle = (text, dy, kind, size, weight) => svg("text", { class: kind, x: lane.x, y: y + dy, "text-anchor": "middle" }, fit(text, box - 6, size, weight));
  const below = (lane.at ?? "").split("\n");
  const body = [
    svg("rect", { x, y, width: box, height: 56, rx: 4 }),
    middle(lane.name, 17, wide(lane.name, 12, 650) > box - 6 ? "name small" : "name", wide(lane.name, 12, 650) > box - 6 ? 11 : 12, 650), middle(lane.sub ?? "", 33, "sub"), middle(lane.waiting ? lane.count || "not reached" : lane.count ?? "", 49, "seen"),
    ...below.map((line, n) => svg("text", { class: "at", x: lane.x, y: y + 69 + n * 12, "text-anchor": "middle" }, fit(line, box + (lane.kind === "hook" ? 20 : 2), 11, lane.kind === "hook" ? 650 : 400))),
  ];
  const title = svg("title", {}, [lane.name, lane.sub, lane.count, lane.at?.replace("\n", " "), lane.point].filter(Boolean).join("; "));
  const node = svg("g", { class: `way-node ${state}`, "data-lane": n, "data-node": lane.name }, title, ...body);
  if (test === null) return node;
  const button = svg("a", { href: link({ f: test }), "aria-label": `${lane.name}: only what passes here` }, node);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    toggleTest(test, event.shiftKey);
  });
  return button;
}
