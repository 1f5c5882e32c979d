"""A context of a few packets, frame by frame: what trace is given by the stages before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.model import Address, Basis, Hosts, HostState, Point, Role
from analyzer.packet.connections import Doubts
from analyzer.packet.context import Context
from analyzer.schema import CONNECTIONS, FRAMES, HOPS, NEIGHBOURS, QUOTES, TUNNELS, Columns, Layer, Table

ETHERNET = Layer.MAC_SRC | Layer.MAC_DST | Layer.ETH_TYPE
UDP = ETHERNET | Layer.IPV4 | Layer.PORTS | Layer.UDP
TCP = ETHERNET | Layer.IPV4 | Layer.PORTS | Layer.TCP
ECHO = ETHERNET | Layer.IPV4 | Layer.ICMP | Layer.ECHO
ERROR = ETHERNET | Layer.IPV4 | Layer.ICMP | Layer.QUOTE
ARP = ETHERNET | Layer.ARP | Layer.NEIGHBOUR
INNER, BRIDGE, UPLINK, GATEWAY = 0x0242_AC11_0002, 0x0242_A597_21DA, 0x3C22_FB10_2030, 0x001D_AA01_0203
"""MACs of a container, of its bridge, of the host's card, and of the router behind it."""

Frame = dict[str, Any]
"""Columns of FRAMES by name; addresses as text; rows of other tables as ``neighbour``, ``quote`` and ``tunnel``."""


@dataclass
class Packet:
    """One packet: its frames by hop, and its connection's row."""

    hops: list[list[Frame]]
    connection: int = -1
    reply: bool = False
    ambiguous: bool = False


def packet(*hops: Frame | list[Frame], connection: int = -1, reply: bool = False, ambiguous: bool = False) -> Packet:
    """Take a packet's hops, each one frame or several."""
    return Packet([hop if isinstance(hop, list) else [hop] for hop in hops], connection, reply, ambiguous)


def seen(point: int, time_ns: int, **columns: Any) -> Frame:
    """Return a datagram's frame at a point; *columns* are what is not as usual."""
    usual = {
        "layers": UDP, "src": "172.17.0.2", "dst": "8.8.8.8", "sport": 4000, "dport": 53, "ttl": 64,
        "eth_src": INNER, "eth_dst": BRIDGE, "eth_type": 0x0800, "payload_len": 20, "ip_len": 48, "orig_len": 62,
    }  # fmt: skip
    frame = {**usual, **columns, "point": point, "time_ns": time_ns}
    if frame["layers"] & Layer.PORTS:
        frame.setdefault("proto", PROTO_TCP if frame["layers"] & Layer.TCP else PROTO_UDP)
    return frame


def at(number: int, name: str, role: Role, **fields: Any) -> Point:
    """Return a point."""
    return Point(number, name, f"{name}.pcap", fields.pop("interface", name), role, Basis.INFERRED, 1, **fields)


def _split(columns: dict[str, Any]) -> dict[str, Any]:
    """Give addresses as the two halves that tables have."""
    found: dict[str, Any] = {}
    for name, value in columns.items():
        ip: Address | None = ip_address(value) if isinstance(value, str) else None
        if ip is None:
            found[name] = value
        else:
            found[name], found[f"{name}_hi"] = int(ip) & (1 << 64) - 1, int(ip) >> 64
    return found


def table(kind: Table, rows: Sequence[dict[str, Any]]) -> Columns:
    """Return a table of rows; what they do not tell is 0."""
    found = kind.empty(len(rows))
    for number, row in enumerate(rows):
        for name, value in _split(row).items():
            found[name][number] = value
    return found


def connection(*, original: tuple[str, int, str, int], reply: tuple[str, int, str, int], **columns: Any) -> Frame:
    """Return a row of CONNECTIONS; tuples are source, its port, destination, its port."""
    found: Frame = {"version": ip_address(original[0]).version, "proto": PROTO_UDP, "stated": -1, "seen_reply": True}
    found |= {"relayed_to": -1, "relayed_from": -1}
    for way, (src, sport, dst, dport) in (("orig", original), ("reply", reply)):
        found |= {f"{way}_src": src, f"{way}_sport": sport, f"{way}_dst": dst, f"{way}_dport": dport}
    return found | columns


def context(
    points: Sequence[Point],
    packets: Sequence[Packet],
    *,
    connections: Sequence[Frame] = (),
    hosts: Sequence[HostState] = (),
    doubts: Doubts | None = None,
) -> Context:
    """Put packets into tables, in the order in which correlation has them."""
    placed = [
        (frame, number, hop, one)
        for number, one in enumerate(packets)
        for hop, frames in enumerate(one.hops)
        for frame in frames
    ]
    order = sorted(range(len(placed)), key=lambda n: (placed[n][0]["point"], placed[n][0]["time_ns"]))
    row_of = {place: row for row, place in enumerate(order)}
    frames = [placed[place][0] for place in order]
    others: dict[str, list[Frame]] = {"neighbour": [], "quote": [], "tunnel": []}
    rows: list[Frame] = []
    counted = [0] * len(points)
    for row, frame in enumerate(frames):
        counted[frame["point"]] += 1
        rows.append({"frame": counted[frame["point"]], **{k: v for k, v in frame.items() if k not in others}})
        for name, found in others.items():
            if name in frame:
                found.append({"row": row, **frame[name]})
    hops = [
        {"row": row_of[place], "packet": number, "hop": hop, "connection": one.connection, "reply": one.reply,
         "ambiguous": one.ambiguous}
        for place, (_, number, hop, one) in enumerate(placed)
    ]  # fmt: skip
    return Context(
        frames=table(FRAMES, rows),
        quotes=table(QUOTES, others["quote"]),
        neighbours=table(NEIGHBOURS, others["neighbour"]),
        tunnels=table(TUNNELS, others["tunnel"]),
        hops=table(HOPS, hops),
        connections=table(CONNECTIONS, connections),
        points=[_spanned(point, frames) for point in points],
        hosts=Hosts.of(*hosts) if hosts else Hosts(),
        doubts=doubts or Doubts(),
    )


def _spanned(point: Point, frames: Sequence[Frame]) -> Point:
    """Tell a point's times by its frames, where the test does not."""
    times = np.array([frame["time_ns"] for frame in frames if frame["point"] == point.id], np.int64)
    if not len(times) or point.first_ns is not None:
        return point
    return replace(point, frames=len(times), first_ns=int(times.min()), last_ns=int(times.max()))
