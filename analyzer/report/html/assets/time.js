// The bar of time: packets, losses and resets by slice; a span that is chosen there filters everything.

const SIDE = 236, ROWS = { packets: 0, losses: 22, resets: 34 };

const timeBar = (() => {
  const place = document.getElementById("time");
  const bins = measures.frames[0]?.counts.length ?? 0;
  const sum = (list) => Array.from({ length: bins }, (_, n) => list.reduce((total, one) => total + (one.counts[n] ?? 0), 0));
  const frames = sum(measures.frames);
  const losses = sum(measures.trouble.filter((one) => one.what !== "retransmission"));
  const resets = new Array(bins).fill(0);
  for (const row of rows.journeys) if (field.connection(row) !== null && wasLostBeyond(field.id(row))) losses[Math.floor(timeOf(row) / measures.bin_ns)] += 1;
  for (const row of rows.journeys) if ((field.tcp_flags(row) ?? 0) & RST) resets[Math.floor(timeOf(row) / measures.bin_ns)] += 1;
  const last = Math.max(frames.findLastIndex((n) => n > 0), 0) + 1;
  let pressed = null;
  let width = 0;

  const x = (slice) => (slice / last) * width;
  const slice = (event) => Math.min(Math.max(Math.floor(((event.clientX - place.querySelector("svg").getBoundingClientRect().left) / width) * last), 0), last - 1);

  function draw(now) {
    width = Math.max(place.clientWidth - SIDE - 132, 60);
    const most = Math.max(...frames, 0);
    const total = (list) => list.reduce((a, b) => a + b, 0);
    const bar = svg("svg", { width, height: 50, viewBox: `0 0 ${width} 50`, role: "slider", tabindex: "0", "aria-label": "Span of time", "aria-valuemin": "0", "aria-valuemax": String(last - 1), "aria-valuenow": String(now.t?.[0] ?? 0), "aria-valuetext": now.t === null ? "all" : spanText(now.t) });
    for (const ns of most === 0 ? [] : ticks(last * measures.bin_ns, 5)) bar.append(svg("path", { class: "grid", d: `M${x(ns / measures.bin_ns)} 0V50` }), x(ns / measures.bin_ns) > width - 36 ? "" : svg("text", { class: "dim", x: x(ns / measures.bin_ns) + 3, y: 48 }, tick(ns)));
    const step = Math.max(width / last, 1);
    frames.slice(0, last).forEach((n, k) => {
      if (n) bar.append(svg("rect", { class: "packets", x: x(k), y: 18 - (n / most) * 17, width: Math.max(step - 0.5, 1.5), height: (n / most) * 17 }));
      if (losses[k]) bar.append(svg("path", { class: "losses", d: `M${Math.min(Math.max(x(k) + step / 2 - 3, 1), width - 7)} 22l6 6m0-6l-6 6` }));
      if (resets[k]) bar.append(svg("path", { class: "resets", d: `M${x(k) + step / 2} 31v6` }));
    });
    if (now.t !== null) bar.append(svg("rect", { class: "span", x: x(now.t[0]), y: 0.5, width: Math.max(x(now.t[1] + 1) - x(now.t[0]), 3), height: 40 }));
    bar.addEventListener("pointerdown", (event) => {
      pressed = slice(event);
      bar.setPointerCapture(event.pointerId);
    });
    bar.addEventListener("pointerup", (event) => {
      if (pressed === null) return;
      const [a, b] = [pressed, slice(event)].sort((m, n) => m - n);
      pressed = null;
      go({ t: [a, b] });
    });
    bar.addEventListener("dblclick", () => go({ t: null }));
    bar.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      const [a, b] = state.t ?? [0, last - 1];
      const next = event.shiftKey ? [a, Math.min(Math.max(b + by, a), last - 1)] : [Math.min(Math.max(a + by, 0), b), b];
      go({ t: next }, { quietly: true });
      place.querySelector("svg").focus();
    });
    const all = el("button", { type: "button", disabled: now.t === null, on: { click: () => go({ t: null }) } }, "All");
    place.replaceChildren(
      el("p", { class: "legend" }, el("span", {}, el("b", {}, "frames"), ` most ${count(most)} a slice`), el("span", {}, el("b", {}, "✕ losses"), ` ${count(total(losses))} in all`), el("span", {}, el("b", {}, "| resets"), ` ${count(total(resets))} in all`)),
      bar, el("span", { class: "chosen" }, now.t === null ? "" : spanText(now.t)), all,
    );
  }
  function spanText([a, b]) {
    return `${duration(a * measures.bin_ns)} to ${duration((b + 1) * measures.bin_ns)}`;
  }
  return { draw };
})();
