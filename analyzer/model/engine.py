"""What the container engine says: containers, their networks, and the ports that they publish."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from analyzer.model.tuple import Address, Mac

Prefix = IPv4Network | IPv6Network
DOCKER, PODMAN, NERDCTL, CRI = "docker", "podman", "nerdctl", "crictl"
"""Engines, by the program that their users know."""
NO_ENGINE = "none"
"""What stands for one where namespaces were made otherwise: by hand, by LXC, by libvirt."""
JOINED = "container:"
"""How the network mode begins of a container that was started in another one's network namespace."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a container is."""

    text: str | None = None
    """``running``, ``paused``, ``restarting``, ``exited``, ``created``, ``dead``; None if that was not recorded."""
    exit_code: int | None = None
    out_of_memory: bool = False
    error: str = ""
    """Why it could not be started."""
    health: str | None = None
    """``healthy``, ``unhealthy``, ``starting``; None without a health check."""

    @property
    def answers(self) -> bool:
        """Tell whether somebody may answer in it."""
        return self.text in (None, "running")


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A container's port that the host listens for."""

    address: Address | None
    """Of the host, that clients use; None for all that it has."""
    version: int | None
    """IP version; None for both."""
    outside: int
    inside: int
    protocol: str
    """``tcp``, ``udp``, ``sctp``."""
    text: str
    """As ``docker ps`` prints it."""

    @classmethod
    def parse(cls, text: str) -> "PublishedPort | None":
        """Read ``0.0.0.0:8080->80/tcp``; None of a port that is not published, or of what is no port."""
        outer, arrow, inner = text.partition("->")
        host, _, outside = outer.rpartition(":")
        inside, _, protocol = inner.partition("/")
        if not arrow or not (outside.isascii() and outside.isdecimal() and inside.isascii() and inside.isdecimal()):
            return None
        try:
            address = ip_address(host.strip("[]")) if host else None
        except ValueError:
            return None
        version = address.version if address is not None else None
        named = address if address is not None and not address.is_unspecified else None
        return cls(named, version, int(outside), int(inside), protocol, text)


@dataclass(frozen=True, slots=True)
class Container:
    """A container on one of its networks."""

    name: str
    network: str
    mac: Mac | None
    addresses: tuple[Address, ...]
    published: tuple[str, ...] = ()
    """Ports, as ``docker ps`` prints them: ``0.0.0.0:8080->80/tcp``."""
    service: str | None = None
    """Of docker compose."""
    status: Status = Status()
    wanted: tuple[str, ...] = ()
    """Ports that it was started to publish, likewise; without effect on some networks."""
    mode: str | None = None
    """Its network mode: ``bridge``, ``host``, ``container:ID``, or the network's name."""
    gateways: tuple[Address, ...] = ()
    """By which it leaves the network."""
    aliases: tuple[str, ...] = ()
    """Names beside its own by which the network's DNS knows it."""
    created: str = ""
    """When, as engines write it (RFC 3339, UTC), so that texts sort as times."""
    engine: str = DOCKER

    @property
    def ports(self) -> tuple[PublishedPort, ...]:
        """Its published ports."""
        return tuple(port for port in map(PublishedPort.parse, self.published) if port is not None)

    def published_ports(self) -> dict[tuple[str, int], str]:
        """Return protocol and the host's port of each that is published, and how ``docker ps`` prints it."""
        found: dict[tuple[str, int], str] = {}
        for text in self.published:
            outside, _, inner = text.partition("->")
            number, protocol = outside.rpartition(":")[2], inner.partition("/")[2]
            if number.isascii() and number.isdecimal():
                found.setdefault((protocol, int(number)), text)  # IPv4's stands first
        return found


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A container that was started in another one's network namespace: ``--network container:NAME``."""

    name: str
    owner: str | None
    """The other one; None if there is no such container any more."""
    service: str | None = None
    """Its own, of docker compose."""
    created: str = ""
    """When, as a container's."""


@dataclass(frozen=True, slots=True)
class OnHost:
    """A container that has the host's network: ``--network host``."""

    name: str
    id: str
    pid: int
    """Of its first process, by the host's numbers."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A container that ended, or left a network, while it was recorded."""

    container: Container
    """As it was before."""
    time_ns: int
    how: str
    """``exited``, ``removed``, ``restarted``; ``disconnected`` from the network."""
    exit_code: int | None = None
    back_ns: int | None = None
    """When it was started again, or connected to the network."""


GOSSIP_PORT = 7946
"""By which nodes of a swarm tell each other of networks; some of that wants no answer (memberlist's SendReliable)."""


@dataclass(frozen=True, slots=True)
class Network:
    """A container engine's network."""

    name: str
    id: str
    driver: str
    bridge: str | None
    """Name of its bridge on the host."""
    subnets: tuple[Prefix, ...]
    gateways: tuple[Address, ...]
    internal: bool = False
    """Without a way out, on purpose."""
    masquerades: bool = True
    """Its containers shall leave the host by the host's addresses."""
    inhibited: bool = False
    """Its bridge has no address, on purpose: somebody else shall be the gateway."""
    routed: tuple[int, ...] = ()
    """IP versions in which its containers are reached by their own addresses, without NAT: gateway mode ``routed``."""
    peers: tuple[Address, ...] = ()
    """The hosts that an overlay is on, as far as this one knows; nothing where that was not recorded."""
    engine: str = DOCKER
    parent: str | None = None
    """Of macvlan and ipvlan: the host's interface that its containers' lie on."""
    mode: str | None = None
    """Likewise: ``bridge``, ``private``, ``vepa``, ``passthru``; ``l2``, ``l3``, ``l3s``."""

    @property
    def on_parent(self) -> bool:
        """Its containers' interfaces lie on one of the host's, of whose segment it is: macvlan, ipvlan."""
        return self.driver in ("macvlan", "ipvlan")

    def holds(self, ip: Address | None) -> bool:
        """Tell whether an address is in one of its subnets."""
        return ip is not None and any(ip in subnet for subnet in self.subnets)
