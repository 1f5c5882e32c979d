// The topology: containers grouped by network, the host's routing beside them, then uplinks and what is beyond. Networks
// in which nothing failed are folded; what failed is drawn and named. Below it the flows, the worst first.

const COLUMNS = { group: [8, 300], host: [344, 70], uplink: [462, 84], beyond: [596, 120] };
const LINE_HEIGHT = 18, MOST_NAMED = 12;
const openGroups = new Map();

/** What hangs together: one group a bridge, one for what hangs on none, with the uplinks of each host. */
function networks() {
  const beside = (n) => edges.filter((edge) => edge.a === n || edge.b === n).map((edge) => ({ other: edge.a === n ? edge.b : edge.a, edge }));
  const groups = new Map();
  nodes.forEach((node, n) => {
    if (node.kind !== "container") return;
    const interfaces = beside(n).filter(({ other }) => nodes[other].kind === "interface");
    const direct = beside(n).filter(({ other }) => ["bridge", "overlay"].includes(nodes[other].kind));
    const bridges = [...direct, ...interfaces.flatMap(({ other }) => beside(other).filter(({ other: next }) => ["bridge", "overlay"].includes(nodes[next].kind)))];
    const home = bridges[0]?.other ?? null;
    const frames = Math.max(0, ...interfaces.map(({ edge }) => edge.frames));
    const key = `${node.host} ${home}`;
    if (!groups.has(key)) groups.set(key, { key, host: node.host, node: home === null ? null : nodes[home], members: [], frames: 0 });
    const group = groups.get(key);
    group.members.push({ name: node.name, ip: node.details[0] ?? "", frames, points: interfaces.map(({ other }) => nodes[other].point).filter(Boolean) });
    group.frames += frames;
  });
  nodes.forEach((node, n) => {
    if (node.kind === "bridge" && ![...groups.values()].some((group) => group.node === node)) groups.set(`${node.host} ${n}`, { key: `${node.host} ${n}`, host: node.host, node, members: [], frames: Math.max(0, ...beside(n).map(({ edge }) => edge.frames)) });
  });
  return [...groups.values()];
}

function groupName(group) {
  if (group.node === null) return "no bridge of this host";
  const network = group.node.details.find((line) => line.startsWith("network "));
  const name = group.node.name.startsWith(`${group.host}:`) ? group.node.name.slice(group.host.length + 1) : group.node.name;
  return network ? `${network.slice(8)} (${name})` : name;
}

/** The containers that failed something, by name. */
function failing() {
  const found = new Set();
  for (const finding of findings.filter((one) => one.severity !== "info")) {
    for (const name of [...finding.who, ...finding.what]) found.add(name.replace(/:\d+$/, ""));
  }
  return found;
}

function drawTopology(now, width, redraw) {
  const bad = failing();
  const scale = Math.max(width, 640) / 728;
  const column = (name) => COLUMNS[name].map((value) => Math.round(value * scale));
  const [gx, gw] = column("group"), [hx, hw] = column("host"), [ux, uw] = column("uplink"), [bx, bw] = column("beyond");
  const hosts = [...new Set(nodes.filter((node) => node.kind === "host").map((node) => node.host))];
  const all = networks();
  const busy = (group) => group.members.some((one) => bad.has(one.name));
  const parts = [];
  let y = 8;
  for (const host of hosts) {
    const top = y;
    const own = all.filter((group) => group.host === host).sort((a, b) => busy(b) - busy(a) || b.frames - a.frames);
    y += 24;
    const middles = [];
    for (const group of own) {
      const open = openGroups.get(group.key) ?? (busy(group) || own.length < 4);
      const members = open ? [...group.members].sort((a, b) => bad.has(b.name) - bad.has(a.name) || b.frames - a.frames) : [];
      const named = members.slice(0, MOST_NAMED);
      const height = 24 + LINE_HEIGHT * named.length + (members.length > named.length ? LINE_HEIGHT : 0);
      parts.push(drawGroup(group, named, members.length - named.length, { x: gx, y, width: gw, height, open, bad, redraw }));
      middles.push({ y: y + 12, frames: group.frames, failed: busy(group) });
      y += height + 6;
    }
    const uplinks = nodes.map((node, n) => ({ node, n })).filter(({ node }) => node.kind === "uplink" && node.host === host);
    y = Math.max(y, top + 34 + uplinks.length * 58);
    parts.unshift(svg("rect", { class: "host", x: 2, y: top, width: ux + uw + 8 - 2, height: y - top, rx: 6 }), svg("text", { class: "dim", x: 10, y: top + 16 }, fit(host === null ? "the host" : `host ${host}`, 300)));
    parts.push(svg("rect", { class: "router", x: hx, y: top + 24, width: hw, height: y - top - 32, rx: 4 }), ...brokenAt(now, host, { x: hx + hw / 2, y: top + 38, height: y - top, room: hw + 40 }));
    for (const { y: at, frames, failed } of middles) parts.push(svg("path", { class: `edge${failed ? " failed" : ""}`, d: `M${gx + gw} ${at}H${hx}`, "stroke-width": thick(frames) }));
    uplinks.forEach(({ node, n }, k) => parts.push(...drawUplink(node, n, top + 30 + k * 58, { hx: hx + hw, ux, uw, bx, bw })));
    y += 12;
  }
  return svg("svg", { class: "topology", width: Math.max(width, 640), height: y, viewBox: `0 0 ${Math.max(width, 640)} ${y}`, role: "group", "aria-label": `Topology: ${plural(all.length, "network")}, ${plural(nodes.filter((node) => node.kind === "container").length, "container")}` }, ...parts);
}

/** Where the chosen incident ends, in the router of its host. */
function brokenAt(now, host, { x, y, height, room }) {
  const words = (from, list, kind, ...more) => list.map((word, n) => svg("text", { class: kind, x, y: from + n * 13, "text-anchor": "middle" }, fit(word, room, 11, kind === "failed" ? 650 : 400), ...(n ? [] : more)));
  const id = standsFor(now);
  const { stage, decision, kind } = id !== null && isBad(id) ? breakOf(id) : { stage: null };
  if (stage === null || decision.host !== host) return words(y - 38 + height / 2, ["routing,", "netfilter"], "dim");
  const told = stage.rule === null ? stage.name : `${stage.chain} rule ${stage.number}`;
  const lines = stage.rule === null ? [stage.name] : [stage.chain, `rule ${stage.number}`];
  return [mark(kind, { size: 18, x: x - 9, y: y - 9 }), ...words(y + 22, lines, "failed", svg("title", {}, told))];
}

function thick(frames) {
  return Math.round((1 + Math.min(Math.log10(frames + 1), 6) * 0.7) * 100) / 100;
}

function filterLink(test, label, ...children) {
  const one = svg("a", { href: link({ f: test }), "aria-label": label }, ...children);
  one.addEventListener("click", (event) => {
    event.preventDefault();
    toggleTest(test, event.shiftKey);
  });
  return one;
}

/** A container's line: its name, its address, and its frames, which may be many. */
function drawMember(one, failed, { x, y, width }) {
  const frames = count(one.frames);
  const end = x + width - 16 - wide(frames, 11);
  const ip = fit(one.ip, Math.min(end - x - 24, width * 0.36));
  return filterLink(`container == ${quoted(one.name)}`, `${one.name}: only its packets`,
    svg("rect", { class: "hit", x: x + 4, y, width: width - 8, height: LINE_HEIGHT }),
    svg("text", { class: failed ? "failed" : "member", x: x + 24, y: y + 14 }, fit(one.name, end - wide(ip, 11) - 8 - x - 24, 11, 650)),
    svg("text", { class: "dim", x: end, y: y + 14, "text-anchor": "end" }, ip),
    svg("text", { class: "dim", x: x + width - 8, y: y + 14, "text-anchor": "end" }, frames));
}

function drawGroup(group, named, hidden, { x, y, width, height, open, bad, redraw }) {
  const failed = group.members.some((one) => bad.has(one.name));
  const toggle = () => {
    openGroups.set(group.key, !open);
    redraw();
  };
  const title = svg("g", { class: "opens", role: "button", tabindex: "0", "aria-expanded": String(open), "aria-label": `${groupName(group)}: ${plural(group.members.length, "container")}` },
    svg("rect", { class: "hit", x, y, width, height: 24 }),
    svg("text", { class: "name", x: x + 10, y: y + 16 }, fit(`${open ? "▾" : "▸"} ${groupName(group)}`, width * 0.62, 12, 650)),
    ...group.members.slice(0, open ? 0 : 12).map((one, n) => svg("rect", { class: `square${bad.has(one.name) ? " failed" : ""}`, x: x + width * 0.66 + n * 8, y: y + 9, width: 6, height: 6 })),
    svg("text", { class: "dim", x: x + width - 8, y: y + 16, "text-anchor": "end" }, count(group.frames)));
  title.addEventListener("click", toggle);
  title.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), toggle()));
  const members = named.map((one, n) => drawMember(one, bad.has(one.name), { x, y: y + 24 + n * LINE_HEIGHT, width }));
  const rest = hidden > 0 ? svg("text", { class: "dim", x: x + 24, y: y + 38 + named.length * LINE_HEIGHT }, `${hidden} more`) : null;
  return svg("g", { class: `group${failed ? " failed" : ""}` }, svg("rect", { class: "box", x, y, width, height, rx: 4 }), title, ...members, rest);
}

function drawUplink(node, n, y, { hx, ux, uw, bx, bw }) {
  const joined = (kinds, of) => edges.filter((edge) => [edge.a, edge.b].includes(of)).map((edge) => ({ other: edge.a === of ? edge.b : edge.a, frames: edge.frames })).filter(({ other }) => kinds.includes(nodes[other].kind));
  const gateways = joined(["gateway"], n), remotes = [...joined(["remote", "uplink"], n), ...gateways.flatMap(({ other }) => joined(["remote"], other))];
  const frames = Math.max(0, ...joined(["host"], n).map((one) => one.frames));
  const beyond = [...gateways.map(({ other }) => ["gateway", nodes[other].name]), ...remotes.map(({ other }) => [nodes[other].name, nodes[other].details.slice(0, 3).join(", ") || nodes[other].kind])].slice(0, 3);
  const boxed = svg("g", {}, svg("title", {}, [node.name, ...node.details].join("; ")), svg("rect", { class: `box${node.point === null ? " unseen" : ""}`, x: ux, y, width: uw, height: 44, rx: 4 }), svg("text", { class: "name", x: ux + uw / 2, y: y + 18, "text-anchor": "middle" }, fit(node.name, uw - 6, 12, 650)), svg("text", { class: "dim", x: ux + uw / 2, y: y + 34, "text-anchor": "middle" }, node.point === null ? "no capture" : wide(`uplink ${count(frames)}`) <= uw - 4 ? `uplink ${count(frames)}` : count(frames)));
  const parts = [svg("path", { class: "edge", d: `M${hx} ${y + 22}H${ux}`, "stroke-width": thick(frames) }), node.point === null ? boxed : filterLink(`point == ${quoted(node.point)}`, `${node.name}: only what passes here`, boxed)];
  beyond.forEach(([name, sub], k) => parts.push(svg("path", { class: "edge dashed", d: `M${ux + uw} ${y + 22}C${ux + uw + 20} ${y + 22} ${bx - 24} ${y + 10 + k * 34} ${bx} ${y + 10 + k * 34}` }), svg("g", {}, svg("title", {}, `${name}; ${sub}`), svg("rect", { class: "box unseen", x: bx, y: y - 6 + k * 34, width: bw, height: 32, rx: 4 }), svg("text", { class: "name", x: bx + bw / 2, y: y + 8 + k * 34, "text-anchor": "middle" }, fit(name, bw - 6, 12, 650)), svg("text", { class: "dim", x: bx + bw / 2, y: y + 21 + k * 34, "text-anchor": "middle" }, fit(sub, bw - 6)))));
  return parts;
}

/** Connections between the same ends: packets, losses and times, the worst first. */
function flowTable(now) {
  const ids = passed(now);
  const flows = new Map();
  for (const row of rows.connections) {
    const one = unpack("Connection", row);
    const own = (ofConnection.get(one.id) ?? []).filter((id) => ids === null || ids.has(id));
    if (!own.length) continue;
    const key = `${named(one.original.src)} → ${named(one.original.dst, one.original.dport)}`;
    if (!flows.has(key)) flows.set(key, { key, protocol: one.protocol, packets: 0, lost: 0, again: 0, times: [], first: one.id });
    const flow = flows.get(key);
    for (const id of own) {
      const journeyRow = journeyRows.get(id);
      flow.packets += 1;
      flow.lost += isBad(id) || wasLostBeyond(id) ? 1 : 0;
      flow.again += field.retransmission_of(journeyRow) !== null ? 1 : 0;
      const took = field.latency_ns(journeyRow);
      if (took !== null && rawHops(journeyRow).length > 1) flow.times.push(took);
    }
  }
  if (!flows.size) return el("p", { class: "empty" }, ids === null ? "No connection was seen." : "No connection passes the filter.");
  const list = [...flows.values()].sort((a, b) => b.lost - a.lost || b.again - a.again || b.packets - a.packets).slice(0, 200);
  const high = (times) => (times.length ? [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) * 0.95)] : null);
  const time = (ns) => (ns === null ? "none" : duration(ns));
  return el("div", { class: "flows scroll", tabindex: "0", role: "region", "aria-label": "Flows" }, el("table", {}, el("thead", {}, el("tr", {}, ...["flow, worst first", "protocol", "packets", "lost", "sent again", "median", "95 %"].map((name, n) => el("th", { scope: "col", class: n > 1 ? "number" : null }, name)))), el("tbody", {}, ...list.map((flow) => el("tr", {}, el("th", { scope: "row" }, el("a", { href: link({ chosen: { kind: "c", id: flow.first }, tab: null }) }, flow.key)), el("td", {}, flow.protocol), ...[count(flow.packets), count(flow.lost), count(flow.again), time(median(flow.times)), time(high(flow.times))].map((text, n) => el("td", { class: `number${n === 1 && flow.lost ? " bad" : ""}` }, text)))))));
}
