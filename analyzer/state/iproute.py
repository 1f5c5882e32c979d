"""Reads JSON of iproute2: ``ip -j -d addr``, ``ip -j route show table all``, ``ip -j neigh``, ``bridge -j fdb``."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, convert, field

from analyzer.model import Address, BridgePort, FdbEntry, Link, Mac, Neighbour, PortVlan, Queue, Route, RoutingRule
from analyzer.model.engine import Prefix
from analyzer.state.rules.names import protocol_number

Json = Any
"""Parsed JSON; readers raise ValidationError or ValueError where it is not of the shape that they declare."""
Number = Annotated[int, Meta(ge=0, lt=1 << 32)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Port = Annotated[int, Meta(ge=0, lt=1 << 16)]
Length = Annotated[int, Meta(ge=0, le=128)]


class _Info(Struct):
    info_kind: str | None = None
    info_data: Json = None
    """Each kind has its own."""

    @property
    def filters_vlans(self) -> bool:
        return isinstance(self.info_data, dict) and self.info_data.get("vlan_filtering") == 1

    @property
    def udp_port(self) -> int | None:
        port = self.info_data.get("port") if self.info_kind == "vxlan" and isinstance(self.info_data, dict) else None
        return port if isinstance(port, int) and 0 < port < 1 << 16 else None


class _Address(Struct):
    local: str | None = None


class _Program(Struct):
    id: Number = 0
    name: str | None = None


class _Xdp(Struct):
    prog: _Program = field(default_factory=_Program)


class _Link(Struct):
    ifname: Name | None = None
    ifindex: Number = 0
    address: str | None = None
    linkinfo: _Info = field(default_factory=_Info)
    link: Name | None = None
    link_index: Number | None = None
    master: Name | None = None
    addr_info: list[_Address] = []
    mtu: Number | None = None
    flags: list[str] = []
    operstate: str | None = None
    xdp: _Xdp | None = None


class _Hop(Struct):
    gateway: str | None = None
    dev: Name | None = None
    flags: list[str] = []


class _Via(Struct):
    host: str | None = None


class _Route(Struct):
    dst: str | None = None
    gateway: str | None = None
    dev: Name | None = None
    prefsrc: str | None = None
    metric: Number = 0
    table: str | int = "main"
    type: str = "unicast"
    pref: str | None = None
    nexthops: list[_Hop] | None = None
    flags: list[str] = []
    via: _Via | None = None


class _Rule(Struct, rename={"negated": "not"}):
    priority: Number = 0
    src: str = "all"
    srclen: Length | None = None
    dst: str = "all"
    dstlen: Length | None = None
    iif: Name | None = None
    fwmark: str | None = None
    fwmask: str | None = None
    negated: bool | UnsetType | None = UNSET
    table: str | int | None = None
    action: str | None = None
    oif: Name | None = None
    ipproto: str | int | None = None
    sport: Port | None = None
    sport_start: Port | None = None
    sport_end: Port | None = None
    sport_mask: str | None = None
    dport: Port | None = None
    dport_start: Port | None = None
    dport_end: Port | None = None
    dport_mask: str | None = None
    suppress_prefixlen: Length | None = None
    suppress_ifgroup: str | int | None = None
    goto: Number | None = None
    tos: str | int | None = None
    dscp: str | int | None = None
    tun_id: Number | str | None = None
    uid_start: Number | None = None
    l3mdev: bool | UnsetType | None = UNSET
    nop: bool | UnsetType | None = UNSET


class _Neighbour(Struct):
    dst: str
    dev: Name
    lladdr: str | None = None
    state: list[str] = []


class _Forwarded(Struct):
    ifname: Name
    mac: str | None = None
    master: Name | None = None
    state: str | None = None
    dst: str | None = None


class _Port(Struct):
    ifname: Name | None = None
    master: Name | None = None
    state: str = "unknown"
    hairpin: bool = False
    isolated: bool = False
    locked: bool = False
    bcast_flood: bool = True
    mcast_flood: bool = True


class _Vlan(Struct):
    vlan: Number
    last: Number | None = field(default=None, name="vlanEnd")
    flags: list[str] = []


class _Queue(Struct):
    dev: Name
    kind: str = ""
    options: Json = None


class _Vlans(Struct):
    ifname: Name
    vlans: list[_Vlan] = []


def mac(text: str | None) -> Mac | None:
    """Parse ``02:42:ac:11:00:04``; None for what is no Ethernet address."""
    if not text or len(text) != 17:
        return None
    return Mac(int(text.replace(":", ""), 16))


def parse_links(dump: Json) -> tuple[Link, ...]:
    """Read ``ip -j -d addr``."""
    return tuple(
        Link(
            index=link.ifindex,
            name=link.ifname,
            mac=mac(link.address),
            kind=link.linkinfo.info_kind,
            master=link.master,
            addresses=tuple(ip_address(one.local) for one in link.addr_info if one.local is not None),
            mtu=link.mtu,
            loopback="LOOPBACK" in link.flags,
            down=link.operstate in ("DOWN", "LOWERLAYERDOWN"),
            up="UP" in link.flags,
            peer=link.link_index,
            lower=link.link,
            filters_vlans=link.linkinfo.filters_vlans,
            udp_port=link.linkinfo.udp_port,
            xdp=(link.xdp.prog.name or f"id {link.xdp.prog.id}") if link.xdp is not None else None,
        )
        for link in convert(dump, list[_Link])
        if link.ifname is not None
    )


def parse_routes(dump: Json) -> tuple[Route, ...]:
    """Read ``ip -j route`` of one or all tables; what is dead is left out, as the kernel does."""
    found: list[Route] = []
    for route in convert(dump, list[_Route]):
        if route.dst is None:
            continue
        alive = [hop for hop in route.nexthops or [] if "dead" not in hop.flags]
        if "dead" in route.flags or (route.nexthops and not alive):
            continue
        way = alive[0] if alive else route
        gateway = _gateway(way.gateway)
        if gateway is None and route.via is not None:
            gateway = _gateway(route.via.host)
        source = ip_address(route.prefsrc) if route.prefsrc is not None else None
        # ``pref`` (RFC 4191) is in IPv6's routes alone, and in all of them.
        version = gateway.version if gateway else source.version if source else 6 if route.pref is not None else 4
        words = {"via": way.gateway, "dev": way.dev, "src": route.prefsrc, "metric": route.metric or None}
        found.append(
            Route(
                dst=_prefix(route.dst, version),
                dev=way.dev,
                gateway=gateway,
                metric=route.metric,
                table=str(route.table),
                text=" ".join([route.dst, *(f"{word} {value}" for word, value in words.items() if value is not None)]),
                kind=route.type,
                src=source,
                nexthops=tuple((hop.dev, _gateway(hop.gateway)) for hop in alive) if len(alive) > 1 else (),
            )
        )
    return tuple(found)


def _gateway(text: str | None) -> Address | None:
    return ip_address(text) if text is not None else None


def parse_rules(dump: Json, version: int) -> tuple[RoutingRule, ...]:
    """Read ``ip -j rule`` of one family."""
    return tuple(
        RoutingRule(
            priority=rule.priority,
            version=version,
            src=_selector(rule.src, rule.srclen, version),
            dst=_selector(rule.dst, rule.dstlen, version),
            iif=rule.iif,
            mark=(_mark(rule.fwmark), _mark(rule.fwmask or "0xffffffff")) if rule.fwmark is not None else None,
            negated=rule.negated is not UNSET,
            table=str(rule.table) if rule.table is not None else None,
            action=_action(rule),
            text=_rule_text(rule),
            oif=rule.oif,
            protocol=_protocol(rule.ipproto),
            sport=_ports(rule.sport, rule.sport_start, rule.sport_end),
            dport=_ports(rule.dport, rule.dport_start, rule.dport_end),
            suppress=rule.suppress_prefixlen,
            goto=rule.goto,
            unread=tuple(_unread(rule)),
        )
        for rule in convert(dump, list[_Rule])
    )


def _action(rule: _Rule) -> str | None:
    if rule.table is not None:
        return None
    return "nop" if rule.nop is not UNSET else "goto" if rule.goto is not None else rule.action or None


def _protocol(told: str | int | None) -> int | None:
    """Return a protocol's number, given so or by its name."""
    if told is None:
        return None
    number = protocol_number(str(told))
    if number is None:
        raise ValueError(f"ipproto {str(told)[:20]}")
    return number


def _ports(one: int | None, first: int | None, last: int | None) -> tuple[int, int] | None:
    if first is not None and last is not None:
        return first, last
    return None if one is None else (one, one)


def _unread(rule: _Rule) -> Iterator[str]:
    """Name the selectors of a rule that are not followed."""
    told = {"tos": rule.tos, "dscp": rule.dscp, "tun_id": rule.tun_id, "uidrange": rule.uid_start,
            "suppress_ifgroup": rule.suppress_ifgroup}  # fmt: skip
    yield from (name for name, value in told.items() if value is not None)
    if rule.l3mdev is not UNSET:
        yield "l3mdev"
    for name, mask in (("sport", rule.sport_mask), ("dport", rule.dport_mask)):
        if mask is not None and int(mask, 0) != 0xFFFF:
            yield f"{name} with a mask"


def _mark(text: str) -> int:
    found = int(text, 0)
    if not 0 <= found < 1 << 32:
        raise ValueError(f"mark {text[:20]}")
    return found


def _selector(text: str, length: int | None, version: int) -> Prefix | None:
    if text == "all":
        return None
    return ip_network(f"{text}/{length if length is not None else 128 if version == 6 else 32}", strict=False)


def _rule_text(rule: _Rule) -> str:
    told = {
        "from": _with(rule.src, rule.srclen),
        "to": _with(rule.dst, rule.dstlen) if rule.dst != "all" else None,
        "iif": rule.iif,
        "oif": rule.oif,
        "fwmark": _with(rule.fwmark, rule.fwmask) if rule.fwmark is not None else None,
        "ipproto": rule.ipproto,
        "sport": _port_text(rule.sport, rule.sport_start, rule.sport_end),
        "dport": _port_text(rule.dport, rule.dport_start, rule.dport_end),
        "tos": rule.tos,
        "dscp": rule.dscp,
        "uidrange": rule.uid_start,
        "lookup": rule.table,
        "suppress_prefixlength": rule.suppress_prefixlen,
        "suppress_ifgroup": rule.suppress_ifgroup,
        "goto": rule.goto,
        "": rule.action or ("nop" if rule.nop is not UNSET else "l3mdev" if rule.l3mdev is not UNSET else None),
    }
    words = [f"{rule.priority}:", *(["not"] if rule.negated is not UNSET else [])]
    return " ".join([*words, *(f"{word} {value}".strip() for word, value in told.items() if value is not None)])


def _port_text(one: int | None, first: int | None, last: int | None) -> str | None:
    ports = _ports(one, first, last)
    return None if ports is None else str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


def _with(value: str, more: int | str | None) -> str:
    """Return a value, with its prefix length or mask where it has one."""
    return value if more is None else f"{value}/{more}"


def _prefix(text: str, version: int) -> Prefix:
    if text == "default":
        return ip_network("::/0" if version == 6 else "0.0.0.0/0")
    return ip_network(text, strict=False)


def parse_neighbours(dump: Json) -> tuple[Neighbour, ...]:
    """Read ``ip -j neigh``."""
    return tuple(
        Neighbour(ip_address(one.dst), one.dev, mac(one.lladdr), ",".join(one.state))
        for one in convert(dump, list[_Neighbour])
    )


def parse_fdb(dump: Json) -> tuple[FdbEntry, ...]:
    """Read ``bridge -j fdb``."""
    return tuple(
        FdbEntry(address, entry.ifname, entry.master, entry.state == "permanent", _gateway(entry.dst))
        for entry in convert(dump, list[_Forwarded])
        if (address := mac(entry.mac)) is not None
    )


def parse_ports(dump: Json) -> tuple[BridgePort, ...]:
    """Read ``bridge -j -d link``."""
    return tuple(
        BridgePort(
            dev=port.ifname,
            master=port.master,
            state=port.state,
            hairpin=port.hairpin,
            isolated=port.isolated,
            locked=port.locked,
            broadcasts=port.bcast_flood,
            multicasts=port.mcast_flood,
        )
        for port in convert(dump, list[_Port])
        if port.ifname is not None
    )


def parse_vlans(dump: Json) -> tuple[PortVlan, ...]:
    """Read ``bridge -j vlan``."""
    return tuple(
        PortVlan(port.ifname, one.vlan, one.vlan if one.last is None else one.last, "PVID" in one.flags)
        for port in convert(dump, list[_Vlans])
        for one in port.vlans
    )


def parse_queues(dump: Json) -> tuple[Queue, ...]:
    """Read ``tc -s -j qdisc``."""
    found: list[Queue] = []
    for queue in convert(dump, list[_Queue]):
        rate = queue.options.get("rate") if isinstance(queue.options, dict) else None
        found.append(Queue(queue.dev, queue.kind, rate if isinstance(rate, int) else None))
    return tuple(found)
