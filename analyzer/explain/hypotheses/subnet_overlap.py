"""Two networks have the same addresses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, ip_network

import numpy as np

from analyzer.explain.aimed import aimed
from analyzer.explain.case import SHOWN, Case
from analyzer.explain.host import overlap
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.parties import name_of
from analyzer.explain.tally import First
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, ArpExchange, Basis, Disposition, Evidence, HostState, Network, Point, Role, Severity
from analyzer.model.engine import Prefix
from analyzer.schema import Addresses, Array

ISOLATED = "network-isolation"


def causes(case: Case) -> Iterator[Cause]:
    """Compare Docker's subnets with each other, with routes, and with who is seen behind other interfaces."""
    for host in case.hosts.states:
        vain = _vain(case, host)
        told: set[Address] = set()
        for pair in overlap.pairs(host):
            asked = [one for ip, one in vain.items() if ip in pair.subnet and ip in pair.foreign]
            told |= {one.asked_ip for one in asked}
            vainly = case.towards({one.asked_ip for one in asked})
            cut_off = {*_cut_off(case, host, pair), *_aimed(case, host, pair)} if not pair.wide else ()
            packets = sorted({*cut_off, *_questions(case, asked), *vainly})
            key = host.name, *pair.key
            yield Cause(packets, partial(_tell, case, pair, asked), Basis.STATED, key)
        for (network, ip), packets_of in _swallowed(case, host).items():
            told.add(ip)
            yield Cause(packets_of, partial(_swallows, case, network, ip), Basis.STATED, (host.name, network, str(ip)))
        for (network, subnet, ip), packets_of in _kept_apart(case, host).items():
            told.add(ip)
            asked = [vain[ip]] if ip in vain else []
            packets = sorted({*packets_of, *_questions(case, asked)})
            yield Cause(
                packets, partial(_nobody, network, subnet, ip), Basis.STATED, (host.name, network, str(ip), "nobody"),
                also=_from(case, ip),
            )  # fmt: skip
        for ip, exchange in vain.items():
            if ip not in told and (found := _behind(case, host, exchange)) is not None:
                packets = sorted({*_questions(case, [exchange]), *case.towards([ip])})
                behind = host.name, found.network.name, str(ip)
                yield Cause(packets, partial(_elsewhere, case, exchange, found), Basis.OBSERVED, behind)


PRIVATE = tuple(map(ip_network, (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7",
    "fe80::/10", "::1/128",
)))  # fmt: skip
"""Addresses that a Docker network may rightly have."""


def _swallowed(case: Case, host: HostState) -> dict[tuple[str, Address], list[int]]:
    """Return what was for public addresses that a Docker network has taken, and no container has."""
    taken = [(n, s) for n in host.networks for s in n.subnets if not any(_within(s, private) for private in PRIVATE)]
    found: dict[tuple[str, Address], list[int]] = {}
    for network, subnet in taken:
        for number in np.flatnonzero(~case.answered_in_the_end).tolist():
            flow = case.tracer.connection(number).original
            packets = case.packets_of(number, reply=False)
            nobody = flow.dst in subnet and host.container_of_address(flow.dst) is None
            if nobody and flow.dst not in network.gateways and len(packets) and case.host_of(int(packets[0])) is host:
                found.setdefault((network.name, flow.dst), []).extend(packets.tolist())
    return {key: sorted(packets) for key, packets in found.items()}


def _aimed(case: Case, host: HostState, pair: overlap.Pair) -> Iterator[int]:
    """Give the packets that were stopped on a wrong way, for a container whose address the other route has."""
    for packet, there in case.once(aimed).items():
        owner = host.container_of_address(there)
        if owner is not None and owner.network == pair.network.name and there in pair.foreign:
            yield packet


def _kept_apart(case: Case, host: HostState) -> dict[tuple[str, Prefix, Address], list[int]]:
    """Return what Docker kept from one of its networks, though no container there has the address that it is for."""
    found: dict[tuple[str, Prefix, Address], list[int]] = {}
    packets = (p for one in case.stopped.get(ISOLATED, ()) if one.host is host for p in one.packets)
    for packet in packets if host.containers else ():
        connection = case.connection_of(packet)
        if connection is None:
            continue
        ip = connection.original.src if case.reply[packet] else connection.reply.src  # whatever NAT made of it
        if host.owns(ip) or host.container_of_address(ip) is not None:
            continue
        for network, subnet in ((n, s) for n in host.networks if n.bridge for s in n.subnets):
            if ip in subnet and ip not in network.gateways:
                found.setdefault((network.name, subnet, ip), []).append(packet)
    return found


def _from(case: Case, ip: Address) -> list[int]:
    """Return what an address asked and got no answer to: that goes to where nobody has the address, too."""
    table = case.context.connections
    silent = ~table["seen_reply"].astype(bool) & Addresses.of(table, "orig_src").are(int(ip))
    return [packet for number in np.flatnonzero(silent).tolist() for packet in case.packets_of(number).tolist()]


def _nobody(network: str, subnet: Prefix, ip: Address, _: list[int]) -> Told:
    return Told(
        {"network": network, "subnet": str(subnet), "nobody": str(ip)},
        proof=(f"docker-network-inspect.json: {network} Subnet {subnet}", f"docker-inspect.json: nobody has {ip}"),
    )


def _within(subnet: Prefix, private: Prefix) -> bool:
    if isinstance(subnet, IPv4Network):
        return isinstance(private, IPv4Network) and subnet.subnet_of(private)
    return not isinstance(private, IPv4Network) and subnet.subnet_of(private)


def _swallows(case: Case, network: str, ip: Address, packets: list[int]) -> Told:
    host = case.host_of(packets[0])
    subnet = next(s for n in host.networks if n.name == network for s in n.subnets if ip in s)
    return Told(
        {"network": network, "subnet": str(subnet), "public": str(ip)},
        proof=(f"docker-network-inspect.json: {network} Subnet {subnet}",),
    )


def _questions(case: Case, exchanges: Sequence[ArpExchange]) -> set[int]:
    """Return the packets that ask the same."""
    asked = {one.asked_ip for one in exchanges}
    return {case.asking[one.point, one.request_frame] for one in case.exchanges if one.asked_ip in asked}


def _tell(case: Case, pair: overlap.Pair, asked: list[ArpExchange], packets: list[int]) -> Told:
    facts: Facts = dict(pair.facts)
    if asked:
        facts |= {"vain": [str(one.asked_ip) for one in asked[:3]], "vain_at": asked[0].point}
    own = [packet for packet in packets if case.connection[packet] >= 0]
    if asked and not own:
        row = int(case.first_row[packets[0]])
        facts |= {
            "who": [name_of(case, ip, row) for ip in [asked[0].asker_ip] if ip is not None],
            "what": [str(one.asked_ip) for one in asked[:3]],
        }
    causes_of = ((packet, case.tracer.outcome(packet).cause) for packet in own)
    if (acts := next(((packet, cause.text) for packet, cause in causes_of if cause is not None), None)) is not None:
        facts["acts_by"] = First(acts[1], int(case.numbers[acts[0]]))
    evidence = (*(Evidence(one.point, one.request_frame) for one in asked), *case.evidence(own))
    idle = pair.wide and not packets
    return Told(facts, evidence=evidence[:SHOWN], proof=pair.proof, severity=Severity.INFO if idle else None)


def _vain(case: Case, host: HostState) -> dict[Address, ArpExchange]:
    """Return the addresses that were asked for on a host, and nobody has there."""
    answered = {exchange.asked_ip for exchange in case.exchanges if exchange.answer_mac is not None}
    gateways = {gateway for network in host.networks for gateway in network.gateways}
    found: dict[Address, ArpExchange] = {}
    for exchange in case.exchanges:
        ip = exchange.asked_ip
        nobody = ip not in answered | gateways and not host.owns(ip) and host.container_of_address(ip) is None
        if nobody and case.point_named(exchange.point).host == host.name:
            found.setdefault(ip, exchange)
    return found


def _cut_off(case: Case, host: HostState, pair: overlap.Pair) -> list[int]:
    """Return the packets of connections between a container and the other network, if they came to nothing."""
    table = case.context.connections
    found: list[int] = []
    for number in np.flatnonzero(~table["seen_reply"] | _dropped(case)).tolist():
        packets = case.packets_of(number).tolist()
        connection = case.tracer.connection(number)
        ends = connection.original.src, connection.reply.src
        of_host = case.host_of(packets[0]) is host
        if of_host and any(host.container_of_address(ip) and ip in pair.foreign for ip in ends):
            found += packets
    return found


def _dropped(case: Case) -> Array:
    """(connections,) bool: something of it was dropped or lost."""
    found = np.zeros(len(case.context.connections["proto"]) + 1, bool)
    found[case.connection[case.tracer.ended(Disposition.DROPPED, Disposition.LOST)]] = True
    return found[:-1]


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where an address is, and which network has it, too."""

    network: Network
    point: str
    row: int


def _behind(case: Case, host: HostState, exchange: ArpExchange) -> _Behind | None:
    """Tell whether the owner of an address in a Docker network's subnet is seen behind another interface."""
    ip = exchange.asked_ip
    network = next((n for n in host.networks if n.bridge and n.holds(ip)), None)
    if network is None:
        return None
    for point in case.context.points:
        apart = point.role in (Role.UPLINK, Role.BRIDGE) and network.bridge not in (point.name, point.interface)
        row = _sends_at(case, point, ip) if apart and point.host == host.name else None
        if row is not None and point.name != exchange.point:
            return _Behind(network, point.name, row)
    return None


def _elsewhere(case: Case, exchange: ArpExchange, found: _Behind, packets: list[int]) -> Told:
    ip, network = exchange.asked_ip, found.network
    subnet = next(subnet for subnet in network.subnets if ip in subnet)
    return Told(
        {
            "address": str(ip), "behind": found.point, "network": network.name, "subnet": str(subnet),
            "questions": exchange.requests, "asked_at": exchange.point,
        },
        evidence=(Evidence(exchange.point, exchange.request_frame), case.context.evidence(found.row)),
        proof=(f"docker-network-inspect.json: {network.name} Subnet {subnet}",),
    )  # fmt: skip


def _sends_at(case: Case, point: Point, ip: Address) -> int | None:
    """Return the first row of a point that an address sends, if the frame does not come from the host itself."""
    frames = case.context.frames
    rows = np.flatnonzero((frames["point"] == point.id) & Addresses.of(frames, "src").are(int(ip)))
    rows = rows[~np.isin(frames["eth_src"][rows], np.array(sorted(case.context.host_macs), np.int64))]
    return int(rows[0]) if len(rows) else None


HYPOTHESIS = Hypothesis(
    "subnet-overlap",
    Severity.ERROR,
    "docker-network-inspect.json, ip-route.json (captures)",
    "A Docker network has addresses that another network or another route has, too, or somebody behind an uplink.",
    'Give the Docker network addresses that nobody else uses ("bip" in daemon.json for the default bridge, docker '
    "network create --subnet for others), or take the other route away.",
    causes,
    Specific.ROOT,
    state=overlap.overlapping,
)
