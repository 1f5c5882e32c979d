"""A host as Docker leaves it: an uplink, a bridge with one network, its rules and routes."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from analyzer.explain.doctor import examine
from analyzer.model import Container, Finding, HostState, Link, Network, Route
from analyzer.model.rules import Table
from analyzer.report.words import worded
from analyzer.state.rules.iptables import parse_tables

RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
"""


def rules(text: str = RULES, version: int = 4) -> tuple[Table, ...]:
    """Parse what iptables-save prints."""
    return tuple(parse_tables(text.splitlines(), version))


def link(name: str, *addresses: str, kind: str | None = None, mtu: int | None = 1500) -> Link:
    """Make an interface."""
    return Link(1, name, None, kind, None, tuple(map(ip_address, addresses)), mtu)


def route(dst: str, dev: str | None, gateway: str | None = None, metric: int = 0, kind: str = "unicast") -> Route:
    """Make a route of the table main."""
    to = ip_address(gateway) if gateway else None
    return Route(ip_network(dst), dev, to, metric, "main", f"{dst} dev {dev}", kind)


def network(
    name: str, *subnets: str, bridge: str | None = "docker0", driver: str = "bridge", gateways: tuple[str, ...] = (),
    internal: bool = False, masquerades: bool = True,
) -> Network:  # fmt: skip
    """Make a Docker network."""
    prefixes, own = tuple(map(ip_network, subnets)), tuple(map(ip_address, gateways))
    return Network(name, "0" * 64, driver, bridge, prefixes, own, internal, masquerades)


def container(name: str, *addresses: str, published: tuple[str, ...] = (), mac: int | None = None) -> Container:
    """Make a container on the network ``bridge``."""
    return Container(name, "bridge", mac, tuple(map(ip_address, addresses)), published)  # type: ignore[arg-type]


HOST = HostState(
    links=(link("wlan0", "192.168.1.100"), link("docker0", "172.17.0.1", kind="bridge")),
    routes=(route("0.0.0.0/0", "wlan0", "192.168.1.1"), route("172.17.0.0/16", "docker0")),
    networks=(network("bridge", "172.17.0.0/16", gateways=("172.17.0.1",)),),
    containers=(container("web", "172.17.0.2", published=("0.0.0.0:8080->80/tcp",)),),
    tables=rules(),
)


def asked(check: str) -> Callable[[HostState], list[Finding]]:
    """Return what asks one hypothesis about a host by itself, and puts it into words."""
    return lambda host: [finding for finding in worded(examine(host)) if finding.check == check]
