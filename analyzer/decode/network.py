"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, for all packets at once; captured ones and those ICMP errors quote.

Takes where the headers lie, gives where the transport headers lie, and fills in the columns of the network layer.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.gather import Gather, u16, u32, u64
from analyzer.schema import Array, Columns, Int64, Layer

VECTOR_EXTENSIONS = 8
"""IPv6 extension headers that are walked here; packets with more are left to the reference."""


_FLAGS = np.full(8, Layer.IPV4, np.uint32)
"""Bits by IPv4's three flags: reserved, don't fragment, more fragments."""
_FLAGS[[2, 3, 6, 7]] |= np.uint32(Layer.DONT_FRAGMENT)
_FLAGS[1::2] |= np.uint32(Layer.MORE_FRAGMENTS | Layer.FRAGMENT)


@dataclass(slots=True)
class Payload:
    """Where n transport headers or payloads lie."""

    at: Int64
    length: Int64
    """Bytes by the headers in front, whether captured or not."""
    end: Int64
    """Behind the last captured byte that belongs to it; padding does not."""
    transport: Array
    """(n,) bool: a transport header of protocol ``proto`` begins here."""

    @property
    def kept(self) -> Int64:
        """Captured bytes."""
        return self.end - self.at


def decode_network(gather: Gather, at: Int64, end: Int64, wire_end: Int64, kind: Array, out: Columns) -> Payload:
    """Decode the network headers at *at*; where there are none, the payload begins right there."""
    payload = Payload(at.copy(), wire_end - at, end.copy(), np.zeros(len(at), bool))
    is4 = kind == o.ETHERTYPE_IPV4
    is6 = kind == o.ETHERTYPE_IPV6
    out["layers"] |= (~is4 & ~is6 & (end < wire_end)) * np.uint32(Layer.CUT)
    if is4.any():
        _ipv4(gather, is4, wire_end, out, payload)
    if is6.any():
        _ipv6(gather, np.flatnonzero(is6), wire_end, out, payload)
    return payload


def _ipv4(gather: Gather, is4: Array, wire_end: Int64, out: Columns, payload: Payload) -> None:
    at, end = payload.at, payload.end
    head = gather.rows(at, o.IPV4_HEADER)
    whole = end - at >= o.IPV4_HEADER
    header = (head[:, 0] & 15).astype(np.int64) * 4
    total = u16(head, 2).astype(np.int64)
    total = np.where(total == 0, wire_end - at, total)  # 0: a TSO packet of 64 KiB or more
    good = is4 & whole & (head[:, 0] >> 4 == 4) & (header >= o.IPV4_HEADER) & (total >= header)
    if not (good == is4).all():
        cut = is4 & ~whole & (end < wire_end)
        out["layers"] |= cut * np.uint32(Layer.CUT) | (is4 & ~good & ~cut) * np.uint32(Layer.MALFORMED)
    fragment = u16(head, 6)
    offset = (fragment & np.uint16(0x1FFF)) << np.uint16(3)
    flags = (fragment >> np.uint16(13)).astype(np.intp)
    bits = _FLAGS[flags] | (offset > 0) * np.uint32(Layer.FRAGMENT)
    bits |= (end - at < total) * np.uint32(Layer.CUT)
    out["layers"] |= bits * good
    out["src"][:] = u32(head, 12) * good
    out["dst"][:] = u32(head, 16) * good
    out["proto"][:] = head[:, 9] * good
    out["ttl"][:] = head[:, 8] * good
    out["tos"][:] = head[:, 1] * good
    out["ip_id"][:] = u16(head, 4) * good
    out["ip_len"][:] = total * good
    out["frag_offset"][:] = offset * good
    header *= good
    payload.transport |= good & (offset == 0)
    np.copyto(payload.length, total - header, where=good)
    np.copyto(payload.end, np.minimum(end, at + total), where=good)
    payload.at += header


def _ipv6(gather: Gather, rows: Int64, wire_end: Int64, out: Columns, payload: Payload) -> None:
    rows = _whole(rows, o.IPV6_HEADER, wire_end, out, payload)
    at, end = payload.at[rows], payload.end[rows]
    head = gather.rows(at, o.IPV6_HEADER)
    wrong = head[:, 0] >> 4 != 6
    if wrong.any():
        out["layers"][rows[wrong]] |= np.uint32(Layer.MALFORMED)
        right = ~wrong
        rows, at, end, head = (a[right] for a in (rows, at, end, head))
    total = u16(head, 4).astype(np.int64) + o.IPV6_HEADER
    total = np.where(total == o.IPV6_HEADER, wire_end[rows] - at, total)  # 0: a jumbogram, or TSO
    total = np.maximum(total, o.IPV6_HEADER)
    out["layers"][rows] |= np.uint32(Layer.IPV6) | (end - at < total) * np.uint32(Layer.CUT)
    out["src_hi"][rows] = u64(head, 8)
    out["src"][rows] = u64(head, 16)
    out["dst_hi"][rows] = u64(head, 24)
    out["dst"][rows] = u64(head, 32)
    out["proto"][rows] = head[:, 6]
    out["ttl"][rows] = head[:, 7]
    out["tos"][rows] = (head[:, 0] << 4) | (head[:, 1] >> 4)
    out["ip_len"][rows] = total
    payload.at[rows] = at + o.IPV6_HEADER
    payload.length[rows] = total - o.IPV6_HEADER
    payload.end[rows] = np.minimum(end, at + total)
    payload.transport[rows] = True
    _extensions(gather, rows, out, payload)


def _extensions(gather: Gather, rows: Int64, out: Columns, payload: Payload) -> None:
    """Walk the extension headers of *rows* (RFC 8200 section 4); ``proto`` ends as what follows them."""
    rows = rows[np.isin(out["proto"][rows], o.EXTENSIONS)]
    for _ in range(VECTOR_EXTENSIONS):
        if not len(rows):
            return
        proto = out["proto"][rows]
        head = gather.rows(payload.at[rows], 8)
        size = (head[:, 1].astype(np.int64) + 1) * 8
        size[proto == o.EXT_AUTH] = (head[proto == o.EXT_AUTH, 1].astype(np.int64) + 2) * 4
        size[proto == o.EXT_FRAGMENT] = 8
        length, kept = payload.length[rows], payload.kept[rows]
        too_long = (size > length) & ((kept >= 2) | (length < 2))  # else the size itself was cut off
        cut = ~too_long & (size > kept)
        out["layers"][rows[too_long]] |= np.uint32(Layer.MALFORMED)
        payload.transport[rows[too_long | cut]] = False
        going = ~(too_long | cut)
        rows, proto, head, size = rows[going], proto[going], head[going], size[going]
        payload.at[rows] += size
        payload.length[rows] -= size
        out["proto"][rows] = head[:, 0]
        rest = _fragment_headers(rows[proto == o.EXT_FRAGMENT], head[proto == o.EXT_FRAGMENT], out, payload)
        rows = np.union1d(rows[proto != o.EXT_FRAGMENT], rest)
        rows = rows[np.isin(out["proto"][rows], o.EXTENSIONS)]
    out["layers"][rows] |= np.uint32(Layer.LEFT)


def _fragment_headers(rows: Int64, head: Array, out: Columns, payload: Payload) -> Int64:
    """Take in fragment headers; return the rows behind which further headers may come."""
    field = u16(head, 2)
    offset = field & np.uint16(0xFFF8)
    more = field & 1 != 0
    is_fragment = more | (offset > 0)  # else "atomic" (RFC 6946), an unfragmented packet
    out["frag_offset"][rows] = offset
    out["ip_id"][rows] = u32(head, 4) * is_fragment
    out["layers"][rows] |= more * np.uint32(Layer.MORE_FRAGMENTS) | is_fragment * np.uint32(Layer.FRAGMENT)
    later = offset > 0
    payload.transport[rows[later]] = False
    rest: Int64 = rows[~later]
    return rest


def _whole(rows: Int64, header: int, wire_end: Int64, out: Columns, payload: Payload) -> Int64:
    """Return the rows whose fixed header was captured; mark the others as cut or malformed."""
    short = payload.kept[rows] < header
    if not short.any():
        return rows
    bad = rows[short]
    cut = payload.end[bad] < wire_end[bad]
    out["layers"][bad] |= np.where(cut, np.uint32(Layer.CUT), np.uint32(Layer.MALFORMED))
    rest: Int64 = rows[~short]
    return rest
