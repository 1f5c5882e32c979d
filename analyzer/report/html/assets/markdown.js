// What a person pastes into an issue or a chat: the incident in Markdown, with nothing that acts.

const FENCE = "```";

function fenced(lines) {
  const longest = Math.max(2, ...lines.map((line) => Math.max(0, ...[...line.matchAll(/`+/g)].map((run) => run[0].length))));
  const fence = longest > 2 ? "`".repeat(longest + 1) : FENCE;
  return [fence, ...lines, fence];
}

function plainText(text) {
  return text.replace(/([\\`*_{}[\]<>|#])/g, "\\$1");
}

function wayText(way, bad) {
  const names = way.lanes.map((lane) => (lane.kind === "hook" ? `[${lane.sub} ${lane.name}] x` : lane.waiting ? `(${lane.name})` : lane.name));
  return bad === null ? names.join(" > ") : names.join(" > ").replace(" x > ", " x ");
}

function asMarkdown(now, way) {
  const context = contextOf(now);
  if (context?.kind !== "i") return connectionMarkdown(context, way);
  const finding = findings[context.id];
  const chosen = standsFor(now);
  const { stage } = chosen !== null && isBad(chosen) ? breakOf(chosen) : { stage: null };
  const out = [`### ${plainText(finding.title)}`, "", `${plainText(finding.detail)}. ${plainText(finding.explanation)}`.trim(), ""];
  if (way !== null && way.lanes.length) out.push(`Way: \`${wayText(way, way.bad).replaceAll("`", "'")}\``, "");
  if (stage !== null && stage.rule !== null) out.push(`Stopped at ${plainText(stage.name)}, ${plainText(stage.told)}:`, ...fenced([stage.rule]), "");
  if (stage !== null && stage.packets !== null) out.push(`Counter: ${counterText(stage)}.`, "");
  if (finding.proof.length) out.push("Proof:", ...fenced(finding.proof), "");
  if (finding.tried !== null) out.push(`Tried on the recorded state: ${plainText(finding.tried)}.`, "");
  out.push(`Remedy: ${plainText(finding.remedy)}`);
  if (finding.commands.length) out.push(...fenced(finding.commands));
  const all = finding.evidence.filter((one) => one.frame !== null);
  const frames = all.slice(0, 8);
  if (frames.length) out.push("", "Evidence, as Wireshark filters:", ...frames.flatMap((one) => displayFilters(one.point, [one.frame]).map(({ file, filter }) => `- ${plainText(file)}: \`${filter}\``)));
  const untold = (finding.packets ?? all.length) - frames.length;
  if (untold > 0) out.push(`- and ${count(untold)} more`);
  out.push("", `(${finding.severity}, ${finding.check}, ${finding.basis}; hoptrace ${document.documentElement.dataset.version})`);
  return out.join("\n");
}

function connectionMarkdown(context, way) {
  const title = document.getElementById("answer").textContent;
  const out = [`### ${plainText(title)}`, ""];
  if (context?.kind === "c") out.push(`C${context.id}: ${plainText(connectionTitle(connection(context.id)))}, ${plainText(connectionText(connection(context.id)))}`, "");
  if (way !== null && way.lanes.length) out.push(`Way: \`${wayText(way, null).replaceAll("`", "'")}\``, "");
  out.push(`(hoptrace ${document.documentElement.dataset.version})`);
  return out.join("\n");
}
