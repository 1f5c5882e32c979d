// Walking a packet: hop by hop and stage by stage, way, ladder and why light up together.

const walk = (() => {
  let at = null;
  let stops = [];

  /** The places of a journey, in order: each hop, and behind the one where its host had it, that host's stages. */
  function placesOf(id) {
    const one = journey(id);
    const decision = decisionOf.get(id) ?? null;
    const found = [];
    one.hops.forEach((h, n) => {
      const steps = one.steps.filter((step) => step.at_hop === n).map((step) => step.text);
      found.push({ hop: n, point: h.point, text: `${h.point} #${frameText(h.frames)}, ${end(h.src, h.sport)} → ${end(h.dst, h.dport)}${steps.length ? `. ${steps.join(". ")}` : ""}` });
      if (decision?.point === h.point) decision.stages.forEach((stage, k) => found.push({ hop: n, point: h.point, stage: k, text: `${stage.name}: ${stage.told}` }));
    });
    found.push({ hop: one.hops.length - 1, point: one.hops.at(-1).point, ends: true, text: `${verdictName(one.disposition)}: ${one.reason}` });
    return found;
  }

  function begin() {
    const id = standsFor(state);
    if (id === null) return;
    go({ tab: null, ...(state.chosen?.kind === "c" ? { chosen: { kind: "j", id }, of: state.chosen } : {}) });
    stops = placesOf(id);
    at = 0;
    show();
  }

  function move(step) {
    if (at === null) return begin();
    at = Math.min(Math.max(at + step, 0), stops.length - 1);
    show();
  }

  function stop() {
    at = null;
    show();
  }

  function show() {
    const bar = document.getElementById("walk");
    for (const lit of document.querySelectorAll(".walked")) lit.classList.remove("walked");
    document.documentElement.classList.toggle("walking", at !== null);
    if (at === null) return void bar.replaceChildren();
    const { hop: n, point, stage, ends: last, text } = stops[at];
    const lane = document.querySelector(`.way-node[data-lane="${app.way?.place.get(point)}"]`);
    const hook = document.querySelector(".way-node.broken");
    const broken = stage !== undefined && document.querySelectorAll(".trace > .stage")[stage]?.classList.contains("stopped");
    (broken || (last && hook) ? (hook ?? lane) : lane)?.classList.add("walked");
    document.querySelector(`.ladder-row.current [data-hop="${n}"]`)?.classList.add("walked");
    const row = stage === undefined ? null : document.querySelectorAll(".trace > .stage")[stage];
    row?.classList.add("walked");
    row?.scrollIntoView({ block: "nearest" });
    const button = (word, label, act) => el("button", { type: "button", "aria-label": label, on: { click: act } }, word);
    bar.replaceChildren(button("◂", "Step back", () => move(-1)), button("▸", "Step on", () => move(1)), el("b", {}, `${at + 1} of ${stops.length}`), el("span", { role: "status" }, ` ${text}`), button("End", "End the walk", stop));
  }

  return { begin, move, stop, active: () => at !== null, reset: () => at !== null && stop() };
})();
