"""Truth for samples: which frames are the same packet, from conntrack's tuples and whole packets, without hoptrace.

Each frame's tuple is translated back to its connection's original tuple as the kernel stated it; frames with the same
original tuple, direction and content (all that NAT leaves alone, byte by byte) are one packet. Repetitions pair up in
order.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Hashable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dpkt

Sighting = tuple[str, int]
"""Point, and frame number from 1."""
Tuple = tuple[str, str, str, int, int]

ARP, IPV4, IPV6, LINUX_SLL2 = 0x0806, 0x0800, 0x86DD, 276
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
PROTOCOLS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmpv6"}
ICMP_ERRORS = (3, 4, 5, 11, 12)
ECHO = {"icmp": (8, 0), "icmpv6": (128, 129)}
CLOCK_SLACK_NS = 2_000_000
"""conntrack's events are written a little after the frame that caused them."""
FLOOD_NS = 5_000_000
"""A bridge floods a frame to all its ports at once; nobody sends the same one again so soon."""


class Truth:
    """The kernel's connections of one sample."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connections = json.loads((folder / "expected.json").read_text())["connections"]
        everything = [frame[2:4] for file in folder.glob("*.pcap") for frame in _frames(file)]
        cut = [
            len(packet) for kind, packet in everything if kind in (IPV4, IPV6) and len(packet) < _length(kind, packet)
        ]
        self._keep = min(cut, default=1 << 20)
        """Bytes that every point kept."""
        self._by_tuple: dict[Tuple, list[tuple[int, Tuple, bool]]] = defaultdict(list)
        for connection in self.connections:
            original, reply = _tuples(connection)
            # What is translated twice shows a third tuple in between: the destination is the new one already.
            middle = (original[0], original[1], reply[1], original[3], reply[3] if original[0] not in ECHO else 0)
            for seen, is_reply in (
                (original, False),
                (_reversed(original), True),
                (middle, False),
                (_reversed(middle), True),
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
            flood_ns: dict[Hashable, int] = {}
            for number, (time_ns, point, kind, packet, flooded) in enumerate(_frames(file), start=1):
                key = self._content(time_ns, kind, packet)
                if flooded and time_ns - flood_ns.get((point, key), 0) < FLOOD_NS:  # a hairpin port sent it back
                    groups[key, seen[point, key] - 1].add((point, number))
                    continue
                groups[key, seen[point, key]].add((point, number))
                seen[point, key] += 1
                flood_ns[point, key] = time_ns
        return {frozenset(group) for group in groups.values()}

    def _content(self, time_ns: int, kind: int, packet: bytes) -> Hashable:
        """Return what is the same wherever a packet is seen, as far as every point kept it."""
        if kind == ARP:
            return packet[:28]
        if kind not in (IPV4, IPV6):
            return packet[: self._keep]
        header = (packet[0] & 15) * 4 if kind == IPV4 else 40
        proto = packet[9] if kind == IPV4 else packet[6]
        source, target = (packet[12:16], packet[16:20]) if kind == IPV4 else (packet[8:24], packet[24:40])
        rest = packet[header : min(self._keep, _length(kind, packet))]
        identity = packet[4:6] if kind == IPV4 else b""
        if kind == IPV4 and proto == ICMP and rest[0] in ICMP_ERRORS:
            quoted = rest[8:]
            return "error", rest[:2], identity, quoted[2:6], quoted[9]  # the quote's length and id, and its protocol
        owner = self._owner(time_ns, proto, source, target, rest)
        if owner is None:
            return proto, source, target, identity, rest
        if proto == TCP:
            return owner, identity, rest[4:16], rest[18:]  # without ports and checksum
        return owner, identity, rest[:1] + rest[6:] if proto in (ICMP, ICMP6) else rest[8:]

    def _owner(self, time_ns: int, proto: int, src: bytes, dst: bytes, rest: bytes) -> tuple[Tuple, bool] | None:
        protocol = PROTOCOLS.get(proto)
        if protocol is None:
            return None
        source, target = str(ip_address(src)), str(ip_address(dst))
        if protocol in ECHO:
            if rest[0] not in ECHO[protocol]:
                return None
            seen: Tuple = (protocol, source, target, *struct.unpack("!H", rest[4:6]), int(rest[0] != ECHO[protocol][0]))
        else:
            seen = (protocol, source, target, *struct.unpack("!HH", rest[:4]))
        candidates = [c for c in self._by_tuple.get(seen, ()) if c[0] <= time_ns + CLOCK_SLACK_NS]
        if not candidates:
            candidates = self._by_tuple.get(seen, [])[:1]
        return max(candidates)[1:] if candidates else None


def _length(kind: int, packet: bytes) -> int:
    """Return the length of a datagram; what follows is padding."""
    return int.from_bytes(packet[2:4], "big") if kind == IPV4 else int.from_bytes(packet[4:6], "big") + 40


def _frames(file: Path) -> Iterator[tuple[int, str, int, bytes, bool]]:
    """Give time, point, EtherType, network packet, and if it is for many, of each Ethernet or LINUX_SLL2 frame."""
    with file.open("rb") as stream:
        reader = dpkt.pcap.Reader(stream)
        for time, frame in reader:
            time_ns = int(time * 1_000_000_000)
            if reader.datalink() == LINUX_SLL2:
                kind, _, device = struct.unpack("!HHI", frame[:8])
                yield time_ns, f"if{device}", kind, frame[20:], False
            else:
                kind, to_many = int.from_bytes(frame[12:14], "big"), bool(frame[0] & 1)
                yield time_ns, file.stem, kind, frame[14:], to_many


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
