"""What a router turns round: a container asks for the network's public address, and the question comes back."""

import numpy as np

from analyzer.explain.case import Case
from analyzer.link.identity import has
from analyzer.model import Role, endpoint
from analyzer.schema import Addresses, Layer


def turned(case: Case) -> dict[tuple[str, str], list[int]]:
    """Return the packets whose connections come back from the router, by who was asked, and to whom they come."""
    frames, context = case.context.frames, case.context
    found: dict[tuple[str, str], dict[int, None]] = {}
    for host in case.hosts.states:
        own = [int(ip) for link in host.links if not link.loopback for ip in link.addresses]
        ends = [Addresses.of(frames, name).among(own) for name in ("src", "dst")]
        macs = np.array([link.mac for link in host.links if link.mac], np.int64)
        foreign = ~np.isin(frames["eth_src"], macs) & np.isin(frames["eth_dst"], macs)
        back = np.flatnonzero(ends[0] & ends[1] & foreign & has(frames["layers"], Layer.PORTS))
        back = back[context.with_role(back, Role.UPLINK)] if len(back) else back
        for row in back.tolist():
            packet = int(context.packet_of_row[row])
            connection = case.connection_of(packet)
            if context.host_at(row) is not host or connection is None:
                continue
            asked = endpoint(connection.original.dst, connection.original.dport)
            to = endpoint(context.dst(row), context.value("dport", row))
            of = case.packets_of(int(case.connection[packet]), reply=False).tolist()
            found.setdefault((asked, to), {}).update(dict.fromkeys(of))
    return {key: sorted(packets) for key, packets in found.items()}


def turned_connections(case: Case) -> set[int]:
    """Return the connections of all of them: what frames show of these, the router has translated once more."""
    return {int(case.connection[packet]) for packets in case.once(turned).values() for packet in packets}
