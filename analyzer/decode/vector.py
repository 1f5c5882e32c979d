"""Decodes a batch of records into FRAMES and its side tables, all frames at once.

Works in pieces that stay in the processor's cache. What it does not decode itself, frames with more VLAN tags or
IPv6 extension headers than anybody uses, it hands to ``reference``, which defines what is right for all frames.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.decode.gather import Gather
from analyzer.decode.layers import Sides, decode_layers
from analyzer.decode.link import Frames, interface_of_cooked2
from analyzer.read.records import DECODED, LINKTYPE_LINUX_SLL2, LINKTYPE_NONE, Interface, Records
from analyzer.schema import FRAMES, NEIGHBOURS, QUOTES, TUNNELS, Array, Columns, Int64, Layer

PIECE = 16_384
KEEP_ALL = 1 << 30
SIDE_TABLES = {"quotes": QUOTES, "neighbours": NEIGHBOURS, "tunnels": TUNNELS}


@dataclass(slots=True)
class Decoded:
    """Tables of one batch; ``row`` columns count from the batch's first frame."""

    frames: Columns
    quotes: Columns
    neighbours: Columns
    tunnels: Columns
    device: Int64
    """(n,) LINUX_SLL2 interface index, else 0: with it, one file is many points."""


def decode(
    records: Records, interfaces: list[Interface], *, keep: int = KEEP_ALL, into: Columns | None = None
) -> Decoded:
    """
    Decode a batch.

    Args:
        records: the batch.
        interfaces: of its file.
        keep: bytes that every point kept, from the network header on; digests cover no more.
        into: zeroed columns of as many rows, to be filled in; made if None.

    Returns:
        FRAMES with one row per record (``point`` still 0), and its side tables.
    """
    frames = FRAMES.empty(len(records)) if into is None else into
    frames["frame"][:] = np.arange(records.first_frame, records.first_frame + len(records))
    frames["time_ns"][:] = records.time_ns
    frames["cap_len"][:], frames["orig_len"][:] = records.cap_len, records.orig_len
    empty = {name: table.empty(0) for name, table in SIDE_TABLES.items()}
    decoded = Decoded(frames, **empty, device=np.zeros(len(records), np.int64))
    sides = Sides()
    for interface, of_kind in _by_kind(records, interfaces):
        for first in range(0, len(of_kind), PIECE):
            rows = of_kind[first : first + PIECE]
            contiguous = rows[-1] - rows[0] == len(rows) - 1
            where = slice(int(rows[0]), int(rows[-1]) + 1) if contiguous else rows
            _piece(records, where, rows, interface, keep, decoded, sides)
    for name in SIDE_TABLES:
        setattr(decoded, name, _joined(empty[name], getattr(sides, name)))
    return decoded


def _by_kind(records: Records, interfaces: list[Interface]) -> list[tuple[Interface, Int64]]:
    """Group records by what decoding depends on: their interface's link type and frame check sequence."""
    if (records.interface == records.interface[:1]).all():
        return [(interfaces[index], np.arange(len(records))) for index in records.interface[:1].tolist()]
    used, of_record = np.unique(records.interface, return_inverse=True)
    examples: dict[tuple[int, int], int] = {}
    kinds = [interfaces[index] for index in used.tolist()]
    number = np.array([examples.setdefault(_kind(k), i) for i, k in enumerate(kinds)])[of_record]
    return [(kinds[example], np.flatnonzero(number == example)) for example in examples.values()]


def _kind(interface: Interface) -> tuple[int, int]:
    """Return what decoding depends on; link types that are not decoded are all alike."""
    return (interface.link_type if interface.link_type in DECODED else LINKTYPE_NONE, interface.fcs_len)


def _piece(
    records: Records, where: slice | Int64, rows: Int64, interface: Interface, keep: int, decoded: Decoded, sides: Sides
) -> None:
    start = records.start[where]
    gather = Gather(records.buffer, start)
    wire = np.maximum(records.orig_len[where] - interface.fcs_len, 0)
    placed = Frames(start, start + np.minimum(records.cap_len[where], wire), start + wire)
    # A slice is a view, so the piece's columns are decoded in place; else they are copied back.
    out = {name: column[where] for name, column in decoded.frames.items()}
    if interface.link_type == LINKTYPE_LINUX_SLL2:
        decoded.device[where] = interface_of_cooked2(gather, placed)
    found = decode_layers(gather, placed, interface.link_type, keep, out)
    left = np.flatnonzero(out["layers"] & np.uint32(Layer.LEFT))
    if len(left):
        found.drop(left)
        _refer(records, rows, left, interface, keep, out, found)
    sides.add(found, rows)
    if not isinstance(where, slice):
        for name, column in out.items():
            decoded.frames[name][where] = column


def _refer(
    records: Records, rows: Int64, left: Int64, interface: Interface, keep: int, out: Columns, sides: Sides
) -> None:
    """Let the reference decode the frames at *left*."""
    from analyzer.decode import reference  # noqa: PLC0415 - dpkt is seldom needed here, and slow to import

    for index in left.tolist():
        at, length = int(records.start[rows[index]]), int(records.cap_len[rows[index]])
        data = records.buffer[at : at + length].tobytes()
        one = reference.decode_frame(data, int(records.orig_len[rows[index]]), interface, keep=keep)
        for name, value in one.frame.items():
            out[name][index] = value
        for name, table in SIDE_TABLES.items():
            row = getattr(one, name.removesuffix("s"))
            if row is not None:
                values = {**row, "row": index}
                getattr(sides, name).append({n: np.array([values[n]], d) for n, d in table.dtypes.items()})


def _joined(empty: Columns, parts: list[Columns]) -> Columns:
    """Join side tables and sort them by row."""
    if not parts:
        return empty
    order: Array = np.argsort(np.concatenate([part["row"] for part in parts]), kind="stable")
    return {name: np.concatenate([part[name] for part in parts])[order] for name in empty}
