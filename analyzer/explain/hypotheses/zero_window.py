"""A receiver's buffer is full: its program does not read."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analyzer.decode.offsets import FIN, RST, SYN
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.parties import name_of
from analyzer.explain.tally import Most
from analyzer.explain.told import Facts, Told
from analyzer.link.identity import has
from analyzer.link.sorting import distinct_rows
from analyzer.model import Finding, Severity
from analyzer.schema import Array, Layer

LEAST_NS = 100_000_000
"""Shorter stalls are everyday."""
FOR_GOOD_S = 5
"""Nobody who works at all is busy for so long."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each sender of windows of zero, and for how long its peer had to wait."""
    flags, window = case.first("tcp_flags"), case.first("window")
    closed = has(case.first("layers"), Layer.TCP) & (window == 0) & (flags & (RST | SYN | FIN) == 0)
    by_sender: dict[str, list[int]] = {}
    longest: dict[str, int] = {}
    stuck: set[str] = set()
    for number, reply in sorted(distinct_rows(case.connection[closed], case.reply[closed])):
        if number < 0:
            continue
        stall, packets, ends = _longest(case, closed, number, reply=bool(reply))
        if stall >= LEAST_NS:
            sender = str(case.context.src(int(case.first_row[packets[0]])))
            by_sender.setdefault(sender, []).extend(packets)
            longest[sender] = max(longest.get(sender, 0), stall)
            if not ends:
                stuck.add(sender)
    for sender, stalled in by_sender.items():
        facts: Facts = {"receiver": sender, "closed_s": Most(longest[sender] / 1e9), "stuck": Most(sender in stuck)}
        yield Cause(stalled, partial(_tell, case, facts), key=(sender,))


def _longest(case: Case, closed: Array, number: int, *, reply: bool) -> tuple[int, list[int], bool]:
    """Return how long a sender's window was closed at the most, ns, who said so, and whether it opened each time."""
    packets = case.packets_of(number)
    times, flags = case.first("time_ns")[packets], case.first("tcp_flags")[packets]
    shut = closed[packets] & (case.reply[packets] == reply)
    # It opens with the sender's next window, and is of no matter once either side has closed or reset.
    ends = ((case.reply[packets] == reply) & ~shut) | (flags & (RST | FIN) != 0)
    begins = np.flatnonzero(shut & ~np.append(False, shut[:-1] & ~ends[:-1]))
    over = np.flatnonzero(ends)
    following = np.searchsorted(over, begins)
    until = np.append(times[over], case.end_ns)[following]
    if not len(begins):
        return 0, [], True
    stalls = until - times[begins]
    opens = packets[over[np.minimum(following, len(over) - 1)]] if len(over) else packets[:0]
    opened = len(over) > 0 and bool((following < len(over)).all())
    opened = opened and not (case.first("tcp_flags")[opens] & (RST | FIN)).any()
    return int(stalls.max()), packets[shut].tolist(), opened


def _tell(case: Case, facts: Facts, packets: list[int]) -> Told:
    src = case.context.src(row := int(case.first_row[packets[0]]))
    return Told(facts | {"name": name_of(case, src, row)} if src is not None else facts)


def _completed(finding: Finding) -> Finding:
    """One that opens again is slow; one that stays shut takes nothing any more."""
    stuck, closed_s = finding.facts["stuck"], float(finding.facts["closed_s"])  # type: ignore[arg-type]
    bad = Severity.ERROR if closed_s >= FOR_GOOD_S else Severity.WARNING
    return replace(finding, severity=bad if stuck else Severity.INFO)


HYPOTHESIS = Hypothesis(
    "zero-window",
    Severity.WARNING,
    "captures",
    "A TCP receiver announced a window of zero for a tenth of a second and more.",
    "Look at the receiving program, not at the network: it is too slow, blocked, or out of CPU (docker stats).",
    causes,
    complete=_completed,
)
