"""A receiver's buffer is full: its program does not read."""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import distinct_rows
from analyzer.decode.offsets import FIN, RST, SYN
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.model import Severity
from analyzer.schema import Array, Layer

LEAST_NS = 100_000_000
"""Shorter stalls are everyday."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each sender of windows of zero, and for how long its peer had to wait."""
    flags, window = case.first("tcp_flags"), case.first("window")
    closed = has(case.first("layers"), Layer.TCP) & (window == 0) & (flags & (RST | SYN | FIN) == 0)
    by_sender: dict[str, list[int]] = {}
    longest: dict[str, int] = {}
    for number, reply in sorted(distinct_rows(case.connection[closed], case.reply[closed])):
        if number < 0:
            continue
        stall, packets = _longest(case, closed, number, reply=bool(reply))
        if stall >= LEAST_NS:
            sender = str(case.context.src(int(case.first_row[packets[0]])))
            by_sender.setdefault(sender, []).extend(packets)
            longest[sender] = max(longest.get(sender, 0), stall)
    for sender, stalled in by_sender.items():
        yield Cause(stalled, facts={"receiver": sender, "closed_s": longest[sender] / 1e9})


def _longest(case: Case, closed: Array, number: int, *, reply: bool) -> tuple[int, list[int]]:
    """Return how long a sender's window was closed at the most, ns, and the packets that said so."""
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
        return 0, []
    stalls = until - times[begins]
    return int(stalls.max()), packets[shut].tolist()


HYPOTHESIS = Hypothesis(
    "zero-window",
    Severity.WARNING,
    "captures",
    "A TCP receiver announced a window of zero for a tenth of a second and more.",
    "Look at the receiving program, not at the network: it is too slow, blocked, or out of CPU (docker stats).",
    causes,
)
