"""Link layers, for all frames at once: Ethernet with VLAN tags, LINUX_SLL, LINUX_SLL2, RAW, NULL and LOOP.

Takes where frames lie, gives where their network layer begins and which it is, and fills in the MAC columns.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.gather import Gather, u16, u32, u48
from analyzer.read import records as link_types
from analyzer.schema import Array, Columns, Int64, Layer

_IS_VLAN = np.zeros(1 << 16, bool)
_IS_VLAN[list(o.VLAN_TYPES)] = True
VECTOR_TAGS = 2
"""VLAN tags that are taken off here; frames with more are left to the reference."""


@dataclass(slots=True)
class Frames:
    """Where n frames lie in a buffer."""

    start: Int64
    end: Int64
    """Behind the last captured byte."""
    wire_end: Int64
    """Where the frame would end, had all of it been captured."""


@dataclass(slots=True)
class Network:
    """Where n network headers lie, and of which protocol they are."""

    at: Int64
    kind: Array
    """EtherType, 0 where it is unknown."""


def decode_link(gather: Gather, frames: Frames, link_type: int, out: Columns) -> Network:
    """Decode the link layer of frames of one link type."""
    if link_type == link_types.LINKTYPE_ETHERNET:
        return _ethernet(gather, frames, out)
    if link_type == link_types.LINKTYPE_LINUX_SLL:
        return _cooked(gather, frames, out)
    if link_type == link_types.LINKTYPE_LINUX_SLL2:
        return _cooked2(gather, frames, out)
    if link_type in (link_types.LINKTYPE_NULL, link_types.LINKTYPE_LOOP):
        return _null(gather, frames, loop=link_type == link_types.LINKTYPE_LOOP)
    count = len(frames.start)
    if link_type == link_types.LINKTYPE_IPV4:
        return Network(frames.start, np.full(count, o.ETHERTYPE_IPV4, np.uint16))
    if link_type == link_types.LINKTYPE_IPV6:
        return Network(frames.start, np.full(count, o.ETHERTYPE_IPV6, np.uint16))
    if link_type in (
        link_types.LINKTYPE_RAW,
        link_types.LINKTYPE_RAW_OPENBSD,
        link_types.LINKTYPE_RAW_BSDOS,
    ):
        version = gather.rows(frames.start, 1)[:, 0] >> 4
        kind = np.select([version == 4, version == 6], [o.ETHERTYPE_IPV4, o.ETHERTYPE_IPV6], 0)
        return Network(frames.start, np.where(frames.end > frames.start, kind, 0).astype(np.uint16))
    return Network(frames.start, np.zeros(count, np.uint16))


def _ethernet(gather: Gather, frames: Frames, out: Columns) -> Network:
    rows = gather.rows(frames.start, o.ETH_HEADER)
    there = frames.end - frames.start >= o.ETH_HEADER
    out["eth_dst"][:] = u48(rows, 0) * there
    out["eth_src"][:] = u48(rows, 6) * there
    out["layers"] |= there * np.uint32(Layer.MAC_SRC | Layer.MAC_DST)
    _stop(out, frames, ~there)
    return _tags(gather, frames, frames.start + o.ETH_HEADER * there, u16(rows, o.ETH_TYPE_AT) * there, out)


def _cooked(gather: Gather, frames: Frames, out: Columns) -> Network:
    rows = gather.rows(frames.start, o.SLL_HEADER)
    there = frames.end - frames.start >= o.SLL_HEADER
    packet_type = u16(rows, o.SLL_PACKET_TYPE_AT)
    has_mac = there & (u16(rows, o.SLL_ADDRESS_LENGTH_AT) == 6)
    out["direction"][:] = np.minimum(packet_type, 255) * there
    out["eth_src"][:] = u48(rows, o.SLL_ADDRESS_AT) * has_mac
    out["layers"] |= there * np.uint32(Layer.COOKED) | has_mac * np.uint32(Layer.MAC_SRC)
    _stop(out, frames, ~there)
    return _tags(gather, frames, frames.start + o.SLL_HEADER * there, u16(rows, o.SLL_PROTOCOL_AT) * there, out)


def _cooked2(gather: Gather, frames: Frames, out: Columns) -> Network:
    rows = gather.rows(frames.start, o.SLL2_HEADER)
    there = frames.end - frames.start >= o.SLL2_HEADER
    has_mac = there & (rows[:, o.SLL2_ADDRESS_LENGTH_AT] == 6)
    out["direction"][:] = rows[:, o.SLL2_PACKET_TYPE_AT] * there
    out["eth_src"][:] = u48(rows, o.SLL2_ADDRESS_AT) * has_mac
    out["layers"] |= there * np.uint32(Layer.COOKED) | has_mac * np.uint32(Layer.MAC_SRC)
    _stop(out, frames, ~there)
    kind = u16(rows, o.SLL2_PROTOCOL_AT) * there
    return _tags(gather, frames, frames.start + o.SLL2_HEADER * there, kind, out)


def interface_of_cooked2(gather: Gather, frames: Frames) -> Int64:
    """Return the interface index in each LINUX_SLL2 header, 0 where the header is cut."""
    there = frames.end - frames.start >= o.SLL2_HEADER
    return u32(gather.rows(frames.start + o.SLL2_INTERFACE_AT, 4), 0).astype(np.int64) * there


def _null(gather: Gather, frames: Frames, *, loop: bool) -> Network:
    family = u32(gather.rows(frames.start, o.NULL_HEADER), 0)
    if not loop:  # in the byte order of the host that captured; families are small numbers
        family = np.where(family > 0xFFFF, family.byteswap(), family)
    there = frames.end - frames.start >= o.NULL_HEADER
    kind = np.select([family == o.AF_INET, np.isin(family, o.AF_INET6)], [o.ETHERTYPE_IPV4, o.ETHERTYPE_IPV6], 0)
    return Network(frames.start + o.NULL_HEADER * there, (kind * there).astype(np.uint16))


def _tags(gather: Gather, frames: Frames, at: Int64, kind: Array, out: Columns) -> Network:
    """Take off VLAN tags and keep the outermost id; a length instead of a type is no network layer."""
    tagged = np.flatnonzero(_IS_VLAN[kind])
    for depth in range(VECTOR_TAGS):
        if not len(tagged):
            break
        cut = frames.end[tagged] - at[tagged] < o.VLAN_TAG
        _stop(out, frames, tagged[cut])
        kind[tagged[cut]] = 0
        tagged = tagged[~cut]
        rows = gather.rows(at[tagged], o.VLAN_TAG)
        if depth == 0:
            out["vlan"][tagged] = u16(rows, 0) & 0x0FFF
            out["layers"][tagged] |= np.uint32(Layer.VLAN)
        kind[tagged] = u16(rows, 2)
        at[tagged] += o.VLAN_TAG
        tagged = tagged[_IS_VLAN[kind[tagged]]]
    out["layers"][tagged] |= np.uint32(Layer.LEFT)
    typed = kind > o.MAX_LENGTH_FIELD
    out["eth_type"][:] = kind * typed
    out["layers"] |= typed * np.uint32(Layer.ETH_TYPE)
    return Network(at, kind * typed)


def _stop(out: Columns, frames: Frames, rows: Array) -> None:
    """Mark a header that is not all there: cut by the capture, or already too short on the wire."""
    if not rows.any() if rows.dtype == bool else not len(rows):
        return
    cut = frames.end[rows] < frames.wire_end[rows]
    out["layers"][rows] |= np.where(cut, np.uint32(Layer.CUT), np.uint32(Layer.MALFORMED))
