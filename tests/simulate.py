"""A Docker host in a few lines: packets go through it, captures come out, and it knows which frames are which packet.

Unlike the real engine it can lose, repeat and confuse at will, a thousand times a second.
"""

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.build import BRIDGE, GATEWAY, T0, UPLINK, echo, ether, ipv4, tcp, udp, write_pcap

HOST_IP = "192.168.1.100"
ACK, PSH, SYN, FIN = 0x10, 0x08, 0x02, 0x01


@dataclass
class Flow:
    """One connection of a container, and its translation."""

    container: int
    server: str
    proto: str
    sport: int
    dport: int
    translated: int
    seq: list[int]
    ident: int
    stamp: int
    payload: bytes | None = None
    """Equal in all packets, if set."""


@dataclass
class Simulator:
    """Makes traffic; ``truth`` collects each packet's sightings as (point, frame number)."""

    seed: int
    loss: float = 0.0
    zero_ident: bool = False
    random: Random = field(init=False)
    records: dict[str, list[tuple[int, int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    now: int = T0
    packets: int = 0
    used: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def flow(self, proto: str, container: int, server: str, sport: int, dport: int, payload: bytes | None) -> Flow:
        """Open a connection; its port is kept if it is free, as MASQUERADE does."""
        translated = sport
        while (f"{proto} {server} {dport}", translated) in self.used:
            translated = self.random.randrange(1024, 65536)
        self.used.add((f"{proto} {server} {dport}", translated))
        start = [self.random.getrandbits(32), self.random.getrandbits(32)]
        ident = 0 if self.zero_ident else self.random.getrandbits(16)
        return Flow(
            container, server, proto, sport, dport, translated, start, ident, self.random.getrandbits(31), payload
        )

    def close(self, flow: Flow) -> None:
        """Free its port for others."""
        self.used.discard((f"{flow.proto} {flow.server} {flow.dport}", flow.translated))

    def send(self, flow: Flow, *, reply: bool, size: int = 20, flags: int = ACK | PSH, again: bool = False) -> None:
        """Send one packet through the host, from the container outwards or back."""
        self.now += self.random.randrange(1_000, 400_000)
        if not self.zero_ident:
            flow.ident = flow.ident % 65535 + 1
        flow.stamp += 1
        payload = flow.payload or self.random.randbytes(size)
        inside, outside = f"172.17.0.{flow.container}", HOST_IP
        mac = f"02:42:ac:11:00:{flow.container:02x}"
        way = [
            (f"veth-c{flow.container}", inside, flow.sport, (mac, BRIDGE), 64 if not reply else 54),
            ("docker0", inside, flow.sport, (mac, BRIDGE), 64 if not reply else 54),
            ("wlan0", outside, flow.translated, (UPLINK, GATEWAY), 63 if not reply else 55),
        ]
        if flags & SYN and not again:
            payload = b""
        body = self._body(flow, payload, reply, flags)
        lost = self.random.random() < self.loss
        time = self.now
        for point, near, port, (here, there), ttl in reversed(way) if reply else way:
            if lost and point == ("wlan0" if not reply else f"veth-c{flow.container}"):
                continue
            packet = self._packet(flow, body, near, port, reply, ttl)
            frame = ether(there, here, packet) if reply else ether(here, there, packet)
            self.records[point].append((time, self.packets, frame))
            time += self.random.randrange(0, 30_000)
        if not again:
            used = len(payload) + bool(flags & SYN) + bool(flags & FIN)
            flow.seq[reply] = (flow.seq[reply] + used) % (1 << 32)
        self.packets += 1

    def _body(self, flow: Flow, payload: bytes, reply: bool, flags: int) -> tuple[int, int, int, bytes, int]:
        return flow.seq[reply], 0 if flags == SYN else flow.seq[not reply], flags, payload, flow.stamp

    def _packet(
        self, flow: Flow, body: tuple[int, int, int, bytes, int], near: str, port: int, reply: bool, ttl: int
    ) -> bytes:
        seq, ack, flags, payload, stamp = body
        src, dst = (flow.server, near) if reply else (near, flow.server)
        if flow.proto == "icmp":
            number = struct.unpack("!H", struct.pack("!I", stamp)[2:])[0]
            return ipv4(src, dst, 1, echo(0 if reply else 8, port, number, payload), ttl=ttl, ident=flow.ident)
        sport, dport = (flow.dport, port) if reply else (port, flow.dport)
        if flow.proto == "udp":
            return ipv4(src, dst, 17, udp(sport, dport, payload), ttl=ttl, ident=flow.ident)
        segment = tcp(sport, dport, seq, ack, flags, payload, (stamp, stamp ^ 0x5555))
        return ipv4(src, dst, 6, segment, ttl=ttl, ident=flow.ident)

    def write(self, folder: Path) -> list[str]:
        """Write one capture per point."""
        return [
            write_pcap(folder / f"{point}.pcap", [(t, data) for t, _, data in sorted(records)])
            for point, records in sorted(self.records.items())
        ]

    def truth(self) -> set[frozenset[tuple[str, int]]]:
        """Return every packet as the set of its sightings."""
        groups: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for point, records in self.records.items():
            for number, (_, packet, _) in enumerate(sorted(records), start=1):
                groups[packet].add((point, number))
        return {frozenset(group) for group in groups.values()}
