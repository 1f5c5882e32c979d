"""What is for a container goes to another interface than its bridge: a routing rule or table comes before main."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Told
from analyzer.model import Address, Basis, Container, HostState, Network, Severity
from analyzer.schema import Addresses, Array
from analyzer.state.routing import NO_WAY, Chosen, Sought, choose

MAIN = ("main", "local")


def causes(case: Case) -> Iterator[Cause]:
    """Give each such container that anything is wrong with."""
    for host in case.hosts.states:
        for container, network, ip, chosen in _astray(host):
            table = case.context.connections
            ends = [Addresses.of(table, name).are(int(ip)) for name in ("orig_src", "reply_src")]
            of = np.append(np.logical_or(*ends), False)[case.connection] & (case.connection >= 0)
            ill = np.flatnonzero(of & (case.symptom >= 0)).tolist()
            if ill:
                key = host.name, container.name, str(ip)
                yield Cause(ill, partial(_tell, host, container, network, ip, chosen), Basis.STATED, key)
        yield from _by_source(case, host)


def _by_source(case: Case, host: HostState) -> Iterator[Cause]:
    """Give containers that the host itself does not reach from one of its addresses, for a rule that asks for it."""
    known = [one for one in _members(host) if any(rule.src is not None for rule in host.routing_rules)]
    for container, network, ip in known:
        for src in dict.fromkeys(a for link in host.links for a in link.addresses if a.version == ip.version):
            chosen = choose(host, Sought(ip, src))
            if chosen is None or chosen.rule.src is None or not _is_astray(host, network, ip, chosen):
                continue
            table = case.context.connections
            own = [int(a) for link in host.links for a in link.addresses]
            to = np.append(Addresses.of(table, "reply_src").are(int(ip)), False)[case.connection]
            of = np.append(Addresses.of(table, "orig_src").are(int(src)), False)[case.connection]
            # MASQUERADE gives it the address of the interface that it leaves by, before anything is captured there.
            by = np.append(Addresses.of(table, "orig_src").among(own), False)[case.connection]
            of |= by & _seen_last_at(case, chosen.route.dev)
            ill = np.flatnonzero(to & of & (case.connection >= 0) & (case.symptom >= 0))
            if len(ill):
                tell = partial(_from_here, host, container, network, ip, chosen, src)
                yield Cause(ill.tolist(), tell, Basis.STATED, (host.name, container.name, str(ip), str(src)))


def _seen_last_at(case: Case, dev: str | None) -> Array:
    """(packets,) bool: each was last seen at an interface of the host."""
    there = [point.id for point in case.context.points if dev is not None and point.interface == dev]
    return np.isin(case.context.frames["point"][case.last_row], there)


def state(host: Host) -> Iterator[Told]:
    """Give the first of each network."""
    told: set[str] = set()
    for container, network, ip, chosen in _astray(host.state):
        if network.name not in told:
            told.add(network.name)
            yield _tell(host.state, container, network, ip, chosen, [])


def _astray(host: HostState) -> Iterator[tuple[Container, Network, Address, Chosen]]:
    """Give the containers whose addresses are not routed to their bridge, though the main table has it."""
    for container, network, ip in _members(host):
        chosen = choose(host, Sought(ip))
        if chosen is not None and _is_astray(host, network, ip, chosen):
            yield container, network, ip, chosen


def _members(host: HostState) -> Iterator[tuple[Container, Network, Address]]:
    """Give the containers that run on bridge networks, with each address."""
    networks = {network.name: network for network in host.networks if network.driver == "bridge" and network.bridge}
    for container in host.containers:
        network = networks.get(container.network)
        if network is not None and host.link(network.bridge or "") is not None and container.status.answers:
            yield from ((container, network, ip) for ip in container.addresses)


def _is_astray(host: HostState, network: Network, ip: Address, chosen: Chosen) -> bool:
    """Tell whether another table's route is chosen, though the main one's leads to the bridge."""
    connected = any(r.dev == network.bridge and r.table == "main" and ip in r.dst for r in host.routes)
    return connected and chosen.route.table not in MAIN and chosen.route.dev != network.bridge


def _from_here(
    host: HostState,
    container: Container,
    network: Network,
    ip: Address,
    chosen: Chosen,
    src: Address,
    packets: list[int],
) -> Told:
    told = _tell(host, container, network, ip, chosen, packets)
    facts = {name: fact for name, fact in told.facts.items() if name != "who"}
    return replace(told, facts=facts | {"source": str(src)})


def _tell(host: HostState, container: Container, network: Network, ip: Address, chosen: Chosen, _: list[int]) -> Told:
    rule, route = chosen.rule, chosen.route
    # All networks that the same rule keeps from their bridges: who mends one wants the others as well.
    members = [(network, ip), *((n, a) for _, n, a, c in _astray(host) if c.rule == rule and a.version == ip.version)]
    subnets = dict.fromkeys(next((s for s in n.subnets if a in s), a) for n, a in members)
    tool, before = f"ip {'-6 ' if ip.version == 6 else ''}rule", max(rule.priority - 1, 0)
    way = route.kind if route.kind in NO_WAY else f"to {route.dev}"
    return Told(
        {
            "container": container.name, "address": str(ip), "bridge": network.bridge or "", "rule": rule.text,
            "table": route.table, "way": way, "who": [container.name],
            "commands": [f"{tool} add to {subnet} lookup main priority {before}" for subnet in subnets],
        },
        proof=(
            f"ip-rule.json: {rule.text}",
            # A rule may stop packets itself, without a table.
            *((f"ip-route.json: {route.text} table {route.table}",) if route.table else ()),
        ),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "container-routed-elsewhere",
    Severity.ERROR,
    "ip-rule.json, ip-route.json, docker-inspect.json",
    "A routing rule sends what is for a container to another table, which has another way than its bridge.",
    "Let the main table's route to the network come first: ip rule add to SUBNET lookup main, before that rule.",
    causes,
    Specific.ROOT,
    state=state,
)
