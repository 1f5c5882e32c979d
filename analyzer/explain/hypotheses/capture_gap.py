"""A point recorded nothing of packets that must have passed it: its capture has a hole."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_TCP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Span
from analyzer.explain.told import Told
from analyzer.link.sorting import changes
from analyzer.model import Evidence, Finding, Role, Severity
from analyzer.schema import Array, Int64

ENOUGH = 3
MOST_POINTS = 62


def causes(case: Case) -> Iterator[Cause]:
    """Give points that packets skip, although all others of the same streams pass there before they go on."""
    context = case.context
    if len(context.points) > MOST_POINTS or not context.packets:
        return
    routed = _routed(case)
    for point in context.points:
        if point.dropped or point.uncounted or point.role in (Role.LOOPBACK, Role.UNKNOWN):
            continue
        missing = _skipped(case, routed, point.id)
        times = context.frames["time_ns"][case.first_row[missing]]
        missing = missing[[point.covers(int(time)) for time in times.tolist()]] if len(missing) else missing
        if len(missing):
            yield Cause(missing.tolist(), partial(_tell, case, point.name), key=(point.name,))


def _tell(case: Case, point: str, packets: list[int]) -> Told:
    times = case.context.frames["time_ns"][case.first_row[packets]]
    return Told(
        {"where": point, "long_s": Span(int(times.min()), int(times.max()))},
        evidence=(Evidence(point), *case.evidence(packets[:4])),
    )


def _enough(finding: Finding) -> Finding | None:
    """Tell of a hole, but not of a packet or two."""
    return finding if int(finding.facts["packets"]) >= ENOUGH else None  # type: ignore[arg-type]


def _skipped(case: Case, routed: Array, point: int) -> Int64:
    """Return packets that went on behind a point without having been seen there, unlike the others of their stream."""
    seen, mask = case.context.points_seen, np.int64(1) << point
    absent = np.flatnonzero((seen & mask == 0) & routed)
    if not len(absent):
        return absent
    streams = case.connection * 2 + case.reply
    passed = np.flatnonzero((seen & mask != 0) & routed & (streams >= 0))
    absent = absent[np.isin(streams[absent], streams[passed])]
    absent = absent[~_within(case, streams, absent, passed)]
    if not len(absent):
        return absent
    behind = _behind(case, passed, point)
    if case.context.points[point].role is Role.VETH:  # what a bridge floods passes a port on no way to another one
        behind &= ~sum(1 << other.id for other in case.context.points if other.role is Role.VETH)
    stream = streams[passed]
    order = np.argsort(stream, kind="stable")
    begins = np.flatnonzero(changes(stream[order]))
    common = np.bitwise_or.reduceat(behind[order], begins)
    place = np.searchsorted(stream[order][begins], streams[absent])
    found: Int64 = absent[seen[absent] & common[place] != 0]
    return found


def _within(case: Case, streams: Int64, parts: Int64, wholes: Int64) -> Array:
    """(len(parts),) bool: the bytes of each passed in a longer segment of its stream, as before offload splits one."""
    seq, size = case.first("seq").astype(np.int64), case.first("payload_len").astype(np.int64)
    key = streams << 32 | seq
    wholes = wholes[(case.first("proto")[wholes] == PROTO_TCP) & (size[wholes] > 0)]
    wholes = wholes[np.argsort(key[wholes], kind="stable")]
    if not len(wholes):
        return np.zeros(len(parts), bool)
    before = np.maximum(np.searchsorted(key[wholes], key[parts], side="right") - 1, 0)
    reach = np.maximum.accumulate(key[wholes] + size[wholes])[before]
    found: Array = (size[parts] > 0) & (key[wholes][before] <= key[parts]) & (key[parts] + size[parts] <= reach)
    return found


def _routed(case: Case) -> Array:
    """(packets,) bool: those seen at an uplink and further in; a bridge shows those between its ports now and then."""
    context, seen = case.context, case.context.points_seen
    uplinks = sum(1 << point.id for point in context.points if point.role is Role.UPLINK)
    found: Array = (seen & np.int64(uplinks) != 0) & (seen & ~np.int64(uplinks) != 0)
    return found


def _behind(case: Case, packets: Int64, point: int) -> Int64:
    """(len(packets),) The points that each packet was seen at after *point*, as bits."""
    context, found = case.context, np.zeros(len(packets), np.int64)
    of_row = context.frames["point"][context.hops["row"]].astype(np.int64)
    packet = context.hops["packet"]
    place = np.full(context.packets, np.iinfo(np.int64).max)
    at = np.flatnonzero(of_row == point)
    np.minimum.at(place, packet[at], at)
    later = np.arange(len(packet)) > place[packet]
    bits = np.zeros(context.packets, np.int64)
    np.bitwise_or.at(bits, packet[later], np.int64(1) << of_row[later])
    found |= bits[packets] & ~(np.int64(1) << point)
    return found


HYPOTHESIS = Hypothesis(
    "capture-gap",
    Severity.WARNING,
    "captures",
    "Packets were seen before and behind a point, but not there, while others of their connections were.",
    "Record that point again; of a rotated capture, look for a file that is missing.",
    causes,
    complete=_enough,
)
