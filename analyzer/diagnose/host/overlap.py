"""A Docker network whose addresses are also somebody else's: a VPN's, another network's, the LAN's."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from analyzer.diagnose.host.subject import Words
from analyzer.model import Finding, HostState, Network, Severity
from analyzer.model.host import Prefix, Route

WORDS = Words(
    "subnet-overlap",
    Severity.ERROR,
    "Two networks have the same addresses. The kernel sends to the one with the longer prefix, or the lower metric; "
    "the other one cannot be reached from here.",
    'docker network create --subnet with addresses that nobody uses, or "default-address-pools" in daemon.json.',
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A network's subnet, and whose it is as well."""

    network: Network
    subnet: Prefix
    foreign: Prefix
    other: Network | None
    """None where it is a route's."""
    route: Route | None


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
            foreign = route.kind == "unicast" and route.dev not in bridges | {None} and route.dst.prefixlen > 0
            if foreign and network.bridge and _overlap(subnet, route.dst):
                yield Pair(network, subnet, route.dst, None, route)


def check(host: HostState) -> list[Finding]:
    """Tell of each pair."""
    found: list[Finding] = []
    for pair in pairs(host):
        if pair.other is not None:
            title = f"networks {pair.network.name} and {pair.other.name} overlap: {pair.subnet}, {pair.foreign}"
            found.append(WORDS.finding(title, _line(pair.network, pair.subnet), _line(pair.other, pair.foreign)))
        elif pair.route is not None:
            title = f"network {pair.network.name} {pair.subnet} overlaps with what is behind {pair.route.dev}"
            found.append(WORDS.finding(title, _line(pair.network, pair.subnet), f"ip-route.json: {pair.route.text}"))
    return found


def _line(network: Network, subnet: Prefix) -> str:
    return f"docker-network-inspect.json: {network.name} Subnet {subnet}"


def _overlap(one: Prefix, two: Prefix) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(two, IPv4Network) and one.overlaps(two)
    return not isinstance(two, IPv4Network) and one.overlaps(two)
