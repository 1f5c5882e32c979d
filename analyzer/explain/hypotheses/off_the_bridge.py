"""A container's veth is no port of its network's bridge: what it sends goes to the host alone."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.inside import port_of
from analyzer.explain.told import Facts, Told
from analyzer.link.identity import has
from analyzer.model import Basis, Container, HostState, Link, Network, Severity
from analyzer.schema import Layer


def causes(case: Case) -> Iterator[Cause]:
    """Give each such container that anything is wrong with; who asks for its MAC in vain is told as such."""
    layers = case.first("layers")
    for host in case.hosts.states:
        for container, network, port in _off(host):
            ill = np.array(case.towards(container.addresses), np.int64)
            at = [p.id for p in case.context.points if p.host == host.name and (p.interface or p.name) == port.name]
            seen = np.flatnonzero((case.symptom >= 0) & np.isin(case.context.frames["point"][case.last_row], at))
            packets = np.union1d(ill, seen).astype(np.int64)
            packets = packets[~has(layers[packets], Layer.NEIGHBOUR)]
            if len(packets):
                tell = partial(_tell, container, network, port)
                yield Cause(packets.tolist(), tell, Basis.STATED, (host.name, container.name, port.name))


def state(host: Host) -> Iterator[Told]:
    """Give all of them."""
    yield from (_tell(container, network, port, []) for container, network, port in _off(host.state))


def _off(host: HostState) -> Iterator[tuple[Container, Network, Link]]:
    """Give the running containers on bridge networks whose veth's other end hangs in the air, or elsewhere."""
    for container in host.containers:
        network, inner = host.network_of(container), host.interface_inside(container)
        port = port_of(host, container, inner) if inner is not None and inner.peer is not None else None
        bridge = host.link(network.bridge) if network is not None and network.bridge is not None else None
        if network is None or bridge is None or port is None or network.driver != "bridge":
            continue
        if port.kind == "veth" and port.master != bridge.name and container.status.answers:
            yield container, network, port


def _tell(container: Container, network: Network, port: Link, _: list[int]) -> Told:
    command = f"ip link set {quote(port.name)} master {quote(network.bridge or '')}"
    facts: Facts = {
        "container": container.name, "network": network.name, "bridge": network.bridge or "", "port": port.name,
        "master": port.master or "", "commands": [command],
    }  # fmt: skip
    return Told(facts, proof=(f"ip-addr.json: {port.name} master {port.master or 'none'}",))


HYPOTHESIS = Hypothesis(
    "veth-off-the-bridge",
    Severity.ERROR,
    "ip-addr.json, docker-inspect.json, containers/NAME/ip-addr.json",
    "A container's veth is no port of its network's bridge, as Docker made it: somebody took it out.",
    "Put it back (ip link set VETH master BRIDGE), or restart the container.",
    causes,
    Specific.ROOT,
    state=state,
)
