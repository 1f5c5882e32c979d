"""Scores findings on the recorded faults: ``python -m tests.lab.faults.score [--recorded FOLDER] [CASE...]``.

A finding is right if the case's fault is to be told by that check, or may have it as a consequence; expectations are
written down with the faults. Infos are asked for only where they are expected. What each finding says, of how many
packets, where, by which proof, and what its remedy came to, stands in ``tests/faults/told.txt``; ``--tell`` renews it,
to be read before it is committed.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from analyzer import analyze
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.model import Finding, Severity
from analyzer.read.manifest import PACKED
from tests.lab.faults.cases import CASES, RECORDED, Case

TOLD = RECORDED / "told.txt"


@dataclass(frozen=True, slots=True)
class Score:
    """What was found in one case."""

    case: str
    right: tuple[str, ...]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]
    """Errors and warnings that are no consequence of the fault."""


def score(name: str, folder: Path) -> Score:
    """Analyse one recording."""
    case = next(case for case in CASES if case.name == name)
    findings = analyze([folder / case.path.name]).findings
    found = {finding.check for finding in findings}
    loud = {finding.check for finding in findings if finding.severity is not Severity.INFO}
    expected = case.fault.expect
    return Score(
        case.name,
        tuple(sorted(expected & found)),
        tuple(sorted(expected - found)),
        tuple(sorted(loud - expected - case.fault.also)),
    )


def account(path: Path) -> list[str]:
    """Return what is told of a recording, line by line: findings with place, numbers, the remedy's outcome; losses."""
    trace = analyze([path])
    ends = ", ".join(f"{count} {kind}" for kind, count in sorted(trace.dispositions().items()))
    lines = [f"== {path.name.removesuffix(PACKED)}: {ends}"]
    for finding in trace.findings:
        lines.append(f"{finding.severity} {finding.check} ({finding.basis}): {finding.detail}")
        lines.append(f"  at {', '.join(map(str, finding.evidence)) or 'no frame'}")
        lines += [f"  {proof}" for proof in finding.proof]
        lines.append(f"  then: {_outcome(finding)}")
    for loss in trace.losses:
        way = f"{loss.last_point} -> {loss.next_point}"
        lines.append(f"loss {way}: {loss.packets} {loss.disposition}, {loss.sent_again} resent, by {loss.cause}")
    return lines


def _outcome(finding: Finding) -> str:
    """Say what came of trying the remedy on the recorded state."""
    if finding.tried is not None:
        return finding.tried
    return "not enough" if finding.remedy.startswith("Not enough") else "not tried"


def written() -> dict[str, list[str]]:
    """Return what ``told.txt`` says of each case."""
    found: dict[str, list[str]] = {}
    for line in TOLD.read_text().splitlines():
        if line.startswith("== "):
            found[line.removeprefix("== ").partition(":")[0]] = []
        list(found.values())[-1].append(line)
    return found


def score_all(cases: Sequence[Case], folder: Path) -> list[Score]:
    """Analyse all, two at a time."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(score, [case.name for case in cases], [folder] * len(cases)))


def told(scores: Sequence[Score]) -> str:
    """Return the table: what is not as it should be, then precision and recall of each check and of all."""
    lines = [f"{s.case}: missing {', '.join(s.missing) or '-'}; wrong {', '.join(s.wrong) or '-'}" for s in scores
             if s.missing or s.wrong]  # fmt: skip
    right, missing, wrong = (
        Counter(name for s in scores for name in getattr(s, kind)) for kind in ("right", "missing", "wrong")
    )
    lines.append(f"{'check':32}{'right':>7}{'missing':>9}{'wrong':>7}")
    lines += [
        f"{check.name:32}{right[check.name]:7}{missing[check.name]:9}{wrong[check.name]:7}" for check in HYPOTHESES
    ]
    hits, misses, false = right.total(), missing.total(), wrong.total()
    lines.append(
        f"{len(scores)} cases: precision {hits / max(hits + false, 1):.3f}, recall {hits / max(hits + misses, 1):.3f}"
    )
    return "\n".join(lines)


def main() -> int:
    """Print the score; fail if anything is missing or wrong."""
    parser = argparse.ArgumentParser(prog="tests.lab.faults.score", description=__doc__)
    parser.add_argument("names", nargs="*", help="cases, or beginnings of their names; all if none is named")
    parser.add_argument("--recorded", type=Path, default=RECORDED)
    parser.add_argument("--tell", action="store_true", help="renew tests/faults/told.txt")
    arguments = parser.parse_args()
    if arguments.tell:
        with ProcessPoolExecutor(2) as pool:
            accounts = pool.map(account, [case.path for case in CASES])
            TOLD.write_text("".join(f"{line}\n" for lines in accounts for line in lines))
        return 0
    names = tuple(arguments.names) or ("",)
    scores = score_all([case for case in CASES if case.name.startswith(names)], arguments.recorded)
    print(told(scores))
    return 1 if any(one.missing or one.wrong for one in scores) else 0


if __name__ == "__main__":
    sys.exit(main())
