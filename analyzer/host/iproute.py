"""Reads JSON of iproute2: ``ip -j -d addr``, ``ip -j route show table all``, ``ip -j neigh``, ``bridge -j fdb``."""

from ipaddress import ip_address, ip_network
from typing import Any

from analyzer.model import BridgePort, FdbEntry, Link, Mac, Neighbour, Route, RoutingRule
from analyzer.model.host import Prefix

Json = Any
"""Parsed JSON of a shape that only the dump knows; readers raise KeyError, TypeError or ValueError on a wrong one."""


def mac(text: str | None) -> Mac | None:
    """Parse ``02:42:ac:11:00:04``; None for what is no Ethernet address."""
    if not text or len(text) != 17:
        return None
    return Mac(int(text.replace(":", ""), 16))


def parse_links(dump: Json) -> tuple[Link, ...]:
    """Read ``ip -j -d addr``."""
    return tuple(
        Link(
            index=int(link["ifindex"]),
            name=str(link["ifname"]),
            mac=mac(link.get("address")),
            kind=link.get("linkinfo", {}).get("info_kind"),
            master=_name(link.get("master")),
            addresses=tuple(ip_address(a["local"]) for a in link.get("addr_info", ()) if "local" in a),
            mtu=int(link["mtu"]) if "mtu" in link else None,
            loopback="LOOPBACK" in link.get("flags", ()),
            down=link.get("operstate") in ("DOWN", "LOWERLAYERDOWN"),
        )
        for link in dump
        if link
    )


def parse_routes(dump: Json) -> tuple[Route, ...]:
    """Read ``ip -j route`` of one or all tables; of several ways, the first."""
    found: list[Route] = []
    for route in dump:
        if "dst" not in route:
            continue
        way = {**route, **(route.get("nexthops") or [{}])[0]}
        gateway = ip_address(way["gateway"]) if "gateway" in way else None
        source = ip_address(route["prefsrc"]) if "prefsrc" in route else None
        # ``pref`` (RFC 4191) is in IPv6's routes alone, and in all of them.
        version = gateway.version if gateway else source.version if source else 6 if "pref" in route else 4
        found.append(
            Route(
                dst=_prefix(route["dst"], version),
                dev=_name(way.get("dev")),
                gateway=gateway,
                metric=int(route.get("metric", 0)),
                table=str(route.get("table", "main")),
                text=_route_text(way),
                kind=str(route.get("type", "unicast")),
                src=source,
            )
        )
    return tuple(found)


def _name(value: Json) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of a name")
    return value


def parse_rules(dump: Json, version: int) -> tuple[RoutingRule, ...]:
    """Read ``ip -j rule`` of one family."""
    return tuple(
        RoutingRule(
            priority=int(rule.get("priority", 0)),
            version=version,
            src=_selector(rule, "src", version),
            dst=_selector(rule, "dst", version),
            iif=_name(rule.get("iif")),
            mark=(int(rule["fwmark"], 0), int(rule.get("fwmask", "0xffffffff"), 0)) if "fwmark" in rule else None,
            negated="not" in rule,
            table=str(rule["table"]) if "table" in rule else None,
            action=None if "table" in rule else str(rule.get("action", "")) or None,
            text=_rule_text(rule),
        )
        for rule in dump
    )


def _selector(rule: Json, name: str, version: int) -> Prefix | None:
    text = rule.get(name, "all")
    if text == "all":
        return None
    length = rule.get(f"{name}len", 128 if version == 6 else 32)
    return ip_network(f"{text}/{length}", strict=False)


def _rule_text(rule: Json) -> str:
    words = [
        f"{rule.get('priority', 0)}:",
        "not" if "not" in rule else "",
        "from",
        _with(rule, "src", "srclen") or "all",
    ]
    told = {
        "to": _with(rule, "dst", "dstlen"),
        "iif": rule.get("iif"),
        "fwmark": _with(rule, "fwmark", "fwmask"),
        "lookup": rule.get("table"),
        "": rule.get("action"),
    }
    words += [f"{word} {value}".strip() for word, value in told.items() if value not in (None, "all")]
    return " ".join(filter(None, words))


def _with(rule: Json, name: str, more: str) -> str | None:
    """Return a value, with its prefix length or mask where it has one."""
    return None if name not in rule else f"{rule[name]}/{rule[more]}" if more in rule else str(rule[name])


def _prefix(text: str, version: int) -> Prefix:
    if text == "default":
        return ip_network("::/0" if version == 6 else "0.0.0.0/0")
    return ip_network(text, strict=False)


def _route_text(route: Json) -> str:
    words = [str(route["dst"])]
    for key, word in (("gateway", "via"), ("dev", "dev"), ("prefsrc", "src"), ("metric", "metric")):
        if key in route:
            words += [word, str(route[key])]
    return " ".join(words)


def parse_neighbours(dump: Json) -> tuple[Neighbour, ...]:
    """Read ``ip -j neigh``."""
    return tuple(
        Neighbour(ip_address(n["dst"]), str(n["dev"]), mac(n.get("lladdr")), ",".join(n.get("state", ()))) for n in dump
    )


def parse_fdb(dump: Json) -> tuple[FdbEntry, ...]:
    """Read ``bridge -j fdb``."""
    return tuple(
        FdbEntry(address, str(entry["ifname"]), entry.get("master"), entry.get("state") == "permanent")
        for entry in dump
        if (address := mac(entry.get("mac"))) is not None
    )


def parse_ports(dump: Json) -> tuple[BridgePort, ...]:
    """Read ``bridge -j -d link``."""
    return tuple(
        BridgePort(
            dev=str(port["ifname"]),
            master=port.get("master"),
            state=str(port.get("state", "unknown")),
            hairpin=bool(port.get("hairpin")),
            isolated=bool(port.get("isolated")),
        )
        for port in dump
        if port
    )
