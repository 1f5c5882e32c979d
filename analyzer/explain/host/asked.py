"""The questions that a host is asked without captures: who should reach whom, as packets that nobody sent."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise

from analyzer.explain.host.networks import bridges, inside, outside, uplinks
from analyzer.explain.told import Facts
from analyzer.model import Address, Container, HostState, Link, Network
from analyzer.model.engine import GOSSIP_PORT
from analyzer.packet.stops import Cause, Way
from analyzer.state.rules.names import PROTOCOLS
from analyzer.state.rules.packet import Packet

TCP, UDP = PROTOCOLS["tcp"], PROTOCOLS["udp"]
MOST_CONTAINERS, MOST_PAIRS = 100, 100
SYN = 2
OUTSIDE = "whoever is outside"


@dataclass(frozen=True, slots=True)
class Question:
    """One packet that should pass."""

    who: str
    what: str
    protocol: str
    packet: Packet
    bridged: bool = False
    """It goes from one port of a bridge to another."""
    own: bool = False
    """The host itself sends it."""
    of: Network | None = None
    """The network that it leaves."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Questions that one cause stops."""

    cause: Cause
    questions: list[Question]


class Host:
    """A host's state, and what became of the questions; they are asked once for all hypotheses."""

    def __init__(self, state: HostState) -> None:
        """Take a state."""
        self.state = state

    @cached_property
    def outward(self) -> list[tuple[Question, Way, Cause | None]]:
        """What each network's containers ask of the outside, and how that goes."""
        return [answer for answer in self._answers if answer[0].of is not None]

    @cached_property
    def blocked(self) -> dict[str, list[Blocked]]:
        """By check, what the recorded state stops."""
        found: dict[str, dict[str, Blocked]] = {}
        for question, _, cause in self._answers:
            if cause is not None and not cause.unknown:
                of_check = found.setdefault(cause.check, {})
                of_check.setdefault(cause.text, Blocked(cause, [])).questions.append(question)
        return {check: list(causes.values()) for check, causes in found.items()}

    @cached_property
    def _answers(self) -> list[tuple[Question, Way, Cause | None]]:
        found = []
        for question in questions(self.state):
            way = Way(self.state, question.packet, past=True)  # nobody sent it, so no counter says anything
            found.append((question, way, way.sent() if question.own else way.stopped(bridged=question.bridged)))
        return found


def questions(host: HostState) -> Iterator[Question]:
    """Give what a Docker host is expected to let pass, as far as rules and routes of it are known."""
    for version in (4, 6):
        far, ways = outside(host, version), uplinks(host, version)
        if far is None or not ways or not host.knows_rules(version):
            continue
        for network, bridge in bridges(host):
            yield from _outward(host, network, bridge, far)
        yield from _published(host, ways[0], far)
    yield from _neighbours(host)
    yield from _nodes(host)


def _outward(host: HostState, network: Network, bridge: Link, far: Address) -> Iterator[Question]:
    """Let each container of a network, or one that it could have, open a connection, and ask for a name."""
    version = far.version
    here = [(c.name, ip) for c in host.containers if c.network == network.name for ip in c.addresses]
    senders = [(name, ip) for name, ip in here if ip.version == version][:MOST_CONTAINERS]
    if not senders and (free := inside(network, version)) is not None:
        senders = [(f"network {network.name}", free)]
    for name, ip in senders:
        for protocol, port, what in ((TCP, 443, "the outside"), (UDP, 53, "name servers outside")):
            flags = SYN if protocol == TCP else None
            packet = Packet(protocol, ip, far, 40_000, port, tcp_flags=flags, length=60, ttl=64, iif=bridge.name)
            yield Question(name, what, "TCP" if protocol == TCP else "UDP", packet, of=network)


def _published(host: HostState, uplink: Link, far: Address) -> Iterator[Question]:
    """Let a client outside, the host itself, and a container of another network use each published port."""
    own = next((ip for ip in uplink.addresses if ip.version == far.version and not ip.is_link_local), None)
    for container in {c.name: c for c in host.containers}.values():
        for port in islice(container.ports, MOST_CONTAINERS):
            target = own if port.address is None else port.address
            if target is None or port.version not in (None, far.version) or target.is_loopback:
                continue
            if not container.addresses or not host.owns(target) or port.protocol not in PROTOCOLS:
                continue
            number = PROTOCOLS[port.protocol]
            packet = Packet(
                number, far, target, 40_000, port.outside, tcp_flags=SYN if number == TCP else None, length=60, ttl=64,
                iif=uplink.name,
            )  # fmt: skip
            what, protocol = f"{container.name}'s port {port.text}", port.protocol.upper()
            yield Question(OUTSIDE, what, protocol, packet)
            if own is not None:
                yield Question("this host", what, protocol, replace(packet, src=own, iif=None), own=True)
            if (other := _of_another_network(host, container, far.version)) is not None:
                name, ip, bridge = other
                yield Question(name, what, protocol, replace(packet, src=ip, iif=bridge))


def _of_another_network(host: HostState, container: Container, version: int) -> tuple[str, Address, str] | None:
    """Return a container that shares no network with this one, its address and its bridge: docker-proxy serves it."""
    own = {one.network for one in host.containers if one.name == container.name}
    links = {network.name: bridge.name for network, bridge in bridges(host) if not network.internal}
    shared = {one.name for one in host.containers if one.network in own}
    others = (one for one in host.containers if one.network in links and one.name not in shared)
    ends = ((one, ip) for one in others for ip in one.addresses if ip.version == version)
    return next(((one.name, ip, links[one.network]) for one, ip in ends), None)


def _neighbours(host: HostState) -> Iterator[Question]:
    """Let containers of one network reach each other."""
    by_network: dict[str, list[Container]] = {}
    for container in host.containers:
        by_network.setdefault(container.network, []).append(container)
    for network, bridge in bridges(host):
        for one, other in islice(pairwise(by_network.get(network.name, ())), MOST_PAIRS):
            ends = [(a, b) for a in one.addresses for b in other.addresses if a.version == b.version]
            for src, dst in ends[:1]:
                packet = Packet(TCP, src, dst, 40_000, 80, tcp_flags=SYN, length=60, ttl=64, iif=bridge.name)
                yield Question(one.name, other.name, "TCP", packet, bridged=True)


def _nodes(host: HostState) -> Iterator[Question]:
    """Let the other nodes of each overlay network send what it is made of: VXLAN, and who is where."""
    for network in host.networks:
        own = next((ip for ip in network.peers if host.owns(ip)), None)
        link = next((link for link in host.links if own in link.addresses), None)
        if network.driver != "overlay" or own is None or link is None or not host.knows_rules(own.version):
            continue
        inside = host.overlays.get(network.name)
        ports = {one.udp_port for one in inside.links if one.udp_port is not None} if inside is not None else set()
        asked = [(UDP, port, "VXLAN") for port in sorted(ports)]
        for protocol, port, what in (*asked, (TCP, GOSSIP_PORT, "gossip"), (UDP, GOSSIP_PORT, "gossip")):
            for peer in network.peers:
                if peer == own or peer.version != own.version:
                    continue
                flags = SYN if protocol == TCP else None
                packet = Packet(protocol, peer, own, port, port, tcp_flags=flags, length=60, ttl=64, iif=link.name)
                name = "TCP" if protocol == TCP else "UDP"
                yield Question(f"node {peer}", f"this host's port {port} ({what})", name, packet)


FORWARD = ("filter", "FORWARD")
SHOWN = 3


def asked_by(blocked: Blocked) -> Facts:
    """Name who cannot reach what."""
    found: Facts = {"questions": len(blocked.questions)}
    for name in ("who", "what", "protocol"):
        found[name.replace("protocol", "protocols")] = list(
            dict.fromkeys(str(getattr(one, name)) for one in blocked.questions)
        )
    return found
