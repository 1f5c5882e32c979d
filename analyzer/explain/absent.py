"""Why nobody answers for an address: what the recorded state has of whose it is, and of the way to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from shlex import quote

from analyzer.explain.case import Case
from analyzer.explain.edits import for_shell
from analyzer.explain.inside import default_route, gateway_of, port_of, within
from analyzer.explain.told import Facts
from analyzer.model import Address, ArpExchange, BridgePort, Container, HostState, Link, Route
from analyzer.model.rules import Rule
from analyzer.state.routing import Chosen, Sought, choose
from analyzer.state.sysctl import sysctl, sysctl_line
from analyzer.trace.prove import KILLS
from analyzer.trace.way import moved

USUAL = 24
"""Netmask of a segment, where nobody has a reason for another one."""
SPARE = 254
"""Addresses above those in use that containers that are gone may have had."""
FORWARDING = "forwarding"
PARENTS = ("macvlan", "ipvlan")
"""Drivers whose networks are segments of an interface of the host."""
BELOW_IP = ("arp", "bridge", "netdev")
"""Families of tables that see ARP."""


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, as facts: ``why`` names it."""

    facts: Facts
    proof: tuple[str, ...] = ()


@dataclass(slots=True)
class Asked:
    """A question for a neighbour that nobody answers, and what was recorded of both ends."""

    case: Case
    host: HostState
    question: ArpExchange
    owner: Container | None = field(init=False)
    asker: Container | None = field(init=False)

    def __post_init__(self) -> None:
        self.owner = self.host.container_of_address(self.question.asked_ip)
        self.asker = self.host.container_of_mac(self.question.asker)

    @property
    def ip(self) -> Address:
        """The address that is asked for."""
        return self.question.asked_ip

    @property
    def state(self) -> HostState | None:
        """What was recorded of the asker: its own namespace, or the host."""
        if self.asker is not None:
            return self.host.inside.get(self.asker.name)
        return self.host if self.host.link_of_mac(self.question.asker) is not None else None


def why(case: Case, host: HostState, question: ArpExchange) -> Why | None:
    """Return the first reason that is found, from the owner's end to the asker's; None if nothing is known."""
    asked = Asked(case, host, question)
    found = (
        _rules(asked),
        _answered(asked),
        _asking(asked),
        _asker_off(asked),
        _owner(asked),
        _own(asked),
        _gateway(asked),
        _on_link(asked),
        _wide(asked),
        _nobody(asked),
    )
    return next((one for reasons in found for one in reasons), None)


def _rules(asked: Asked) -> Iterator[Why]:
    """Give rules below IP that dropped something meanwhile: what they match of ARP is not evaluated."""
    for table in asked.host.tables:
        for rule in table.rules() if table.family in BELOW_IP else ():
            if rule.target in KILLS and rule.counts and moved(asked.host, rule):
                yield Why(_rule(rule, table.family), (f"{rule.dump}: {table.label} {rule.chain}: {rule.text}",))


def _asking(asked: Asked) -> Iterator[Why]:
    """Look at the port that the question came in by: a bridge takes nothing from one that is not forwarding."""
    port = _asking_port(asked) if asked.asker is not None else None
    here = _bridge_port(asked.host, port.name) if port is not None else None
    if asked.asker is not None and port is not None and here is not None and here.state not in (FORWARDING, "unknown"):
        facts: Facts = {"why": "blocked", "owner": asked.asker.name, "link": port.name, "state": here.state}
        yield Why(facts, (f"bridge-link.json: {port.name} {here.state}",))


def _asker_off(asked: Asked) -> Iterator[Why]:
    """Look whether the asker's own veth is still a port of its network's bridge."""
    port = _asking_port(asked) if asked.asker is not None else None
    network = asked.host.network_of(asked.asker) if asked.asker is not None else None
    if asked.asker is None or port is None or network is None or network.bridge is None:
        return
    bridge = asked.host.link(network.bridge)
    if bridge is not None and port.kind == "veth" and port.master != network.bridge:
        facts: Facts = {
            "why": "no-port", "owner": asked.asker.name, "link": port.name, "bridge": network.bridge,
            "master": port.master or "",
            "commands": [f"ip link set {quote(port.name)} master {quote(network.bridge)}"],
        }  # fmt: skip
        yield Why(facts, (f"ip-addr.json: {port.name}",))


def _answered(asked: Asked) -> Iterator[Why]:
    """Look whether answers were seen, and got lost: with the rules below IP that do not count."""
    at = asked.question.answered_at
    if at is not None:
        silent = [
            f"{table.label} {rule.chain}: {rule.text}"
            for table in asked.host.tables
            for rule in (table.rules() if table.family in BELOW_IP else ())
            if rule.target in KILLS and not rule.counts
        ]
        facts: Facts = {"why": "answers-lost", "answered_at": at, "rules": silent[:3]}
        yield Why(facts, tuple(f"nft-ruleset.json: {text}" for text in silent[:3]))


def _rule(rule: Rule, family: str) -> Facts:
    command = f"nft delete rule {for_shell(rule.table)} {quote(rule.chain)} handle {rule.handle}"
    return {
        "why": "rule", "family": family, "rule": rule.text, "chain": f"{rule.table} {rule.chain}",
        "number": rule.number or 0, "commands": [command] if rule.handle is not None else [],
    }  # fmt: skip


def _owner(asked: Asked) -> Iterator[Why]:
    """Look at the container whose address it is: its interface, the port of it, its own addresses."""
    owner = asked.owner
    if owner is None:
        return
    state = asked.host.inside.get(owner.name)
    inner = asked.host.interface_inside(owner)
    if state is not None and inner is None and state.links:
        yield Why({"why": "no-interface", "owner": owner.name}, (f"containers/{owner.name}/ip-addr.json",))
        return
    port = port_of(asked.host, owner, inner)
    if port is not None and not _shares_parent(asked, owner):
        yield from _of_port(asked, owner, port)
    if inner is not None:
        line = (f"containers/{owner.name}/ip-addr.json: {inner.name}",)
        if inner.down:
            commands: list[str] = [within(owner.name, f"ip link set {quote(inner.name)} up")]
            yield Why({"why": "down-inside", "owner": owner.name, "link": inner.name, "commands": commands}, line)
        elif asked.ip not in inner.addresses:
            has = [str(ip) for ip in inner.addresses if not ip.is_link_local]
            yield Why({"why": "lost-address", "owner": owner.name, "has": has}, line)


def _shares_parent(asked: Asked, owner: Container) -> bool:
    """Tell whether a container's interface is a macvlan or ipvlan: no port of a bridge leads to it."""
    network = asked.host.network_of(owner)
    return network is not None and network.driver in PARENTS


def _of_port(asked: Asked, owner: Container, port: Link) -> Iterator[Why]:
    host = asked.host
    facts: Facts = {"owner": owner.name, "link": port.name}
    proof = (f"ip-addr.json: {port.name}",)
    network = host.network_of(owner)
    bridge = network.bridge if network is not None else None
    if port.down:
        yield Why(facts | {"why": "port-down", "commands": [f"ip link set {quote(port.name)} up"]}, proof)
    elif port.master is None or (bridge is not None and port.master != bridge and host.link(bridge) is not None):
        master: Facts = {"why": "no-port", "bridge": bridge or "its bridge", "master": port.master or ""}
        if bridge is not None:
            master["commands"] = [f"ip link set {quote(port.name)} master {quote(bridge)}"]
        yield Why(facts | master, proof)
    here = _bridge_port(host, port.name)
    if here is not None and here.state not in (FORWARDING, "unknown"):
        yield Why(facts | {"why": "blocked", "state": here.state}, (f"bridge-link.json: {port.name} {here.state}",))
    yield from _parted(asked, owner, port, here)


def _parted(asked: Asked, owner: Container, port: Link, here: BridgePort | None) -> Iterator[Why]:
    """Compare both ends' ports of a bridge: isolated, or in other VLANs."""
    host = asked.host
    asking = _asking_port(asked)
    there = _bridge_port(host, asking.name) if asking is not None else None
    if asking is None or asking.name == port.name:
        return
    if here is not None and there is not None and here.isolated and there.isolated:
        commands: list[str] = [f"bridge link set dev {quote(port.name)} isolated off"]
        facts: Facts = {"why": "isolated", "owner": owner.name, "isolated_ports": sorted([port.name,
                                  asking.name]), "commands": commands}  # fmt: skip
        yield Why(facts, (f"bridge-link.json: {port.name} isolated", f"bridge-link.json: {asking.name} isolated"))
    bridge = host.link(port.master) if port.master is not None else None
    ours, theirs = (_untagged(host, link.name) for link in (asking, port))
    if bridge is not None and bridge.filters_vlans and ours is not None and ours != theirs:
        told: Facts = {"why": "vlans", "owner": owner.name, "link": port.name, "vlan": ours,
                                 "other_vlan": theirs or 0}  # fmt: skip
        yield Why(told, (f"bridge-vlan.json: {asking.name} {ours}", f"bridge-vlan.json: {port.name} {theirs}"))


def _asking_port(asked: Asked) -> Link | None:
    """Return the bridge's port, or the bridge itself, that the question came in by."""
    if asked.asker is None:
        return asked.host.link_of_mac(asked.question.asker)
    return port_of(asked.host, asked.asker, asked.host.interface_inside(asked.asker))


def _bridge_port(host: HostState, name: str) -> BridgePort | None:
    return next((port for port in host.ports if port.dev == name), None)


def _untagged(host: HostState, name: str) -> int | None:
    return next((one.first for one in host.vlans if one.dev == name and one.untagged), None)


def _own(asked: Asked) -> Iterator[Why]:
    """Look at the host, whose own address it is, or was."""
    host = asked.host
    link = next((link for link in host.links if asked.ip in link.addresses), None)
    if link is not None:
        if link.down:
            yield Why({"why": "own-down", "link": link.name, "commands": [f"ip link set {quote(link.name)} up"]},
                      (f"ip-addr.json: {link.name}",))  # fmt: skip
        names = [f"net.ipv4.conf.{name}.arp_ignore" for name in ("all", link.name)]
        ignore = max(names, key=lambda name: sysctl(host, name) or 0)
        if asked.ip.version == 4 and (sysctl(host, ignore) or 0) > 2:
            yield Why({"why": "arp-ignore", "setting": ignore, "commands": [f"sysctl -w {quote(ignore)}=0"]},
                      (sysctl_line(host, ignore),))  # fmt: skip
        yield from _unheard(asked)
        return
    network = next((n for n in host.networks if asked.ip in n.gateways and n.driver == "bridge"), None)
    bridge = host.link(network.bridge) if network is not None and network.bridge is not None else None
    if network is not None and bridge is not None and network.inhibited:
        yield Why(
            {"why": "inhibited", "link": bridge.name, "network": network.name},
            (f"docker-network-inspect.json: {network.name} inhibit_ipv4 = true, gateway {asked.ip}",),
        )
        return
    if network is not None and bridge is not None:
        prefix = next((subnet.prefixlen for subnet in network.subnets if asked.ip in subnet), 24)
        yield Why(
            {"why": "bridge-address", "link": bridge.name, "network": network.name,
             "commands": [f"ip addr add {asked.ip}/{prefix} dev {quote(bridge.name)}"]},
            (f"ip-addr.json: {bridge.name}", f"docker-network-inspect.json: {network.name} gateway {asked.ip}"),
        )  # fmt: skip


def _unheard(asked: Asked) -> Iterator[Why]:
    """Look whether the host's own rules keep the question from it: of NDP, which is ICMPv6, and passes INPUT."""
    question = asked.question
    if question.protocol != "ndp" or question.asker_ip is None:
        return
    stopped = asked.case.tracer.prover.solicited(question.asker_ip, asked.ip)
    if stopped is not None and not stopped.unknown:
        facts: Facts = {
            "why": "unheard", "cause": stopped.text,
            "commands": ["ip6tables -w -I INPUT -p ipv6-icmp -j ACCEPT"],
        }  # fmt: skip
        yield Why(facts, stopped.proof)


def _wide(asked: Asked) -> Iterator[Why]:
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


def _gateway(asked: Asked) -> Iterator[Why]:
    """Look whether it is the asker's gateway, and whether that is its network's."""
    state = asked.state
    if state is None:
        return
    by: list[Route] = [route for route in state.routes if route.gateway == asked.ip]
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
        facts |= {"why": "gateway-silent", "prefix": "" if route.dst.prefixlen == 0 else str(route.dst)}
        others = [one for one in state.routes if one.dst.prefixlen == 0 and one.gateway not in (None, asked.ip)]
        if route.dst.prefixlen and others and all(one.dst.prefixlen for one in by):
            table = f" table {quote(route.table)}" if route.table != "main" else ""
            facts |= {"default": others[0].text, "commands": [f"ip route del {route.dst} via {asked.ip}{table}"]}
        yield Why(facts, (f"ip-route.json: {route.text}",))


def _of_network(asked: Asked) -> Iterator[Why]:
    """Look whether Docker was told that it is the gateway of a network whose router is somebody outside."""
    network = asked.host.network_of(asked.asker) if asked.asker is not None else None
    if asked.asker is None or network is None or network.driver not in PARENTS or asked.ip not in network.gateways:
        return
    subnet = next((one for one in network.subnets if asked.ip in one), None)
    known = (one.gateway for one in asked.host.routes if one.dst.prefixlen == 0 and one.gateway is not None)
    router = next((ip for ip in known if subnet is not None and ip in subnet and ip != asked.ip), None)
    facts: Facts = {
        "why": "network-gateway", "network": network.name, "driver": network.driver, "asker_name": asked.asker.name,
        "router": str(router or ""),
    }  # fmt: skip
    yield Why(facts, (f"docker-network-inspect.json: {network.name} gateway {asked.ip}",))


def _on_link(asked: Asked) -> Iterator[Why]:
    """Look whether the asker takes it for a neighbour by a route that is wrong: it is in none of its networks."""
    chosen = _chosen(asked, asked.ip)
    if chosen is None or chosen.route.gateway is not None or chosen.route.kind != "unicast" or asked.owner is not None:
        return
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
    elif route.dst.prefixlen > 0 and route.src is not None:
        return  # the segment of an address of its own: whoever is missing there is missing
    yield Why(facts, (f"{place}ip-route.json: {route.text}",))


def _nobody(asked: Asked) -> Iterator[Why]:
    """Look whether anybody has it at all, in a network that Docker gives the addresses of."""
    host = asked.host
    network = next((n for n in host.networks if any(asked.ip in s for s in n.subnets)), None)
    if asked.owner is not None or host.owns(asked.ip) or network is None or network.driver != "bridge":
        return
    stopped = sorted({
        f"{c.name} ({c.status.text}{'' if c.status.exit_code is None else f' {c.status.exit_code}'})"
        for c in host.containers
        if c.network == network.name and c.status.text in ("exited", "created", "dead", "restarting")
    })  # fmt: skip
    subnet = next(s for s in network.subnets if asked.ip in s)
    running = sum(one.network == network.name for one in host.containers)
    # Docker gives the lowest addresses that are free.
    far = not stopped and int(asked.ip) - int(subnet.network_address) > running + SPARE
    facts: Facts = {"why": "nobody", "network": network.name, "stopped": stopped[:5], "subnet": str(subnet), "far": far}
    yield Why(facts, (f"docker-inspect.json: no container has {asked.ip}",))
