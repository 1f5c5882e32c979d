"""Truth for samples: which frames are the same packet, from conntrack's tuples and whole packets, without hoptrace.

Each frame's tuple is translated back to its connection's original tuple as the kernel stated it; frames with the same
original tuple, direction and content (all that NAT leaves alone, byte by byte) are one packet. Repetitions pair up in
order.
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dpkt

Sighting = tuple[str, int]
"""Point, and frame number from 1."""
Tuple = tuple[str, str, str, int, int]

ECHO = {"icmp": (8, 0), "icmpv6": (128, 129)}
CLOCK_SLACK_NS = 2_000_000
"""conntrack's events are written a little after the frame that caused them."""


class Truth:
    """The kernel's connections of one sample."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connections = json.loads((folder / "expected.json").read_text())["connections"]
        self._by_tuple: dict[Tuple, list[tuple[int, Tuple, bool]]] = defaultdict(list)
        for connection in self.connections:
            original, reply = _tuples(connection)
            for seen, is_reply in (
                (original, False),
                (_reversed(original), True),
                (reply, True),
                (_reversed(reply), False),
            ):
                entry = (connection["time_ns"], original, is_reply)
                if entry not in self._by_tuple[seen]:
                    self._by_tuple[seen].append(entry)

    def tuples(self) -> list[tuple[Tuple, Tuple]]:
        """Return every connection's original and reply tuple, sorted."""
        return sorted(_tuples(connection) for connection in self.connections)

    def packets(self) -> set[frozenset[Sighting]]:
        """Return every packet as the set of its sightings."""
        groups: dict[Hashable, set[Sighting]] = defaultdict(set)
        for file in sorted(self.folder.glob("*.pcap")):
            seen: dict[Hashable, int] = defaultdict(int)
            for number, time_ns, frame in _frames(file):
                key = self._content(time_ns, frame)
                groups[key, seen[key]].add((file.stem, number))
                seen[key] += 1
        return {frozenset(group) for group in groups.values()}

    def _content(self, time_ns: int, frame: bytes) -> Hashable:
        ethernet = dpkt.ethernet.Ethernet(frame)
        ip = ethernet.data
        if not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6):
            return bytes(ip)[:28] if isinstance(ip, dpkt.arp.ARP) else frame
        layer = ip.data
        protocol = {dpkt.tcp.TCP: "tcp", dpkt.udp.UDP: "udp", dpkt.icmp.ICMP: "icmp"}.get(type(layer))
        protocol = "icmpv6" if isinstance(layer, dpkt.icmp6.ICMP6) else protocol
        owner = self._owner(protocol, time_ns, ip, layer) if protocol else None
        if owner is None:
            return bytes(layer), ip.src, ip.dst
        identity = ip.id if isinstance(ip, dpkt.ip.IP) else 0
        if isinstance(layer, dpkt.tcp.TCP):
            rest: tuple[Any, ...] = (layer.seq, layer.ack, layer.flags, layer.win, layer.opts, bytes(layer.data))
        elif isinstance(layer, dpkt.udp.UDP):
            rest = (bytes(layer.data),)
        else:
            rest = (layer.type, bytes(layer.data)[2:])  # without the identifier
        return (owner, identity, *rest)

    def _owner(self, protocol: str, time_ns: int, ip: Any, layer: Any) -> tuple[Tuple, bool] | None:
        source, target = str(ip_address(ip.src)), str(ip_address(ip.dst))
        if protocol in ECHO:
            if layer.type not in ECHO[protocol]:
                return None
            echo = layer.data
            seen: Tuple = (protocol, source, target, echo.id, int(layer.type != ECHO[protocol][0]))
        else:
            seen = (protocol, source, target, layer.sport, layer.dport)
        candidates = [c for c in self._by_tuple.get(seen, ()) if c[0] <= time_ns + CLOCK_SLACK_NS]
        if not candidates:
            candidates = self._by_tuple.get(seen, [])[:1]
        return max(candidates)[1:] if candidates else None


def _frames(file: Path) -> Iterator[tuple[int, int, bytes]]:
    with file.open("rb") as stream:
        for number, (time, frame) in enumerate(dpkt.pcap.Reader(stream), start=1):
            yield number, int(time * 1_000_000_000), frame


def _tuples(connection: dict[str, Any]) -> tuple[Tuple, Tuple]:
    """Return original and reply tuple; of a ping, the last two numbers are its id and whether it is an answer."""
    protocol = connection["protocol"]
    found: list[Tuple] = []
    for answer, fields in enumerate((connection["original"], connection["reply"])):
        source, target = str(ip_address(fields["src"])), str(ip_address(fields["dst"]))
        ports = (fields["icmp_id"], answer) if "icmp_id" in fields else (fields["sport"], fields["dport"])
        found.append((protocol, source, target, *ports))
    return found[0], found[1]


def _reversed(one: Tuple) -> Tuple:
    protocol, source, target, first, second = one
    if protocol in ECHO:
        return protocol, target, source, first, 1 - second
    return protocol, target, source, second, first
