"""All sentences of findings, made of their facts: once, for terminal, HTML and JSON alike."""

import re
from collections.abc import Iterable
from dataclasses import replace

from analyzer.model import Finding
from analyzer.model.engine import DOCKER
from analyzer.model.finding import worst_first
from analyzer.report.words import (
    captures,
    ends,
    filtered,
    host,
    inside,
    losses,
    names,
    nat,
    neighbours,
    refused,
    rules,
    sizes,
    spoken,
    tracked,
    vpn,
    ways,
)
from analyzer.report.words.engine import in_words_of
from analyzer.report.words.sentence import Facts, Words, by_xdp, commands, for_proxy, heading, reached_otherwise

SAYS = {
    **captures.SAYS, **ends.SAYS, **filtered.SAYS, **host.SAYS, **inside.SAYS, **losses.SAYS, **names.SAYS, **nat.SAYS,
    **neighbours.SAYS, **refused.SAYS, **rules.SAYS, **sizes.SAYS, **spoken.SAYS, **tracked.SAYS, **vpn.SAYS,
    **ways.SAYS,
}  # fmt: skip
"""By check, what makes its sentences."""
SILENT = ("arp-unanswered", "connection-refused", "host-unreachable", "syn-unanswered")
"""Checks of who does not answer, or says no, for reasons of its own."""
BETWEEN = re.compile(r"(?<=[.;:]) {2,}")
"""Where nothing stands between two sentences."""
MOST_ALIKE = 8
"""Findings of one check that are told one by one."""


def worded(findings: Iterable[Finding], engine: str = DOCKER) -> tuple[Finding, ...]:
    """
    Put findings into the words of an *engine*'s users, worst first.

    What goes beyond what anybody reads is told together.
    """
    by_check: dict[str, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.check, []).append(in_words_of(engine, _worded(finding)))
    return worst_first(one for of_check in by_check.values() for one in _few(of_check))


def _worded(finding: Finding) -> Finding:
    words = _failed(finding) if "mistake" in finding.facts else SAYS[finding.check](finding.facts)
    words = by_xdp(finding.facts, words, finding.remedy)
    if finding.check in SILENT:
        words = for_proxy(finding.facts, words, finding.remedy)
    return replace(
        finding,
        title=heading(finding.facts, words),
        cause=words.cause,
        detail=words.detail,
        explanation=BETWEEN.sub(" ", words.explanation).strip() + reached_otherwise(finding.facts),
        remedy=finding.remedy if words.remedy is None else words.remedy,
        commands=commands(finding.facts),
    )


def _failed(finding: Finding) -> Words:
    return Words(
        detail=f"the check {finding.check} failed: {finding.facts['mistake']}",
        explanation="That is a mistake of hoptrace. What the check would have told is not known.",
        remedy="Please report it, with the bundle if you can.",
    )


def _few(findings: list[Finding]) -> list[Finding]:
    """Put those together that go beyond what anybody reads: a thousand alike are one cause, told a thousand times."""
    if len(findings) <= MOST_ALIKE:
        return findings
    kept, rest = findings[: MOST_ALIKE - 1], findings[MOST_ALIKE - 1 :]
    titles = "; ".join(finding.title for finding in rest[:MOST_ALIKE])
    more = f"; and {len(rest) - MOST_ALIKE:,} more" if len(rest) > MOST_ALIKE else ""
    worst = worst_first(rest)[0]
    evidence = tuple(finding.evidence[0] for finding in rest[:MOST_ALIKE] if finding.evidence)
    alike = f"{len(rest):,} more like these"
    facts: Facts = {"alike": len(rest)}
    return [*kept, replace(worst, title=alike, cause="", detail=alike, explanation=f"{titles}{more}.", proof=(),
                           facts=facts, evidence=evidence, tried=None, commands=(), alternatives=(),
                           refuted=())]  # fmt: skip
