"""A container asks for an address by DHCP (RFC 2131), and nobody answers."""

from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Address
from itertools import chain

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, HostState, Severity, mac_text
from analyzer.packet.asking import DHCP_CLIENT, DHCP_SERVER
from analyzer.packet.stops import Way
from analyzer.schema import Addresses
from analyzer.state.path import BROADCAST
from analyzer.state.rules.packet import Packet

MOST_CLIENTS = 50
"""Of one place that are looked at."""
ENOUGH = 3
"""Questions after which nobody is only slow: clients ask every few seconds, ever less often."""
NOBODY = IPv4Address("0.0.0.0")
CONTAINERS_PORTS = ("veth", "tun")
"""Kinds of a bridge's ports behind which containers and virtual machines are; behind others are networks."""
RAW_SOCKETS = "dhcpd"
"""It reads what comes before any rule sees it (packet(7)); dnsmasq and others do not."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each place where clients without an address ask, and nobody answers any."""
    context = case.context
    asks = (case.first("proto") == PROTO_UDP) & (case.first("sport") == DHCP_CLIENT) & case.mine
    asks &= (case.first("dport") == DHCP_SERVER) & context.with_role(case.first_row, *NEAR_CONTAINERS)
    asks &= Addresses.of(context.frames, "src")[case.first_row].are(int(NOBODY))
    asking = np.flatnonzero(asks)
    points, macs = (case.first(name)[asking] for name in ("point", "eth_src"))
    for point in np.unique(points).tolist():
        here = points == point
        clients, times = np.unique(macs[here], return_counts=True)
        found: dict[str, list[int]] = {}
        for mac in clients[times >= ENOUGH][:MOST_CLIENTS].tolist():
            packets = asking[here & (macs == mac)].tolist()
            if (name := _in_vain(case, packets)) is not None:
                found.setdefault(name, []).extend(packets)
        if found:
            host, dev = context.hosts[context.points[point].host], case.tracer.prover.interface(context.points[point])
            facts, proof = _reason(host, dev) if dev is not None else ({}, ())
            yield Cause(
                sorted(chain.from_iterable(found.values())), partial(_tell, case, list(found), facts, proof),
                Basis.STATED if facts else Basis.OBSERVED, (host.name or "", context.points[point].name),
                specific=Specific.SETTING if facts else None,
            )  # fmt: skip


def _in_vain(case: Case, packets: list[int]) -> str | None:
    """Return who asks all this, by name or MAC; None if it was answered, or may have been, or has an address."""
    row = int(case.first_row[packets[0]])
    answered = case.context.all.dhcp & {case.context.value("point", row) for row in case.context.rows_of(packets[0])}
    if answered or not case.waited(packets[ENOUGH - 1]):
        return None
    owner = _client(case, packets[0])
    if owner is not None and _has_address(case.context.host_at(row), owner):
        return None
    return owner or mac_text(case.context.value("eth_src", row))


def _client(case: Case, packet: int) -> str | None:
    """Return the name of the container that asks."""
    row = int(case.first_row[packet])
    owner = case.context.owner_of_mac(case.context.value("eth_src", row), row)
    return owner.name if owner is not None else case.context.point(row).container


def _has_address(host: HostState, name: str) -> bool:
    """Tell whether it was given one otherwise, as engines do, or has got one since."""
    inside = host.inside.get(name)
    ends = [ip for one in host.containers if one.name == name for ip in one.addresses]
    ends += [ip for link in inside.links if not link.loopback for ip in link.addresses] if inside is not None else []
    return any(ip.version == NOBODY.version for ip in ends)


def _reason(host: HostState, dev: str) -> tuple[Facts, tuple[str, ...]]:
    """Say why the host itself does not answer, if it has an address there, and so may be meant to."""
    link = host.link(dev)
    if link is None or not any(ip.version == NOBODY.version for ip in link.addresses) or not host.knows_listeners:
        return {}, ()
    if _leads_out(host, dev):
        return {}, ()
    servers = [one for one in host.listeners if (one.protocol, one.port) == ("udp", DHCP_SERVER)]
    servers = [one for one in servers if one.interface in (None, dev)]
    if not servers:
        return {"nobody_listens": dev}, (f"ss.txt: nothing has UDP port {DHCP_SERVER}",)
    asked = Packet(PROTO_UDP, NOBODY, BROADCAST, DHCP_CLIENT, DHCP_SERVER, iif=dev, ct_state="NEW")
    stopped = Way(host, asked).stopped(bridged=False)
    if stopped is None or stopped.unknown or stopped.check != "filtered-by-rule":
        return {}, ()
    if any(one.program == RAW_SOCKETS for one in servers):
        return {}, ()
    return {"cause": stopped.text, "program": servers[0].program, "dev": dev}, stopped.proof


def _leads_out(host: HostState, dev: str) -> bool:
    """Tell whether others are on that segment whom one may mean: the host's way out is there, or a port to a LAN."""
    ports = [link for link in host.links if link.master == dev]
    ways_out = any(dev in route.devices for route in host.routes if not route.dst.prefixlen)
    return ways_out or any(link.kind not in CONTAINERS_PORTS for link in ports)


def _tell(case: Case, clients: list[str], facts: Facts, proof: tuple[str, ...], packets: list[int]) -> Told:
    where = case.context.point(int(case.first_row[packets[0]])).name
    facts = facts | {"clients": clients, "where": where, "count": Count(len(packets))}
    facts |= {"who": clients, "what": ["an IPv4 address by DHCP"], "protocols": []}
    return Told(facts, evidence=case.evidence(packets), proof=proof)


HYPOTHESIS = Hypothesis(
    "dhcp-unanswered",
    Severity.ERROR,
    "captures; ss.txt, rules and ip-addr.json say why",
    "A container without an address asks for one by DHCP again and again, and no answer comes to where it asks.",
    "Start the DHCP server of its network (dnsmasq), let UDP port 67 in to it, or give the container its address.",
    causes,
)
