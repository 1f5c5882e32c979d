"""A host's recorded state. Every part is optional: what no dump told is empty, never guessed."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from analyzer.model.tuple import Address, FlowTuple, Mac

Prefix = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Link:
    """One interface, from ``ip -j -d addr`` or ``ip -j -d link``."""

    index: int
    name: str
    mac: Mac | None
    kind: str | None
    """``info_kind``: ``bridge``, ``veth``, ``vxlan``, ...; None for hardware and for loopback."""
    master: str | None
    addresses: tuple[Address, ...] = ()
    mtu: int | None = None
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One line of ``ip route``."""

    dst: Prefix
    dev: str | None
    gateway: Address | None
    metric: int
    table: str
    text: str
    """The route as ``ip route`` prints it."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One line of ``ip neigh``."""

    ip: Address
    dev: str
    mac: Mac | None
    state: str


@dataclass(frozen=True, slots=True)
class FdbEntry:
    """One line of ``bridge fdb``: frames to *mac* leave by *dev*."""

    mac: Mac
    dev: str
    master: str | None
    permanent: bool


@dataclass(frozen=True, slots=True)
class Container:
    """A container on one of its networks."""

    name: str
    network: str
    mac: Mac | None
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """A Docker network."""

    name: str
    id: str
    driver: str
    bridge: str | None
    """Name of its bridge on the host."""
    subnets: tuple[Prefix, ...]
    gateways: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class ConntrackEntry:
    """One connection, as ``conntrack -L`` or ``-E`` printed it."""

    original: FlowTuple
    reply: FlowTuple
    id: int | None
    first_ns: int | None = None
    """Time of its first event; None from a listing."""
    last_ns: int | None = None


@dataclass(frozen=True, slots=True)
class NatRule:
    """A rule of the ``nat`` table that translates, as ``iptables-save`` printed it."""

    text: str
    chain: str
    target: str
    """``MASQUERADE``, ``SNAT`` or ``DNAT``."""
    src: Prefix | None
    dst: Prefix | None
    protocol: str | None
    dport: int | None
    out_interface: str | None
    out_negated: bool
    to: str | None
    """``--to-destination`` or ``--to-source``."""
    exact: bool
    """Every match of the rule is in the fields above."""


@dataclass(frozen=True, slots=True)
class HostState:
    """All that dumps told about one host."""

    name: str | None = None
    links: tuple[Link, ...] = ()
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    containers: tuple[Container, ...] = ()
    networks: tuple[Network, ...] = ()
    conntrack: tuple[ConntrackEntry, ...] = ()
    nat_rules: tuple[NatRule, ...] = ()
    problems: tuple[str, ...] = field(default=())
    """Dumps that could not be read, one line each."""

    def link(self, name: str) -> Link | None:
        """Return the interface called *name*."""
        return next((link for link in self.links if link.name == name), None)

    def container_of_mac(self, mac: int) -> Container | None:
        """Return the container that has *mac* on one of its networks."""
        return next((c for c in self.containers if c.mac == mac), None)

    def container_of_address(self, ip: Address) -> Container | None:
        """Return the container that has *ip* on one of its networks."""
        return next((c for c in self.containers if ip in c.addresses), None)

    def owns(self, ip: Address) -> bool:
        """Tell whether *ip* is one of the host's own addresses."""
        return any(ip in link.addresses for link in self.links)

    def route_to(self, ip: Address) -> Route | None:
        """Return the main table's route for *ip*: longest prefix, then lowest metric."""
        matching = [r for r in self.routes if r.table == "main" and ip.version == r.dst.version and ip in r.dst]
        return min(matching, key=lambda r: (-r.dst.prefixlen, r.metric), default=None)
