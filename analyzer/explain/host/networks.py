"""The networks of a host's containers and its ways out, and who somebody outside and inside may be."""

from collections.abc import Iterator
from ipaddress import ip_address

from analyzer.model import Address, HostState, Link, Network
from analyzer.model.engine import NO_ENGINE

_OUTSIDE = {4: ("192.0.2.7", "198.51.100.7", "203.0.113.7"), 6: ("2001:db8::7", "3fff::7")}
"""Documentation addresses (RFC 5737, RFC 3849, RFC 9637): nobody has them, but in laboratories."""


def outside(host: HostState, version: int = 4) -> Address | None:
    """Return an address of somebody outside, to which only a default route leads; None where all are nearer."""
    near = [route.dst for route in host.routes if route.dst.prefixlen > 0]
    addresses = (ip_address(text) for text in _OUTSIDE[version])
    return next((ip for ip in addresses if not any(ip in prefix for prefix in near)), None)


def uplinks(host: HostState, version: int = 4) -> list[Link]:
    """Return the interfaces of default routes, the best one first."""
    routes = sorted(
        (r for r in host.routes if r.dst.prefixlen == 0 and r.dst.version == version and r.kind == "unicast"),
        key=lambda route: route.metric,
    )
    found = (host.link(route.dev) for route in routes if route.dev)
    return list(dict.fromkeys(link for link in found if link is not None))


def bridges(host: HostState) -> Iterator[tuple[Network, Link]]:
    """Give bridge networks that have a way out, with their bridges: an engine's, and of containers that none made."""
    for network in (*host.networks, *_unmanaged(host)):
        link = host.link(network.bridge) if network.bridge else None
        if network.driver == "bridge" and not network.internal and link is not None:
            yield network, link


def _unmanaged(host: HostState) -> Iterator[Network]:
    """Give the networks of containers without an engine, as the host's routes have them; none that it is on itself."""
    names = dict.fromkeys(one.network for one in host.containers if one.engine == NO_ENGINE)
    ways_out = {route.dev for route in host.routes if route.dst.prefixlen == 0}
    for name in names:
        link = host.link(name)
        near = (
            route.dst for route in host.routes if route.dev == name and route.gateway is None and route.dst.prefixlen
        )
        subnets = tuple(dict.fromkeys(one for one in near if not one.is_link_local and not one.is_multicast))
        if link is not None and link.kind == "bridge" and name not in ways_out and subnets:
            yield Network(name, "", "bridge", name, subnets, link.addresses, engine=NO_ENGINE)


def inside(network: Network, version: int) -> Address | None:
    """Return an address that a container of a network may have."""
    subnet = next((s for s in network.subnets if s.version == version and s.num_addresses > 2), None)
    if subnet is None:
        return None
    free = (subnet[n] for n in range(1, min(subnet.num_addresses - 1, 9)))
    return next((ip for ip in free if ip not in network.gateways), None)
