// The topology picture: lights the way of the journey that is chosen, and marks where it died.

const graph = (() => {
  const nodes = [...document.querySelectorAll(".topology .node")];
  const edges = [...document.querySelectorAll(".topology .edge")];
  const byNumber = new Map(nodes.map((node) => [node.dataset.node, node]));
  const ofPoint = new Map(nodes.filter((n) => n.dataset.point !== undefined).map((n) => [n.dataset.point, n.dataset.node]));
  const beside = new Map(nodes.map((node) => [node.dataset.node, []]));
  for (const edge of edges) {
    beside.get(edge.dataset.a).push([edge.dataset.b, edge]);
    beside.get(edge.dataset.b).push([edge.dataset.a, edge]);
  }

  /** The shortest way from one node to one that `arrived` accepts: nodes and edges, without the first node. */
  function walk(from, arrived, through = () => true) {
    const before = new Map([[from, null]]);
    for (const queue = [from]; queue.length; ) {
      const here = queue.shift();
      if (here !== from && arrived(byNumber.get(here))) {
        const found = [];
        for (let at = here; before.get(at) !== null; at = before.get(at)[0]) found.push(byNumber.get(at), before.get(at)[1]);
        return found;
      }
      if (here !== from && !through(byNumber.get(here))) continue;
      for (const [next, edge] of beside.get(here)) {
        if (!before.has(next)) {
          before.set(next, [here, edge]);
          queue.push(next);
        }
      }
    }
    return [];
  }

  const isKind = (...kinds) => (node) => kinds.includes(node.dataset.kind);
  const outward = isKind("gateway", "remote", "uplink");

  /** Light the way of a journey; null puts the light out. */
  function light(one) {
    for (const part of [...nodes, ...edges]) part.classList.remove("lit", "dead", "faint");
    if (one === null || !nodes.length) return;
    const stops = one.hops.map((h) => ofPoint.get(h.point)).filter((n) => n !== undefined);
    const lit = new Set(stops.map((n) => byNumber.get(n)));
    for (let n = 1; n < stops.length; n++) {
      if (stops[n] !== stops[n - 1]) walk(stops[n - 1], (node) => node.dataset.node === stops[n]).forEach((part) => lit.add(part));
    }
    const reach = (from, inside) => {
      const node = byNumber.get(from);
      if (node?.dataset.kind === "interface") return walk(from, isKind("container"), () => false);
      return inside || node?.dataset.kind !== "uplink" || one.protocol === "arp" ? [] : walk(from, isKind("remote"), outward);
    };
    if (stops.length) {
      reach(stops[0], false).forEach((part) => lit.add(part));
      const ended = ["delivered", "left-host", "rejected"].includes(one.disposition);
      if (ended) reach(stops.at(-1), one.disposition === "rejected").forEach((part) => lit.add(part));
      if (BAD.includes(one.disposition)) byNumber.get(stops.at(-1)).classList.add("dead");
    }
    for (const part of [...nodes, ...edges]) part.classList.add(lit.has(part) ? "lit" : "faint");
  }

  return { light };
})();
