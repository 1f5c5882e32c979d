"""Routes by which the asker looks for it: a gateway, or a neighbour that is none."""

from collections.abc import Iterator
from ipaddress import ip_network
from shlex import quote

import numpy as np

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.inside import default_route, gateway_of, within
from analyzer.explain.told import Facts
from analyzer.link.sorting import group_rows
from analyzer.model import Address, HostState, Mac, Route
from analyzer.state.routing import Chosen, Sought, choose

USUAL = 24
"""Netmask of a segment, where nobody has a reason for another one."""


def wide(asked: Asked) -> Iterator[Why]:
    """
    Look whether the host takes half the world for its own segment: a netmask that is too short.

    Its own network is larger than usual, the address is far from its own, and its gateway is near.
    """
    state = asked.state
    chosen = _chosen(asked, asked.ip)
    if asked.asker is not None or state is None or chosen is None or chosen.route.src is None or asked.ip.version != 4:
        return
    route, own = chosen.route, chosen.route.src
    usual = ip_network(f"{own}/{USUAL}", strict=False)
    gateways = [one.gateway for one in state.routes if one.dst.prefixlen == 0 and one.gateway is not None]
    near = any(gateway in usual for gateway in gateways)
    if route.gateway is None and 0 < route.dst.prefixlen < USUAL and asked.ip not in usual and near:
        router = next(gateway for gateway in gateways if gateway in usual)
        facts: Facts = {
            "why": "wide", "route": route.text, "dev": route.dev or "", "prefix": route.dst.prefixlen,
            "router": str(router), "own": str(own),
            "commands": [f"ip route add {ip_network(f'{asked.ip}/{USUAL}', strict=False)} via {router}"],
        }  # fmt: skip
        yield Why(facts, (f"ip-route.json: {route.text}",))


def _chosen(asked: Asked, ip: Address) -> Chosen | None:
    return choose(asked.state, Sought(ip)) if asked.state is not None and asked.state.routes else None


def gateway(asked: Asked) -> Iterator[Why]:
    """Look whether it is the asker's gateway, and whether that is its network's."""
    state = asked.state
    if state is None:
        return
    hops = [route for route in state.routes if asked.ip in {ip for _, ip in route.nexthops}]
    by: list[Route] = hops or [route for route in state.routes if route.gateway == asked.ip]
    if not by:
        return
    yield from _of_network(asked)
    place = f"containers/{asked.asker.name}/" if asked.asker is not None else ""
    facts: Facts = {"route": by[0].text}
    if asked.asker is not None:
        right = gateway_of(asked.case, asked.asker, asked.ip.version)
        if right is not None and right != asked.ip:
            command = within(asked.asker.name, default_route(right, by[0].dev or "eth0").command)
            facts |= {"why": "wrong-gateway", "asker_name": asked.asker.name, "right": str(right),
                      "commands": [command]}  # fmt: skip
            yield Why(facts, (f"{place}ip-route.json: {by[0].text}",))
    else:
        route = by[0]
        if hops:
            yield _one_of_several(asked, route)
        facts |= {"why": "gateway-silent", "prefix": "" if route.dst.prefixlen == 0 else str(route.dst)}
        others = [one for one in state.routes if one.dst.prefixlen == 0 and one.gateway not in (None, asked.ip)]
        if route.dst.prefixlen and (instead := _router_of(asked, route)) is not None:
            facts |= {"instead": str(instead), "commands": [f"ip route replace {route.dst} via {instead}"]}
        elif route.dst.prefixlen and others and all(one.dst.prefixlen for one in by):
            table = f" table {quote(route.table)}" if route.table != "main" else ""
            facts |= {"default": others[0].text, "commands": [f"ip route del {route.dst} via {asked.ip}{table}"]}
        yield Why(facts, (f"ip-route.json: {route.text}",))


def _router_of(asked: Asked, route: Route) -> Address | None:
    """Return the router by which packets of a route's addresses come in, if it is known by its MAC."""
    context, host = asked.case.context, asked.host
    macs = {entry.mac: entry.ip for entry in host.neighbours if entry.mac is not None and entry.dev == route.dev}
    rows = asked.case.first_row
    names = ("eth_src", "src_hi", "src", "layers")
    _, first = group_rows(*(context.frames[name][rows] for name in names))
    for row in rows[np.sort(first)].tolist():
        src, router = context.src(row), macs.get(Mac(context.value("eth_src", row)))
        behind = src is not None and src.version == route.dst.version and src in route.dst
        if behind and router is not None and router not in (asked.ip, src) and router not in route.dst:
            return router
    return None


def _one_of_several(asked: Asked, route: Route) -> Why:
    """Say which next hop of a route it is; *commands* leave the others."""
    left = [f"nexthop via {ip} dev {quote(dev or '')}" for dev, ip in route.nexthops if ip != asked.ip]
    table = f" table {quote(route.table)}" if route.table != "main" else ""
    facts: Facts = {
        "why": "next-hop", "prefix": "" if route.dst.prefixlen == 0 else str(route.dst), "hops": len(route.nexthops),
        "commands": [f"ip route replace {route.dst if route.dst.prefixlen else 'default'} {' '.join(left)}{table}"],
    }  # fmt: skip
    ways = " ".join(f"nexthop via {ip} dev {dev}" for dev, ip in route.nexthops)
    return Why(facts, (f"ip-route.json: {route.dst} {ways}",))


def way_out(asked: Asked) -> Iterator[Why]:
    """Look whether the interface that the host asks at takes anything."""
    cut = no_carrier(asked.host, asked.ip) if asked.asker is None and asked.state is not None else None
    if cut is not None:
        yield cut


def no_carrier(host: HostState, ip: Address) -> Why | None:
    """Look whether the interface by which a host sends something takes it, and took it all the time."""
    chosen = choose(host, Sought(ip)) if host.routes else None
    link = host.link(chosen.route.dev or "") if chosen is not None else None
    if link is not None and link.dead:
        return Why({"why": "no-carrier", "dev": link.name}, (f"ip-addr.json: {link.name} is down, or has no carrier",))
    if link is not None and (flaps := host.flaps(link.name)):
        facts: Facts = {"why": "flaps", "dev": link.name, "flaps": flaps}
        return Why(facts, (f"ip-addr.json: {link.name} carrier_changes went up by {flaps}",))
    return None


def _of_network(asked: Asked) -> Iterator[Why]:
    """Look whether Docker was told that it is the gateway of a network whose router is somebody outside."""
    network = asked.host.network_of(asked.asker) if asked.asker is not None else None
    if asked.asker is None or network is None or not network.on_parent or asked.ip not in network.gateways:
        return
    subnet = next((one for one in network.subnets if asked.ip in one), None)
    known = (one.gateway for one in asked.host.routes if one.dst.prefixlen == 0 and one.gateway is not None)
    router = next((ip for ip in known if subnet is not None and ip in subnet and ip != asked.ip), None)
    facts: Facts = {
        "why": "network-gateway", "network": network.name, "driver": network.driver, "asker_name": asked.asker.name,
        "router": str(router or ""),
    }  # fmt: skip
    yield Why(facts, (f"docker-network-inspect.json: {network.name} gateway {asked.ip}",))


def on_link(asked: Asked) -> Iterator[Why]:
    """Look whether the asker takes it for a neighbour by a route that is wrong: it is in none of its networks."""
    chosen = _chosen(asked, asked.ip)
    if chosen is None or chosen.route.gateway is not None or chosen.route.kind != "unicast" or asked.owner is not None:
        return
    if asked.ip.is_link_local:
        return  # those are neighbours by nature (RFC 4291)
    route, place = chosen.route, ""
    facts: Facts = {"why": "on-link", "route": route.text}
    if asked.asker is not None:
        network = asked.host.network_of(asked.asker)
        subnets = [s for s in network.subnets if s.version == asked.ip.version] if network is not None else []
        if not subnets or any(asked.ip in subnet for subnet in subnets):
            return
        facts |= {"asker_name": asked.asker.name, "subnets": [str(subnet) for subnet in subnets]}
        right = gateway_of(asked.case, asked.asker, asked.ip.version)
        if right is not None and route.dst.prefixlen == 0 and route.dev is not None:
            facts["commands"] = [within(asked.asker.name, default_route(right, route.dev).command)]
        place = f"containers/{asked.asker.name}/"
    elif (world := _world(asked.host, asked.ip)) is not None:
        yield world
        return
    elif route.dst.prefixlen > 0 and route.src is not None:
        return  # the segment of an address of its own: whoever is missing there is missing
    yield Why(facts, (f"{place}ip-route.json: {route.text}",))


def of_host(host: HostState, ip: Address) -> Why | None:
    """Look whether the interface takes anything, and whether the host takes the whole world for neighbours there."""
    return no_carrier(host, ip) or _world(host, ip)


def _world(host: HostState, ip: Address) -> Why | None:
    """Look for a default route without a gateway, on a segment."""
    chosen = choose(host, Sought(ip)) if host.routes else None
    link = host.link(chosen.route.dev or "") if chosen is not None else None
    if chosen is None or link is None or chosen.route.gateway is not None or chosen.route.dst.prefixlen:
        return None
    route = chosen.route
    others = [r for r in host.routes if r.dst == route.dst and r.table == route.table and r.gateway is not None]
    facts: Facts = {
        "why": "world", "route": route.text, "dev": link.name, "veth": link.kind == "veth",
        "own": str(route.src or ""), "default": others[0].text if others else "",
    }  # fmt: skip
    if others and route.table == "main":
        facts["commands"] = [f"ip route del {route.text}"]
    return Why(facts, (f"ip-route.json: {route.text}",))
