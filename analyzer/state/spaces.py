"""Network namespaces that were recorded and that no engine knows: as containers, by what is in them."""

from collections.abc import Iterator, Mapping

from analyzer.model import Container, HostState, Link
from analyzer.model.engine import NO_ENGINE


def containers_in(host: HostState, inside: Mapping[str, HostState]) -> Iterator[Container]:
    """
    Give a container for each interface with addresses of each namespace, on the network of its bridge.

    An address that the host has as well, as by a user-mode network, tells nobody from anybody, and is left out.
    """
    known = {one.name for one in host.containers} | {one.name for one in host.sidecars}
    for name, state in inside.items():
        for link in state.links if name not in known else ():
            addresses = tuple(ip for ip in link.addresses if not ip.is_link_local)
            if link.loopback or not addresses:
                continue
            routes = [route for route in state.routes if route.dev == link.name and route.gateway is not None]
            gateways = dict.fromkeys(route.gateway for route in routes if route.gateway and not route.dst.prefixlen)
            yield Container(
                name=name,
                network=_bridge(host, link),
                mac=link.mac,
                addresses=tuple(ip for ip in addresses if not host.owns(ip)),
                gateways=tuple(gateways),
                engine=NO_ENGINE,
            )


def _bridge(host: HostState, link: Link) -> str:
    """Return the name of the bridge that its other end is a port of; of none, its own."""
    other = next((one for one in host.links if one.index == link.peer and one.kind == "veth"), None)
    return other.master if other is not None and other.master is not None else link.name
