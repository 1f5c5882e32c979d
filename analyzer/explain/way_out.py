"""Why nothing comes back by an uplink: a default route that was to be the other one, or a TTL that gives hosts away."""

from operator import attrgetter

import numpy as np

from analyzer.correlate.identity import has
from analyzer.decode.offsets import SYN
from analyzer.explain.case import Case
from analyzer.explain.told import Facts
from analyzer.model import Point, Role
from analyzer.schema import Array, Int64, Layer

FEW = 2
"""Connections that are needed to tell a rule from chance."""


def by_the_way_out(case: Case, packets: list[int]) -> Facts:
    """
    Say what is wrong with the way by which unanswered packets left; nothing if nothing is known to be.

    ``by_default`` and ``other_default`` are routes: nothing at all came back by the one that was chosen, and another
    one has a larger metric. ``dead_ttl`` is one with which nothing is answered, while the same servers answer
    ``live_ttl``: somebody beyond drops what a router has counted down, as providers do that forbid tethering.

    Both compare with what others got from there, so of a part of the data nothing is said.
    """
    row = int(case.last_row[packets[0]])
    point = case.context.point(row)
    if point.role is not Role.UPLINK or case.share.mine is not None:  # others may be answered in another part
        return {}
    begun = _begun(case, point)
    if packets[0] not in set(begun.tolist()):
        return {}
    return _other_default(case, point, begun, row) or _by_ttl(case, begun, packets)


def _begun(case: Case, point: Point) -> Int64:
    """Return the first packets of TCP connections that left by a point."""
    here = case.context.frames["point"][case.last_row] == point.id
    syn = has(case.first("layers"), Layer.TCP) & (case.first("tcp_flags") & SYN != 0) & ~case.reply
    return np.flatnonzero(here & syn & (case.connection >= 0))


def _answered(case: Case, packets: Int64) -> Array:
    """(n,) bool: an answer of each packet's connection was seen."""
    found: Array = case.context.connections["seen_reply"][case.connection[packets]]
    return found


def _other_default(case: Case, point: Point, begun: Int64, row: int) -> Facts:
    """Compare default routes, where the chosen one leads to nobody who answers."""
    host, dst = case.context.host_at(row), case.context.dst(row)
    if dst is None or _answered(case, begun).any():
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


def _by_ttl(case: Case, begun: Int64, packets: list[int]) -> Facts:
    """Compare the TTL of what is answered with that of what is not, of the same servers."""
    ttl, answered = case.context.frames["ttl"][case.last_row[begun]], _answered(case, begun)
    mine = int(case.context.value("ttl", int(case.last_row[packets[0]])))
    own, others = ttl == mine, ttl > mine
    server = [case.context.frames[name][case.last_row[begun]] for name in ("dst_hi", "dst")]
    asked = {(int(high), int(low)) for high, low in zip(*(column[own] for column in server), strict=True)}
    served = [(int(high), int(low)) in asked for high, low in zip(*server, strict=True)]
    alike = others & answered & np.array(served, bool)
    if answered[own].any() or len(np.unique(case.connection[begun[own]])) < FEW or not alike.any():
        return {}
    if not answered[others].all() or len(np.unique(case.connection[begun[alike]])) < FEW:
        return {}
    return {"dead_ttl": mine, "live_ttl": int(ttl[alike][0])}
