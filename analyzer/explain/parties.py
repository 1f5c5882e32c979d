"""Of whom a finding is: names of containers, and names that were asked for, before addresses."""

from collections.abc import Sequence

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.explain.case import Case
from analyzer.model import Address, Connection, Role, endpoint
from analyzer.model.finding import Fact
from analyzer.schema import Int64

SHOWN = 3
MOST = 200
"""Connections of which parties are looked up; the first ones."""


def about(case: Case, packets: Sequence[int]) -> dict[str, Fact]:
    """
    Tell how many packets of which connections it is, and who wants what of whom.

    ``tries`` counts the connections between the same ends, ``failed`` those of them to which no answer got through,
    ``of_packets`` what went the same way in the connections.
    """
    if not len(packets):
        return {}
    numbers = list(dict.fromkeys(case.connection[np.array(packets, np.int64)].tolist()))
    known = [number for number in numbers if number >= 0]
    found: dict[str, Fact] = {"packets": len(packets)}
    if not known:
        return found
    named = [case.tracer.connection(number) for number in known[:MOST]]
    found["connections"] = [str(one.original) for one in named][:SHOWN]
    found["more_connections"] = max(len(known) - SHOWN, 0)
    ends = [(_who(case, one), _what(case, one), one) for one in named]
    found["who"] = _services(case, list(dict.fromkeys(who for who, _, _ in ends)))
    found["what"] = list(dict.fromkeys(what for _, what, _ in ends))
    found["protocols"] = sorted({one.protocol.upper().removesuffix("6") for one in named})
    alike = _alike(case, np.array(known, np.int64))
    through = case.answered_in_the_end[alike]
    found |= {"tries": len(alike), "failed": int((~through).sum())}
    replies = case.reply[np.array(packets, np.int64)]
    found["of_replies"] = bool(replies.all())
    way = case.reply if replies.all() else ~case.reply | replies.any()
    same_way = np.isin(case.connection, known) & way
    found["of_packets"] = max(int(same_way.sum()), len(packets))
    return found


def _who(case: Case, connection: Connection) -> str:
    """Name who began a connection."""
    packet = int(case.packets_of(connection.id)[0])
    row = int(case.first_row[packet])
    point = case.context.point(row)
    if point.role is Role.LOOPBACK and point.container:
        return point.container
    if point.role in (Role.CONTAINER, Role.VETH) and point.container and not case.reply[packet]:
        mac = case.context.value("eth_src", row)
        owner = case.context.owner_of_mac(mac, row)
        if (owner is None and mac not in case.context.host_macs) or (owner and owner.name == point.container):
            return point.container
    return name_of(case, connection.original.src, row)


def _services(case: Case, names: list[str]) -> list[str]:
    """Name a compose service where it is all its containers, two or more."""
    for host in case.hosts.states:
        members: dict[str, set[str]] = {}
        for container in host.containers:
            if container.service is not None:
                members.setdefault(container.service, set()).add(container.name)
        for service, containers in members.items():
            if len(containers) > 1 and containers <= set(names):
                first = min(map(names.index, containers))
                names = [name for place, name in enumerate(names) if name not in containers or place == first]
                names[first] = f"service {service}, {len(containers)} containers"
    return names


def _what(case: Case, connection: Connection) -> str:
    """Name what was asked for: a container, a name that somebody resolved, or an address; with its port."""
    flow, row = connection.original, int(case.first_row[int(case.packets_of(connection.id)[0])])
    name = name_of(case, flow.dst, row)
    resolved = case.resolved.get(flow.dst)
    if name == str(flow.dst) and resolved is not None:
        name = resolved
    if flow.dport is None:
        return name
    return endpoint(flow.dst, flow.dport) if name == str(flow.dst) else f"{name}:{flow.dport}"


def name_of(case: Case, ip: Address, row: int) -> str:
    """Name who has an address, as the host knows it that saw a row."""
    owner = case.context.owner_of_address(ip, row)
    return owner.name if owner is not None else str(ip)


def _alike(case: Case, numbers: Int64) -> Int64:
    """Return the connections between the same ends as these, which are among them."""
    ends = case.once(_ends)
    found: Int64 = np.flatnonzero(np.isin(ends, ends[numbers]))
    return found


def _ends(case: Case) -> Int64:
    """(connections,) A number for each pair of ends."""
    table = case.context.connections
    names = ("proto", "orig_src_hi", "orig_src", "orig_dst_hi", "orig_dst", "orig_dport")
    group, _ = group_rows(*(table[name] for name in names))
    return group
