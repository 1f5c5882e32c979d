"""Two networks have the same addresses."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.host import overlap
from analyzer.diagnose.subject import SHOWN, Subject
from analyzer.model import Address, ArpExchange, Basis, Disposition, Evidence, Finding, HostState, Point, Role, Severity
from analyzer.model.words import plural
from analyzer.schema import Array


def look(subject: Subject) -> Iterator[Finding]:
    """Compare Docker's subnets with each other, with routes, and with who is seen behind other interfaces."""
    for host in subject.hosts.states:
        vain = _vain(subject, host)
        for pair, found in zip(overlap.pairs(host), overlap.check(host), strict=True):
            cut_off = _cut_off(subject, host, pair)
            asked = [one for ip, one in vain.items() if ip in pair.subnet and ip in pair.foreign]
            told = f"{_asked_for(asked)} {affected(subject, cut_off)}".strip()
            evidence = (*(Evidence(one.point, one.request_frame) for one in asked), *subject.evidence(cut_off))
            yield replace(found, explanation=f"{found.explanation} {told}".strip(), evidence=evidence[:SHOWN])
            subject.elsewhere |= {one.asked_ip for one in asked}
            subject.claim(cut_off)
        yield from _seen_elsewhere(subject, host, vain)


def _asked_for(asked: list[ArpExchange]) -> str:
    if not asked:
        return ""
    names = ", ".join(str(one.asked_ip) for one in asked[:3])
    return f"No container has {names}, which was asked for at {asked[0].point} in vain: it belongs to the other one."


def _vain(subject: Subject, host: HostState) -> dict[Address, ArpExchange]:
    """Return the addresses that were asked for on a host, and nobody has there."""
    answered = {exchange.asked_ip for exchange in subject.exchanges if exchange.answer_mac is not None}
    gateways = {gateway for network in host.networks for gateway in network.gateways}
    found: dict[Address, ArpExchange] = {}
    for exchange in subject.exchanges:
        ip = exchange.asked_ip
        nobody = ip not in answered | gateways and not host.owns(ip) and host.container_of_address(ip) is None
        if nobody and subject.point_named(exchange.point).host == host.name:
            found.setdefault(ip, exchange)
    return found


def _cut_off(subject: Subject, host: HostState, pair: overlap.Pair) -> list[int]:
    """Return the packets of connections between a container and the other network, if they came to nothing."""
    table = subject.context.connections
    found: list[int] = []
    for number in np.flatnonzero(~table["seen_reply"] | _dropped(subject)).tolist():
        packets = subject.packets_of(number).tolist()
        connection = subject.tracer.connection(number)
        ends = connection.original.src, connection.reply.src
        of_host = subject.host_of(packets[0]) is host
        if of_host and any(host.container_of_address(ip) and ip in pair.foreign for ip in ends):
            found += packets
    return found


def _dropped(subject: Subject) -> Array:
    """(connections,) bool: something of it was dropped or lost."""
    found = np.zeros(len(subject.context.connections["proto"]) + 1, bool)
    found[subject.connection[subject.tracer.ended(Disposition.DROPPED, Disposition.LOST)]] = True
    return found[:-1]


def _seen_elsewhere(subject: Subject, host: HostState, vain: dict[Address, ArpExchange]) -> Iterator[Finding]:
    """Tell of addresses in a Docker network's subnet whose owner is seen behind another interface."""
    for ip, exchange in vain.items():
        network = next((n for n in host.networks if n.bridge and any(ip in subnet for subnet in n.subnets)), None)
        if network is None or ip in subject.elsewhere:
            continue
        for point in subject.context.points:
            apart = point.role in (Role.UPLINK, Role.BRIDGE) and network.bridge not in (point.name, point.interface)
            row = _sends_at(subject, point, ip) if apart and point.host == host.name else None
            if row is None or point.name == exchange.point:
                continue
            subnet = next(subnet for subnet in network.subnets if ip in subnet)
            yield CHECK.finding(
                f"{ip} is behind {point.name}, and network {network.name} has its addresses: {subnet}",
                f"{plural(exchange.requests, 'question')} for it at {exchange.point} found nobody: whoever is in "
                f"{network.name}, and this host, look for {ip} in that network, where no container has it.",
                basis=Basis.OBSERVED,
                evidence=(Evidence(exchange.point, exchange.request_frame), subject.context.evidence(row)),
                proof=(f"docker-network-inspect.json: {network.name} Subnet {subnet}",),
            )
            subject.elsewhere.add(ip)
            break


def _sends_at(subject: Subject, point: Point, ip: Address) -> int | None:
    """Return the first row of a point that an address sends, if the frame does not come from the host itself."""
    frames, (high, low) = subject.context.frames, divmod(int(ip), 1 << 64)
    here = (frames["point"] == point.id) & (frames["src"] == np.uint64(low)) & (frames["src_hi"] == np.uint64(high))
    rows = np.flatnonzero(here)
    rows = rows[~np.isin(frames["eth_src"][rows], np.array(sorted(subject.context.host_macs), np.int64))]
    return int(rows[0]) if len(rows) else None


CHECK = Check(
    "subnet-overlap",
    Severity.ERROR,
    "docker-network-inspect.json, ip-route.json (captures)",
    "A Docker network has addresses that another network or another route has, too, or somebody behind an uplink.",
    overlap.WORDS.remedy,
    look,
)
