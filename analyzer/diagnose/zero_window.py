"""A receiver's buffer is full: its program does not read."""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.identity import has
from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.streams import RST, SYN
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.schema import Layer

LEAST_NS = 100_000_000
"""Shorter stalls are everyday."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each sender of windows of zero, and for how long its peer had to wait."""
    flags, window = subject.first("tcp_flags"), subject.first("window")
    closed = has(subject.first("layers"), Layer.TCP) & (window == 0) & (flags & (RST | SYN) == 0)
    times = subject.first("time_ns")
    by_sender: dict[str, list[int]] = {}
    stalled: dict[str, int] = {}
    streams = np.unique(np.stack([subject.connection[closed], subject.reply[closed]]), axis=1)
    for number, reply in streams.T.tolist() if closed.any() else ():
        packets = subject.packets_of(number, reply=bool(reply)) if number >= 0 else np.zeros(0, np.int64)
        shut = packets[closed[packets]]
        if not len(shut):
            continue
        opened = packets[(~closed[packets]) & (packets > shut[-1])]
        until = int(times[opened[0]]) if len(opened) else subject.end_ns
        if until - int(times[shut[0]]) >= LEAST_NS:
            sender = str(subject.context.src(int(subject.first_row[shut[0]])))
            by_sender.setdefault(sender, []).extend(shut.tolist())
            stalled[sender] = max(stalled.get(sender, 0), until - int(times[shut[0]]))
    for sender, packets_of in by_sender.items():
        yield CHECK.finding(
            f"{sender} takes no more data: window 0 for {stalled[sender] / 1e9:.1f} s",
            f"Its receive buffer is full, for the program there does not read. {affected(subject, packets_of)}",
            evidence=subject.evidence(packets_of),
        )


CHECK = Check(
    "zero-window",
    Severity.WARNING,
    "captures",
    "A TCP receiver announced a window of zero for a tenth of a second and more.",
    "Look at the receiving program, not at the network: it is too slow, blocked, or out of CPU (docker stats).",
    look,
)
