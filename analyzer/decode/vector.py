"""Decodes a batch of records into FRAMES, QUOTES and NEIGHBOURS, all frames at once.

Works in pieces that stay in the processor's cache. What it does not decode itself, frames with more VLAN tags or
IPv6 extension headers than anybody uses, it hands to ``reference``, which defines what is right for all frames.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.capture.records import LINKTYPE_LINUX_SLL2, Interface, Records
from analyzer.decode import offsets as o
from analyzer.decode.digest import DIGEST_BYTES, digest_rows
from analyzer.decode.gather import Gather, u16
from analyzer.decode.link import Frames, decode_link, interface_of_cooked2
from analyzer.decode.neighbours import decode_arp, decode_ndp
from analyzer.decode.network import Payload, decode_network
from analyzer.decode.transport import decode_transport
from analyzer.schema import FRAMES, NEIGHBOURS, QUOTES, Array, Columns, Int64, Layer

PIECE = 8192
KEEP_ALL = 1 << 30
_ICMP_ERROR = np.zeros((2, 256), bool)
_ICMP_ERROR[0, o.ICMP_ERRORS] = True
_ICMP_ERROR[1, o.ICMP6_ERRORS] = True


@dataclass(slots=True)
class Decoded:
    """Tables of one batch; ``row`` columns count from the batch's first frame."""

    frames: Columns
    quotes: Columns
    neighbours: Columns
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
    device = np.zeros(len(records), np.int64)
    quotes: list[Columns] = []
    neighbours: list[Columns] = []
    for interface, of_kind in _by_kind(records, interfaces):
        for first in range(0, len(of_kind), PIECE):
            rows = of_kind[first : first + PIECE]
            contiguous = rows[-1] - rows[0] == len(rows) - 1
            where = slice(int(rows[0]), int(rows[-1]) + 1) if contiguous else rows
            _piece(records, where, rows, interface, keep, frames, device, quotes, neighbours)
    return Decoded(frames, _joined(QUOTES.empty(0), quotes), _joined(NEIGHBOURS.empty(0), neighbours), device)


def _by_kind(records: Records, interfaces: list[Interface]) -> list[tuple[Interface, Int64]]:
    """Group records by what decoding depends on: their interface's link type and frame check sequence."""
    if (records.interface == records.interface[:1]).all():
        return [(interfaces[index], np.arange(len(records))) for index in records.interface[:1].tolist()]
    used, of_record = np.unique(records.interface, return_inverse=True)
    examples: dict[tuple[int, int], int] = {}
    kinds = [interfaces[index] for index in used.tolist()]
    number = np.array([examples.setdefault((k.link_type, k.fcs_len), i) for i, k in enumerate(kinds)])[of_record]
    return [(kinds[example], np.flatnonzero(number == example)) for example in examples.values()]


def _piece(
    records: Records,
    where: slice | Int64,
    rows: Int64,
    interface: Interface,
    keep: int,
    frames: Columns,
    device: Int64,
    quotes: list[Columns],
    neighbours: list[Columns],
) -> None:
    start = records.start[where]
    gather = Gather(records.buffer, start)
    wire = np.maximum(records.orig_len[where] - interface.fcs_len, 0)
    placed = Frames(start, start + np.minimum(records.cap_len[where], wire), start + wire)
    # A slice is a view, so the piece's columns are decoded in place; else they are copied back.
    out = {name: column[where] for name, column in frames.items()}
    if interface.link_type == LINKTYPE_LINUX_SLL2:
        device[where] = interface_of_cooked2(gather, placed)
    network = decode_link(gather, placed, interface.link_type, out)
    payload = decode_network(gather, network.at, placed.end, placed.wire_end, network.kind, out)
    side: list[tuple[list[Columns], Columns]] = []
    if (network.kind == o.ETHERTYPE_ARP).any():
        side.append((neighbours, decode_arp(gather, network.kind, payload, out)))
    decode_transport(gather, payload, out)
    if (out["layers"] & np.uint32(Layer.ICMP)).any():
        side.append((neighbours, decode_ndp(gather, payload, out)))
        side.append((quotes, _quotes(gather, payload, out)))
    out["payload_len"][:] = np.maximum(payload.length, 0)
    _digest(gather, network.at, payload, keep, out)
    left = np.flatnonzero(out["layers"] & np.uint32(Layer.LEFT)).tolist()
    if left:
        from analyzer.decode import reference  # noqa: PLC0415 - dpkt is seldom needed here, and slow to import
    for index in left:
        data = records.buffer[start[index] : start[index] + int(records.cap_len[where][index])].tobytes()
        one = reference.decode_frame(data, int(records.orig_len[where][index]), interface, keep=keep)
        for name, value in one.frame.items():
            out[name][index] = value
        for tables, row in ((quotes, one.quote), (neighbours, one.neighbour)):
            if row is not None:
                table = QUOTES if tables is quotes else NEIGHBOURS
                side.append((tables, {n: np.array([{**row, "row": index}[n]], d) for n, d in table.dtypes.items()}))
    for tables, found in side:
        found["row"] = rows[found["row"]]
        tables.append(found)
    if not isinstance(where, slice):
        for name, column in out.items():
            frames[name][where] = column


def _digest(gather: Gather, network_at: Int64, payload: Payload, keep: int, out: Columns) -> None:
    wanted = np.minimum(payload.length, np.minimum(DIGEST_BYTES, keep - (payload.at - network_at)))
    wanted = np.maximum(wanted, 0)
    enough = (wanted == 0) | (payload.kept >= wanted)
    count = wanted * enough
    out["digest"][:] = digest_rows(gather.rows(payload.at, DIGEST_BYTES), count) * enough
    out["layers"] |= enough * np.uint32(Layer.DIGEST)


def _quotes(gather: Gather, payload: Payload, out: Columns) -> Columns:
    """Decode the packets that ICMP errors quote; *payload* lies behind the ICMP headers."""
    version6 = (out["layers"] & np.uint32(Layer.IPV6) != 0).astype(np.intp)
    error = (out["layers"] & np.uint32(Layer.ICMP) != 0) & _ICMP_ERROR[version6, out["icmp_type"]]
    rows = np.flatnonzero(error)
    at, end = payload.at[rows], payload.end[rows]
    wire_end = at + np.maximum(payload.length[rows], 0)
    kind = np.where(version6[rows] == 1, o.ETHERTYPE_IPV6, o.ETHERTYPE_IPV4)
    quoted = FRAMES.empty(len(rows))
    decode_transport(gather, decode_network(gather, at, end, wire_end, kind, quoted), quoted)
    good = quoted["layers"] & np.uint32(Layer.IPV4 | Layer.IPV6) != 0
    found = {name: quoted[name][good] for name in QUOTES.dtypes if name in quoted}
    head = gather.rows(at[good] - o.ICMP_HEADER, o.ICMP_HEADER)
    rows = rows[good]
    kind6, icmp_type, icmp_code = version6[rows] == 1, out["icmp_type"][rows], out["icmp_code"][rows]
    too_big = ~kind6 & (icmp_type == o.ICMP_UNREACHABLE) & (icmp_code == o.ICMP_FRAGMENTATION_NEEDED)
    too_big6 = kind6 & (icmp_type == o.ICMP6_TOO_BIG)
    mtu = np.where(too_big, u16(head, 6), 0).astype(np.uint32)
    mtu = np.where(too_big6, (u16(head, 4).astype(np.uint32) << np.uint32(16)) | u16(head, 6), mtu)
    found["row"], found["mtu"] = rows, mtu
    out["layers"][rows] |= np.uint32(Layer.QUOTE)
    return {name: found[name].astype(dtype, copy=False) for name, dtype in QUOTES.dtypes.items()}


def _joined(empty: Columns, parts: list[Columns]) -> Columns:
    """Join side tables and sort them by row."""
    if not parts:
        return empty
    order: Array = np.argsort(np.concatenate([part["row"] for part in parts]), kind="stable")
    return {name: np.concatenate([part[name] for part in parts])[order] for name in empty}
