// Marks: each verdict has a shape and a sign of its own, so that grey paper and colour blindness lose nothing.

const SHAPES = {
  dropped: ["bad full", "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z", "M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2"],
  rejected: ["bad", "M8 .9l7.1 7.1L8 15.1.9 8z", "M10.6 10.2V7H5.4m2-2.2L5.2 7l2.2 2.2"],
  lost: ["warn", "M8 1.2l7 13H1z", "M6.9 6.4v5.2h3"],
  "left-host": ["ok", "M10 4.2V1.8H2v12.4h8v-2.4", "M6 8h8.6m-3-3l3 3-3 3"],
  delivered: ["ok", "M8 1a7 7 0 1 0 .01 0z", "M4.8 8.2l2.3 2.4 4.2-4.8"],
  "not-observable": ["dim dashed", "M8 1a7 7 0 1 0 .01 0z", "M6 6.2q0-2 2-2t2 1.8q0 1.2-2 2.2v1m0 1.9v.3"],
  warning: ["warn", "M8 1.2l7 13H1z", "M8 6v4.4m0 1.6v.4"],
  error: ["bad full", "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z", "M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2"],
  info: ["dim", "M8 1a7 7 0 1 0 .01 0z", "M8 7.2v4.4m0-6.9v.4"],
};
const BASES = { observed: "●", stated: "■", inferred: "○", confirmed: "✔" };

/** A mark as a picture; it has a name where no word stands beside it. */
function mark(kind, { size = 16, name = null, x = null, y = null } = {}) {
  const [tone, shape, sign] = SHAPES[kind];
  return svg(
    "svg",
    { class: `mark ${tone}`, viewBox: "0 0 16 16", width: size, height: size, x, y, role: name ? "img" : null, "aria-label": name, "aria-hidden": name ? null : "true" },
    svg("path", { class: "shape", d: shape }),
    svg("path", { class: "sign", d: sign }),
  );
}

/** How sure something is: a sign and a word. */
function basisOf(basis) {
  return basis === null ? null : el("span", { class: "basis" }, `${BASES[basis]} ${basis}`);
}

function verdictName(kind) {
  return VERDICTS[kind] ?? kind;
}
