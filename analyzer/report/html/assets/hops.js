// The hop table: header fields at every hop, what changed, and Wireshark's filter for the frame.

const HOP_FIELDS = [
  ["time", (h) => since(h.time_ns), null],
  ["to next hop", (h) => (h.latency_ns === null ? "" : `${duration(h.latency_ns)}${h.latency_uncertainty_ns === null ? "" : ` ± ${duration(h.latency_uncertainty_ns)}`}`), null],
  ["from", (h) => end(h.src, h.sport), "src sport"],
  ["to", (h) => end(h.dst, h.dport), "dst dport"],
  ["icmp.ident", (h) => h.icmp_id, "icmp_id"],
  ["MAC from", (h) => h.eth_src, "eth_src"],
  ["MAC to", (h) => h.eth_dst, "eth_dst"],
  ["vlan", (h) => h.vlan, "vlan"],
  ["ttl", (h) => h.ttl, "ttl"],
  ["id, length", (h) => `${h.ip_id === null ? "" : `0x${h.ip_id.toString(16).padStart(4, "0")}, `}${h.length} bytes`, null],
];

function hopTable(one) {
  const headRow = el("tr", {}, el("th", { scope: "col" }, `J${one.id}, hop by hop`), ...one.hops.map((h, n) => el("th", { scope: "col" }, `${n + 1} ${h.point}, frame ${frameText(h.frames)}`)));
  const used = HOP_FIELDS.filter(([, get]) => one.hops.some((h) => get(h) !== null && get(h) !== ""));
  const body = used.map(([name, get, keys]) => el("tr", {}, el("th", { scope: "row" }, name), ...one.hops.map((h) => hopCell(get(h), h.rewrites.filter((r) => keys?.split(" ").includes(r.field))))));
  const filters = el("tr", {}, el("th", { scope: "row" }, "Wireshark filter"), ...one.hops.map((h) => el("td", {}, ...displayFilters(h.point, h.frames).flatMap(({ file, filter }) => [el("code", { title: file }, clip(filter, 60)), " ", copyButton(() => filter, `filter for ${file}`)]))));
  return el("div", { class: "hops scroll", tabindex: "0", role: "region", "aria-label": "Hop by hop" }, el("table", {}, el("thead", {}, headRow), el("tbody", {}, ...body, filters)));
}

function hopCell(told, changes) {
  if (told === null || told === "") return el("td", { class: "none" }, "none");
  const cell = el("td", { class: changes.length ? "changed" : null }, String(told));
  if (changes.length) cell.title = changes.map((r) => `${r.field} ${r.before} → ${r.after}, by ${r.by}`).join("\n");
  return cell;
}

/** The steps of a journey, each with its basis, and the story that a teacher would tell. */
function stepList(one) {
  const found = [];
  for (let n = 0; n <= one.hops.length; n++) {
    for (const step of one.steps.filter((other) => other.at_hop === n)) {
      found.push(el("li", { class: `step of-${step.kind}` }, el("span", { class: "said" }, step.text, ...step.details.map((line) => el("span", { class: "detail" }, line))), basisOf(step.basis)));
    }
    if (n < one.hops.length) found.push(el("li", { class: "step of-hop" }, el("span", { class: "said" }, `${one.hops[n].point} #${frameText(one.hops[n].frames)}`), basisOf("observed")));
  }
  found.push(el("li", { class: "step ends" }, el("span", { class: "said" }, mark(one.disposition, { size: 14 }), ` ${verdictName(one.disposition)}: ${one.reason}`), basisOf(one.basis)));
  return el("ol", { class: "steps" }, ...found);
}

let storyOpen = document.documentElement.hasAttribute("data-explain");
function story(one) {
  const title = el("summary", { on: { click: () => (storyOpen = !box.open) } }, "Explain it step by step");
  const box = el("details", { class: "story", open: storyOpen }, title, el("ol", {}, ...one.lesson.map((sentence) => el("li", {}, sentence))));
  return box;
}
