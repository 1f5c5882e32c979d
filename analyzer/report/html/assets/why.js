// The right pane of an incident or a journey: what each stage of the host decided, what would be without it, the remedy.

const OUTCOMES = { passed: "", empty: "empty", stopped: "stopped", undecided: "undecided" };

/** One stage of a decision: a line, and a block where it decided. */
function stageRow(stage, verdict) {
  const told = [el("b", {}, stage.name), ` ${stage.told}`];
  const row = el("li", { class: `stage ${OUTCOMES[stage.outcome]}` }, stage.outcome === "stopped" ? mark(verdict, { size: 16 }) : el("span", { class: "ring", "aria-hidden": "true" }), el("span", { class: "said" }, ...told), basisOf(stage.basis));
  if (stage.outcome === "stopped" || stage.outcome === "undecided") row.append(ruleBlock(stage));
  else if (stage.rule !== null) row.append(el("details", { class: "passed" }, el("summary", {}, stage.passed > 0 ? `the rule, ${plural(stage.passed, "rule")} before it passed over` : "the rule"), el("code", {}, stage.rule)));
  return row;
}

function ruleBlock(stage) {
  const facts = [];
  if (stage.packets !== null) facts.push(["Counter", counterText(stage)]);
  if (stage.rule !== null) facts.push(["Owner", stage.owner ?? "no program that is known"]);
  if (stage.dump !== null) facts.push(["Basis", `${BASES[stage.basis]} ${stage.basis}, ${stage.dump}`]);
  if (stage.rule === null && !facts.length) return "";
  return el("div", { class: "rule" }, stage.rule === null ? null : el("code", {}, stage.rule), el("dl", {}, ...facts.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))));
}

function counterText(stage) {
  if (stage.packets_before === null) return `${count(stage.packets)} in all`;
  return `${count(stage.packets_before)} before, ${count(stage.packets)} after`;
}

/** Everything that a packet met in its host. */
function trace(decision, verdict) {
  const rows = decision.stages.map((stage) => stageRow(stage, verdict));
  if (decision.not_reached.length) {
    rows.push(el("li", { class: "stage later" }, el("span", { class: "ring", "aria-hidden": "true" }), el("details", {}, el("summary", {}, `Not reached: ${plural(decision.rules_not_reached, "rule")}, ${decision.not_reached[0]}${decision.not_reached.length > 1 ? " …" : ""}`), el("span", { class: "detail" }, decision.not_reached.join(", ")))));
  }
  return el("ol", { class: "trace" }, ...rows);
}

function block(title, basis, ...children) {
  return el("section", { class: "block" }, el("h3", {}, title, basis ? el("span", {}, " ", basisOf(basis)) : null), ...children);
}

function evidenceList(finding) {
  const shown = finding.evidence.map((one) => {
    const text = one.frame === null ? one.point : `${one.point} #${one.frame}${one.journey === null ? "" : ` J${one.journey}`}`;
    return one.journey === null || !journeyRows.has(one.journey) ? el("span", {}, text) : el("a", { href: link({ chosen: { kind: "j", id: one.journey } }) }, text);
  });
  const left = finding.packets === null ? 0 : finding.packets - shown.length;
  return el("p", {}, ...shown.flatMap((one, n) => (n ? [", ", one] : [one])), left > 0 && shown.length ? ` and ${count(left)} more` : "");
}

function remedy(finding) {
  const told = finding.commands.length
    ? el("div", { class: "command" }, el("pre", { tabindex: "0", "aria-label": "Commands" }, finding.commands.join("\n")), copyButton(() => finding.commands.join("\n"), "Remedy"))
    : null;
  const leads = finding.remedy.endsWith(":");
  const text = el("p", {}, finding.remedy);
  return el("section", { class: "remedy", "aria-label": "Remedy" }, el("h3", {}, "Remedy"), ...(leads ? [text, told] : [told, text]));
}

/** On paper, which shows one incident, what the others are and what helps. */
function otherIncidents(id) {
  const others = findings.filter((one, n) => n !== id && one.severity !== "info");
  return others.map((one) => el("section", { class: "block" }, el("h3", {}, one.title), el("p", {}, `${one.detail}.`), el("p", {}, one.remedy), one.commands.length ? el("pre", {}, one.commands.join("\n")) : null));
}

function otherCauses(finding) {
  const list = (title, others) => (others.length ? block(title, null, ...others.map((one) => el("p", {}, el("code", {}, one.check), ` ${one.why}${one.asks ? ` To tell: ${one.asks}.` : ""}`))) : null);
  return [list("Also possible", finding.alternatives), list("Ruled out", finding.refuted)];
}

function whyIncident(id, chosen) {
  const finding = findings[id];
  const bad = chosen !== null && isBad(chosen) ? chosen : (evidenceOf(finding).find((one) => decisionOf.has(one)) ?? chosen);
  const known = bad === null ? { decision: null, kind: null, stage: null } : breakOf(bad);
  const title = known.stage !== null ? `Why: stopped at ${known.stage.name}` : `Why: ${finding.cause}`;
  const decided = known.decision === null ? null : trace(known.decision, known.stage === null ? "dropped" : known.kind);
  const seen = [
    block("What was seen", finding.basis, finding.detail === finding.title ? null : el("p", {}, `${finding.detail}.`), finding.explanation ? el("p", {}, finding.explanation) : null),
    finding.proof.length ? block("Proof", null, ...finding.proof.map((line) => el("code", { class: "line" }, line))) : null,
    finding.evidence.length ? block("Evidence", null, evidenceList(finding)) : null,
  ];
  const without = finding.tried === null ? null : block(known.stage?.rule ? "Without this rule" : "With this remedy", "stated", el("p", {}, `${finding.tried}.`));
  const passes = decided !== null && !isBad(known.decision.journey) && known.decision.stages.every((one) => ["passed", "empty"].includes(one.outcome));
  const passing = decided === null ? null : block(passes ? "What this host decides: it lets it pass" : `What is known of J${known.decision.journey} at this host`, null, decided);
  return [
    el("h2", { id: "why-title" }, title),
    el("div", { class: "pane-body", tabindex: "0", role: "region", "aria-label": "Why" },
      ...(known.stage !== null ? [decided, without, ...seen] : [...seen, without, passing]),
      ...otherCauses(finding), el("p", { class: "check" }, `${finding.severity}, ${finding.check}`)),
    remedy(finding),
    el("div", { class: "paper" }, ...otherIncidents(id)),
  ];
}

function whyJourney(id) {
  const one = journey(id);
  const { decision, stage, kind } = isBad(id) ? breakOf(id) : { decision: decisionOf.get(id) ?? null, stage: null, kind: null };
  const own = one.connection === null ? null : connection(one.connection);
  const links = [["answers", one.answers], ["answered by", one.answered_by], ["sent again after", one.retransmission_of], ["refused by", one.rejected_by], ["about", one.error_about]].filter(([, other]) => other !== null);
  return [
    el("h2", { id: "why-title" }, `J${id} ${one.summary}: ${verdictName(one.disposition)}`),
    el("div", { class: "pane-body", tabindex: "0", role: "region", "aria-label": "Why" },
      block("Step by step", null, stepList(one)),
      decision === null ? null : block(stage === null ? "What its host decides" : `Stopped at ${stage.name}`, null, trace(decision, kind ?? "dropped")),
      el("p", { class: "links" }, ...(own === null ? [] : [el("a", { href: link({ chosen: { kind: "c", id: own.id } }) }, `C${own.id}`), ` ${connectionTitle(own)}, ${one.direction}. `]), ...links.flatMap(([word, other]) => [`${word} `, journeyRows.has(other) ? el("a", { href: link({ chosen: { kind: "j", id: other } }) }, `J${other}`) : `J${other}`, ". "]), one.ambiguous ? `Ambiguous${one.candidates ? ` with ${one.candidates.map((other) => `J${other}`).join(", ")}` : ""}.` : ""),
      story(one),
    ),
  ];
}

/** What was shown to work, and what these captures cannot tell. */
function whyWell() {
  const rowsOf = worked.slice(0, 40).map((one) => el("li", {}, mark("delivered", { size: 14 }), el("span", { class: "said" }, el("b", {}, `${one.who} reaches ${one.what}`), el("span", { class: "detail" }, `${one.protocol.toUpperCase()}, ${one.answered === one.tries ? plural(one.tries, "connection") : `${count(one.answered)} of ${count(one.tries)} connections`}, ${plural(one.packets, "packet")}${one.first_answer_ns === null ? "" : `, first answer after ${duration(one.first_answer_ns)}`} `, ...one.connections.filter((id) => connectionRows.has(id)).flatMap((id) => [el("a", { href: link({ chosen: { kind: "c", id } }) }, `C${id}`), " "]))), basisOf("observed")));
  const cannot = notes.map((note) => el("li", { class: note.good ? "good" : "weak" }, mark(note.good ? "info" : "not-observable", { size: 14 }), el("span", { class: "said" }, el("b", {}, note.label), el("span", { class: "detail" }, note.text))));
  return [
    el("h2", { id: "why-title" }, "Shown to work"),
    el("div", { class: "pane-body", tabindex: "0", role: "region", "aria-label": "Shown to work" },
      rowsOf.length ? el("ul", { class: "facts" }, ...rowsOf) : el("p", {}, "No answer to anybody was seen."),
      el("h3", { class: "pane-title" }, "What these captures can tell"), el("ul", { class: "facts" }, ...cannot)),
  ];
}
