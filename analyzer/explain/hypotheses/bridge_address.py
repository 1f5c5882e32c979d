"""A network's bridge has lost its address, and with it the host's route to the network's containers."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from shlex import quote

import numpy as np

from analyzer.explain.aimed import aimed
from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, Basis, Container, HostState, Network, Severity
from analyzer.schema import Addresses


def causes(case: Case) -> Iterator[Cause]:
    """Give each such network that anything is wrong with."""
    for host in case.hosts.states:
        for network, gateway in _without(host):
            inside = _inside(host, network)
            meant = (packet for packet, there in case.once(aimed).items() if int(there) in inside)
            packets = {*_of(case, inside), *case.vain_questions.get(gateway, ()), *meant}
            if packets:
                key = host.name or "", network.name, gateway.version
                tell = partial(_of_packets, case, host, network, gateway)
                yield Cause(sorted(packets), tell, Basis.STATED, key)


def state(host: Host) -> Iterator[Told]:
    """Give each of them."""
    for network, gateway in _without(host.state):
        told = _tell(host.state, network, gateway)
        told.facts["who"] = sorted({one.name for one in _members(host.state, network)})
        yield told


def _without(host: HostState) -> Iterator[tuple[Network, Address]]:
    """Give the networks with containers whose gateway's address nobody has, though their bridges are there."""
    for network in host.networks if host.links else ():
        bridge = host.link(network.bridge) if network.bridge is not None else None
        if network.driver == "bridge" and bridge is not None and not network.inhibited and _members(host, network):
            for gateway in network.gateways:
                if not host.owns(gateway) and host.container_of_address(gateway) is None:
                    yield network, gateway


def _members(host: HostState, network: Network) -> list[Container]:
    return [one for one in host.containers if one.network == network.name and one.addresses and one.status.answers]


def _inside(host: HostState, network: Network) -> list[int]:
    return [int(ip) for one in _members(host, network) for ip in one.addresses]


def _of(case: Case, inside: list[int]) -> list[int]:
    """Return the packets of the network's containers with which anything is wrong."""
    table = case.context.connections
    ends = [Addresses.of(table, name).among(inside) for name in ("orig_src", "orig_dst", "reply_src")]
    of = np.append(np.logical_or.reduce(ends), False)[case.connection] & (case.connection >= 0)
    found: list[int] = np.flatnonzero(of & (case.symptom >= 0)).tolist()
    return found


def _of_packets(case: Case, host: HostState, network: Network, gateway: Address, packets: list[int]) -> Told:
    return replace(_tell(host, network, gateway), evidence=case.evidence(packets, first=True))


def _tell(host: HostState, network: Network, gateway: Address) -> Told:
    subnet = next((one for one in network.subnets if gateway in one), None)
    bridge = host.link(network.bridge or "")
    facts: Facts = {
        "network": network.name, "bridge": network.bridge or "", "gateway": str(gateway),
        "has": [str(ip) for ip in bridge.addresses if ip.version == gateway.version] if bridge is not None else [],
        "routed": any(subnet == route.dst and route.table == "main" for route in host.routes),
        "commands": [f"ip addr add {gateway}/{subnet.prefixlen if subnet else 24} dev {quote(network.bridge or '')}"],
    }  # fmt: skip
    return Told(
        facts,
        proof=(
            f"ip-addr.json: {network.bridge}",
            f"docker-network-inspect.json: {network.name} gateway {gateway}",
        ),
    )


HYPOTHESIS = Hypothesis(
    "bridge-address-lost",
    Severity.ERROR,
    "ip-addr.json, docker-network-inspect.json, docker-inspect.json (captures)",
    "A network's bridge has lost the gateway's address, and with it the route to the network.",
    "Give it back (ip addr add GATEWAY/PREFIX dev BRIDGE), or restart Docker; and see who took it.",
    causes,
    Specific.ROOT,
    state=state,
)
