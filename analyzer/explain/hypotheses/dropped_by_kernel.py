"""The kernel itself says that it dropped packets, where, and why."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.model import Severity
from analyzer.model.drop import Drop
from analyzer.state.reasons import REASONS, TELLING, UNKNOWN

SHOWN = 4
"""Interfaces of a packet's way that are named: the last ones."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each reason at each place."""
    found: dict[tuple[str, str, str], tuple[Drop, list[int]]] = {}
    for packet in sorted(case.tracer.drops):
        drop = case.tracer.outcome(packet).drop
        if drop is not None:
            last = case.context.point(int(case.last_row[packet])).name
            found.setdefault((drop.reason, drop.function, last), (drop, []))[1].append(packet)
    for key, (drop, packets) in found.items():
        specific = Specific.MECHANISM if drop.reason in TELLING else Specific.PLACE
        tell = partial(_tell, case, drop, key[2])
        yield Cause(packets, tell, key=key, specific=specific, also=case.troubled(packets))


def _tell(case: Case, drop: Drop, last: str, packets: list[int]) -> Told:
    reason = REASONS.get(drop.reason, REASONS[UNKNOWN])
    beyond = drop.way[-1].interface
    facts: Facts = {
        "reason": drop.reason, "function": drop.function, "last": last, "beyond": beyond, "meaning": reason.meaning,
        "helps": reason.helps,
    }  # fmt: skip
    return Told(
        facts,
        proof=(
            f"{drop.told_by}: {drop.reason} {drop.function} {' '.join(one.interface for one in drop.way[-SHOWN:])}",
        ),
        severity=severity(case, packets, Severity.ERROR),
    )


HYPOTHESIS = Hypothesis(
    "dropped-by-kernel",
    Severity.ERROR,
    "drops.txt (hoptrace capture --drops), or retis.data",
    "The kernel's tracepoints name packets that it dropped, the reason, and the function.",
    "Look at what the reason names; for a netfilter hook, which rule counts: iptables-save -c, nft list ruleset.",
    causes,
    Specific.PLACE,
    asks="hoptrace capture --drops: the kernel's own reason",
)
