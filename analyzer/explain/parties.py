"""Of whom a finding is: names of containers, and names that were asked for, before addresses."""

from collections.abc import Sequence

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.tally import Among, Count, CountOf, Least, Texts
from analyzer.explain.told import Facts
from analyzer.link.sorting import group_rows
from analyzer.model import Address, Connection, Role, endpoint
from analyzer.schema import Int64

SHOWN = 3
ENDS = ("proto", "orig_src_hi", "orig_src", "orig_dst_hi", "orig_dst", "orig_dport")
MOST = 1_000
"""Clients and what they want, of which names are looked up; the first ones."""


def about(case: Case, packets: Sequence[int]) -> Facts:
    """
    Tell how many packets of which connections it is, and who wants what of whom.

    ``tries`` counts the connections between the same ends, ``failed`` those of them to which no answer got through,
    ``of_packets`` what went the same way in the connections.
    """
    if not len(packets):
        return {}
    chosen = np.array(packets, np.int64)
    numbers, first = np.unique(case.connection[chosen], return_index=True)
    first = case.numbers[chosen[first[numbers >= 0]]]
    numbers = numbers[numbers >= 0]
    found: Facts = {"packets": Count(len(packets))}
    if not len(numbers):
        return found | {"of_packets": Among(0, len(packets))}
    order = np.argsort(first, kind="stable")
    numbers, first = numbers[order], first[order]
    named = [case.tracer.connection(number) for number in numbers[:SHOWN].tolist()]
    found["connections"] = Texts.of(zip(map(str, (one.original for one in named)), first.tolist(), strict=False), SHOWN)
    found["more_connections"] = CountOf.each(case.connection_numbers[numbers].tolist(), beyond=SHOWN)
    ends = case.once(_ends)
    _, distinct = group_rows(ends[numbers])
    seen = first[distinct][:MOST].tolist()
    of_ends = [case.tracer.connection(number) for number in numbers[distinct][:MOST].tolist()]
    found["who"] = Texts.of(zip([who_asks(case, one) for one in of_ends], seen, strict=True), services=case.services)
    found["what"] = Texts.of(zip([what_is_asked(case, one) for one in of_ends], seen, strict=True))
    found["protocols"] = Texts.of((one.protocol.upper().removesuffix("V6"), 0) for one in of_ends)
    alike = np.flatnonzero(np.isin(ends, ends[numbers]) & case.my_connections)
    through = case.answered_in_the_end[alike]
    found |= {"tries": Count(len(alike)), "failed": Count(int((~through).sum()))}
    return found | _of_packets(case, chosen, numbers)


def _of_packets(case: Case, packets: Int64, numbers: Int64) -> Facts:
    """Count what went the same way as the packets in their connections, and say whether those are answers."""
    replies, connection = case.reply[packets], case.connection[packets]
    count, beside = 0, int(np.count_nonzero(connection < 0))
    for way in (False, True):
        of = np.intersect1d(connection[replies == way], numbers)
        count += int(case.packets_each_way[int(way)][of].sum())
    return {"of_replies": Least(bool(replies.all())), "of_packets": Among(count, beside)}


def who_asks(case: Case, connection: Connection) -> str:
    """Name who began a connection."""
    packet = int(case.packets_of(connection.id)[0])
    row = int(case.first_row[packet])
    point = case.context.point(row)
    if point.role is Role.LOOPBACK and point.container:
        return point.container
    if point.role in (Role.CONTAINER, Role.VETH) and point.container and not case.reply[packet]:
        mac = case.context.value("eth_src", row)
        owner = case.context.owner_of_mac(mac, row)
        comes_in = _goes_to(case, row) == point.container  # as what a user-mode network lets in, whoever sent it
        if not comes_in and (
            (owner is None and mac not in case.context.host_macs) or (owner and owner.name == point.container)
        ):
            return point.container
    return name_of(case, case.behind(connection.original), row)


def what_is_asked(case: Case, connection: Connection) -> str:
    """Name what was asked for: a container, a name that somebody resolved, or an address; with its port."""
    flow, row = connection.original, int(case.first_row[int(case.packets_of(connection.id)[0])])
    point = case.context.point(row)
    name = name_of(case, flow.dst, row)
    if point.role is Role.CONTAINER and name == str(flow.dst) and _goes_to(case, row) == point.container:
        name = point.container or name
    resolved = case.resolved.get(flow.dst)
    if name == str(flow.dst) and resolved is not None:
        name = resolved
    if flow.dport is None:
        return name
    return endpoint(flow.dst, flow.dport) if name == str(flow.dst) else f"{name}:{flow.dport}"


def _goes_to(case: Case, row: int) -> str | None:
    """Name the container whose MAC a frame is for."""
    owner = case.context.owner_of_mac(case.context.value("eth_dst", row), row)
    return owner.name if owner is not None else None


def name_of(case: Case, ip: Address, row: int) -> str:
    """Name who has an address, as the host knows it that saw a row."""
    owner = case.context.owner_of_address(ip, row)
    return owner.name if owner is not None else str(ip)


def _ends(case: Case) -> Int64:
    """(connections,) A number for each pair of ends."""
    table = case.context.connections
    group, _ = group_rows(*(table[name] for name in ENDS))
    return group
