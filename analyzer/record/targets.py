"""Where packets of a container can be captured: found by asking its engine, and the kernel about its interfaces.

Takes a machine and containers' names, gives the points on their packets' ways. An interface is recognised by its
index: ``link_index`` of the container's end is the host's end (rtnetlink(7), IFLA_LINK).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from analyzer.errors import SelectionError, ToolError
from analyzer.model import Role
from analyzer.model.engine import JOINED
from analyzer.read.manifest import RecordedPoint
from analyzer.record.choose import Chosen
from analyzer.record.engines import Engine, Network
from analyzer.record.inside import NAMESPACES, NETNS_NAME, Running, entering
from analyzer.record.machine import Machine
from analyzer.record.tcpdump import Target

Json = Any
MOST_PORTS = 16
"""Ports of a bridge up to which all are captured, not only those of the containers that were asked for."""
CARDS = (None, "bond", "team", "vlan")
"""Kinds of interfaces that lead out of a host: those of hardware have none."""
_CARD = re.compile(r"eth\d+|en[opsx]\w+|wl\w+")
BETWEEN_PORTS = "frames that it forwards from port to port"
MOST_UPLINKS = 8
"""Interfaces that lead out, and are captured."""


@dataclass(slots=True)
class Found:
    """A point, and how to capture there."""

    target: Target
    point: RecordedPoint


@dataclass(slots=True)
class _Container:
    name: str
    engine: Engine | None
    """None of a namespace without any."""
    enter: tuple[str, ...]
    """What runs a program in its namespace."""
    settings: Json
    host_network: bool = False
    published: bool = False
    status: str = "running"
    running: bool = True


@dataclass
class Finder:
    """Finds points; each interface once."""

    machine: Machine
    inside: bool = False
    """Also the containers' own ends."""
    found: list[Found] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What cannot be captured, and why."""
    notes: list[str] = field(default_factory=list)
    """Where a container that was asked for is found under another name, or among others."""
    _networks: dict[Chosen, Network] = field(default_factory=dict)

    def containers(self, chosen: Sequence[Chosen], spaces: Sequence[Running] = ()) -> None:
        """
        Add the points of containers, and of namespaces without an engine, and those that all of them share.

        Of one that does not run, and whose interface is gone, the bridges are left: that it is broken is no reason not
        to look.

        Raises:
            SelectionError: there is no such container.
            ToolError: an engine does not answer, or a namespace cannot be entered.
        """
        known = [self._inspect(*one) for one in chosen]
        known += [_Container(one.name, None, one.prefix, {}) for one in spaces]
        links = self._links(())
        shared: dict[str, Role] = {}
        for container in known:
            if container.host_network:
                self.notes.append(f"{container.name} has the host's network: what it sends is among the host's own")
                continue
            if not container.running:
                self.problems.append(f"{container.name} does not run ({container.status}): it has no interface")
                shared |= self._bridges(container, links)
                continue
            for interface in self._ends(container):
                shared |= self._end(container, interface, links)
            if self.inside:  # the engine's own name server is reached by it
                name = f"ct-{container.name}-lo"
                self._add(name, "lo", Role.LOOPBACK, prefix=container.enter, container=container.name)
        for name, role in shared.items():
            self._add(name, name, role)
            if role is Role.BRIDGE:
                self._other_ports(name, links, ())
                for card in _cards(name, links):
                    self._add(card, card, Role.UPLINK)
        for uplink in self._uplinks(links):
            cards = _cards(uplink, links)
            self._add(uplink, uplink, Role.BRIDGE if cards else Role.UPLINK)
            for card in cards:
                self._add(card, card, Role.UPLINK)
        if any(container.published for container in known):
            self._add("lo", "lo", Role.LOOPBACK)  # docker-proxy is reached by it

    def _other_ports(self, bridge: str, links: list[Json], prefix: tuple[str, ...]) -> None:
        """
        Add the other containers' ports of a bridge, as many as nobody minds.

        A capture does not make the bridge promiscuous, for that would change what it does; so what it forwards from
        port to port is seen at the ports alone.
        """
        ports = [link["ifname"] for link in links if link.get("master") == bridge and _role(link) is Role.VETH]
        for port in ports if len(ports) <= MOST_PORTS else ():
            self._add(port, port, Role.VETH, prefix=prefix)

    def interface(self, name: str, role: Role | None = None) -> None:
        """
        Add an interface of the host.

        Raises:
            SelectionError: there is none of that name.
        """
        link = next((link for link in self._links(()) if link["ifname"] == name), None)
        if link is None:
            raise SelectionError(f"no interface {name} on {self.machine.name}")
        self._add(name, name, role or _role(link))

    def _add(
        self,
        name: str,
        interface: str,
        role: Role,
        *,
        prefix: tuple[str, ...] = (),
        container: str | None = None,
        network: str | None = None,
    ) -> None:
        if any(one.target.interface == interface and one.target.prefix == prefix for one in self.found):
            return
        taken = {one.target.name for one in self.found}
        unique = name if name not in taken else next(f"{name}-{n}" for n in range(2, 999) if f"{name}-{n}" not in taken)
        unseen = BETWEEN_PORTS if role is Role.BRIDGE else None
        point = RecordedPoint(unique, f"{unique}.pcap", interface, role, container, network, unseen=unseen)
        self.found.append(Found(Target(unique, interface, prefix), point))

    def _inspect(self, engine: Engine, name: str) -> _Container:
        one = engine.container(self.machine, name)
        if one is None:
            raise SelectionError(f"no container {name} on {self.machine.name}")
        mode = str((one.get("HostConfig") or {}).get("NetworkMode"))
        settings = one.get("NetworkSettings") or {}
        if mode.startswith(JOINED):
            try:
                owner = self._inspect(engine, mode.removeprefix(JOINED))
                asked = str(one["Name"]).lstrip("/")
                self.notes.append(f"{asked} has the network of {owner.name}, and is seen as that")
                return owner
            except SelectionError:
                self.problems.append(f"{name} shares the network of a container that is gone")
        if mode == "none":
            self.notes.append(f"{str(one['Name']).lstrip('/')} has no network (--network none): nothing of it is seen")
        return _Container(
            name=str(one["Name"]).lstrip("/"),
            engine=engine,
            enter=entering(int(one["State"]["Pid"])),
            settings=settings,
            host_network=mode == "host",
            published=any((settings.get("Ports") or {}).values()),
            status=str(one["State"].get("Status")),
            running=bool(one["State"]["Running"]) and not one["State"].get("Restarting"),
        )

    def _links(self, prefix: tuple[str, ...]) -> list[Json]:
        done = self.machine.run(*prefix, "ip", "-j", "-d", "link")
        if done.code:
            raise ToolError(f"ip link: {done.reason}")
        return [link for link in json.loads(done.out) if link]

    def _ends(self, container: _Container) -> Iterator[Json]:
        """Give the interfaces in a container's namespace, but for loopback and tunnels that nobody set up."""
        done = self.machine.run(*container.enter, "ip", "-j", "-d", "link")
        if done.code:
            yield from self._ends_from_outside(container, done.reason)
            return
        for link in json.loads(done.out):
            if link and "UP" in link.get("flags", ()) and "LOOPBACK" not in link["flags"]:
                yield link

    def _ends_from_outside(self, container: _Container, reason: str) -> Iterator[Json]:
        """Ask the container itself for its interfaces' peers: entering its namespace takes CAP_SYS_ADMIN."""
        if container.engine is None:
            raise ToolError(f"cannot tell the interfaces of {container.name}: {reason}")
        script = "for i in /sys/class/net/*; do echo ${i##*/} $(cat $i/iflink); done"
        done = self.machine.run(container.engine.name, "exec", container.name, "sh", "-c", script)
        if done.code:
            raise ToolError(f"cannot tell the interfaces of {container.name}: {reason}; {done.reason}")
        for line in done.out.splitlines():
            name, _, peer = line.partition(" ")
            if name != "lo" and peer.isdigit():
                yield {"ifname": name, "link_index": int(peer), "linkinfo": {"info_kind": "veth"}}

    def _end(self, container: _Container, end: Json, links: list[Json]) -> dict[str, Role]:
        """Add what belongs to one interface of a container; return what it shares with others."""
        inside = container.enter
        kind = end.get("linkinfo", {}).get("info_kind")
        network = self._network_of(container, end)
        if kind != "veth":  # macvlan, ipvlan: there is no other end; the parent is an interface of the host
            self._add(_of(container, end), end["ifname"], Role.CONTAINER, prefix=inside, container=container.name)
            parent = next((link["ifname"] for link in links if link["ifindex"] == end.get("link_index")), None)
            return {parent: Role.UPLINK} if parent else {}
        if self.inside:
            self._add(
                _of(container, end), end["ifname"], Role.CONTAINER, prefix=inside, container=container.name,
                network=network,
            )  # fmt: skip
        peer = next((link for link in links if link["ifindex"] == end["link_index"] and _kind(link) == "veth"), None)
        overlay = self._overlay(container, network)
        if overlay is not None:
            return self._in_overlay(container, end, network or "", overlay)
        if peer is None and end.get("master"):  # a port of a bridge in there: an engine in the container has made it
            self._add(_of(container, end), end["ifname"], Role.CONTAINER, prefix=inside, container=container.name)
            return {}
        if peer is None:
            self.problems.append(f"the host's end of {container.name}'s {end['ifname']} is not there")
            self._add(_of(container, end), end["ifname"], Role.CONTAINER, prefix=inside, container=container.name,
                      network=network)  # fmt: skip
            return self._bridges(container, links)
        self._add(
            f"veth-{container.name}", peer["ifname"], Role.VETH, container=container.name, network=network
        )  # fmt: skip
        return {peer["master"]: Role.BRIDGE} if peer.get("master") else {}

    def _bridges(self, container: _Container, links: list[Json]) -> dict[str, Role]:
        """Return the bridges of a container's networks, as its engine names them."""
        found: dict[str, Role] = {}
        for name in container.settings.get("Networks") or {}:
            bridge = self._network(container, str(name)).bridge
            if any(link["ifname"] == bridge and _kind(link) == "bridge" for link in links):
                found[bridge] = Role.BRIDGE
        return found

    def _network_of(self, container: _Container, end: Json) -> str | None:
        """Return the network whose endpoint has this interface's MAC."""
        for name, endpoint in (container.settings.get("Networks") or {}).items():
            if endpoint.get("MacAddress") and endpoint["MacAddress"] == end.get("address"):
                return str(name)
        return None

    def _network(self, container: _Container, name: str) -> Network:
        if container.engine is None:
            return Network()
        key = container.engine, name
        if key not in self._networks:
            self._networks[key] = container.engine.network(self.machine, name)
        return self._networks[key]

    def _overlay(self, container: _Container, network: str | None) -> tuple[str, ...] | None:
        """Return what enters the namespace of an overlay network, None if it is another kind of network."""
        if network is None or self._network(container, network).driver != "overlay":
            return None
        folder = PurePosixPath(container.settings.get("SandboxKey") or f"{NAMESPACES}/x").parent
        name = f"1-{self._network(container, network).id[:NETNS_NAME]}"
        places = [f"{folder}/{name}"]
        # A daemon with mounts of its own shows them only through its own root.
        pids = self.machine.run("sh", "-c", "grep -lx dockerd /proc/[0-9]*/comm 2>/dev/null").out.split()
        places += [f"/proc/{pid.split('/')[2]}/root{folder}/{name}" for pid in pids]
        for place in places:
            prefix = ("nsenter", f"--net={place}")
            if self.machine.run(*prefix, "true").code == 0:
                return prefix
        raise ToolError(f"cannot enter the namespace of overlay network {network}: needs CAP_SYS_ADMIN")

    def _in_overlay(self, container: _Container, end: Json, network: str, prefix: tuple[str, ...]) -> dict[str, Role]:
        links, bridges = self._links(prefix), list[str]()
        for link in links:
            if link["ifindex"] == end["link_index"]:
                self._add(f"veth-{container.name}", link["ifname"], Role.VETH, prefix=prefix,
                          container=container.name, network=network)  # fmt: skip
            elif _kind(link) == "bridge":
                self._add(f"br-{network}", link["ifname"], Role.BRIDGE, prefix=prefix, network=network)
                bridges.append(link["ifname"])
            elif _kind(link) == "vxlan":
                self._add(f"vxlan-{network}", link["ifname"], Role.OVERLAY, prefix=prefix, network=network)
        for bridge in bridges:
            self._other_ports(bridge, links, prefix)
        return {}

    def _uplinks(self, links: list[Json]) -> list[str]:
        """
        Return the interfaces that packets may leave by: first those of routes by a gateway, then all others.

        Those of other tables count, too: a rule may send a container's packets, or answers to it, by any of them.
        """
        known = {link["ifname"]: link for link in links}
        by_gateway: dict[str, None] = {}
        others: dict[str, None] = {}
        for family in ("-4", "-6"):
            done = self.machine.run("ip", family, "-j", "route", "show", "table", "all")
            for route in json.loads(done.out or "[]"):
                for hop in (route, *route.get("nexthops", ())):
                    if "dev" in hop and route.get("type", "unicast") == "unicast":
                        (by_gateway if "gateway" in hop else others).setdefault(hop["dev"])
        found = [name for name in by_gateway if _kind(known.get(name, {})) != "bridge" or not _dockers(name)]
        found += [name for name in others if name not in found and _leads_out(known.get(name))]
        return found[:MOST_UPLINKS]


def _of(container: _Container, end: Json) -> str:
    return f"ct-{container.name}" if end["ifname"] == "eth0" else f"ct-{container.name}-{end['ifname']}"


def _kind(link: Json) -> str | None:
    kind = link.get("linkinfo", {}).get("info_kind")
    return str(kind) if kind else None


def _leads_out(link: Json | None) -> bool:
    """Tell whether an interface is up, and neither loopback nor a bridge, nor a port of one."""
    if link is None or link.get("master") or _kind(link) == "bridge":
        return False
    return "LOOPBACK" not in link.get("flags", ()) and "UP" in link.get("flags", ())


def _cards(bridge: str, links: list[Json]) -> list[str]:
    """Return the cards that are ports of a bridge: what it forwards by them to containers is not seen at itself."""
    return [link["ifname"] for link in links if link.get("master") == bridge and _is_card(link)]


def _is_card(link: Json) -> bool:
    """Tell an interface that leads out of the host; within a container that is one end of a veth, named as one."""
    kind = _kind(link)
    return kind in CARDS or (kind == "veth" and _CARD.fullmatch(link["ifname"]) is not None)


def _dockers(bridge: str) -> bool:
    return bridge in ("docker0", "docker_gwbridge") or bridge.startswith("br-")


def _role(link: Json) -> Role:
    if "LOOPBACK" in link.get("flags", ()):
        return Role.LOOPBACK
    port = Role.VETH if link.get("master") and not _is_card(link) else Role.UPLINK
    kinds = {"bridge": Role.BRIDGE, "vxlan": Role.OVERLAY, "veth": port}
    return kinds.get(_kind(link) or "", Role.UPLINK)
