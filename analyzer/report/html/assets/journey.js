// One journey: what it is and how it ended, then its ladder, its waterfall, its hops, and its story.

function journeyDetail(id) {
  const one = journey(id);
  if (one === null) return el("p", { class: "dim" }, `J${id} is not in this page.`);
  const first = one.hops[0];
  const title = el("h2", { id: "detail-title", tabindex: "-1" }, `J${one.id} `, el("span", {}, one.summary));
  const facts = el("p", { class: "facts" }, badge(one.disposition), `: ${one.reason}`, one.basis === "inferred" ? el("span", { class: "basis" }, "inferred") : null);
  const links = el("p", { class: "links" });
  const say = (text, other, rest = "") => {
    if (other !== null) links.append(text, journeyLink(other), `${rest}. `);
  };
  if (first.src !== null && one.protocol !== "arp") links.append(`${end(first.src, first.sport)} → ${end(first.dst, first.dport)}. `);
  if (one.connection !== null) links.append(`Connection C${one.connection}, ${one.direction}. `);
  if (one.answer !== null) {
    const [before, after] = one.answer.split(`J${one.answered_by}`);
    links.append(before[0].toUpperCase() + before.slice(1), journeyLink(one.answered_by), `${after}. `);
  }
  say("Answers ", one.answers);
  say("Sent again after ", one.retransmission_of);
  say("The error is ", one.rejected_by);
  say("About ", one.error_about);
  if (one.ambiguous) links.append(`Ambiguous: equal packets at the same time${one.candidates?.length ? `, as ${one.candidates.map((c) => `J${c}`).join(", ")}` : ""}. `);
  const part = (name, ...content) => el("section", { class: `part part-${name.toLowerCase()}` }, el("h3", {}, name), ...content);
  return el(
    "article",
    { class: "journey", "aria-labelledby": "detail-title" },
    title,
    facts,
    links,
    story(one),
    part("Ladder", ladder(one)),
    part("Waterfall", waterfall(one)),
    part("Hops", hopTable(one)),
    part("Evidence", evidence(one)),
  );
}

/** The journey in prose, behind a switch that stays as it is from journey to journey. */
function story(one) {
  const found = el("details", { class: "story" }, el("summary", {}, "Explain this journey, step by step"), el("ol", {}, ...one.lesson.map((text) => el("li", {}, text))));
  const before = document.querySelector("#work .story");
  found.open = before === null ? "explain" in document.documentElement.dataset : before.open;
  return found;
}
