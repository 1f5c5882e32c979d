"""A receiver's buffer is full: its program does not read."""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import distinct_rows
from analyzer.decode.offsets import FIN, RST, SYN
from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.schema import Array, Layer

LEAST_NS = 100_000_000
"""Shorter stalls are everyday."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each sender of windows of zero, and for how long its peer had to wait."""
    flags, window = subject.first("tcp_flags"), subject.first("window")
    closed = has(subject.first("layers"), Layer.TCP) & (window == 0) & (flags & (RST | SYN | FIN) == 0)
    by_sender: dict[str, list[int]] = {}
    longest: dict[str, int] = {}
    for number, reply in sorted(distinct_rows(subject.connection[closed], subject.reply[closed])):
        if number < 0:
            continue
        stall, packets = _longest(subject, closed, number, reply=bool(reply))
        if stall >= LEAST_NS:
            sender = str(subject.context.src(int(subject.first_row[packets[0]])))
            by_sender.setdefault(sender, []).extend(packets)
            longest[sender] = max(longest.get(sender, 0), stall)
    for sender, stalled in by_sender.items():
        yield CHECK.finding(
            f"{sender} takes no more data: window 0 for {longest[sender] / 1e9:.1f} s",
            f"Its receive buffer is full, for the program there does not read. {affected(subject, stalled)}",
            evidence=subject.evidence(stalled),
        )


def _longest(subject: Subject, closed: Array, number: int, *, reply: bool) -> tuple[int, list[int]]:
    """Return how long a sender's window was closed at the most, ns, and the packets that said so."""
    packets = subject.packets_of(number)
    times, flags = subject.first("time_ns")[packets], subject.first("tcp_flags")[packets]
    shut = closed[packets] & (subject.reply[packets] == reply)
    # It opens with the sender's next window, and is of no matter once either side has closed or reset.
    ends = ((subject.reply[packets] == reply) & ~shut) | (flags & (RST | FIN) != 0)
    begins = np.flatnonzero(shut & ~np.append(False, shut[:-1] & ~ends[:-1]))
    over = np.flatnonzero(ends)
    following = np.searchsorted(over, begins)
    until = np.append(times[over], subject.end_ns)[following]
    if not len(begins):
        return 0, []
    stalls = until - times[begins]
    return int(stalls.max()), packets[shut].tolist()


CHECK = Check(
    "zero-window",
    Severity.WARNING,
    "captures",
    "A TCP receiver announced a window of zero for a tenth of a second and more.",
    "Look at the receiving program, not at the network: it is too slow, blocked, or out of CPU (docker stats).",
    look,
)
