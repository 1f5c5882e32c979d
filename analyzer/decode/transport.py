"""TCP, UDP, ICMP and the invariants of SCTP, DCCP, GRE and ESP, for all packets at once.

Takes where the transport headers lie, fills in their columns and moves the payload behind them.
"""

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.gather import Gather, u16, u32
from analyzer.decode.network import Payload
from analyzer.schema import Array, Columns, Int64, Layer

WIDTH = 32
"""TCP's header and the usual options of an established connection: NOP, NOP, timestamps."""
USUAL_OPTIONS = 0x0101080A

TRANSPORT_HEADER = np.zeros(256, np.int64)
"""Bytes of the fixed header of each protocol that is decoded; 0 for the others."""
for _proto, _size in (
    (o.PROTO_TCP, o.TCP_HEADER),
    (o.PROTO_UDP, o.UDP_HEADER),
    (o.PROTO_UDPLITE, o.UDP_HEADER),
    (o.PROTO_DCCP, o.TRANSPORT_MINIMUM),
    (o.PROTO_SCTP, o.SCTP_HEADER),
    (o.PROTO_ICMP, o.ICMP_HEADER),
    (o.PROTO_ICMP6, o.ICMP_HEADER),
    (o.PROTO_GRE, o.GRE_HEADER),
    (o.PROTO_ESP, o.ESP_HEADER),
):
    TRANSPORT_HEADER[_proto] = _size
_PORTS = np.zeros(256, bool)
_PORTS[[o.PROTO_TCP, o.PROTO_UDP, o.PROTO_UDPLITE, o.PROTO_DCCP, o.PROTO_SCTP]] = True


def decode_transport(gather: Gather, payload: Payload, out: Columns) -> None:
    """Decode the transport headers where ``payload.transport`` says there are any."""
    proto = out["proto"]
    version6 = out["layers"] & np.uint32(Layer.IPV6) != 0
    icmp = proto == np.where(version6, o.PROTO_ICMP6, o.PROTO_ICMP)
    header = TRANSPORT_HEADER[proto]
    known = payload.transport & (header > 0)
    known &= icmp | ((proto != o.PROTO_ICMP) & (proto != o.PROTO_ICMP6))
    kept = payload.kept
    too_short = known & (payload.length < header)
    if too_short.any():
        out["layers"] |= too_short * np.uint32(Layer.MALFORMED)
        known &= ~too_short
    rows = gather.rows(payload.at, WIDTH)
    whole = known & (kept >= header)
    moved = header * whole

    ports = known & _PORTS[proto] & (kept >= o.PORTS_LENGTH)
    numbered = ports & (kept >= o.TRANSPORT_MINIMUM)
    out["sport"][:] = u16(rows, 0) * ports
    out["dport"][:] = u16(rows, 2) * ports
    bits = ports * np.uint32(Layer.PORTS)
    bits |= (whole & (proto == o.PROTO_UDP)) * np.uint32(Layer.UDP)
    tcp = whole & (proto == o.PROTO_TCP)
    sctp = numbered & (proto == o.PROTO_SCTP)
    bits |= sctp * np.uint32(Layer.TAG)
    out["seq"][:] = u32(rows, 4) * (sctp | (numbered & (proto == o.PROTO_TCP)))
    if tcp.any():
        bits |= _tcp(gather, rows, tcp, payload, moved, out)
    messages = np.flatnonzero(icmp & whole)
    if len(messages):
        bits[messages] |= _icmp(rows[messages], messages, version6[messages], out)
    others = np.flatnonzero(whole & ((proto == o.PROTO_GRE) | (proto == o.PROTO_ESP)))
    if len(others):
        _tagged(gather, others, payload, out)
    out["layers"] |= bits
    payload.at += moved
    payload.length -= moved


def _tcp(gather: Gather, rows: Array, tcp: Array, payload: Payload, moved: Array, out: Columns) -> Array:
    """Fill in TCP's columns (RFC 9293); return the bits to set, and set *moved* to the header lengths."""
    header = (rows[:, 12] >> 4).astype(np.int64) * 4
    wrong = tcp & ((header < o.TCP_HEADER) | (header > payload.length))
    tcp = tcp & ~wrong
    moved[wrong] = 0
    # With some of the options cut off, the payload is still where the header says; it just was not captured.
    np.copyto(moved, header, where=tcp)
    out["ack"][:] = u32(rows, 8) * tcp
    out["tcp_flags"][:] = (u16(rows, 12) & np.uint16(0x0FFF)) * tcp
    out["window"][:] = u16(rows, 14) * tcp
    options = np.minimum(header, payload.kept) - o.TCP_HEADER
    usual = tcp & (u32(rows, 20) == USUAL_OPTIONS) & (options >= 12)
    out["tsval"][:] = u32(rows, 24) * usual
    out["tsecr"][:] = u32(rows, 28) * usual
    bits: Array = tcp * np.uint32(Layer.TCP) | usual * np.uint32(Layer.TCP_TS) | wrong * np.uint32(Layer.MALFORMED)
    unusual = np.flatnonzero(tcp & ~usual & (options > 0))
    if len(unusual):
        found, at = _find_timestamps(gather, payload.at[unusual] + o.TCP_HEADER, options[unusual])
        stamps = gather.rows(at, 8)
        out["tsval"][unusual[found]] = u32(stamps, 0)
        out["tsecr"][unusual[found]] = u32(stamps, 4)
        bits[unusual[found]] |= np.uint32(Layer.TCP_TS)
    return bits


def _find_timestamps(gather: Gather, at: Int64, length: Int64) -> tuple[Int64, Int64]:
    """Walk option lists (RFC 9293 section 3.1); return which have timestamps, and where those lie."""
    options = gather.rows(at, 44)
    place = np.zeros(len(at), np.int64)
    found = np.full(len(at), -1, np.int64)
    row = np.flatnonzero(length > 0)
    while len(row):
        kind = options[row, place[row]]
        size = options[row, place[row] + 1].astype(np.int64)
        size[kind == o.TCPOPT_NOP] = 1
        after = place[row] + size
        fits = (kind == o.TCPOPT_NOP) | ((kind != o.TCPOPT_EOL) & (size >= 2) & (after <= length[row]))
        stamps = fits & (kind == o.TCPOPT_TIMESTAMP) & (size == o.TCPOLEN_TIMESTAMP)
        found[row[stamps]] = place[row[stamps]] + 2
        place[row] = after
        going = fits & ~stamps & (after < length[row])
        row = row[going]
    have = np.flatnonzero(found >= 0)
    return have, at[have] + found[have]


def _icmp(rows: Array, index: Int64, version6: Array, out: Columns) -> Array:
    """Fill in ICMP's columns (RFC 792, RFC 4443) of the frames at *index*; return the bits to set."""
    kind = rows[:, 0]
    out["icmp_type"][index], out["icmp_code"][index] = kind, rows[:, 1]
    echo = np.where(
        version6,
        (kind == o.ICMP6_ECHO) | (kind == o.ICMP6_ECHO_REPLY),
        (kind == o.ICMP_ECHO) | (kind == o.ICMP_ECHO_REPLY),
    )
    out["icmp_id"][index], out["icmp_seq"][index] = u16(rows, 4) * echo, u16(rows, 6) * echo
    bits: Array = np.uint32(Layer.ICMP) | echo * np.uint32(Layer.ECHO)
    return bits


def _tagged(gather: Gather, index: Int64, payload: Payload, out: Columns) -> None:
    """Take in GRE's key (RFC 2890), ESP's SPI and sequence number (RFC 4303)."""
    rows = gather.rows(payload.at[index], 12)
    kept = payload.kept[index]
    esp = out["proto"][index] == o.PROTO_ESP
    flags = u16(rows, 0)
    key_at = np.where(flags & o.GRE_CHECKSUM, 8, 4)
    keyed = ~esp & (flags & o.GRE_KEY != 0) & (kept >= key_at + 4)
    key = np.where(key_at == 8, u32(rows, 8), u32(rows, 4))
    out["seq"][index] = np.where(esp, u32(rows, 0), key * keyed)
    out["ack"][index] = u32(rows, 4) * esp
    out["layers"][index] |= (esp | keyed) * np.uint32(Layer.TAG)
