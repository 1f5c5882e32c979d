"""A Docker network whose addresses are also somebody else's: a VPN's, another network's, the LAN's."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from analyzer.explain.host.asked import Host
from analyzer.explain.told import Facts, Told
from analyzer.model import HostState, Network, Route, Severity
from analyzer.model.engine import Prefix

HALF = 1
"""Two routes of that length are a default route, as OpenVPN's redirect-gateway def1 puts it before another one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A network's subnet, and whose it is as well."""

    network: Network
    subnet: Prefix
    foreign: Prefix
    other: Network | None
    """None where it is a route's."""
    route: Route | None

    @property
    def facts(self) -> Facts:
        """Who has the same addresses."""
        found: Facts = {"network": self.network.name, "subnet": str(self.subnet)}
        if self.other is not None:
            return found | {"other_network": self.other.name, "other_subnet": str(self.foreign)}
        return found | {"behind_route": str(self.route.dev if self.route is not None else ""), "wide": self.wide}

    @property
    def wide(self) -> bool:
        """Tell whether the route is less specific: it takes nothing from the network, which hides some of it."""
        return self.route is not None and self.foreign.prefixlen < self.subnet.prefixlen

    @property
    def key(self) -> tuple[str, str, str]:
        """What sets it apart from other pairs of its host."""
        other = self.other.name if self.other is not None else self.route.text if self.route is not None else ""
        return self.network.name, str(self.subnet), f"{other} {self.foreign}"

    @property
    def proof(self) -> tuple[str, ...]:
        """The lines of dumps that show it."""
        other = _line(self.other, self.foreign) if self.other is not None else ""
        route = f"ip-route.json: {self.route.text}" if self.route is not None else ""
        return _line(self.network, self.subnet), other or route


def pairs(host: HostState) -> Iterator[Pair]:
    """Compare subnets with each other, and with the routes of other interfaces."""
    subnets = [(network, subnet) for network in host.networks for subnet in network.subnets]
    bridges = {network.bridge for network in host.networks}
    for place, (network, subnet) in enumerate(subnets):
        for other, theirs in subnets[place + 1 :]:
            # Names are unique on a host: the same one is another host's.
            same = other.name == network.name or "overlay" in (network.driver, other.driver)
            if not same and _overlap(subnet, theirs):
                yield Pair(network, subnet, theirs, other, None)
        for route in host.routes:
            foreign = route.kind == "unicast" and route.dev not in bridges | {None} and route.dst.prefixlen > HALF
            if foreign and network.bridge and _overlap(subnet, route.dst):
                yield Pair(network, subnet, route.dst, None, route)


def overlapping(host: Host) -> Iterator[Told]:
    """Give each pair."""
    for pair in pairs(host.state):
        yield Told(dict(pair.facts), proof=pair.proof, severity=Severity.INFO if pair.wide else None)


def _line(network: Network, subnet: Prefix) -> str:
    return f"docker-network-inspect.json: {network.name} Subnet {subnet}"


def _overlap(one: Prefix, two: Prefix) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(two, IPv4Network) and one.overlaps(two)
    return not isinstance(two, IPv4Network) and one.overlaps(two)
