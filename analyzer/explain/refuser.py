"""Who refused, outside this host, and what whoever was refused did next."""

from ipaddress import IPv4Address

import numpy as np

from analyzer.decode.offsets import PROTO_TCP
from analyzer.explain.case import Case
from analyzer.explain.told import Facts
from analyzer.model import Address, Role
from analyzer.packet.context import FRESH_TTLS
from analyzer.schema import Addresses, Array, Layer

AT_ONCE_NS = 100_000_000
"""Whoever has a list of addresses takes the next one at once."""


def at_router(case: Case, packet: int) -> Facts:
    """Tell whether it was the host's own gateway that refused a packet for somebody further away."""
    number, context = int(case.connection[packet]), case.context
    answers = case.packets_of(number, reply=True).tolist() if number >= 0 else []
    if not answers:
        return {}
    row, asked = int(case.first_row[answers[0]]), case.connection_of(packet)
    if asked is None or context.point(row).role is not Role.UPLINK or context.value("ttl", row) not in FRESH_TTLS:
        return {}
    if context.layers(row) & Layer.TUNNEL:
        return {}  # what a tunnel carries was sent on another segment, where TTLs are full, too
    chosen = context.route_to(asked.reply.src, row)
    gateway = chosen.route.gateway if chosen is not None else None
    if gateway is None or not isinstance(gateway, IPv4Address):
        return {}
    known = case.host_of(packet).neighbour(gateway)
    if known is not None and known.mac is not None and known.mac != context.value("eth_src", row):
        return {}
    flow = asked.original
    here = (
        (container.name, port)
        for container in case.host_of(packet).containers
        for port in container.ports
        if (port.outside, port.protocol) == (flow.dport, flow.protocol)
    )
    name = next((name for name, _ in here), None)
    facts: Facts = {"router": str(gateway)}
    return facts if name is None else facts | {"published_by": name}


def turned_to(case: Case, packets: list[int]) -> Address | None:
    """Return the other address at which whoever was refused got through at once, if each of them did so."""
    table, numbers = case.context.connections, np.unique(case.connection[packets])
    if not len(numbers) or numbers[0] < 0:
        return None
    open_: Array = case.answered_in_the_end & (table["proto"] == PROTO_TCP)
    clients, targets = Addresses.of(table, "orig_src"), Addresses.of(table, "orig_dst")
    found: Address | None = None
    for number in numbers.tolist():
        flow = case.tracer.connection(number)
        after = table["first_ns"] - flow.last_ns
        next_ = open_ & (table["orig_dport"] == flow.original.dport) & (after >= 0) & (after <= AT_ONCE_NS)
        next_ &= clients.are(int(flow.original.src)) & ~targets.are(int(flow.original.dst))
        if flow.protocol != "tcp" or not next_.any():
            return None
        found = found or case.tracer.connection(int(np.flatnonzero(next_)[0])).original.dst
    return found


def of_same_service(case: Case, connection: int) -> Array:
    """(connections,) bool: each is to the same address, protocol and port as that one, as the server has them."""
    table = case.context.connections
    names = ("proto", "reply_src_hi", "reply_src", "reply_sport")
    found: Array = np.logical_and.reduce([table[name] == table[name][connection] for name in names])
    return found


def answers_at(case: Case, packet: int) -> list[int]:
    """Return the TCP ports at which the same server answers the same client."""
    table, number = case.context.connections, int(case.connection[packet])
    server = case.tracer.connection(number).reply.src if number >= 0 else None
    if server is None:
        return []
    same = Addresses.of(table, "orig_dst").are(int(server)) & (case.handshakes.granted > 0)
    client = Addresses.of(table, "orig_src")
    same &= (client.low == client.low[number]) & (client.high == client.high[number])
    found: list[int] = np.unique(table["orig_dport"][same]).tolist()
    return found
