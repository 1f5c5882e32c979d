"""Tunnels whose other end never sends anything back."""

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.model import Address, Disposition, Role, address
from analyzer.model.journey import CODES
from analyzer.packet.stops import Cause, Way
from analyzer.state.rules.packet import Packet

Ends = tuple[Address, Address]


def kept_out(case: Case) -> dict[tuple[str | None, str], tuple[Cause, Ends, list[int]]]:
    """Return what came in VXLAN packets for a host whose own rules stop those, by host and rule."""
    context, found = case.context, dict[tuple[str | None, str], tuple[Cause, Ends, list[int]]]()
    known: dict[tuple[int, Ends], Cause | None] = {}
    for packet in np.flatnonzero(case.symptom >= 0).tolist() if len(context.tunnels["row"]) else ():
        row = int(case.last_row[packet])
        place, point, host = context.tunnel_of_row.get(row), context.point(row), context.host_at(row)
        ends = _ends(case, place) if place is not None and point.role is Role.UPLINK else None
        if ends is None or place is None or not host.owns(ends[1]):
            continue
        if (point.id, ends) not in known:
            port = int(context.tunnels["dport"][place])
            outer = Packet(PROTO_UDP, *ends, None, port, iif=point.interface or point.name, ct_state="NEW")
            known[point.id, ends] = Way(host, outer).stopped(bridged=False)
        cause = known[point.id, ends]
        if cause is not None and not cause.unknown and (cause.rule is not None or cause.policy is not None):
            found.setdefault((host.name, cause.text), (cause, ends, []))[2].append(packet)
    return found


def one_way(case: Case) -> dict[tuple[Address, Address], list[int]]:
    """Return what left in VXLAN packets and went wrong, by their ends, of whom the other one sent none at all."""
    table, found = case.context.tunnels, dict[tuple[Address, Address], list[int]]()
    if not len(table["row"]):
        return found
    left = case.tracer.ends == CODES[Disposition.LEFT_HOST]
    for packet in np.flatnonzero(left & (case.symptom >= 0)).tolist():
        place = case.context.tunnel_of_row.get(int(case.last_row[packet]))
        if place is None:
            continue
        src, dst = (int(table[f"{end}_hi"][place]) << 64 | int(table[end][place]) for end in ("src", "dst"))
        if (dst, src) not in case.context.all.tunnels:
            found.setdefault(_ends(case, place), []).append(packet)
    return found


def _ends(case: Case, place: int) -> Ends:
    """Return the outer addresses of a row of TUNNELS."""
    table = case.context.tunnels
    high, low = ([int(table[f"{end}{half}"][place]) for end in ("src", "dst")] for half in ("_hi", ""))
    version = 6 if any(high) else 4
    return address(version, high[0], low[0]), address(version, high[1], low[1])
