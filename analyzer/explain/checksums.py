"""Frames with a wrong checksum among packets that nobody answered: two hypotheses ask for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from analyzer.decode.checksum import Sum, verify
from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause
from analyzer.explain.stopped import severity
from analyzer.explain.told import Told
from analyzer.model import Disposition, Severity
from analyzer.model.finding import Symptom
from analyzer.schema import Int64

MOST, MOST_FRAMES = 100, 50
"""Packets that are read again, of what one client wants of one port, and frames of each."""


@dataclass(frozen=True, slots=True)
class WrongSum:
    """A frame with a wrong checksum."""

    packet: int
    row: int
    outer: bool
    """Of the VXLAN packet around it."""


def wrong_sums(case: Case) -> list[WrongSum]:
    """Return for each such packet its first frame that is wrong."""
    context = case.context
    rows = np.array(
        [row for packet in suspects(case).tolist() for row in context.rows_of(packet)[:MOST_FRAMES]], np.int64
    )
    found: dict[int, WrongSum] = {}
    if not len(rows):
        return []
    from analyzer.decode.reference import datagrams  # noqa: PLC0415 - dpkt is slow to import, and seldom needed

    for row, data, length, interface in case.read_again(np.sort(rows)):
        packets = datagrams(data, length, interface)
        for place, packet in enumerate(packets):
            of = int(context.packet_of_row[row])
            inner = packets[place + 1] if place + 1 < len(packets) else b""
            if verify(packet, inner) is Sum.WRONG and (of not in found or row_before(case, row, found[of].row)):
                found[of] = WrongSum(of, row, outer=len(packets) > 1 and place == 0)
                break
    return [found[packet] for packet in sorted(found)]


def wrong_from(case: Case, *, outer: bool) -> Iterator[Cause]:
    """Give each point that is the first to see wrong checksums, of packets, or of VXLAN packets around them."""
    by_point: dict[str, list[WrongSum]] = {}
    for wrong in case.once(wrong_sums):
        if wrong.outer is outer:
            by_point.setdefault(case.context.point(wrong.row).name, []).append(wrong)
    for point, found in by_point.items():
        packets = [wrong.packet for wrong in found]
        yield Cause(packets, partial(_tell, case, point, found), also=case.troubled(packets), key=(point,))


def _tell(case: Case, point: str, found: list[WrongSum], packets: list[int]) -> Told:
    among = frozenset(packets)
    left = [wrong for wrong in found if wrong.packet in among]
    return Told(
        {"where": point},
        severity=severity(case, packets, Severity.ERROR, ended=True),
        evidence=tuple(case.shown(wrong.row) for wrong in left[:SHOWN]),
    )


def row_before(case: Case, row: int, other: int) -> bool:
    """Tell whether one frame was recorded before another."""
    return case.context.value("time_ns", row) < case.context.value("time_ns", other)


def suspects(case: Case) -> Int64:
    """Return unanswered connections' packets, those that were sent again, and those that were lost."""
    answered = np.append(case.context.connections["seen_reply"], True)[case.connection]
    found = np.union1d(np.flatnonzero(~answered), np.flatnonzero(case.sent_again))
    found = np.union1d(found, case.tracer.ended(Disposition.LOST))
    found = np.setdiff1d(found, np.flatnonzero(case.quoted_by >= 0))
    stopped = case.with_symptom(Symptom.STOPPED)
    return case.few_packets(np.setdiff1d(found, stopped), MOST)
