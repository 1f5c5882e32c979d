"""A host's recorded state. Every part is optional: what no dump told is empty, never guessed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from analyzer.model.drop import Drop
from analyzer.model.engine import DOCKER, Container, Ended, Network, OnHost, Prefix, Sidecar
from analyzer.model.firewalld import Zone
from analyzer.model.rules import Policy, Rule, Table
from analyzer.model.tuple import Address, FlowTuple, Mac, mac_text
from analyzer.model.vpn import IpsecPolicy, IpsecState, Peer

TUNNELS = ("tun", "wireguard", "ppp", "ipip", "gre", "sit", "vti", "xfrm", "ip6tnl", "ip6gre")
"""Kinds of interfaces (rtnetlink's IFLA_INFO_KIND) that carry packets in others: none goes on as it is."""


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
    down: bool = False
    """Nothing passes: it is down, or its other end is."""
    up: bool = False
    """Somebody set it up: if it is down all the same, it has no carrier."""
    peer: int | None = None
    """Index of its other end, perhaps in another namespace: of a veth; of a VLAN or macvlan, of what it lies on."""
    lower: str | None = None
    """Name of what it lies on, in the same namespace: of a VLAN, macvlan or macvtap."""
    filters_vlans: bool = False
    """A bridge that keeps VLANs apart."""
    udp_port: int | None = None
    """Of a VXLAN interface: the port that packets go to and come to."""
    xdp: str | None = None
    """The XDP program that takes what comes in, before any capture sees it (net/core/dev.c, do_xdp_generic)."""

    @property
    def dead(self) -> bool:
        """Whether it takes nothing that is sent to it, of its own."""
        return self.down and self.stands_alone

    @property
    def stands_alone(self) -> bool:
        """
        Whether its state is its own.

        A bridge is down while none of its ports is up, and a veth without an address goes with its container: maybe
        only afterwards.
        """
        return self.kind != "bridge" and (self.kind != "veth" or bool(self.addresses))

    @property
    def tunnel(self) -> bool:
        """Whether it carries packets in others."""
        return self.kind in TUNNELS


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
    kind: str = "unicast"
    """``unicast``, ``local``, ``broadcast``, ``blackhole``, ``unreachable``, ...: see ip-route(8)."""
    src: Address | None = None
    """Address that the host itself takes as its own on this route."""
    nexthops: tuple[tuple[str | None, Address | None], ...] = ()
    """Of several ways, interface and gateway of each that is alive; *dev* and *gateway* are the first's."""

    @property
    def devices(self) -> frozenset[str | None]:
        """Interfaces that it may leave by."""
        return frozenset(device for device, _ in self.nexthops) or frozenset((self.dev,))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One line of ``ip neigh``."""

    ip: Address
    dev: str
    mac: Mac | None
    state: str

    @property
    def text(self) -> str:
        """As ``ip neigh`` prints it."""
        return f"{self.ip} dev {self.dev} {f'lladdr {mac_text(self.mac)} ' if self.mac is not None else ''}{self.state}"


@dataclass(frozen=True, slots=True)
class FdbEntry:
    """One line of ``bridge fdb``: frames to *mac* leave by *dev*."""

    mac: Mac
    dev: str
    master: str | None
    permanent: bool
    dst: Address | None = None
    """The host that a VXLAN interface sends them to."""

    @property
    def text(self) -> str:
        """As ``bridge fdb`` prints it."""
        words = {"master": self.master, "dst": self.dst}
        more = "".join(f" {word} {value}" for word, value in words.items() if value)
        return f"{mac_text(self.mac)} dev {self.dev}{more}{' permanent' if self.permanent else ''}"


@dataclass(frozen=True, slots=True)
class ConntrackEntry:
    """One connection, as ``conntrack -L`` or ``-E`` printed it."""

    original: FlowTuple
    reply: FlowTuple
    id: int | None
    first_ns: int | None = None
    """Time of its first event; None from a listing."""
    last_ns: int | None = None
    state: str | None = None
    """Of TCP and others that have one: ``ESTABLISHED``, ``TIME_WAIT``, ..."""
    timeout_s: int | None = None
    """Seconds that it had left when it was listed."""
    flags: tuple[str, ...] = ()
    """``UNREPLIED``, ``ASSURED``, ..."""


@dataclass(frozen=True, slots=True)
class BridgePort:
    """One line of ``bridge link``: an interface that is a bridge's port."""

    dev: str
    master: str | None
    state: str
    """``forwarding``, ``disabled``, ...: spanning tree's."""
    hairpin: bool
    """Frames may leave by the port that they came in by."""
    isolated: bool
    """It does not exchange frames with other isolated ports."""
    locked: bool = False
    """It takes frames of MACs only that the bridge knows to be there (net/bridge/br_input.c)."""
    broadcasts: bool = True
    """It is given a copy of broadcasts."""
    multicasts: bool = True
    """It is given a copy of multicasts for which nobody is known to have asked."""


@dataclass(frozen=True, slots=True)
class PortVlan:
    """VLANs that a bridge's port takes part in, from ``bridge vlan``."""

    dev: str
    first: int
    last: int
    untagged: bool
    """Frames without a tag that come in are of the first (PVID)."""


LIMITS = ("tbf", "netem", "htb", "hfsc", "cake", "red", "sfq", "police")
"""Queues that nobody has without having asked for them; others (fq_codel, pfifo_fast) are everywhere."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of an interface, from ``tc -s qdisc``."""

    dev: str
    kind: str
    """``tbf``, ``netem``, ``fq_codel``, ..."""
    rate: int | None
    """Bytes a second that it lets pass, at the most; None for all."""


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """One line of ``ip rule``."""

    priority: int
    version: int
    src: Prefix | None
    dst: Prefix | None
    iif: str | None
    mark: tuple[int, int] | None
    """Value and mask."""
    negated: bool
    table: str | None
    """None for a rule that does something else than look up."""
    action: str | None
    """What else: ``prohibit``, ``unreachable``, ``blackhole``, ``nop``, ``goto``; None for one that looks up."""
    text: str
    oif: str | None = None
    protocol: int | None = None
    """``ipproto``, as IANA numbers them."""
    sport: tuple[int, int] | None = None
    """First and last."""
    dport: tuple[int, int] | None = None
    suppress: int | None = None
    """``suppress_prefixlength``: what it finds does not count if its prefix is not longer."""
    goto: int | None = None
    """Priority of the rule that is asked next."""
    unread: tuple[str, ...] = ()
    """Selectors that are not followed: whether they fit, nobody knows."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket that waits for connections or datagrams, from ``ss -ltunp``."""

    protocol: str
    """``tcp``, ``udp``."""
    address: Address | None
    """Where alone it listens; None for all addresses of its version, or of both."""
    version: int | None
    """IP version; None for both."""
    port: int
    program: str
    """Its name, empty if that was not recorded."""
    waiting: int = 0
    """Connections that wait to be accepted, or bytes to be read."""
    room: int = 0
    """How many connections may wait."""
    interface: str | None = None
    """The only one that it listens at."""
    pid: int | None = None
    """Of the process that made it."""
    container_id: str = ""
    """Of the container in whose cgroup it was made."""

    def takes(self, protocol: str, dst: Address, port: int) -> bool:
        """Tell whether it is for what comes to an address and port."""
        return (
            (self.protocol, self.port) == (protocol, port)
            and self.address in (None, dst)
            and self.version in (None, dst.version)
        )


@dataclass(frozen=True, slots=True)
class HostState:
    """All that dumps told about one host, or about one container's own namespace."""

    name: str | None = None
    links: tuple[Link, ...] = ()
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    ports: tuple[BridgePort, ...] = ()
    vlans: tuple[PortVlan, ...] = ()
    queues: tuple[Queue, ...] = ()
    containers: tuple[Container, ...] = ()
    sidecars: tuple[Sidecar, ...] = ()
    networks: tuple[Network, ...] = ()
    ended: tuple[Ended, ...] = ()
    """Containers that ended while captures ran."""
    conntrack: tuple[ConntrackEntry, ...] = ()
    routing_rules: tuple[RoutingRule, ...] = ()
    tables: tuple[Table, ...] = ()
    """iptables', ip6tables' and nftables' own, as far as they were recorded."""
    tables_before: tuple[Table, ...] = ()
    """The same before the captures ran."""
    peers: tuple[Peer, ...] = ()
    """WireGuard's."""
    ipsec: tuple[IpsecPolicy, ...] = ()
    """The one that counts first before others."""
    ipsec_states: tuple[IpsecState, ...] = ()
    makes_rules: bool | None = None
    """Whether dockerd makes rules, by daemon.json; None where that was not recorded."""
    ruled: frozenset[int] = frozenset()
    """IP versions of which iptables' rules were recorded, though there may be none."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    """nstat's by their names, and conntrack's own, of all processors together, as ``conntrack.drop``."""
    counters_before: Mapping[str, int] = field(default_factory=dict)
    """The same before the captures ran."""
    drops: tuple[Drop, ...] = ()
    """What the kernel says it dropped while captures ran; nothing where nobody asked it."""
    zones: tuple[Zone, ...] = ()
    """firewalld's."""
    ran: tuple[str, ...] = ()
    """The command that ran while it was recorded, word by word."""
    problems: tuple[str, ...] = field(default=())
    """Dumps that could not be read, one line each."""
    files: tuple[str, ...] = ()
    """Dumps that were there."""
    listeners: tuple[Listener, ...] = ()
    on_host: tuple[OnHost, ...] = ()
    """Containers that have no network of their own."""
    resolvers: tuple[Address, ...] = ()
    """``nameserver`` lines of resolv.conf."""
    search: tuple[str, ...] = ()
    """Domains that its ``search`` line adds to names."""
    inside: Mapping[str, "HostState"] = field(default_factory=dict)
    """By container: what its own namespace told."""
    overlays: Mapping[str, "HostState"] = field(default_factory=dict)
    """By overlay network: likewise."""

    @property
    def tells(self) -> bool:
        """Tell whether anything was recorded that could stop a packet."""
        return bool(self.tables or self.ruled or self.sysctls or self.routes)

    @property
    def knows_listeners(self) -> bool:
        """Tell whether it was recorded who listens."""
        return "ss.txt" in self.files

    def listener(self, protocol: str, dst: Address, port: int) -> Listener | None:
        """Return who listens for what comes to an address and port."""
        return next((one for one in self.listeners if one.takes(protocol, dst, port)), None)

    def owner_of_socket(self, socket: Listener) -> str | None:
        """Return the name of the container on the host's network whose a socket of the host is, if it is one's."""
        ids = {socket.container_id} - {""}
        return next((one.name for one in self.on_host if socket.pid == one.pid or one.id in ids), None)

    def link(self, name: str) -> Link | None:
        """Return the interface called *name*."""
        return next((link for link in self.links if link.name == name), None)

    def link_of_mac(self, mac: Mac | None) -> Link | None:
        """Return the interface that has a MAC."""
        return next((link for link in self.links if link.mac == mac), None) if mac is not None else None

    def interface_inside(self, container: Container) -> Link | None:
        """Return a container's own interface on its network, as its namespace was recorded."""
        state = self.inside.get(container.name)
        return state.link_of_mac(container.mac) if state is not None else None

    @property
    def past_rules(self) -> frozenset[Address]:
        """Addresses of containers that go past the host's rules: of macvlan, and of ipvlan but in mode ``l3s``."""
        networks = {one.name for one in self.networks if one.on_parent and one.mode != "l3s"}
        return frozenset(ip for one in self.containers if one.network in networks for ip in one.addresses)

    @property
    def engine(self) -> str:
        """The container engine: Docker, unless all that there is is another one's."""
        found = {one.engine for one in self.containers} | {one.engine for one in self.networks}
        return found.pop() if len(found) == 1 else DOCKER

    def network_of(self, container: Container) -> Network | None:
        """Return the network that a container is on."""
        return next((network for network in self.networks if network.name == container.network), None)

    def sends_back(self, port: str | None) -> bool:
        """Tell whether a bridge's port is in hairpin mode."""
        return any(one.hairpin for one in self.ports if one.dev == port)

    def container_of_mac(self, mac: int) -> Container | None:
        """Return the container that has *mac* on one of its networks."""
        return next((c for c in self.containers if c.mac == mac), None)

    def container_of_address(self, ip: Address) -> Container | None:
        """Return the container that has *ip* on one of its networks."""
        return next((c for c in self.containers if ip in c.addresses), None)

    def owns(self, ip: Address) -> bool:
        """Tell whether *ip* is one of the host's own addresses."""
        return any(ip in link.addresses for link in self.links)

    def knows_rules(self, version: int) -> bool:
        """Tell whether rules for IPv4 or IPv6 were recorded."""
        return self.knows_iptables(version) or any(table.native for table in self.tables)

    def knows_iptables(self, version: int) -> bool:
        """Tell whether iptables' rules for IPv4 or IPv6 were recorded, though there may be none."""
        return version in self.ruled or any(not one.native and version in one.versions for one in self.tables)

    def rules(self, *, before: bool = False) -> Iterator[Rule]:
        """Give every rule, or those of before the captures ran."""
        return (rule for table in (self.tables_before if before else self.tables) for rule in table.rules())

    def counted_before(self, rule: Rule) -> int | None:
        """Return how many packets a rule had counted before the captures ran."""
        found = (one for one in self.rules(before=True) if one.same(rule))
        return next((one.packets for one in found), None)

    def policy(self, table: Table, chain: str, *, before: bool = False) -> Policy | None:
        """Return what becomes of packets that no rule of a base chain decides about; None if it is not there."""
        for one in self.tables_before if before else self.tables:
            found = one.chains.get(chain)
            if (one.family, one.name, one.dump) == (table.family, table.name, table.dump) and found is not None:
                return None if found.policy is None else Policy(found.policy, found.packets)
        return None

    def counted(self, name: str) -> int | None:
        """Return how far a counter went up while the captures ran; None if that was not recorded."""
        before, after = self.counters_before.get(name), self.counters.get(name)
        return None if before is None or after is None else after - before

    def flaps(self, dev: str) -> int:
        """Return how often an interface's carrier went or came while the captures ran, as far as that was recorded."""
        link = self.link(dev)
        own = link is not None and link.stands_alone
        return (self.counted(f"link.{dev}.tx.carrier_changes") or 0) if own else 0

    def neighbour(self, ip: Address, dev: str | None = None) -> Neighbour | None:
        """Return the recorded neighbour entry for an address."""
        return next((n for n in self.neighbours if n.ip == ip and dev in (None, n.dev)), None)


@dataclass(frozen=True)
class Hosts:
    """All hosts that captures are of, by name; the name is None where nobody gave one."""

    by_name: Mapping[str | None, HostState] = field(default_factory=dict)
    everywhere: HostState = HostState()
    """
    Containers, networks and conntrack entries of all together; of one host alone, all that it told.

    What only means something on its own host is not in it where there are several: an address like 172.17.0.1 is
    every Docker host's own.
    """

    @classmethod
    def of(cls, *states: HostState) -> "Hosts":
        """Put several hosts' states side by side, each by its own name."""
        if len(states) == 1:
            return cls({states[0].name: states[0]}, states[0])
        together = HostState(
            containers=tuple(container for state in states for container in state.containers),
            networks=tuple(network for state in states for network in state.networks),
            conntrack=tuple(entry for state in states for entry in state.conntrack),
            problems=tuple(f"{state.name}: {problem}" for state in states for problem in state.problems),
        )
        return cls({state.name: state for state in states}, together)

    def __getitem__(self, name: str | None) -> HostState:
        """Return one host's state; one of which nothing was recorded tells nothing."""
        return self.by_name.get(name, _NOTHING)

    @property
    def states(self) -> tuple[HostState, ...]:
        """All of them."""
        return tuple(self.by_name.values())

    def owner_of_mac(self, mac: int, host: str | None) -> Container | None:
        """Return whose a MAC is that was seen on a host; Docker gives each host the same ones, but in overlays."""
        own = self[host].container_of_mac(mac)
        return own or next((c for c in self._overlaid if c.mac == mac), None)

    def owner_of_address(self, ip: Address, host: str | None) -> Container | None:
        """Return whose an address is that was seen on a host, likewise."""
        own = self[host].container_of_address(ip)
        return own or next((c for c in self._overlaid if ip in c.addresses), None)

    @cached_property
    def _overlaid(self) -> tuple[Container, ...]:
        """Containers on networks that span hosts."""
        spanning = {network.name for network in self.everywhere.networks if network.driver == "overlay"}
        return tuple(container for container in self.everywhere.containers if container.network in spanning)


_NOTHING = HostState()
