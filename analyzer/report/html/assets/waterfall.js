// The waterfall: how long a packet took from hop to hop, with what its answer took, on one scale.

const BAR = 22;

function waterfall(chosen) {
  const back = chosen.answered_by ?? chosen.rejected_by;
  const answer = back === null ? null : journey(back);
  const list = [chosen, ...(answer === null ? [] : [answer])];
  const start = chosen.hops[0].time_ns;
  const stop = Math.max(...list.flatMap((one) => one.hops.map((h) => h.time_ns)), start + 1);
  const bars = [];
  for (const one of list) {
    one.hops.forEach((h, n) => {
      const next = one.hops[n + 1];
      if (next !== undefined) bars.push({ one, from: h, to: next, took: h.latency_ns, doubt: h.latency_uncertainty_ns });
    });
    if (one === chosen && answer !== null) {
      const [from, to] = [one.hops.at(-1), answer.hops[0]];
      const same = pointOf.get(from.point).host === pointOf.get(to.point).host;
      bars.push({ one, from, to, took: same && to.time_ns >= from.time_ns ? to.time_ns - from.time_ns : null, doubt: null, away: true });
    }
  }
  if (!bars.length) return el("p", { class: "dim" }, "Seen at one point only: there is nothing to measure between.");
  const [left, width] = [236, 900];
  const room = width - left - 110;
  const x = (time) => left + ((time - start) / (stop - start)) * room;
  const height = bars.length * BAR + 26;
  const picture = svg("svg", { class: "waterfall", role: "img", viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": `Latencies of J${chosen.id}` });
  for (let n = 0; n <= 4; n++) {
    const at = left + (room * n) / 4;
    picture.append(svg("path", { class: "grid", d: `M${at} 18V${height}` }), svg("text", { class: "tick", x: at, y: 12 }, duration(Math.round(((stop - start) * n) / 4))));
  }
  bars.forEach((bar, n) => {
    const y = 22 + n * BAR;
    const [a, b] = [x(bar.from.time_ns), Math.max(x(bar.to.time_ns), x(bar.from.time_ns) + 2)];
    const kind = bar.away ? "away" : bar.one === chosen ? "forth" : "back";
    const name = bar.away ? `${clip(bar.from.point, 14)} … ${clip(bar.to.point, 14)} (answering)` : `${clip(bar.from.point, 16)} → ${clip(bar.to.point, 16)}`;
    picture.append(svg("text", { class: "name", x: 4, y: y + 12 }, name));
    picture.append(svg("rect", { class: `bar ${kind}`, x: a, y: y + 2, width: b - a, height: BAR - 8, rx: 2 }));
    if (bar.doubt !== null) {
      const [l, r] = [Math.max(x(bar.to.time_ns - bar.doubt), left), Math.min(x(bar.to.time_ns + bar.doubt), left + room)];
      picture.append(svg("path", { class: "doubt", d: `M${l} ${y + 9}H${r}M${l} ${y + 5}v8M${r} ${y + 5}v8` }));
    }
    const took = bar.took === null ? "not known" : `${duration(bar.took)}${bar.doubt === null ? "" : ` ± ${duration(bar.doubt)}`}`;
    picture.append(svg("text", { class: "took", x: Math.min(b + 6, width - 104), y: y + 12 }, took));
  });
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Waterfall" }, picture);
}
