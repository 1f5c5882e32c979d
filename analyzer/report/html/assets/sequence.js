// Bytes that each side has sent, over time: TCP's sequence numbers, counted from the first that was seen.

const TICKS = [1, 2, 2.5, 5, 10];
const bases = new Map();

/** How far a segment is behind the first one of its direction, in bytes; null where that cannot be told. */
function progress(one) {
  if (one.seq === null || one.connection === null) return null;
  const key = `${one.connection} ${one.direction}`;
  if (!bases.has(key)) {
    const ids = ofConnection.get(one.connection) ?? [];
    const row = ids.map((id) => journeyRows.get(id)).find((other) => field.direction(other) === one.direction && field.seq(other) !== null);
    bases.set(key, row === undefined ? null : field.seq(row) + ((field.tcp_flags(row) ?? 0) & SYN ? 1 : 0));
  }
  const base = bases.get(key);
  if (base === null) return null;
  const away = (one.seq - base) | 0; // sequence numbers are modulo 2^32 (RFC 9293)
  return away < 0 ? null : away;
}

/** Round marks for an axis: 1, 2, 2.5 or 5 times a power of ten. */
function ticks(most, about) {
  const raw = most / about || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = TICKS.map((factor) => factor * power).find((one) => one >= raw);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, n) => n * step);
}

function sequencePlot(ids, width) {
  const list = ids.map(journey).filter((one) => one.protocol === "tcp" && one.payload_len && progress(one) !== null);
  if (list.length < 2) return null;
  const height = 104, left = 60, right = 14, top = 16, bottom = 16;
  const start = journey(ids[0]).hops[0].time_ns;
  const span = Math.max(journey(ids.at(-1)).hops[0].time_ns - start, 1);
  const most = Math.max(...list.map((one) => progress(one) + one.payload_len));
  const x = (ns) => left + ((ns - start) / span) * (width - left - right);
  const y = (bytes) => height - bottom - (bytes / most) * (height - top - bottom);
  const picture = svg("svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Bytes sent over time" });
  for (const bytes of ticks(most, 2)) picture.append(svg("path", { class: "grid", d: `M${left} ${y(bytes)}H${width - right}` }), svg("text", { class: "dim", x: left - 6, y: y(bytes) + 4, "text-anchor": "end" }, count(Math.round(bytes))));
  for (const ns of ticks(span, 4)) picture.append(svg("text", { class: "dim", x: x(start + ns), y: height - 3, "text-anchor": x(start + ns) > width - 40 ? "end" : "middle" }, tick(ns)));
  picture.append(svg("text", { class: "dim", x: left, y: 11 }, "bytes sent: solid by who opened, dashed by who answered; △ sent again"));
  for (const direction of ["original", "reply"]) {
    const own = list.filter((one) => one.direction === direction);
    if (!own.length) continue;
    let [path, high] = [`M${x(start)} ${y(0)}`, 0];
    for (const one of own) {
      high = Math.max(high, progress(one) + one.payload_len);
      path += `H${x(one.hops[0].time_ns).toFixed(1)}V${y(high).toFixed(1)}`;
    }
    picture.append(svg("path", { class: `sent ${direction}`, d: `${path}H${x(start + span)}` }));
    for (const one of own.filter((other) => other.retransmission_of !== null)) picture.append(svg("path", { class: "resent", d: `M${x(one.hops[0].time_ns)} ${y(progress(one) + one.payload_len) - 5}l5 9h-10z` }));
  }
  return picture;
}
