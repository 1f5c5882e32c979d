"""Decodes frames with dpkt, one by one: where nothing could be compiled."""

import numpy as np

from analyzer.decode.offsets import SLL2_HEADER, SLL2_INTERFACE_AT
from analyzer.decode.reference import decode_frame
from analyzer.read.records import LINKTYPE_LINUX_SLL2, Interface, Records
from analyzer.schema import NEIGHBOURS, QUOTES, TUNNELS, Columns, Int64


def decode_each(
    records: Records, interfaces: list[Interface], keep: int, frames: Columns
) -> tuple[dict[str, Columns], Int64]:
    """Fill in FRAMES; return rows of the side tables, and LINUX_SLL2's interface indices, 0 where there are none."""
    device = np.zeros(len(records), np.int64)
    found: dict[str, list[dict[str, int]]] = {"quotes": [], "neighbours": [], "tunnels": []}
    columns = (records.start, records.cap_len, records.orig_len, records.interface)
    for row, (start, length, wire, number) in enumerate(zip(*(one.tolist() for one in columns), strict=True)):
        data, interface = records.buffer[start : start + length].tobytes(), interfaces[number]
        one = decode_frame(data, wire, interface, keep=keep)
        for name, value in one.frame.items():
            frames[name][row] = value
        for name, aside in (("quotes", one.quote), ("neighbours", one.neighbour), ("tunnels", one.tunnel)):
            if aside is not None:
                found[name].append({**aside, "row": row})
        kept = min(length, max(wire - interface.fcs_len, 0))
        if interface.link_type == LINKTYPE_LINUX_SLL2 and kept >= SLL2_HEADER:
            device[row] = int.from_bytes(data[SLL2_INTERFACE_AT : SLL2_INTERFACE_AT + 4], "big")
    tables = {"quotes": QUOTES, "neighbours": NEIGHBOURS, "tunnels": TUNNELS}
    sides = {
        name: {column: np.array([one[column] for one in found[name]], dtype) for column, dtype in table.dtypes.items()}
        for name, table in tables.items()
    }
    return sides, device
