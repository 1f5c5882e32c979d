"""Why nothing comes back by an uplink: a default route that was to be the other one, or a TTL that gives hosts away."""

from operator import attrgetter
from shlex import quote

import numpy as np

from analyzer.decode.offsets import ECN
from analyzer.explain.case import Case
from analyzer.explain.told import Facts
from analyzer.model import Point, Role
from analyzer.packet.begun import Begun
from analyzer.schema import Array

FEW = 2
"""Connections that are needed to tell a rule from chance."""


def taken_first(case: Case, packet: int) -> Facts:
    """
    Name the XDP program that takes what comes in where a packet left, before any capture sees it.

    Whether it drops the answers is not decidable from outside it; that they were not seen shows nothing then.
    """
    row = int(case.last_row[packet])
    point = case.context.point(row)
    link = case.context.host_at(row).link(point.interface or point.name)
    return {"xdp": link.xdp, "xdp_at": link.name} if link is not None and link.xdp is not None else {}


def by_the_way_out(case: Case, packets: list[int]) -> Facts:
    """
    Say what is wrong with the way by which unanswered packets left; nothing if nothing is known to be.

    ``by_default`` and ``other_default`` are routes: nothing at all came back by the one that was chosen, and another
    one has a larger metric. ``dead_hop`` is a next hop of several by which nothing is answered. ``dead_ttl`` is one
    with which nothing is answered, while the same servers answer ``live_ttl``: somebody beyond drops what a router has
    counted down, as providers do that forbid tethering. ``ecn``: likewise, of what offers ECN and what does not.

    Both compare with what others got from there, whatever part they are told in.
    """
    row = int(case.last_row[packets[0]])
    point = case.context.point(row)
    if point.role is not Role.UPLINK:
        return {}
    begun = case.context.all.begun.at(point.id)
    if int(case.numbers[packets[0]]) not in set(begun.packet.tolist()):
        return {}
    ttl, flags = (case.context.value(name, row) for name in ("ttl", "tcp_flags"))
    return (
        _other_default(case, point, begun, row)
        or _by_hop(case, begun, row)
        or _by_ttl(begun, ttl)
        or _by_ecn(begun, mine=flags & ECN == ECN)
    )


def _other_default(case: Case, point: Point, begun: Begun, row: int) -> Facts:
    """Compare default routes, where the chosen one leads to nobody who answers."""
    host, dst = case.context.host_at(row), case.context.dst(row)
    if dst is None or begun.answered.any():
        return {}
    defaults = [one for one in host.routes if not one.dst.prefixlen and one.dst.version == dst.version
                and one.table == "main" and one.kind == "unicast"]  # fmt: skip
    mine = min(
        (one for one in defaults if one.dev == (point.interface or point.name)), key=attrgetter("metric"), default=None
    )
    other = min(
        (one for one in defaults if mine is not None and one.dev != mine.dev), key=attrgetter("metric"), default=None
    )
    if mine is None or other is None or mine.metric >= other.metric:
        return {}
    return {
        "by_default": mine.text,
        "other_default": other.text,
        "other_dev": other.dev or "",
        "gateway": str(mine.gateway),
    }


def _by_hop(case: Case, begun: Begun, row: int) -> Facts:
    """Compare the next hops of a route that has several: nothing by one is answered, and all by the others."""
    host, dst = case.context.host_at(row), case.context.dst(row)
    chosen = case.context.route_to(dst, row) if dst is not None else None
    hops = chosen.route.nexthops if chosen is not None else ()
    mine = case.context.value("eth_dst", row)
    known = ((ip, host.neighbour(ip, dev)) for dev, ip in hops if ip is not None)
    dead = next((ip for ip, entry in known if entry is not None and entry.mac == mine), None)
    own = begun.eth_dst == mine
    others = begun.answered[~own]
    if chosen is None or dead is None or begun.answered[own].any() or not len(others) or not others.all():
        return {}
    if len(np.unique(begun.connection[own])) < FEW or len(np.unique(begun.connection[~own])) < FEW:
        return {}
    left = [f"nexthop via {ip} dev {quote(dev or '')}" for dev, ip in hops if ip != dead]
    to = str(chosen.route.dst) if chosen.route.dst.prefixlen else "default"
    return {"dead_hop": str(dead), "hops": len(hops), "to": to, "commands": [f"ip route replace {to} {' '.join(left)}"]}


def _by_ttl(begun: Begun, mine: int) -> Facts:
    """Compare the TTL of what is not answered, *mine*, with that of what is, of the same servers."""
    alike = _alike(begun, begun.ttl == mine, begun.ttl > mine)
    return {"dead_ttl": mine, "live_ttl": int(begun.ttl[alike][0])} if alike is not None else {}


def _by_ecn(begun: Begun, *, mine: bool) -> Facts:
    """Compare what offers ECN and is not answered with what does not, of the same servers."""
    return {"ecn": True} if mine and _alike(begun, begun.ecn, ~begun.ecn) is not None else {}


def _alike(begun: Begun, own: Array, others: Array) -> Array | None:
    """Return which of the others are of the same servers, if all of them are answered, and none of one's own is."""
    servers = list(zip(begun.dst_hi.tolist(), begun.dst.tolist(), strict=True))
    asked = {server for server, is_own in zip(servers, own.tolist(), strict=True) if is_own}
    alike: Array = others & begun.answered & np.array([server in asked for server in servers], bool)
    if begun.answered[own].any() or len(np.unique(begun.connection[own])) < FEW or not alike.any():
        return None
    if not begun.answered[others].all() or len(np.unique(begun.connection[alike])) < FEW:
        return None
    return alike
