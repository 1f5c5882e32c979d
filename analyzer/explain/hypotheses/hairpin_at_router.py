"""A container asks for the network's own public address, and the router sends that back: from the host, to the host."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Told
from analyzer.link.identity import has
from analyzer.model import Basis, Role, Severity, endpoint
from analyzer.schema import Addresses, Layer


def causes(case: Case) -> Iterator[Cause]:
    """Give each address that was asked for, whose router turns the question round without changing who asks."""
    frames, context = case.context.frames, case.context
    for host in case.hosts.states:
        own = [int(ip) for link in host.links if not link.loopback for ip in link.addresses]
        ends = [Addresses.of(frames, name).among(own) for name in ("src", "dst")]
        macs = np.array([link.mac for link in host.links if link.mac], np.int64)
        foreign = ~np.isin(frames["eth_src"], macs) & np.isin(frames["eth_dst"], macs)
        back = np.flatnonzero(ends[0] & ends[1] & foreign & has(frames["layers"], Layer.PORTS))
        back = back[context.with_role(back, Role.UPLINK)] if len(back) else back
        found: dict[tuple[str, str], list[int]] = {}
        for row in back.tolist():
            packet = int(context.packet_of_row[row])
            connection = case.connection_of(packet)
            if context.host_at(row) is not host or connection is None:
                continue
            asked = endpoint(connection.original.dst, connection.original.dport)
            to = endpoint(context.dst(row), context.value("dport", row))
            of = case.packets_of(connection.id, reply=False).tolist()
            found.setdefault((asked, to), []).extend(one for one in of if one not in found.get((asked, to), ()))
        for key, packets in found.items():
            yield Cause(sorted(set(packets)), partial(_tell, case, *key), Basis.STATED, key=key)


def _tell(case: Case, asked: str, to: str, packets: list[int]) -> Told:
    where = case.context.point(int(case.last_row[packets[0]])).name
    return Told({"asked_as": asked, "to": to, "where": where})


HYPOTHESIS = Hypothesis(
    "hairpin-at-router",
    Severity.ERROR,
    "captures of the uplink, ip-addr.json",
    "What a container sends to a public address comes back from the router with the host's own address as its source.",
    "Ask for the service by its inner address or name; or let the router masquerade what it turns round (NAT "
    "loopback).",
    causes,
    Specific.ROOT,
)
