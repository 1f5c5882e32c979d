"""MACs of a VXLAN's far ends: routed overlays such as flannel's write them down, and nobody asks by ARP."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.decode.offsets import GROUP_BIT
from analyzer.explain.case import Case
from analyzer.link.identity import has
from analyzer.link.sorting import distinct_rows
from analyzer.model import Address, HostState, Link, Mac, Neighbour, Point, Route, address
from analyzer.schema import Int64, Layer


@dataclass(frozen=True, slots=True)
class FarEnd:
    """A neighbour entry for the other node's end, and the MAC that its frames come from."""

    host: HostState
    route: Route
    entry: Neighbour
    has: Mac
    packets: list[int]
    """With which something is wrong, for whom the route leads there."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Frames that came out of a VXLAN for a MAC that this end does not have: the kernel takes them for another's."""

    host: HostState
    link: Link
    sent_to: Mac
    packets: list[int]


def far_ends(case: Case) -> Iterator[FarEnd]:
    """Give entries for far ends that do not have the MAC any more, as their own frames show."""
    ill = np.flatnonzero(case.symptom >= 0)
    for point, host, link in _vxlans(case) if len(ill) else ():
        for route in host.routes:
            gateway = route.gateway if route.dev == link.name and route.dst.prefixlen else None
            entry = host.neighbour(gateway, link.name) if gateway is not None else None
            if entry is None or entry.mac is None:
                continue
            seen = {mac for mac, src in _senders(case, point, link) if src in route.dst}
            if not seen or entry.mac in seen:
                continue
            there = [packet for packet in ill.tolist() if _for(case, packet) in route.dst]
            if there:
                yield FarEnd(host, route, entry, min(seen), there)


def strangers(case: Case) -> Iterator[Stranger]:
    """Give what ends at a VXLAN's own interface, for it is for another MAC than that has."""
    ill = np.flatnonzero(case.symptom >= 0)
    frames = case.context.frames
    for point, host, link in _vxlans(case) if len(ill) else ():
        rows = case.last_row[ill]
        at = (frames["point"][rows] == point.id) & (frames["eth_dst"][rows] & GROUP_BIT == 0)
        at &= ~np.isin(frames["eth_dst"][rows], np.array(sorted(case.context.host_macs), np.int64))
        at &= frames["eth_src"][rows] != (link.mac or 0)
        for mac in np.unique(frames["eth_dst"][rows][at]).tolist():
            chosen: Int64 = ill[at & (frames["eth_dst"][rows] == mac)]
            yield Stranger(host, link, Mac(mac), chosen.tolist())


def _vxlans(case: Case) -> Iterator[tuple[Point, HostState, Link]]:
    """Give the VXLAN interfaces that are no ports of a bridge: frames are for their own MAC there."""
    for point in case.context.points:
        host = case.hosts[point.host]
        link = host.link(point.interface or point.name)
        if link is not None and link.kind == "vxlan" and link.master is None and link.mac is not None:
            yield point, host, link


def _senders(case: Case, point: Point, link: Link) -> Iterator[tuple[Mac, Address]]:
    """Give the MACs that others send from there, each with an address."""
    frames = case.context.frames
    ip = has(frames["layers"], Layer.IPV4 | Layer.IPV6)
    rows = np.flatnonzero((frames["point"] == point.id) & ip & (frames["eth_src"] != (link.mac or 0)))
    versions = np.where(has(frames["layers"][rows], Layer.IPV6), 6, 4)
    for mac, high, low, version in distinct_rows(
        frames["eth_src"][rows], frames["src_hi"][rows], frames["src"][rows], versions
    ):
        yield Mac(mac), address(version, high, low)


def _for(case: Case, packet: int) -> Address | None:
    return case.context.dst(int(case.last_row[packet]))
