"""What an analysis says, in the form that truth has."""

from collections import defaultdict

from analyzer.run import Trace
from tests.oracle import Tuple

IN_PARTS = ("segments", "fragments", "hairpin", "self-hairpin", "quiet-hairpin")
"""Samples in which a packet is not one frame per point; their packets have tests of their own."""


UNROUTED = "quiet-hairpin"
"""Datagrams without an IP id that a bridge translates and turns round: only conntrack tells whose they are."""


def packets_of(trace: Trace) -> set[frozenset[tuple[str, int]]]:
    """Return every packet as the set of its sightings: point, and frame number."""
    groups: dict[int, set[tuple[str, int]]] = defaultdict(set)
    frames, hops = trace.tables.frames, trace.correlated.hops
    for row, packet in zip(hops["row"].tolist(), hops["packet"].tolist(), strict=True):
        groups[packet].add((trace.points[int(frames["point"][row])].name, int(frames["frame"][row])))
    return {frozenset(group) for group in groups.values()}


def tuples_of(trace: Trace) -> list[tuple[Tuple, Tuple]]:
    """Return every connection's original and reply tuple, sorted."""
    found: list[tuple[Tuple, Tuple]] = []
    for number in range(len(trace.correlated.connections["proto"])):
        connection = trace.connection(number)
        both: list[Tuple] = []
        for answer, one in enumerate((connection.original, connection.reply)):
            ports = (one.icmp_id, answer) if one.icmp_id is not None else (one.sport, one.dport)
            both.append((connection.protocol, str(one.src), str(one.dst), ports[0] or 0, ports[1] or 0))
        found.append((both[0], both[1]))
    return sorted(found)
