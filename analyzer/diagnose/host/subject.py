"""What checks of a host share: the words of a finding, and packets that nobody sent, run through its rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from analyzer.model import Address, Basis, Finding, HostState, Link, Network, Severity
from analyzer.model.finding import Explained
from analyzer.model.verdict import Account
from analyzer.state.path import Path
from analyzer.state.rules.names import TCP
from analyzer.state.rules.packet import Packet

OUTSIDE = {4: ip_address("192.0.2.7"), 6: ip_address("2001:db8::7")}
"""Somebody outside: documentation addresses (RFC 5737, RFC 3849)."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a check says."""

    check: str
    severity: Severity
    explanation: str
    remedy: str

    @property
    def explained(self) -> Explained:
        """As lists tell it."""
        return Explained(self.check, self.severity, "dumps (hoptrace doctor)", self.explanation, self.remedy)

    def finding(self, title: str, *proof: str) -> Finding:
        """Make the finding."""
        return Finding(
            check=self.check,
            severity=self.severity,
            title=title,
            explanation=self.explanation,
            remedy=self.remedy,
            basis=Basis.STATED,
            evidence=(),
            proof=proof,
        )


def uplinks(host: HostState, version: int = 4) -> list[Link]:
    """Return the interfaces of default routes, the best one first."""
    routes = sorted(
        (r for r in host.routes if r.dst.prefixlen == 0 and r.dst.version == version and r.kind == "unicast"),
        key=lambda route: route.metric,
    )
    found = (host.link(route.dev) for route in routes if route.dev)
    return list(dict.fromkeys(link for link in found if link is not None))


def bridges(host: HostState) -> Iterator[tuple[Network, Link]]:
    """Give Docker's bridge networks that have a way out, with their bridges."""
    for network in host.networks:
        link = host.link(network.bridge) if network.bridge else None
        if network.driver == "bridge" and not network.internal and link is not None:
            yield network, link


def inside(network: Network, version: int) -> Address | None:
    """Return an address that a container of a network may have."""
    subnet = next((s for s in network.subnets if s.version == version and s.num_addresses > 2), None)
    if subnet is None:
        return None
    free = (subnet[n] for n in range(1, min(subnet.num_addresses - 1, 9)))
    return next((ip for ip in free if ip not in network.gateways), None)


def outgoing(host: HostState, network: Network, bridge: Link, version: int = 4) -> Account | None:
    """Run the first packet of a connection from a container to the outside; None if it cannot be told."""
    src = inside(network, version)
    if not host.knows_rules(version) or src is None or not uplinks(host, version):
        return None
    return Path(host).received(
        Packet(TCP, src, OUTSIDE[version], 40_000, 443, tcp_flags=2, length=60, ttl=64, iif=bridge.name)
    )
