// The hop table: every header field at every hop, what changed, and why each hop led to the next.

const HOP_FIELDS = [
  ["time", (h) => since(h.time_ns), null],
  ["frame", (h) => `#${frameText(h.frames)}`, "frames"],
  ["to next hop", (h) => (h.latency_ns === null ? "" : `${duration(h.latency_ns)}${h.latency_uncertainty_ns === null ? "" : ` ± ${duration(h.latency_uncertainty_ns)}`}`), null],
  ["eth.src", (h) => h.eth_src, "eth_src"],
  ["eth.dst", (h) => h.eth_dst, "eth_dst"],
  ["vlan", (h) => h.vlan, "vlan"],
  ["ip.src", (h) => h.src, "src"],
  ["source port", (h) => h.sport, "sport"],
  ["ip.dst", (h) => h.dst, "dst"],
  ["destination port", (h) => h.dport, "dport"],
  ["icmp.ident", (h) => h.icmp_id, "icmp_id"],
  ["ip.ttl", (h) => h.ttl, "ttl"],
  ["ip.id", (h) => (h.ip_id === null ? null : `0x${h.ip_id.toString(16).padStart(4, "0")}`), null],
  ["length", (h) => `${h.length} bytes`, null],
];

function hopTable(one) {
  const head = el("tr", {}, el("th", { scope: "col" }, "field"), ...one.hops.map((h, n) => el("th", { scope: "col" }, `${n + 1}. ${h.point}`)));
  const body = HOP_FIELDS.filter(([, get]) => one.hops.some((h) => get(h) !== null && get(h) !== "")).map(([name, get, key]) =>
    el("tr", {}, el("th", { scope: "row" }, name), ...one.hops.map((h) => hopCell(h, get, key))),
  );
  body.push(el("tr", {}, el("th", { scope: "row" }, "Wireshark"), ...one.hops.map((h) => el("td", {}, ...displayFilters(h.point, h.frames).map(filterCell)))));
  const table = el("table", { class: "hops" }, el("thead", {}, head), el("tbody", {}, ...body));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Hop table" }, table);
}

function hopCell(h, get, key) {
  const text = get(h);
  const change = key === null ? undefined : h.rewrites.find((r) => r.field === key);
  const told = text === null ? "" : String(text);
  if (change === undefined) return el("td", {}, told);
  return el("td", { class: "changed", title: `${change.by}: ${change.before} → ${change.after}` }, el("b", {}, told), el("span", { class: "by" }, ` ${change.by}`));
}

function filterCell({ file, filter }) {
  return el("div", { class: "filter" }, el("code", {}, filter), el("span", { class: "dim" }, ` ${file} `), copyButton(filter, `display filter for ${file}`));
}

/** Each step with its evidence. */
function evidence(one) {
  const items = [];
  for (let n = 0; n <= one.hops.length; n++) {
    for (const step of one.steps.filter((s) => s.at_hop === n)) {
      const details = step.details.map((text) => el("li", {}, text));
      items.push(
        el("li", { class: `step ${step.kind}` }, el("span", {}, step.text), " ", el("span", { class: "basis" }, step.basis), details.length ? el("ul", {}, ...details) : null),
      );
    }
    const h = one.hops[n];
    if (h !== undefined) {
      items.push(el("li", { class: "hop" }, el("b", {}, h.point), ` frame ${frameText(h.frames)}, ${since(h.time_ns)}`));
    }
  }
  const of = connection(one.connection);
  const extra = [];
  if (of !== null) {
    for (const change of of.nat) {
      if (change.rule !== null) {
        const counted = change.rule_packets === null ? "" : ` (counted ${change.rule_packets_before === null ? "" : `${count(change.rule_packets_before)} → `}${count(change.rule_packets)} connections)`;
        extra.push(el("li", {}, `rule: ${change.rule}${counted}`));
      }
    }
    if (of.published !== null) extra.push(el("li", {}, `published port: ${of.published}`));
    if (of.conntrack_id !== null) {
      extra.push(el("li", {}, `conntrack entry id=${of.conntrack_id}${of.conntrack_state === null ? "" : `, ${of.conntrack_state}`}: original ${tuple(of.original)}, reply ${tuple(of.reply)}`));
    } else {
      extra.push(el("li", {}, `C${of.id} (${of.basis}): original ${tuple(of.original)}, reply ${tuple(of.reply)}`));
    }
  }
  return el("div", {}, el("ol", { class: "evidence" }, ...items), extra.length ? el("ul", { class: "extra" }, ...extra) : null);
}
