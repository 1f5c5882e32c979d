"""A packet's journey: hops, the steps between them, and how it ended.

Objects of this module are built only for packets that someone will read; everything else stays in tables.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from analyzer.model.basis import Basis
from analyzer.model.tuple import Address, Direction, Mac


class Disposition(StrEnum):
    """How a journey ended. ``lost`` is claimed only where the next point would have shown the packet."""

    DELIVERED = "delivered"
    LEFT_HOST = "left-host"
    REJECTED = "rejected"
    DROPPED = "dropped"
    LOST = "lost"
    NOT_OBSERVABLE = "not-observable"


BAD = (Disposition.LOST, Disposition.REJECTED, Disposition.DROPPED)
"""Ends of packets that did not get where they were to go."""
ENDS = tuple(Disposition)
CODES = {kind: number for number, kind in enumerate(ENDS)}
"""What stands for each in columns: its place in ENDS."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A field that differs from the hop before."""

    field: str
    before: str
    after: str
    by: str
    """
    ``SNAT``, ``DNAT``, ``forwarding``, ``fragmentation`` (IP), ``segmentation`` (TCP offload), or ``copy``: a bridge's
    own copy of a frame that it forwards is made before POSTROUTING.
    """


@dataclass(frozen=True, slots=True)
class Hop:
    """One packet at one point."""

    point: str
    frames: tuple[int, ...]
    """1-based frame numbers in the point's file, in order of time."""
    time_ns: int
    """Of the first frame, ns since the epoch, by the clock of the first host."""
    latency_ns: int | None
    """To the next hop; None at the last, where it was recorded late, and where two hosts' clocks differ unknown."""
    length: int
    """On the wire, bytes, all frames together."""
    eth_src: Mac | None = None
    eth_dst: Mac | None = None
    vlan: int | None = None
    src: Address | None = None
    dst: Address | None = None
    sport: int | None = None
    dport: int | None = None
    icmp_id: int | None = None
    ttl: int | None = None
    ip_id: int | None = None
    rewrites: tuple[Rewrite, ...] = ()
    latency_uncertainty_ns: int | None = None
    """Where the next hop is on another host: ``latency_ns`` is as much more or less at the most."""


@dataclass(frozen=True, slots=True)
class ArpExchange:
    """Who asked for an address, who answered, and how long it took; ARP and NDP alike."""

    protocol: str
    """``arp`` (RFC 826) or ``ndp`` (RFC 4861)."""
    asked_ip: Address
    asker: Mac
    asker_ip: Address | None
    point: str
    request_frame: int
    request_ns: int
    answer_mac: Mac | None = None
    reply_frame: int | None = None
    latency_ns: int | None = None
    """From the last request to the answer."""
    requests: int = 1
    """Times it was asked before the answer, or at all."""
    answered_at: str | None = None
    """The point where answers were seen that never got to the one where it was asked, again and again."""


@dataclass(frozen=True, slots=True)
class ArpStep:
    """The packet had to wait until its next hop's MAC was known."""

    exchange: ArpExchange
    at_hop: int
    basis: Basis = Basis.OBSERVED
    kind: str = "arp"


@dataclass(frozen=True, slots=True)
class FdbStep:
    """A bridge passed the frame on, by destination MAC."""

    mac: Mac
    from_point: str
    to_point: str
    at_hop: int
    learnt_point: str | None
    """Port where frames from *mac* entered the bridge; None if the bridge itself owns the MAC or floods."""
    learnt_frame: int | None
    local: bool
    """The MAC is the bridge's own: the frame goes up to the host's IP stack."""
    flooded: bool
    """Broadcast or multicast: the frame went to every port."""
    copied: bool
    """*to_point* is the bridge itself, which takes a copy of what it forwards while a capture makes it promiscuous."""
    basis: Basis
    entry: str | None = None
    """The recorded entry that says the same, as ``bridge fdb`` prints it."""
    kind: str = "fdb"


@dataclass(frozen=True, slots=True)
class ParentStep:
    """The frame went between a container's interface and what that lies on, past every bridge."""

    container: str
    parent: str
    mode: str | None
    """
    Of a macvlan ``bridge``, ``private``, ``vepa`` or ``passthru``; of an ipvlan ``l2``, in which it resolves addresses
    itself, ``l3`` or ``l3s``, in which the host's routes send it on. None where that was not recorded.
    """
    outward: bool
    at_hop: int
    basis: Basis = Basis.STATED


@dataclass(frozen=True, slots=True)
class MacvlanStep(ParentStep):
    """It has a MAC of its own (the kernel's drivers/net/macvlan.c)."""

    kind: str = "macvlan"


@dataclass(frozen=True, slots=True)
class IpvlanStep(ParentStep):
    """Both have one MAC (drivers/net/ipvlan)."""

    kind: str = "ipvlan"


@dataclass(frozen=True, slots=True)
class OwnRouteStep:
    """The container that sent the packet decided by its own routes where it goes first."""

    container: str | None
    """None if nobody told its name."""
    gateway: Address | None
    """By whom; None if the destination is on its own link."""
    route: str | None
    """The route in the container, as ``ip route`` prints it; None where its MAC alone shows who was meant."""
    why: str | None
    """Why this route: prefix, table, and the rule that led there."""
    basis: Basis
    at_hop: int = 0
    kind: str = "own-route"


@dataclass(frozen=True, slots=True)
class RouteStep:
    """The host forwarded the packet: TTL one less (RFC 1812 section 5.3.1), new MACs."""

    from_point: str
    to_point: str
    at_hop: int
    ttl_before: int
    ttl_after: int
    next_hop_mac: Mac | None
    next_hop_ip: Address | None
    """The address whose ARP or NDP answer gave *next_hop_mac*."""
    route: str | None
    """The recorded route that matches, as ``ip route`` prints it."""
    basis: Basis
    why: str | None = None
    """Why this route: prefix, table, and the rule that led there."""
    neighbour: str | None = None
    """The recorded entry of the next hop, as ``ip neigh`` prints it."""
    kind: str = "route"


@dataclass(frozen=True, slots=True)
class NatStep:
    """conntrack rewrote one end of the tuple."""

    nat: str
    """``SNAT`` or ``DNAT`` of the connection; on the reply's way the inverse is applied."""
    reverse: bool
    field: str
    before: str
    after: str
    at_hop: int
    rule: str | None
    basis: Basis
    kind: str = "nat"


@dataclass(frozen=True, slots=True)
class TunnelStep:
    """The packet went into a VXLAN tunnel (RFC 7348), through the network inside one, or came out of it."""

    action: str
    """``encapsulated``, ``carried`` or ``decapsulated``."""
    vni: int
    src: Address
    """Outer source: the tunnel's end that sent it."""
    dst: Address
    sport: int
    dport: int
    at_hop: int
    basis: Basis = Basis.OBSERVED
    kind: str = "tunnel"


@dataclass(frozen=True, slots=True)
class ProxyStep:
    """A process on the host took the bytes, and sends them on in a connection of its own: docker-proxy, pasta."""

    connection: int
    """The one in which they go on."""
    at_hop: int
    """One more than the last."""
    program: str | None = None
    """Which one, by the host's sockets."""
    user_mode: bool = False
    """It is a container's network by itself, with the same addresses on both sides: pasta, slirp4netns."""
    basis: Basis = Basis.INFERRED
    kind: str = "proxy"


@dataclass(frozen=True, slots=True)
class FilterStep:
    """What stopped the packet after its last hop: a rule, a route, a setting."""

    verdict: str
    """``drop`` or ``reject``."""
    cause: str
    """What it is, in a few words."""
    at_hop: int
    """One more than the last."""
    rule: str | None = None
    """As ``iptables-save`` prints it, where a rule did it."""
    table: str | None = None
    counted: int | None = None
    """Packets that the rule counted while the captures ran; in all, where only one dump was made."""
    basis: Basis = Basis.STATED
    kind: str = "filter"


LinkStep = ArpStep | FdbStep | MacvlanStep | IpvlanStep
Step = OwnRouteStep | LinkStep | RouteStep | NatStep | TunnelStep | ProxyStep | FilterStep


@dataclass(frozen=True, slots=True)
class Journey:
    """One packet, from the first point that saw it to the last."""

    id: int
    connection: int | None
    direction: Direction | None
    protocol: str
    summary: str
    """What the packet is, e.g. ``TCP SYN`` or ``ICMP echo request seq 1``."""
    disposition: Disposition
    reason: str
    """Why this disposition and no other, in one sentence."""
    basis: Basis
    latency_ns: int | None
    """From the first hop to the last; None where two hosts' clocks differ by more than is known."""
    hops: tuple[Hop, ...]
    steps: tuple[Step, ...]
    answers: int | None = None
    """Journey that this packet answers."""
    answered_by: int | None = None
    reply_latency_ns: int | None = None
    """From this packet's first hop to its answer's last."""
    sent_again_ns: int | None = None
    """How long after it this packet was sent again for the last time before its answer came; None if it was not."""
    retransmission_of: int | None = None
    rejected_by: int | None = None
    """Journey of the ICMP error that this packet was answered with."""
    error_about: int | None = None
    """Journey of the packet that this ICMP error quotes."""
    ambiguous: bool = False
    candidates: tuple[int, ...] | None = None
    """Of an ambiguous one: journeys that could own some of its frames."""
    payload_len: int | None = None
    """Bytes behind the last decoded header at the first hop, all frames together; None without an IP packet."""
    seq: int | None = None
    """TCP's numbers at the first hop, as they stand in the header, and the window, not scaled."""
    ack: int | None = None
    window: int | None = None
    tcp_flags: int | None = None
    """Bits of RFC 9293, FIN lowest."""
    says: str | None = None
    """What its payload says, where that is known: ``DNS A? example.com``, ``HTTP GET /``, ``TLS ClientHello``."""

    @property
    def called(self) -> str:
        """What people call it: what it says, else what it is."""
        return self.says or self.summary


def with_basis(journey: Journey, basis: Basis) -> Journey:
    """Return a journey whose stated steps have another basis: what dumps say, somebody has tried."""
    steps = (replace(one, basis=basis) if one.basis is Basis.STATED else one for one in journey.steps)
    return replace(journey, steps=tuple(steps))
