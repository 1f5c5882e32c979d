"""All layers of frames of one link type, for all frames at once, and of the frames that some of them carry in VXLAN.

Takes where frames lie, fills in the columns of FRAMES and gives rows of its side tables.
"""

from dataclasses import dataclass, field

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.digest import DIGEST_BYTES, digest_rows
from analyzer.decode.gather import Gather, u32
from analyzer.decode.link import Frames, decode_link
from analyzer.decode.neighbours import decode_arp, decode_ndp
from analyzer.decode.network import Payload, decode_network
from analyzer.decode.quotes import decode_quotes
from analyzer.decode.transport import decode_transport
from analyzer.read.records import LINKTYPE_ETHERNET
from analyzer.schema import FRAMES, TUNNELS, Columns, Int64, Layer

OF_THE_RECORD = ("point", "frame", "time_ns", "cap_len", "orig_len", "direction")
"""Columns that belong to the frame as it was captured, whatever it carries."""
_UNDERSTOOD = np.uint32(Layer.IPV4 | Layer.IPV6 | Layer.ARP)


@dataclass(slots=True)
class Sides:
    """Rows of the side tables, in pieces; ``row`` columns count from the first frame."""

    quotes: list[Columns] = field(default_factory=list)
    neighbours: list[Columns] = field(default_factory=list)
    tunnels: list[Columns] = field(default_factory=list)

    def add(self, other: "Sides", rows: Int64) -> None:
        """Take over the rows of *other*, which count places in *rows*."""
        for name in Sides.__slots__:
            for table in getattr(other, name):
                table["row"] = rows[table["row"]]
                getattr(self, name).append(table)

    def drop(self, rows: Int64) -> None:
        """Forget what *rows* have in them."""
        for name in Sides.__slots__:
            tables = [{n: c[~np.isin(t["row"], rows)] for n, c in t.items()} for t in getattr(self, name)]
            setattr(self, name, tables)


def decode_layers(
    gather: Gather, frames: Frames, link_type: int, keep: int, out: Columns, *, carried: bool = False
) -> Sides:
    """
    Decode frames from their link layer on.

    Args:
        gather: reads the buffer they lie in.
        frames: where they lie.
        link_type: of all of them.
        keep: bytes that every point kept, from the network header on; digests cover no more.
        out: FRAMES, zeroed, to be filled in.
        carried: they came in a tunnel, and are not searched for another one.
    """
    sides = Sides()
    network = decode_link(gather, frames, link_type, out)
    payload = decode_network(gather, network.at, frames.end, frames.wire_end, network.kind, out)
    if (network.kind == o.ETHERTYPE_ARP).any():
        sides.neighbours.append(decode_arp(gather, network.kind, payload, out))
    decode_transport(gather, payload, out)
    icmp = np.flatnonzero(out["layers"] & np.uint32(Layer.ICMP))
    if len(icmp):
        sides.neighbours += filter(None, [decode_ndp(gather, icmp, payload, out)])
        sides.quotes += filter(None, [decode_quotes(gather, icmp, payload, out)])
    out["payload_len"][:] = np.maximum(payload.length, 0)
    _digest(gather, network.at, payload, keep, out)
    vxlan = (out["dport"] == o.VXLAN_PORTS[0]) | (out["dport"] == o.VXLAN_PORTS[1])
    if not carried and vxlan.any():
        _decapsulate(gather, np.flatnonzero(vxlan), payload, keep, out, sides)
    return sides


def _digest(gather: Gather, network_at: Int64, payload: Payload, keep: int, out: Columns) -> None:
    wanted = np.minimum(payload.length, np.minimum(DIGEST_BYTES, keep - (payload.at - network_at)))
    wanted = np.maximum(wanted, 0)
    enough = (wanted == 0) | (payload.kept >= wanted)
    count = wanted * enough
    out["digest"][:] = digest_rows(gather.rows(payload.at, DIGEST_BYTES), count) * enough
    out["layers"] |= enough * np.uint32(Layer.DIGEST)


def _decapsulate(gather: Gather, rows: Int64, payload: Payload, keep: int, out: Columns, sides: Sides) -> None:
    """Let the frames that VXLAN carries take the place of those that carry them, which become rows of TUNNELS."""
    layers = out["layers"][rows]
    whole = (layers & np.uint32(Layer.UDP) != 0) & (layers & np.uint32(Layer.FRAGMENT) == 0)
    head = gather.rows(payload.at[rows], o.VXLAN_HEADER)
    whole &= (payload.kept[rows] >= o.VXLAN_HEADER) & (u32(head, 0) == o.VXLAN_FLAGS) & (head[:, 7] == 0)
    rows, head = rows[whole], head[whole]
    start = payload.at[rows] + o.VXLAN_HEADER
    frames = Frames(start, payload.end[rows], payload.at[rows] + payload.length[rows])
    inner = FRAMES.empty(len(rows))
    found = decode_layers(gather.at(start), frames, LINKTYPE_ETHERNET, keep, inner, carried=True)
    out["layers"][rows] |= inner["layers"] & np.uint32(Layer.LEFT)
    good = np.flatnonzero(inner["layers"] & _UNDERSTOOD)
    tunnels = {name: out[name][rows[good]] for name in TUNNELS.dtypes if name in out}
    tunnels["row"], tunnels["vni"] = rows[good], u32(head[good], 4) >> np.uint32(8)
    for name, column in inner.items():
        if name not in OF_THE_RECORD:
            out[name][rows[good]] = column[good]
    out["layers"][rows[good]] |= np.uint32(Layer.TUNNEL) | tunnels["layers"] & np.uint32(Layer.COOKED)
    place = np.full(len(rows), -1, np.int64)
    place[good] = rows[good]
    for name in ("quotes", "neighbours"):  # of frames that stay as they are, nothing
        for table in getattr(found, name):
            mine = place[table["row"]] >= 0
            table["row"] = place[table["row"]]
            getattr(sides, name).append({column: values[mine] for column, values in table.items()})
    sides.tunnels.append({name: tunnels[name].astype(dtype, copy=False) for name, dtype in TUNNELS.dtypes.items()})
