"""Bytes of packets and captures, made field by field, so that a test says what it reads."""

import struct
from ipaddress import ip_address
from pathlib import Path

import dpkt

from analyzer.read.records import LINKTYPE_LINUX_SLL

C1, C2, BRIDGE = "02:42:ac:11:00:02", "02:42:ac:11:00:03", "02:42:a5:97:21:da"
UPLINK, GATEWAY = "3c:22:fb:10:20:30", "00:1d:aa:01:02:03"
T0 = 1_790_000_000_000_000_000

Record = tuple[int, bytes]
"""Time in ns, and the packet."""


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ether(src: str, dst: str, payload: bytes, kind: int = 0x0800, vlans: tuple[int, ...] = ()) -> bytes:
    tags = b"".join(struct.pack("!HH", 0x8100, vlan) for vlan in vlans)
    return mac(dst) + mac(src) + tags + struct.pack("!H", kind) + payload


def ipv4(
    src: str, dst: str, proto: int, payload: bytes, *, ttl: int = 64, ident: int = 1, flags: int = 0x4000,
    options: bytes = b"", total: int | None = None,
) -> bytes:  # fmt: skip
    header = 20 + len(options)
    length = header + len(payload) if total is None else total
    fixed = struct.pack("!BBHHHBBH", 0x40 | header // 4, 0, length, ident, flags, ttl, proto, 0)
    return fixed + ip_address(src).packed + ip_address(dst).packed + options + payload


def ipv6(src: str, dst: str, proto: int, payload: bytes, *, hops: int = 64) -> bytes:
    fixed = struct.pack("!IHBB", 6 << 28, len(payload), proto, hops)
    return fixed + ip_address(src).packed + ip_address(dst).packed + payload


def tcp(
    sport: int, dport: int, seq: int, ack: int, flags: int, payload: bytes = b"", stamps: tuple[int, int] | None = None
) -> bytes:
    options = b"\1\1\x08\x0a" + struct.pack("!II", *stamps) if stamps else b""
    offset = (20 + len(options)) // 4 << 12
    return struct.pack("!HHIIHHHH", sport, dport, seq, ack, offset | flags, 501, 0, 0) + options + payload


def udp(sport: int, dport: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def echo(kind: int, ident: int, seq: int, payload: bytes = b"") -> bytes:
    return struct.pack("!BBHHH", kind, 0, 0, ident, seq) + payload


def arp(op: int, sha: str, spa: str, tha: str, tpa: str) -> bytes:
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op)
    return head + mac(sha) + ip_address(spa).packed + mac(tha) + ip_address(tpa).packed


def pcap(
    records: list[Record], *, order: str = "<", nano: bool = True, link_type: int = 1, snap: int = 262_144
) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    unit = 1 if nano else 1000
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link_type)]
    for time_ns, packet in records:
        kept = packet[:snap]
        head = (time_ns // 10**9, time_ns % 10**9 // unit, len(kept), len(packet))
        parts.append(struct.pack(f"{order}IIII", *head) + kept)
    return b"".join(parts)


def write_pcap(path: Path, records: list[Record], **options: object) -> str:
    path.write_bytes(pcap(records, **options))  # type: ignore[arg-type]
    return str(path)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order: str = "<", minor: int = 0) -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, minor, -1), order)


def interface(link_type: int = 1, snap: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(f"{order}HHI", link_type, 0, snap) + options, order)


def enhanced(
    number: int, ticks: int, packet: bytes, options: bytes = b"", order: str = "<", orig: int | None = None
) -> bytes:
    head = struct.pack(
        f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet) if orig is None else orig
    )
    return block(6, head + packet + b"\0" * (-len(packet) % 4) + options, order)


def without_interfaces(cooked: Path, path: Path) -> str:
    """Write a capture of LINUX_SLL2 as LINUX_SLL, which does not say which interface a frame was seen at."""
    records = []
    with cooked.open("rb") as file:
        for seconds, data in dpkt.pcap.Reader(file):
            sll2 = dpkt.sll2.SLL2(data)
            head = dpkt.sll.SLL(type=sll2.type, hrd=sll2.hrd, hlen=sll2.hlen, hdr=sll2.hdr, ethtype=sll2.ethtype)
            records.append((round(seconds * 10**9), head.pack_hdr() + data[20:]))
    return write_pcap(path, records, link_type=LINKTYPE_LINUX_SLL)
