"""Frames with a wrong checksum among packets that nobody answered: two checks ask for them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.decode.checksum import Sum, verify
from analyzer.decode.reference import datagrams
from analyzer.diagnose.causes import affected, severity
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import SHOWN, Subject
from analyzer.model import Disposition, Finding
from analyzer.model.words import plural
from analyzer.schema import Int64

MOST, MOST_FRAMES = 100, 5000
"""Packets that are read again, and frames of them: there are more only where frames are alike without end."""


@dataclass(frozen=True, slots=True)
class WrongSum:
    """A frame with a wrong checksum."""

    packet: int
    row: int
    outer: bool
    """Of the VXLAN packet around it."""


def wrong_sums(subject: Subject) -> list[WrongSum]:
    """Return for each such packet its first frame that is wrong."""
    context = subject.context
    rows = np.concatenate([np.zeros(0, np.int64), *(context.rows_of(packet) for packet in suspects(subject).tolist())])
    found: dict[int, WrongSum] = {}
    for row, data, length, interface in subject.read_again(np.sort(rows[:MOST_FRAMES].astype(np.int64))):
        packets = datagrams(data, length, interface)
        for place, packet in enumerate(packets):
            of = int(context.packet_of_row[row])
            if verify(packet) is Sum.WRONG and (of not in found or row_before(subject, row, found[of].row)):
                found[of] = WrongSum(of, row, outer=len(packets) > 1 and place == 0)
                break
    return [found[packet] for packet in sorted(found)]


def tell(subject: Subject, check: Check, what: str, *, outer: bool) -> Iterator[Finding]:
    """Report each point that is the first to see wrong checksums."""
    by_point: dict[str, list[WrongSum]] = {}
    for wrong in subject.once(wrong_sums):
        if wrong.outer is outer:
            by_point.setdefault(subject.context.point(wrong.row).name, []).append(wrong)
    for point, found in by_point.items():
        packets = [wrong.packet for wrong in found]
        yield check.finding(
            f"{plural(len(found), 'packet')} with a wrong checksum from {point} on",
            f"Their {what} checksum does not fit their bytes, so receivers drop them. {affected(subject, packets)}",
            severity=severity(subject, packets, check.severity, ended=True),
            evidence=tuple(subject.shown(wrong.row) for wrong in found[:SHOWN]),
        )
        subject.claim(packets)


def row_before(subject: Subject, row: int, other: int) -> bool:
    """Tell whether one frame was recorded before another."""
    return subject.context.value("time_ns", row) < subject.context.value("time_ns", other)


def suspects(subject: Subject) -> Int64:
    """Return unanswered connections' packets, those that were sent again, and those that were lost."""
    answered = np.append(subject.context.connections["seen_reply"], True)[subject.connection]
    quoted = [error.quoted for error in subject.errors if error.quoted is not None]
    found = np.union1d(np.flatnonzero(~answered), subject.tracer.sent_again[1])
    found = np.union1d(found, subject.tracer.ended(Disposition.LOST))
    return subject.unclaimed(np.setdiff1d(found, np.array(quoted, np.int64)))[:MOST]
