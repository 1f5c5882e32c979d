"""What a container's own network namespace does with what comes to it, and with its answers."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from analyzer.explain.case import Case
from analyzer.explain.edits import Fix
from analyzer.explain.fixes import fix
from analyzer.model import Address, Container, Disposition, HostState, Link, Route
from analyzer.model.engine import NO_ENGINE
from analyzer.model.journey import CODES
from analyzer.model.question import ABSENT
from analyzer.packet.prove import answer_to
from analyzer.packet.stops import Cause, Way
from analyzer.state.routing import everywhere
from analyzer.state.rules.packet import Packet

CAME = (CODES[Disposition.DELIVERED], CODES[Disposition.NOT_OBSERVABLE], CODES[Disposition.REJECTED])
"""How packets end that may have come to a container."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A container that got a packet, and the packet as its own namespace sees it."""

    container: Container
    state: HostState
    packet: Packet
    link: Link

    def stops(self, state: HostState | None = None) -> tuple[Cause, bool] | None:
        """Return what stops it there, or else its answer, and whether that is it; also in another state of it."""
        state = self.state if state is None else state
        cause = Way(state, self.packet).stopped(bridged=False)
        if cause is not None and not cause.unknown:
            return cause, False
        answer = answer_to(self.packet)
        if cause is not None or answer is None:
            return None
        cause = Way(state, answer).sent()
        return (cause, True) if cause is not None and not cause.unknown else None

    @property
    def lost_address(self) -> bool:
        """Tell whether it has not the address that Docker says it has."""
        dst = self.packet.dst
        there = any(dst in link.addresses for link in self.state.links)
        return bool(self.state.links) and dst in self.container.addresses and not there

    @property
    def answers_by(self) -> str | None:
        """The other interface that its answers leave by, if they do not leave by the one that it came in by."""
        answer = answer_to(self.packet)
        if answer is None or not self.state.routes:
            return None
        way = Way(self.state, answer)
        way.sent()
        out = way.account.packet.oif if way.account.packet is not None else None
        return out if isinstance(out, str) and out not in (self.link.name, "lo") else None


def receiver(case: Case, packet: int) -> Receiver | None:
    """Return who got a packet; None if it got to no container whose own state was recorded."""
    row, context = int(case.last_row[packet]), case.context
    host, dst = context.host_at(row), context.dst(row)
    if int(case.tracer.ends[packet]) not in CAME or not host.inside or dst is None:
        return None
    mac = context.value("eth_dst", row)
    owner = context.owner_of_mac(mac, row)
    state = host.inside.get(owner.name) if owner is not None else None
    built = case.tracer.prover.packet(packet, row) if state is not None else None
    if owner is None or state is None or built is None:
        return None
    link = state.link_of_mac(owner.mac)
    if link is None:
        return None
    fresh = replace(
        built, dst=dst, dport=context.value("dport", row) if isinstance(built.dport, int) else built.dport,
        iif=link.name, port_in=ABSENT, ct_state="NEW" if answer_to(built) is not None else built.ct_state,
        ct_to=None, ct_from=None, ct_dnat=False, ct_snat=False, ct_original=None, ct_answers=None,
        ttl=None if built.ttl is None else max(built.ttl, 2),
    )  # fmt: skip
    return Receiver(owner, state, fresh, link)


def mended(case: Case, packet: int, of: Receiver, cause: Cause, *, of_answer: bool) -> tuple[list[str], bool]:
    """Return what to type, and whether the packet and its answer then pass; nothing if nothing is known that helps."""
    found = _routed(case, of) if cause.check == "host-unreachable" and cause.route is None else None
    found = found or fix(case, packet, cause, state=of.state, of_answer=of_answer)
    if found is None:
        return [], False
    return [within(of.container.name, found.command)], of.stops(found.change(of.state)) is None


def within(container: str, command: str) -> str:
    """Return a command that runs in a container's network namespace, with the host's programs."""
    pid = f"$(docker inspect -f '{{{{.State.Pid}}}}' {shlex.quote(container)})"
    return f'nsenter -t "{pid}" -n {command}'


def _routed(case: Case, of: Receiver) -> Fix | None:
    """Give a container that has no way to somebody the default route of its network."""
    gateway = gateway_of(case, of.container, of.packet.version)
    return default_route(gateway, of.link.name) if gateway is not None else None


def default_route(gateway: Address, device: str) -> Fix:
    """Add a default route."""
    prefix = everywhere(gateway)
    route = Route(prefix, device, gateway, 0, "main", f"default via {gateway} dev {device}")
    version = "-6 " if gateway.version == 6 else ""
    return Fix(
        f"ip {version}route replace default via {gateway} dev {shlex.quote(device)}",
        lambda state: replace(state, routes=(*(r for r in state.routes if r.dst != prefix), route)),
    )


def gateway_of(case: Case, container: Container, version: int) -> Address | None:
    """Return the gateway of a container's network; without an engine, the only address that its bridge has."""
    networks = [n for host in case.hosts.states for n in host.networks if n.name == container.network]
    if container.engine == NO_ENGINE and not networks:
        bridges = (
            link
            for host in case.hosts.states
            for link in host.links
            if (link.name, link.kind) == (container.network, "bridge")
        )
        own = [ip for link in bridges for ip in link.addresses if ip.version == version and not ip.is_link_local]
        return own[0] if len(own) == 1 else None
    return next((ip for network in networks for ip in network.gateways if ip.version == version), None)


def port_of(host: HostState, owner: Container, inner: Link | None) -> Link | None:
    """Return the host's end of a container's veth."""
    if inner is not None and inner.peer is not None:
        return next((link for link in host.links if link.index == inner.peer and link.kind == "veth"), None)
    name = next((entry.dev for entry in host.fdb if entry.mac == owner.mac and entry.master is not None), None)
    return host.link(name) if name is not None else None


def elsewhere(of: Receiver, case: Case) -> Iterator[str]:
    """Name the network of another interface of a container, where that is known."""
    out = of.answers_by
    mac = next((link.mac for link in of.state.links if link.name == out), None)
    containers = (c for host in case.hosts.states for c in host.containers)
    yield from (c.network for c in containers if mac is not None and c.mac == mac)
