"""A Docker network whose addresses are also somebody else's: a VPN's, another network's, the LAN's."""

from ipaddress import IPv4Network

from analyzer.diagnose.host.subject import Words
from analyzer.model import Finding, HostState, Network, Severity
from analyzer.model.host import Prefix

WORDS = Words(
    "subnet-overlap",
    Severity.ERROR,
    "Two networks have the same addresses. The kernel sends to the one with the longer prefix, or the lower metric; "
    "the other one cannot be reached from here.",
    'docker network create --subnet with addresses that nobody uses, or "default-address-pools" in daemon.json.',
)


def check(host: HostState) -> list[Finding]:
    """Compare subnets with each other, and with the routes of other interfaces."""
    found: list[Finding] = []
    subnets = [(network, subnet) for network in host.networks for subnet in network.subnets]
    for place, (network, subnet) in enumerate(subnets):
        for other, theirs in subnets[place + 1 :]:
            if other.id != network.id and "overlay" not in (network.driver, other.driver) and _overlap(subnet, theirs):
                title = f"networks {network.name} and {other.name} overlap: {subnet}, {theirs}"
                found.append(WORDS.finding(title, _line(network, subnet), _line(other, theirs)))
        own = {network.bridge, None}
        bridges = {n.bridge for n in host.networks}
        for route in host.routes:
            foreign = route.kind == "unicast" and route.dev not in own | bridges and route.dst.prefixlen > 0
            if foreign and network.bridge and _overlap(subnet, route.dst):
                found.append(
                    WORDS.finding(
                        f"network {network.name} {subnet} overlaps with what is behind {route.dev}",
                        _line(network, subnet),
                        f"ip-route.json: {route.text}",
                    )
                )
    return found


def _line(network: Network, subnet: Prefix) -> str:
    return f"docker-network-inspect.json: {network.name} Subnet {subnet}"


def _overlap(one: Prefix, two: Prefix) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(two, IPv4Network) and one.overlaps(two)
    return not isinstance(two, IPv4Network) and one.overlaps(two)
