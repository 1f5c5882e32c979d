"""The capture changed what it shows: a promiscuous bridge takes in what it forwards, and routes it once more.

tcpdump without -p makes a bridge promiscuous (net/bridge/br_input.c, br_handle_frame_finish); with br_netfilter, a
packet that DNAT sends back to its own bridge then reaches its container twice, the second time with a lower TTL.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.link.identity import has
from analyzer.model import Point, Role, Severity
from analyzer.schema import Int64, Layer


def causes(case: Case) -> Iterator[Cause]:
    """Give containers' ports that saw packets twice, a hop apart, where nobody says that captures were quiet."""
    context = case.context
    rows = _second(case)
    rows = rows[case.mine[context.packet_of_row[rows]]]
    quiet = {point.host for point in context.points if point.role is Role.BRIDGE and point.unseen is not None}
    for number in np.unique(context.frames["point"][rows]).tolist():
        point, here = context.points[number], rows[context.frames["point"][rows] == number]
        if point.host not in quiet:
            yield Cause([], partial(_tell, case, point, here), key=(point.name,))


def _tell(case: Case, point: Point, rows: Int64, _: list[int]) -> Told:
    facts: Facts = {"where": point.name, "twice": Count(len(rows))}
    if point.container:
        facts["container"] = point.container
    return Told(facts, evidence=tuple(case.shown(row) for row in rows[:SHOWN].tolist()))


def _second(case: Case) -> Int64:
    """Return the rows that show a packet once more at a container's port, for the same MAC, with a TTL one lower."""
    context, hops = case.context, case.context.hops
    frames = context.frames
    place = np.flatnonzero(context.with_role(hops["row"], Role.VETH, Role.CONTAINER))
    place = place[has(frames["layers"][hops["row"][place]], Layer.IPV4 | Layer.IPV6)]
    row = hops["row"][place]
    order = np.lexsort((hops["hop"][place], frames["eth_dst"][row], frames["point"][row], hops["packet"][place]))
    row, packet = row[order], hops["packet"][place][order]
    same = packet[1:] == packet[:-1]
    for name in ("point", "eth_dst"):
        same &= frames[name][row[1:]] == frames[name][row[:-1]]
    lower = frames["ttl"][row[1:]].astype(np.int64) + 1 == frames["ttl"][row[:-1]]
    found: Int64 = row[1:][same & lower]
    return found


HYPOTHESIS = Hypothesis(
    "capture-doubles-packets",
    Severity.INFO,
    "captures of a bridge and its ports",
    "A container's port shows packets twice, the second time routed: capturing had made its bridge promiscuous.",
    "Record with tcpdump -p, as hoptrace capture does; frames between ports are then seen at the ports.",
    causes,
)
