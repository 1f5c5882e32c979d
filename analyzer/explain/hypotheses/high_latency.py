"""Packets take long from one point of the host to the next."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from shlex import quote

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count, Median, Most
from analyzer.explain.told import Facts, Told
from analyzer.model import Finding, Queue, Severity
from analyzer.model.host import LIMITS
from analyzer.schema import Int64

LONG_NS = 10_000_000
"""Forwarding takes microseconds."""
HELD_NS = 500_000_000
"""What waits so long, a program notices; of few packets the median hides it."""
ENOUGH = 3
SHARE = 100
"""One packet of so many."""


def causes(case: Case) -> Iterator[Cause]:
    """Give pairs of points of one host, with the times that packets take from one to the other."""
    context = case.context
    before, after = context.crossings()
    mine = case.mine[context.packet_of_row[before]]
    before, after = before[mine], after[mine]
    took = context.frames["time_ns"][after] - context.frames["time_ns"][before]
    count = len(context.points)
    pair = context.frames["point"][before].astype(np.int64) * count + context.frames["point"][after]
    slow = np.flatnonzero(took >= LONG_NS)
    seen, counts = np.unique(pair, return_counts=True)  # of thousands of points, few pairs have any
    for number, crossings in zip(seen.tolist(), counts.tolist(), strict=True):
        a, b = (context.points[point] for point in divmod(number, count))
        if a.host == b.host and not context.apart_in_time(a.id, b.id):
            here = slow[pair[slow] == number]
            yield Cause([], partial(_tell, case, (a.name, b.name), crossings, took[here], after[here]),
                        key=(a.name, b.name))  # fmt: skip


def _tell(case: Case, ends: tuple[str, str], crossings: int, took: Int64, rows: Int64, _: list[int]) -> Told:
    queue = _queue(case, ends[1])
    held: Facts = {}
    if queue is not None:  # frames are seen behind it (dev_queue_xmit_nit() in dev_hard_start_xmit())
        held = {"queue": queue.kind, "dev": queue.dev, "commands": [f"tc qdisc del dev {quote(queue.dev)} root"]}
    of = case.point_named(ends[1])
    if queue is None and (flaps := case.hosts[of.host].flaps(of.interface or of.name)):
        held = {"flaps": flaps}
    worst = np.argsort(-took, kind="stable")[:SHOWN].tolist()
    return Told(
        held
        | {
            "from_point": ends[0], "to_point": ends[1], "crossings": Count(crossings),
            "slow": Count(len(took)), "held": Count(int((took >= HELD_NS).sum())),
            "median_ms": Median.of(took, crossings - len(took)), "most_ms": Most(int(took.max(initial=0)) / 1e6),
        },
        evidence=tuple(case.shown(int(rows[place])) for place in worst),
        proof=(f"tc-qdisc.json: {queue.kind} on {queue.dev}",) if queue is not None else (),
        weights=tuple(-int(took[place]) for place in worst),
    )  # fmt: skip


def _queue(case: Case, point: str) -> Queue | None:
    """Return the queue that somebody set up to limit a point's interface."""
    of = case.point_named(point)
    queues = case.hosts[of.host].queues
    return next((one for one in queues if one.dev == (of.interface or of.name) and one.kind in LIMITS), None)


def _half(finding: Finding) -> Finding | None:
    """Tell of it, if it is so of half of all packets, or if a few wait for long; of very few, as info."""
    facts = dict(finding.facts)
    slow, held, crossings = (int(facts[name]) for name in ("slow", "held", "crossings"))  # type: ignore[arg-type]
    if slow >= ENOUGH and facts["median_ms"]:
        return replace(finding, facts={name: facts[name] for name in facts if name not in ("slow", "held")})
    if held < ENOUGH:
        return None
    severity = Severity.INFO if held * SHARE < crossings else finding.severity
    return replace(finding, facts={name: facts[name] for name in facts if name != "slow"}, severity=severity)


HYPOTHESIS = Hypothesis(
    "high-latency-hop",
    Severity.WARNING,
    "captures",
    "From one point of the host to the next the median packet takes ten milliseconds and more, or a few half a second.",
    "tc -s qdisc shows queues and rate limits on the way; nft list ruleset shows queues to programs.",
    causes,
    complete=_half,
)
