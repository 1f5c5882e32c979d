"""Reads JSON of iproute2: ``ip -j -d addr``, ``ip -j route show table all``, ``ip -j neigh``, ``bridge -j fdb``."""

from ipaddress import ip_address, ip_network
from typing import Any

from analyzer.model import FdbEntry, Link, Mac, Neighbour, Route
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
            master=link.get("master"),
            addresses=tuple(ip_address(a["local"]) for a in link.get("addr_info", ()) if "local" in a),
            mtu=link.get("mtu"),
            loopback="LOOPBACK" in link.get("flags", ()),
        )
        for link in dump
        if link
    )


def parse_routes(dump: Json) -> tuple[Route, ...]:
    """Read ``ip -j route`` of one or all tables, unicast routes only."""
    found: list[Route] = []
    for route in dump:
        if route.get("type", "unicast") != "unicast" or "dst" not in route:
            continue
        gateway = ip_address(route["gateway"]) if "gateway" in route else None
        found.append(
            Route(
                dst=_prefix(route["dst"], gateway.version if gateway else 4),
                dev=route.get("dev"),
                gateway=gateway,
                metric=int(route.get("metric", 0)),
                table=str(route.get("table", "main")),
                text=_route_text(route),
            )
        )
    return tuple(found)


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
