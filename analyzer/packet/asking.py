"""Who asks whom, by tunnels and for names, and whether either does anything else: known of all packets together."""

from collections.abc import Collection

import numpy as np

from analyzer.decode.dns import PORT
from analyzer.decode.offsets import PROTO_UDP
from analyzer.link.sorting import distinct_rows, values_at
from analyzer.packet.context import Context
from analyzer.schema import Array, Columns, Int64

HALF = (1 << 64) - 1
DHCP_SERVER, DHCP_CLIENT = 67, 68
"""Ports (RFC 2131 section 4.1)."""


def tunnels(context: Context) -> set[tuple[int, int]]:
    """Return between whom VXLAN packets went, from whom to whom, by their outer addresses."""
    table = context.tunnels
    pairs = distinct_rows(*(table[name] for name in ("src_hi", "src", "dst_hi", "dst")))
    return {(src_hi << 64 | src, dst_hi << 64 | dst) for src_hi, src, dst_hi, dst in pairs}


def asked(context: Context) -> set[int]:
    """Return to whom VXLAN packets and questions to name servers went."""
    table = context.connections
    return _ends(context.tunnels, "dst") | _ends(table, "orig_dst", table["orig_dport"] == PORT)


def alive(context: Context, wanted: Collection[int]) -> set[int]:
    """Return which of the *wanted* are ends of connections that were answered, other than questions for names."""
    table = context.connections
    answered = table["seen_reply"] & (table["orig_dport"] != PORT)
    ends = (_ends(table, end, answered & _among(table[end], wanted)) for end in ("orig_src", "orig_dst"))
    return set().union(*ends) & set(wanted)


def askers(context: Context) -> set[int]:
    """Return who asks name servers."""
    table = context.connections
    return _ends(table, "orig_src", table["orig_dport"] == PORT)


def busy(context: Context, wanted: Collection[int]) -> dict[int, int]:
    """Return when those that are *wanted* began the last connection other than to a name server, in ns."""
    table = context.connections
    rows: Int64 = np.flatnonzero((table["orig_dport"] != PORT) & _among(table["orig_src"], wanted))
    rows = rows[np.argsort(table["first_ns"][rows], kind="stable")]
    columns = [table[name] for name in ("orig_src_hi", "orig_src", "first_ns")]
    found = {high << 64 | low: began_ns for high, low, began_ns in values_at(columns, rows)}
    return {ip: found[ip] for ip in found.keys() & set(wanted)}


def dhcp(context: Context) -> set[int]:
    """Return the points at which a DHCP server was heard."""
    frames = context.frames
    heard = (frames["proto"] == PROTO_UDP) & (frames["sport"] == DHCP_SERVER) & (frames["dport"] == DHCP_CLIENT)
    return set(np.unique(frames["point"][heard]).tolist())


def _ends(table: Columns, name: str, rows: Array | None = None) -> set[int]:
    """Return the addresses of a column, of all rows or of some."""
    halves = (table[f"{name}_hi"], table[name])
    return {high << 64 | low for high, low in distinct_rows(*(h if rows is None else h[rows] for h in halves))}


def _among(lows: Array, wanted: Collection[int]) -> Array:
    """(rows,) bool: the lower half is one of those that are wanted, which is nearly all that it takes."""
    found: Array = np.isin(lows, np.array([ip & HALF for ip in wanted], np.uint64))
    return found
