// The ladder: one lifeline a capture point, time downwards. A translated packet stays one line.

const LANE = 235;
const LEFT = 180;
const RIGHT = 258;
const REACH = 70;
const STEP = 46;
/** How far along a short arrow its rewrites stand: further than a journey's title, which is above its beginning. */
const BEHIND_TITLE = 0.7;

/** Journeys that belong together: what this one answers or is answered by, what was sent again, the error. */
function family(one) {
  const ids = new Set();
  const add = (id) => {
    if (id !== null && ids.size < 12 && journeyRows.has(id)) ids.add(id);
  };
  add(one.retransmission_of);
  add(one.answers);
  add(one.error_about);
  add(one.id);
  add(one.answered_by);
  add(one.rejected_by);
  for (const id of sentAgain().get(one.retransmission_of ?? one.id) ?? []) add(id);
  return [...ids].map(journey).sort((a, b) => a.hops[0].time_ns - b.hops[0].time_ns);
}

let again = null;
function sentAgain() {
  if (again === null) {
    again = new Map();
    const of = reader("ToldJourney", "retransmission_of");
    for (const row of rows.journeys) {
      if (of(row) !== null) again.set(of(row), [...(again.get(of(row)) ?? []), field.id(row)]);
    }
  }
  return again;
}

/** What happens, in order of time: frames at points, and questions with their answers. */
function events(journeys) {
  const found = [];
  const asked = new Set();
  for (const one of journeys) {
    one.hops.forEach((h, n) => found.push({ time: h.time_ns, order: n, kind: "hop", journey: one, hop: h, index: n }));
    for (const step of one.steps) {
      const x = step.exchange;
      if (x === null || asked.has(`${x.point} ${x.request_frame}`)) continue;
      asked.add(`${x.point} ${x.request_frame}`);
      found.push({ time: x.request_ns, order: 0, kind: "ask", exchange: x });
      if (x.reply_frame !== null) found.push({ time: x.request_ns + x.latency_ns, order: 0, kind: "answer", exchange: x });
    }
  }
  return found.sort((a, b) => a.time - b.time || (a.journey?.id ?? -1) - (b.journey?.id ?? -1) || a.order - b.order);
}

const ROLES = ["container", "veth", "bridge", "overlay", "loopback", "uplink", "unknown"];

/** The points of these events, from the inside of a host to the outside, and back into another host. */
function lanes(list, chosen) {
  const names = [...new Set(list.map((e) => e.hop?.point ?? e.exchange.point))];
  const hosts = [...new Set(points.map((p) => p.host))];
  const startsAt = pointOf.get(chosen.hops[0].point).host;
  const rank = (name) => {
    const point = pointOf.get(name);
    const inward = hosts.length > 1 && point.host !== startsAt;
    const role = ROLES.indexOf(point.role);
    return [inward ? 1 : 0, inward ? -role : role, chosen.hops.findIndex((h) => h.point === name)];
  };
  return names.sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
  });
}

function clip(text, letters) {
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

function arrow(x1, y1, x2, y2, kind) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const wing = (turn) => `L${x2 - 8 * Math.cos(angle + turn)} ${y2 - 8 * Math.sin(angle + turn)}`;
  return svg("path", { class: `arrow ${kind}`, d: `M${x1} ${y1}L${x2} ${y2}M${x2} ${y2}${wing(0.45)}M${x2} ${y2}${wing(-0.45)}` });
}

function ladder(chosen) {
  const list = events(family(chosen));
  const columns = lanes(list, chosen);
  const x = (name) => LEFT + columns.indexOf(name) * LANE;
  const y = (n) => 64 + n * STEP;
  const [width, height] = [LEFT + (columns.length - 1) * LANE + RIGHT, y(list.length) + 6];
  const picture = svg("svg", { class: "ladder", role: "img", viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": `Ladder of J${chosen.id}: ${list.length} events at ${columns.join(", ")}` });
  for (const name of columns) {
    const point = pointOf.get(name);
    picture.append(
      svg("text", { class: "lane", x: x(name), y: 18 }, clip(name, 24)),
      svg("text", { class: "role", x: x(name), y: 34 }, point.container && ROLES.indexOf(point.role) < 2 ? clip(point.container, 24) : point.role),
      svg("path", { class: `life ${point.role}`, d: `M${x(name)} 42V${height - 8}` }),
    );
  }
  const last = new Map();
  let told = null;
  list.forEach((event, n) => {
    const gap = told === null ? since(event.time) : `+ ${duration(event.time - told)}`;
    told = event.time;
    picture.append(svg("text", { class: "when", x: 104, y: y(n) + 4 }, gap));
    if (event.kind === "hop") picture.append(...drawHop(event, last, n, x, y, chosen));
    else picture.append(...drawQuestion(event, n, x, y));
    if (event.kind === "hop") last.set(event.journey.id, { n, hop: event.hop });
  });
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Ladder" }, picture);
}

function drawHop({ journey: one, hop: h, index }, last, n, x, y, chosen) {
  const other = one.id === chosen.id ? "" : " other";
  const found = [];
  const before = last.get(one.id);
  const here = x(h.point);
  if (before !== undefined) {
    const from = x(before.hop.point);
    const shift = from === here ? 26 : 0;
    found.push(arrow(from + Math.sign(here - from) * 7, y(before.n), here - Math.sign(here - from) * 7 + shift, y(n), `packet${other}`));
  } else {
    found.push(arrow(here + outside(h) * REACH, y(n), here + outside(h) * 7, y(n), `packet${other}`));
  }
  if (index === one.hops.length - 1 && (one.disposition === "left-host" || (one.disposition === "delivered" && outside(h) < 0))) {
    found.push(arrow(here + outside(h) * 7, y(n), here + outside(h) * REACH, y(n), `packet${other}`));
  }
  const told = h.rewrites.filter((r) => r.by !== "copy" && ["src", "dst", "sport", "dport", "icmp_id"].includes(r.field));
  const lines = [];
  if (index === 0) lines.push([`title${other}`, clip(`J${one.id} ${one.summary}`, 38)]);
  told.forEach((r, k) => {
    const along = (a, b) => a + (b - a) * (n - before.n > 1 ? 0.5 : BEHIND_TITLE);
    const place = { x: along(x(before.hop.point), here), y: along(y(before.n), y(n)) - 10 - 15 * (told.length - 1 - k) };
    found.push(svg("text", { class: "label rewrite", ...place }, clip(`${r.field} ${r.before} → ${r.after}`, 60)));
  });
  const ttl = h.rewrites.find((r) => r.field === "ttl");
  lines.push(["at", `#${frameText(h.frames)}${ttl ? `, ttl ${ttl.before} → ${ttl.after}` : ""}${h.frames.length > 1 ? `, ${h.frames.length} frames` : ""}`]);
  found.push(svg("circle", { class: `stop${other}`, cx: here, cy: y(n), r: 5.5 }, svg("title", {}, `J${one.id} at ${h.point}, frame ${frameText(h.frames)}`)));
  for (const [kind, text] of lines) {
    found.push(svg("text", { class: `label ${kind}`, x: here + 12, y: y(n) + (kind === "at" ? 16 : -9) }, text));
  }
  if (index === one.hops.length - 1) {
    if (BAD.includes(one.disposition)) found.push(svg("path", { class: "death", d: `M${here - 9} ${y(n) - 9}l18 18m0 -18l-18 18` }));
    else if (one.disposition === "not-observable") found.push(svg("text", { class: "unknown", x: here - 16, y: y(n) + 5 }, "?"));
  }
  return found;
}

/** The side on which the world beyond a point lies: a container's on the left, the uplink's on the right. */
function outside(h) {
  return ["uplink", "unknown"].includes(pointOf.get(h.point).role) ? 1 : -1;
}

function drawQuestion({ kind, exchange, time: at }, n, x, y) {
  const here = x(exchange.point);
  const text = kind === "ask" ? `who has ${exchange.asked_ip}?` : `${exchange.asked_ip} is at ${exchange.answer_mac}`;
  const frame = kind === "ask" ? exchange.request_frame : exchange.reply_frame;
  return [
    svg("rect", { class: "arp", x: here - 5, y: y(n) - 5, width: 10, height: 10 }, svg("title", {}, `${exchange.protocol.toUpperCase()} at ${exchange.point}, ${since(at)}`)),
    svg("text", { class: "label arp", x: here + 12, y: y(n) - 2 }, clip(text, 44)),
    svg("text", { class: "label at", x: here + 12, y: y(n) + 12 }, `#${frame}`),
  ];
}
