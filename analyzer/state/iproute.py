"""Reads JSON of iproute2: ``ip -j -d addr``, ``ip -j route show table all``, ``ip -j neigh``, ``bridge -j fdb``."""

from ipaddress import ip_address, ip_network
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, convert, field

from analyzer.model import BridgePort, FdbEntry, Link, Mac, Neighbour, Route, RoutingRule
from analyzer.model.host import Prefix

Json = Any
"""Parsed JSON; readers raise ValidationError or ValueError where it is not of the shape that they declare."""
Number = Annotated[int, Meta(ge=0, lt=1 << 32)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Length = Annotated[int, Meta(ge=0, le=128)]


class _Info(Struct):
    info_kind: str | None = None


class _Address(Struct):
    local: str | None = None


class _Link(Struct):
    ifname: Name | None = None
    ifindex: Number = 0
    address: str | None = None
    linkinfo: _Info = field(default_factory=_Info)
    master: Name | None = None
    addr_info: list[_Address] = []
    mtu: Number | None = None
    flags: list[str] = []
    operstate: str | None = None


class _Hop(Struct):
    gateway: str | None = None
    dev: Name | None = None


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


class _Rule(Struct):
    priority: Number = 0
    src: str = "all"
    srclen: Length | None = None
    dst: str = "all"
    dstlen: Length | None = None
    iif: Name | None = None
    fwmark: str | None = None
    fwmask: str | None = None
    negated: bool | UnsetType | None = field(default=UNSET, name="not")
    table: str | int | None = None
    action: str | None = None


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


class _Port(Struct):
    ifname: Name | None = None
    master: Name | None = None
    state: str = "unknown"
    hairpin: bool = False
    isolated: bool = False


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
        )
        for link in convert(dump, list[_Link])
        if link.ifname is not None
    )


def parse_routes(dump: Json) -> tuple[Route, ...]:
    """Read ``ip -j route`` of one or all tables; of several ways, the first."""
    found: list[Route] = []
    for route in convert(dump, list[_Route]):
        if route.dst is None:
            continue
        way = route.nexthops[0] if route.nexthops else route
        gateway = ip_address(way.gateway) if way.gateway is not None else None
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
            )
        )
    return tuple(found)


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
            action=None if rule.table is not None else rule.action or None,
            text=_rule_text(rule),
        )
        for rule in convert(dump, list[_Rule])
    )


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
        "fwmark": _with(rule.fwmark, rule.fwmask) if rule.fwmark is not None else None,
        "lookup": rule.table,
        "": rule.action,
    }
    words = [f"{rule.priority}:", *(["not"] if rule.negated is not UNSET else [])]
    return " ".join([*words, *(f"{word} {value}".strip() for word, value in told.items() if value is not None)])


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
        FdbEntry(address, entry.ifname, entry.master, entry.state == "permanent")
        for entry in convert(dump, list[_Forwarded])
        if (address := mac(entry.mac)) is not None
    )


def parse_ports(dump: Json) -> tuple[BridgePort, ...]:
    """Read ``bridge -j -d link``."""
    return tuple(
        BridgePort(port.ifname, port.master, port.state, port.hairpin, port.isolated)
        for port in convert(dump, list[_Port])
        if port.ifname is not None
    )
