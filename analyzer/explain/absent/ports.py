"""Ports of bridges: those behind which the owner and the asker are."""

from collections.abc import Iterator
from shlex import quote

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.inside import port_of, within
from analyzer.explain.told import Facts
from analyzer.model import BridgePort, Container, HostState, Link, mac_text
from analyzer.state.sysctl import sysctl, sysctl_line

FORWARDING = "forwarding"


def asking(asked: Asked) -> Iterator[Why]:
    """Look at the port that the question came in by: a bridge takes nothing from one that is not forwarding."""
    port = _asking_port(asked) if asked.asker is not None else None
    here = _bridge_port(asked.host, port.name) if port is not None else None
    if asked.asker is not None and port is not None and here is not None and here.state not in (FORWARDING, "unknown"):
        facts: Facts = {"why": "blocked", "owner": asked.asker.name, "link": port.name, "state": here.state}
        yield Why(facts, (f"bridge-link.json: {port.name} {here.state}",))
    if asked.asker is not None and port is not None and here is not None and here.locked:
        yield from _locked(asked.host, asked.asker, port)


def _locked(host: HostState, asker: Container, port: Link) -> Iterator[Why]:
    """Look whether the bridge knows a container behind its locked port."""
    if asker.mac is not None and not any((entry.mac, entry.dev) == (asker.mac, port.name) for entry in host.fdb):
        add = f"bridge fdb add {mac_text(asker.mac)} dev {quote(port.name)} master static"
        facts: Facts = {"why": "locked", "owner": asker.name, "link": port.name, "commands": [add]}
        yield Why(facts, (f"bridge-link.json: {port.name} locked", f"bridge-fdb.json: no {mac_text(asker.mac)}"))


def asker_off(asked: Asked) -> Iterator[Why]:
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


def owner(asked: Asked) -> Iterator[Why]:
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
    return network is not None and network.on_parent


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
    if here is not None and not (here.broadcasts if asked.ip.version == 4 else here.multicasts):
        setting = "bcast_flood" if asked.ip.version == 4 else "mcast_flood"
        flood: Facts = {"setting": setting, "commands": [f"bridge link set dev {quote(port.name)} {setting} on"]}
        yield Why(facts | {"why": "no-copy"} | flood, (f"bridge-link.json: {port.name} {setting} off",))
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


def beside_parent(asked: Asked) -> Iterator[Why]:
    """Look whether one end is the host by an interface, and the other a macvlan or macvtap that lies on that."""
    host, case = asked.host, asked.case
    asker = host.link_of_mac(asked.question.asker)
    for over in host.links if asker is not None and asked.asker is None else ():
        parent = host.link(over.lower or "") if over.kind in ("macvlan", "macvtap") else None
        if parent is None or asker not in (over, parent):
            continue
        behind = (one.asker for one in case.exchanges if one.asker_ip == asked.ip)
        answered = (one.answer_mac for one in case.exchanges if one.asked_ip == asked.ip)
        if asked.ip in parent.addresses if asker is over else over.mac in {*behind, *answered}:
            line = f"ip-addr.json: {over.name}@{parent.name} {over.kind}"
            yield Why({"why": "on-parent", "link": over.name, "parent": parent.name, "kind": over.kind or ""}, (line,))


def not_proxied(asked: Asked) -> Iterator[Why]:
    """Look whether it is the gateway of a routed container, which nobody has, and which the host's end answers for."""
    state, asker = asked.state, asked.asker
    port = _asking_port(asked) if asker is not None and state is not None else None
    if asker is None or state is None or port is None or port.kind != "veth" or port.master is not None:
        return
    own = asked.question.asker_ip
    leads = any(route.dev == port.name and own is not None and own in route.dst for route in asked.host.routes)
    routed = any(route.gateway == asked.ip for route in state.routes) and leads and not _shares_parent(asked, asker)
    names = [f"net.ipv4.conf.{name}.proxy_arp" for name in (port.name, "all")]
    nobodys = asked.owner is None and not asked.host.owns(asked.ip)
    if routed and nobodys and all(sysctl(asked.host, name) == 0 for name in names):
        facts: Facts = {"why": "not-proxied", "owner": asker.name, "link": port.name,
                        "commands": [f"sysctl -w {names[0]}=1"]}  # fmt: skip
        yield Why(facts, (sysctl_line(asked.host, names[0]),))


def _asking_port(asked: Asked) -> Link | None:
    """Return the bridge's port, or the bridge itself, that the question came in by."""
    if asked.asker is None:
        return asked.host.link_of_mac(asked.question.asker)
    return port_of(asked.host, asked.asker, asked.host.interface_inside(asked.asker))


def _bridge_port(host: HostState, name: str) -> BridgePort | None:
    return next((port for port in host.ports if port.dev == name), None)


def _untagged(host: HostState, name: str) -> int | None:
    return next((one.first for one in host.vlans if one.dev == name and one.untagged), None)
