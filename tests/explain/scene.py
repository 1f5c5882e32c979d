"""A Docker host in a few lines: a container's packets at its points, whole or not, and what dumps say of the host."""

import json
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from analyzer import analyze
from analyzer.explain.case import Case
from analyzer.model import Finding
from analyzer.points.named import role_of_name
from analyzer.read.manifest import Manifest, RecordedPoint, write_manifest
from analyzer.record.drops import FILE as DROPS
from analyzer.state.retis import FILE as RETIS
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, Record, ether, ipv4, ipv6, write_pcap

INSIDE, HOST, SERVER = "172.17.0.2", "192.168.1.100", "8.8.8.8"
INSIDE6, SERVER6 = "fd00:17::2", "2001:4860::8"
MS = 1_000_000
_SUMS = {1: 2, 6: 16, 58: 2}


def packet(src: str, dst: str, proto: int, body: bytes, *, ttl: int = 64, ident: int = 1) -> bytes:
    """Build an IP packet of either version, with a right checksum; UDP has none."""
    place = _SUMS.get(proto)
    if place is not None:
        ends = b"".join(ip_address(ip).packed for ip in (src, dst))
        over = b"" if proto == 1 else ends + struct.pack("!IHBB", len(body), 0, 0, proto)
        body = body[:place] + struct.pack("!H", _checksum(over + body)) + body[place + 2 :]
    if ":" in src:
        return ipv6(src, dst, proto, body, hops=ttl)
    return ipv4(src, dst, proto, body, ttl=ttl, ident=ident)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def frame(src: str, dst: str, data: bytes) -> bytes:
    return ether(src, dst, data, 0x86DD if data[0] >> 4 == 6 else 0x0800)


def icmp(kind: int, code: int, about: bytes, word: int = 0) -> bytes:
    """Build an ICMP error about a packet."""
    return struct.pack("!BBHI", kind, code, 0, word) + about[:80]


@dataclass
class Scene:
    """What the points of a host recorded, in ms since the beginning."""

    folder: Path
    points: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    dumps: dict[str, object] = field(default_factory=dict)
    """By file in ``host/``: text, or what is written as JSON; ``before/FILE`` is of before the captures, and drops lie
    beside."""
    ident: int = 0

    def see(self, point: str, ms: float, data: bytes) -> None:
        """Record a frame at a point."""
        self.points[point].append((T0 + round(ms * MS), data))

    def out(
        self, ms: float, proto: int, body: bytes, *, src: str = INSIDE, dst: str = SERVER, masked: str | None = HOST,
        until: str = "wlan0", mac: str = C1, ident: int | None = None, ttl: int = 64, veth: str = "veth-c2",
    ) -> None:  # fmt: skip
        """Let a container send a packet outwards; it is seen no further than *until*, and leaves as *masked*."""
        number = self._ident() if ident is None else ident
        inner = packet(src, dst, proto, body, ttl=ttl, ident=number)
        outer = packet(masked or src, dst, proto, body, ttl=ttl - 1, ident=number)
        seen = ((veth, mac, BRIDGE, inner), ("docker0", mac, BRIDGE, inner), ("wlan0", UPLINK, GATEWAY, outer))
        self._pass(ms, seen, until)

    def back(
        self, ms: float, proto: int, body: bytes, *, src: str = SERVER, dst: str = INSIDE, masked: str | None = HOST,
        until: str | None = None, mac: str = C1, ident: int | None = None, ttl: int = 54, veth: str = "veth-c2",
    ) -> None:  # fmt: skip
        """Let somebody outside send a packet to a container, which comes for *masked*."""
        number = self._ident() if ident is None else ident
        outer = packet(src, masked or dst, proto, body, ttl=ttl, ident=number)
        inner = packet(src, dst, proto, body, ttl=ttl - 1, ident=number)
        seen = (("wlan0", GATEWAY, UPLINK, outer), ("docker0", BRIDGE, mac, inner), (veth, BRIDGE, mac, inner))
        self._pass(ms, seen, until or veth)

    def error(
        self, ms: float, kind: int, code: int, proto: int, body: bytes, *, ident: int = 0, by: str = SERVER,
        word: int = 0, src: str = INSIDE, dst: str = SERVER, masked: str = HOST, mac: str = C1, veth: str = "veth-c2",
        until: str | None = None,
    ) -> None:  # fmt: skip
        """Let somebody outside answer a container's packet, which left as *masked*, with an ICMP error."""
        said = 58 if ":" in src else 1
        quotes = [icmp(kind, code, packet(end, dst, proto, body, ttl=60, ident=ident), word) for end in (masked, src)]
        outer, inner = packet(by, masked, said, quotes[0], ident=ident), packet(by, src, said, quotes[1], ttl=63,
                                                                                ident=ident)  # fmt: skip
        seen = (("wlan0", GATEWAY, UPLINK, outer), ("docker0", BRIDGE, mac, inner), (veth, BRIDGE, mac, inner))
        self._pass(ms, seen, until or veth)

    def _pass(self, ms: float, seen: tuple[tuple[str, str, str, bytes], ...], until: str) -> None:
        for place, (point, src, dst, data) in enumerate(seen):
            self.see(point, ms + place * 0.02, frame(src, dst, data))
            if point == until:
                break

    def _ident(self) -> int:
        self.ident += 1
        return self.ident

    def write(self) -> Path:
        """Write captures and dumps."""
        for name, records in self.points.items():
            write_pcap(self.folder / f"{name}.pcap", sorted(records, key=lambda record: record[0]))
        for name, dump in self.dumps.items():
            place = f"host-before/{name[7:]}" if name.startswith("before/") else f"host/{name}"
            path = self.folder / (name if name in {DROPS, RETIS} else place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dump if isinstance(dump, str) else json.dumps(dump))
        return self.folder

    def recorded(self, until_ms: float, command: tuple[str, ...] = (), **fields: object) -> None:
        """Write a manifest: all captures ran until then, and *command* did; *fields* are those of each point."""
        points = tuple(
            RecordedPoint(name, f"{name}.pcap", name, role_of_name(name), **{"dropped": 0, **fields})  # type: ignore[arg-type]
            for name in self.points
        )
        write_manifest(
            self.folder, Manifest(T0 - 1, T0 + round(until_ms * MS), "host", 0, command=command, points=points)
        )

    def findings(self, check: str | None = None) -> list[Finding]:
        """Analyse it, and return what is told, by one check or all."""
        return [found for found in analyze([self.write()]).findings if check in (None, found.check)]

    def titles(self, check: str) -> list[str]:
        """Return the titles of what a check tells."""
        return sorted(found.detail for found in self.findings(check))

    def case(self) -> Case:
        """Return what checks look at, before any of them ran."""
        trace = analyze([self.write()])
        told = trace.correlated
        return Case(trace.context, trace.tracer, trace.files, told.contradictions, lambda: trace.names,
                       trace.read_again)  # fmt: skip
