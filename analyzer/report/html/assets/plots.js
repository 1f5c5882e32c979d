// Plots over time and of distributions, drawn by uPlot; the same figures stand in a table.

const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7a7a7a", "#b0a000"];
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const MOST_LINES = 8;

function series(label, n, extra = {}) {
  return { label, stroke: COLOURS[n % COLOURS.length], width: 1.8, dash: DASHES[Math.floor(n / 2) % DASHES.length], points: { show: false }, ...extra };
}

function times() {
  return measures.frames[0].counts.map((_, n) => ((n + 0.5) * measures.bin_ns) / 1e9);
}

function plotsView() {
  const view = el("div", { class: "plots" });
  const drawn = [];
  const add = (title, note, build) => {
    const room = el("div", { class: "plot", role: "img", "aria-label": `${title}. ${note}` });
    view.append(el("section", {}, el("h3", {}, title), el("p", { class: "dim" }, note), room));
    drawn.push([room, build]);
  };
  const bins = duration(measures.bin_ns);
  const busy = [...measures.frames].sort((a, b) => sum(b.counts) - sum(a.counts)).slice(0, MOST_LINES);
  add("Frames over time", `At each point, in bins of ${bins}.`, (room) =>
    plot(room, [times(), ...busy.map((c) => c.counts)], busy.map((c, n) => series(c.where, n)), { y: "frames" }));
  const trouble = measures.trouble.slice(0, MOST_LINES);
  if (trouble.length) {
    add("Losses and retransmissions", `Each where it was seen last, or first; in bins of ${bins}.`, (room) =>
      plot(room, [times(), ...trouble.map((c) => c.counts)], trouble.map((c, n) => series(`${c.what}, ${c.where}`, n, { paths: uPlot.paths.bars({ size: [0.9] }), fill: `${COLOURS[n]}66` })), { y: "packets" }));
  } else {
    view.append(el("section", {}, el("h3", {}, "Losses and retransmissions"), el("p", { class: "dim" }, "None were seen.")));
  }
  const crossings = measures.crossings.slice(0, MOST_LINES);
  if (crossings.length) {
    const names = crossings.map((c) => `${c.from_point} → ${c.to_point}`);
    add("Latency over time", `Median of each bin of ${bins}, from point to point.`, (room) =>
      plot(room, [times(), ...crossings.map((c) => c.medians_ns.map((v) => (v === null ? null : Math.max(v, 100))))], names.map((name, n) => series(name, n, { spanGaps: true, points: { show: true, size: 4 }, width: 1.2 })), { y: "latency", log: true }));
    const edges = [100 / 10 ** (1 / 6), ...measures.edges_ns];
    add("Distribution of latencies", "Packets by how long they took; six bins a decade.", (room) =>
      plot(room, [edges, ...crossings.map((c) => c.histogram)], names.map((name, n) => series(name, n, { paths: uPlot.paths.stepped({ align: 1 }) })), { y: "packets", xlog: true }));
    view.append(crossingTable());
  }
  return { view, draw: () => drawn.splice(0).forEach(([room, build]) => build(room)) };
}

function sum(list) {
  return list.reduce((a, b) => a + b, 0);
}

function plot(room, values, lines, { y, log = false, xlog = false }) {
  const style = getComputedStyle(document.documentElement);
  const [ink, grid] = [style.getPropertyValue("--dim").trim(), style.getPropertyValue("--line").trim()];
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  const narrow = (u, ticks) => ticks.map((v) => (v === null ? null : Math.abs(Math.log10(v) % 1) < 1e-6 ? duration(v) : ""));
  const options = {
    width: Math.max(room.clientWidth, 260),
    height: 230,
    series: [{ label: xlog ? "latency" : "time", value: (u, v) => (v === null ? "" : xlog ? duration(v) : `+${v.toFixed(6)} s`) }, ...lines.map((line) => (log ? { ...line, value: (u, v) => (v === null ? "" : duration(v)) } : line))],
    scales: { x: xlog ? { time: false, distr: 3, log: 10 } : { time: false }, y: log ? { distr: 3, log: 10 } : { range: (u, low, high) => [0, Math.max(high ?? 1, 1) * 1.05] } },
    axes: [
      { ...axis, values: xlog ? narrow : (u, ticks) => ticks.map((v) => `${+v.toFixed(6)} s`) },
      { ...axis, size: 70, values: log ? narrow : undefined, label: y, labelSize: 18 },
    ],
    cursor: { points: { size: 6 } },
  };
  const drawn = new uPlot(options, values, room);
  new ResizeObserver(() => drawn.setSize({ width: Math.max(room.clientWidth, 260), height: 230 })).observe(room);
}

function crossingTable() {
  const heads = ["from", "to", "packets", "least", "median", "90 %", "99 %", "most", "clocks"];
  const lines = measures.crossings.map((c) =>
    el("tr", {}, el("th", { scope: "row" }, c.from_point), el("td", {}, c.to_point), ...[count(c.packets), ...[c.least_ns, c.median_ns, c.p90_ns, c.p99_ns, c.most_ns].map(duration), c.uncertainty_ns === null ? "one" : `± ${duration(c.uncertainty_ns)}`].map((text) => el("td", { class: "number" }, text))),
  );
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((h, n) => el("th", { scope: "col", class: n > 1 ? "number" : null }, h)))), el("tbody", {}, ...lines));
  return el("section", {}, el("h3", {}, "From point to point"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Latencies from point to point" }, table));
}
