"""Packets whose payload says in a few words what they are: datagrams of some ports, and what TCP's sides say first."""

from collections.abc import Callable, Iterator

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.decode.said import PORTS, said
from analyzer.link.identity import has
from analyzer.packet.context import Context
from analyzer.packet.questions import carried
from analyzer.read.records import Interface
from analyzer.schema import Array, Int64, Layer

MOST = 20_000
"""Connections whose packets are looked into, the first ones."""
Again = Callable[[Int64], Iterator[tuple[int, bytes, int, Interface]]]


def may_say(context: Context) -> Array:
    """(packets,) bool: the payload of each may say what it is; of TCP, that which comes first in each direction."""
    frames, hops, start = context.frames, context.hops, context.packet_start[:-1]
    row, connection = hops["row"][start], hops["connection"][start].astype(np.int64)
    found = (connection >= 0) & (frames["payload_len"][row] > 0) & ~has(frames["layers"][row], Layer.FRAGMENT)
    found[connection >= 0] &= context.connection_id(connection[connection >= 0]) < MOST
    ports = np.array(PORTS[PROTO_UDP], np.int64)
    speaks = np.isin(frames["sport"][row], ports) | np.isin(frames["dport"][row], ports)
    datagrams: Array = found & (frames["proto"][row] == PROTO_UDP) & speaks
    segments = np.flatnonzero(found & (frames["proto"][row] == PROTO_TCP))
    _, first = np.unique(connection[segments] * 2 + hops["reply"][start][segments], return_index=True)
    datagrams[segments[first]] = True
    return datagrams


def words(context: Context, packets: Int64, read_again: Again) -> dict[int, str]:
    """Return what those of *packets* say that say something; *read_again* reads rows of *context*."""
    rows = np.sort(context.hops["row"][context.packet_start[packets]].astype(np.int64))
    found: dict[int, str] = {}
    for row, data, length, interface in read_again(rows) if len(rows) else ():
        ends = (context.value(name, row) for name in ("proto", "sport", "dport"))
        told = said(carried(context, row, data, length, interface), *ends)
        if told is not None:
            found[int(context.packet_of_row[row])] = told
    return found
