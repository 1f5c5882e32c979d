"""Tunnels whose other end never sends anything back."""

import numpy as np

from analyzer.explain.case import Case
from analyzer.model import Address, Disposition, address
from analyzer.model.journey import CODES


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
            version = 6 if src >> 32 else 4
            ends = tuple(address(version, ip >> 64, ip & (1 << 64) - 1) for ip in (src, dst))
            found.setdefault((ends[0], ends[1]), []).append(packet)
    return found
