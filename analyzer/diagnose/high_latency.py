"""Packets take long from one point of the host to the next."""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural

LONG_NS = 10_000_000
"""Forwarding takes microseconds."""
ENOUGH = 3


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of pairs of points of one host between which the median packet takes ten milliseconds and more."""
    context = subject.context
    before, after = context.crossings()
    took = context.frames["time_ns"][after] - context.frames["time_ns"][before]
    slow = np.flatnonzero(took >= LONG_NS)
    ends = context.frames["point"][before], context.frames["point"][after]
    group, examples = group_rows(*(point[slow] for point in ends))
    for example in slow[examples[np.bincount(group, minlength=1)[: len(examples)] >= ENOUGH]].tolist():
        here = np.flatnonzero(np.logical_and.reduce([point == point[example] for point in ends]))
        a, b = (context.point(int(rows[example])) for rows in (before, after))
        median = int(np.median(took[here]))
        if a.host != b.host or median < LONG_NS or context.apart_in_time(a.id, b.id):
            continue
        worst = here[np.argsort(-took[here], kind="stable")[:5]].tolist()
        evidence = tuple(subject.shown(int(after[place])) for place in worst)
        yield CHECK.finding(
            f"from {a.name} to {b.name} half of {plural(len(here), 'packet')} take {median / 1e6:.0f} ms and more",
            f"The slowest took {int(took[here].max()) / 1e6:.0f} ms. Inside a host forwarding takes microseconds: they "
            "wait in a queue, for a rate limit, or for a program (NFQUEUE).",
            evidence=evidence,
        )


CHECK = Check(
    "high-latency-hop",
    Severity.WARNING,
    "captures",
    "From one point of the host to the next the median packet takes ten milliseconds and more.",
    "tc -s qdisc shows queues and rate limits on the way; nft list ruleset shows queues to programs.",
    look,
)
