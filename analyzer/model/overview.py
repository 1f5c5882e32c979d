"""What a report draws: the host's parts and how they hang together, and what was measured over time."""

from dataclasses import dataclass
from enum import StrEnum

from analyzer.model.basis import Basis
from analyzer.model.tuple import Address, Mac


class NodeKind(StrEnum):
    """What a node of the topology is; the order is the way out of a container."""

    CONTAINER = "container"
    INTERFACE = "interface"
    """The host's end of a veth pair, or the container's own."""
    BRIDGE = "bridge"
    OVERLAY = "overlay"
    HOST = "host"
    """Routing and netfilter: where packets are forwarded and translated."""
    UPLINK = "uplink"
    GATEWAY = "gateway"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a host, or what is beyond it."""

    kind: NodeKind
    name: str
    basis: Basis
    host: str | None = None
    details: tuple[str, ...] = ()
    """Addresses, networks, what else is known; the most important first."""
    point: str | None = None
    """Capture point that is here; None where nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Two nodes that exchange frames."""

    a: int
    """Place in the list of nodes, the inner one."""
    b: int
    frames: int
    length: int
    """Bytes on the wire, both directions together."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes and edges; nodes of one host stand together."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often something happened, by bins of time."""

    what: str
    where: str
    """Capture point."""
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """How long packets took from one point to the next."""

    from_point: str
    to_point: str
    packets: int
    least_ns: int
    median_ns: int
    p90_ns: int
    p99_ns: int
    most_ns: int
    histogram: tuple[int, ...]
    """By ``Measures.edges_ns``: below the first, between each two, above the last."""
    medians_ns: tuple[int | None, ...]
    """By bins of time; None where no packet crossed."""
    uncertainty_ns: int | None = None
    """Where the points are on two hosts: all times may be so much more or less."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured over the whole capture."""

    start_ns: int
    bin_ns: int
    """Length of a bin of time, ns."""
    frames: tuple[Counts, ...]
    trouble: tuple[Counts, ...]
    """Packets that were lost, rejected or dropped, and retransmissions, each where it was seen."""
    edges_ns: tuple[int, ...]
    crossings: tuple[Crossing, ...]


@dataclass(frozen=True, slots=True)
class LearntMac:
    """What a bridge learnt from a frame: *mac* is behind *point* (net/bridge/br_fdb.c, br_fdb_update)."""

    mac: Mac
    point: str
    frame: int
    time_ns: int
    bridge: str | None = None
    container: str | None = None
    moved_from: str | None = None
    """Where it was before; None if it was new."""
    entry: str | None = None
    """The recorded entry that says the same, as ``bridge fdb`` prints it."""


@dataclass(frozen=True, slots=True)
class NameQuery:
    """A question to a name server, and its answer."""

    name: str
    kind: str
    """``A``, ``AAAA``, ``PTR``, ... or the type's number."""
    asker: Address
    server: Address
    asked_ns: int
    journey: int
    answer: int | None = None
    """Journey of the answer."""
    outcome: str | None = None
    """``NOERROR``, ``NXDOMAIN``, ...: RFC 1035's RCODE; None without an answer."""
    records: tuple[str, ...] = ()
    latency_ns: int | None = None
    asked_again_ns: int | None = None
    """How long after it the same was asked for the last time before the answer came; None if only once."""
    answers: int = 0
    """Records that the answer says it has; those that were read may be fewer."""
    truncated: bool = False
    """The answer did not fit, and says so (TC): resolvers then ask by TCP."""
    stranger: Address | None = None
    """Who sent an answer although another one was asked: resolvers do not take it."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All that a report draws beside journeys and connections."""

    topology: Topology
    measures: Measures
    learnt: tuple[LearntMac, ...] = ()
    names: tuple[NameQuery, ...] = ()
