"""What means harm, by name: each writes one input of at most 64 MiB into a folder, and gives what is to be analysed.

*size* is the share of the full size, so that tests may make small ones.
"""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from analyzer.read.zstandard import zstd
from tests.build import C1, C2, arp, echo, ether, ipv4, ipv6, tcp, udp
from tests.hostile.packets import COOKED2, block, interface, numbered, option, packet, pcap, random, section

FULL = 60 << 20
"""Bytes of the largest input."""
HEADER = 16
Case = Callable[[Path, float], Path]
CASES: dict[str, Case] = {}
A, B = "10.0.0.1", "10.0.0.2"
UDP = ether(C1, C2, ipv4(A, B, 17, udp(5, 6, b"payload.")))
TCP = ether(C1, C2, ipv4(A, B, 6, tcp(5, 6, 1, 1, 0x10, b"payload.", (1, 1))))
SYN = ether(C1, C2, ipv4(A, B, 6, tcp(5, 6, 1, 0, 2)))
LONG = ether(C1, C2, ipv4(A, B, 17, udp(5, 6, bytes(60)), ident=0))
DNS = ether(C1, C2, ipv4(A, B, 17, udp(5, 53, b"\0\0\1\0\0\1\0\0\0\0\0\0\4name\4test\0\0\1\0\1")))
ICMP_ERROR = ether(C1, C2, ipv4(A, B, 1, b"\3\1\0\0\0\0\0\0" + ipv4(B, A, 17, udp(6, 5, b""))))


def case(make: Case) -> Case:
    """Name a case by its function."""
    CASES[make.__name__.removeprefix("_")] = make
    return make


def _frames(name: str, frame: bytes, fill: Callable[..., None] | None = None, link_type: int = 1) -> None:
    """Add a case of as many frames as there is room for."""

    def make(folder: Path, size: float) -> Path:
        path = folder / f"{name}.pcap"
        pcap(path, frame, int(size * FULL) // (HEADER + len(frame)), fill, link_type)
        return path

    CASES[name] = make


_frames("frames_of_no_byte", b"")
_frames("frames_of_a_link_header", UDP[:14])
_frames("one_frame_over_and_over", UDP)
_frames("sources_that_differ", UDP, numbered(26))
_frames("ports_that_differ", UDP, random(34, 38))
_frames("both_addresses_by_chance", UDP, random(26, 34))
_frames("connections_by_their_syn", SYN, numbered(26))
_frames("datagrams_that_begin_alike", LONG, random(42 + 40, 42 + 48))
_frames("segments_in_no_order", TCP, random(38, 46))
_frames("segments_that_overlap", TCP, random(41, 42))
_frames("echoes_that_differ", ether(C1, C2, ipv4(A, B, 1, echo(8, 1, 1))), random(38, 42))
_frames("arp_questions", ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, A, "00:00:00:00:00:00", B), 0x0806), numbered(38))
_frames("arp_answers", ether(C1, C2, arp(2, C1, A, C2, B), 0x0806), random(22, 32))
_frames("macs_that_differ", UDP, random(0, 12))
_frames("dns_questions", DNS, random(42, 44))
_frames("dns_names", DNS, random(55, 59))
_frames("icmp_errors", ICMP_ERROR, numbered(30))
_frames("icmp_quotes", ICMP_ERROR, random(54, 70))
_frames("first_fragments", ether(C1, C2, ipv4(A, B, 17, udp(5, 6, b""), flags=0x2000)), random(18, 20))
_frames("later_fragments", ether(C1, C2, ipv4(A, B, 17, b"12345678", flags=0x2001)), random(18, 20))
_frames("many_vlan_tags", ether(C1, C2, ipv4(A, B, 17, udp(5, 6, b"")), vlans=(1,) * 9))
_frames(
    "ipv6_headers",
    ether(C1, C2, ipv6("::1", "::2", 44, b"\x3c\0\0\0\0\0\0\1" + b"\x3c\0\1\4\0\0\0\0" * 10), kind=0x86DD),
)
_frames("only_chance", bytes(60), random(0, 60))
_frames("ip_by_chance", UDP, random(14, 50))
_frames("times_by_chance", UDP, None)
_frames(
    "devices_that_differ", struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, bytes(8)) + UDP[14:], numbered(4), COOKED2
)
_frames("link_type_unknown", UDP, None, 105)


@case
def _times_by_chance(folder: Path, size: float) -> Path:
    path = folder / "x.pcap"
    pcap(path, UDP, int(size * FULL) // (HEADER + len(UDP)))
    data = bytearray(path.read_bytes())
    for number, place in enumerate(range(24, len(data), HEADER + len(UDP))):
        data[place : place + 4] = struct.pack("<I", number * 2_654_435_761 & 0xFFFFFFFF)
    path.write_bytes(data)
    return path


def _packed(name: str, compress: Callable[[bytes], bytes], data: Callable[[int], bytes], room: int) -> None:
    """Add a case of a compressed capture that has *room* bytes unpacked."""

    def make(folder: Path, size: float) -> Path:
        path = folder / f"{name}.pcap"
        path.write_bytes(compress(data(int(size * room))))
        return path

    CASES[name] = make


def _empty_records(size: int) -> bytes:
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1) + bytes(size)


for _ending, _compress in {
    "gz": lambda data: gzip.compress(data, 6),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}.items():
    _packed(f"zeros_{_ending}", _compress, bytes, 1 << 29)
    _packed(f"empty_records_{_ending}", _compress, _empty_records, 1 << 29)


@case
def _records_and_chance_zst(folder: Path, size: float) -> Path:
    """Just below what is refused as a bomb: a capture of empty records that expands 900-fold."""
    path = folder / "x.pcap"
    room, share = int(size * (1 << 29)), 1 << 20
    compressor = zstd.ZstdCompressor()
    parts = [compressor.compress(_empty_records(0))]
    for _ in range(room // share):
        parts.append(compressor.compress(bytes(share)))
        parts.append(struct.pack("<II", 0x184D2A50, share // 900) + bytes(share // 900))  # a frame to be skipped
    path.write_bytes(b"".join(parts))
    return path


@case
def _empty_members_gz(folder: Path, size: float) -> Path:
    path = folder / "x.pcap"
    path.write_bytes(gzip.compress(b"") * int(size * 500_000))
    return path


@case
def _empty_frames_zst(folder: Path, size: float) -> Path:
    path = folder / "x.pcap"
    path.write_bytes(zstd.compress(b"") * int(size * 500_000))
    return path


def _pcapng(name: str, each: Callable[[int], bytes], room: int = FULL, begin: bytes = section() + interface()) -> None:
    """Add a case of a pcapng that repeats a block."""

    def make(folder: Path, size: float) -> Path:
        path = folder / f"{name}.pcapng"
        count = int(size * room) // len(each(0))
        path.write_bytes(begin + b"".join(map(each, range(count))))
        return path

    CASES[name] = make


_pcapng("interfaces", lambda _: interface(), 20 << 20)
_pcapng("interfaces_that_are_used", lambda n: interface() + packet(n, UDP), begin=section(), room=20 << 20)
_pcapng("interfaces_of_every_kind", lambda n: interface(n % 60_000) + packet(n, UDP), begin=section(), room=20 << 20)
_pcapng("sections", lambda _: section(), 20 << 20)
_pcapng("sections_with_a_packet", lambda _: section() + interface() + packet(0, UDP), 20 << 20)
_pcapng("comments", lambda n: packet(0, UDP, option(1, b"comment %d" % n)))
_pcapng("simple_packets", lambda _: block(3, struct.pack("<I", 20) + UDP[:20]))
_pcapng("journal_entries", lambda _: block(9, b"MESSAGE=x"))
_pcapng(
    "names", lambda n: block(4, struct.pack("<HH", 1, 12) + struct.pack(">I", n) + b"n%06d\0" % (n % 10**6) + bytes(4))
)
_pcapng("statistics", lambda n: block(5, struct.pack("<III", 0, 0, n) + option(5, bytes(8))))
_pcapng("unknown_blocks", lambda _: block(0x80000BAD, b""))
_pcapng(
    "old_packets",
    lambda _: block(2, struct.pack("<HHIIII", 0, 0, 1, 1, len(UDP), len(UDP)) + UDP + bytes(-len(UDP) % 4)),
)


@case
def _options_in_a_block(folder: Path, size: float) -> Path:
    path = folder / "x.pcapng"
    options = struct.pack("<HH", 2988, 0) * int(size * (4 << 20) - 100)
    path.write_bytes(section() + interface() + packet(0, UDP, options) + interface(1, options))
    return path


@case
def _snoop(folder: Path, size: float) -> Path:
    path = folder / "x.snoop"
    path.write_bytes(b"snoop\0\0\0\0\0\0\2\0\0\0\4" + struct.pack(">IIIIII", 0, 0, 24, 0, 1, 1) * int(size * FULL / 24))
    return path


def _archive(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    with (
        zstd.open(path, "wb") as out,
        tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def _small(folder: Path) -> bytes:
    pcap(folder / "small", UDP, 4)
    return (folder / "small").read_bytes()


def _declared(kind: bytes) -> Case:
    def make(folder: Path, size: float) -> Path:
        head = tarfile.TarInfo("././@LongLink")
        head.size, head.type = 4 << 30, kind
        path = folder / "x.tar.zst"
        path.write_bytes(zstd.compress(head.tobuf(tarfile.GNU_FORMAT) + bytes(int(size * (1 << 29)))))
        return path

    return make


CASES["bundle_with_a_long_name"] = _declared(tarfile.GNUTYPE_LONGNAME)
CASES["bundle_with_long_records"] = _declared(tarfile.XHDTYPE)


@case
def _bundle_that_expands(folder: Path, size: float) -> Path:
    return _archive(folder / "x.tar.zst", [("b/x.pcap", _small(folder)), ("b/y.pcap", bytes(int(size * (1 << 29))))])


@case
def _bundle_of_many_captures(folder: Path, size: float) -> Path:
    data = _small(folder)
    return _archive(folder / "x.tar.zst", ((f"b/{n}.pcap", data) for n in range(int(size * 9_000))))


def _dump(name: str, text: Callable[[float], str | bytes]) -> None:
    """Add a case of a bundle with a dump that means harm."""

    def make(folder: Path, size: float) -> Path:
        bundle = folder / "bundle"
        (bundle / "host").mkdir(parents=True)
        (bundle / "docker0.pcap").write_bytes(_small(folder))
        found = text(size)
        place = bundle if name in ("manifest.json", "conntrack-events.txt") else bundle / "host"
        (place / name).write_bytes(found if isinstance(found, bytes) else found.encode())
        return bundle

    CASES[f"dump_{name.partition('.')[0].replace('-', '_')}"] = make


RULE = "-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -m comment --comment x -j DROP\n"
NFT_RULE = {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 1, "expr": [{"drop": None}]}}
ENTRY = (
    "ipv4 2 udp 17 29 src=10.0.{}.{} dst=10.0.0.2 sport=5 dport=6 src=10.0.0.2 dst=10.0.{}.{} sport=6 dport=5 use=1\n"
)


def _fill(text: str, size: float, room: int = FULL) -> str:
    return text * (int(size * room) // len(text))


_dump("iptables-save.txt", lambda size: "*filter\n:FORWARD DROP [0:0]\n" + _fill(RULE, size) + "COMMIT\n")
_dump("nft-ruleset.json", lambda size: json.dumps({"nftables": [
    {"table": {"family": "inet", "name": "t"}},
    {"chain": {"family": "inet", "table": "t", "name": "c", "hook": "forward", "type": "filter", "prio": 0}},
    *[NFT_RULE] * int(size * FULL / 110),
]}))  # fmt: skip
_dump("conntrack.txt", lambda size: "".join(
    ENTRY.format(n >> 8 & 255, n & 255, n >> 8 & 255, n & 255) for n in range(int(size * FULL / len(ENTRY)))
))  # fmt: skip
_dump("conntrack-events.txt", lambda size: _fill("[1790000000.000001]\t[NEW] " + ENTRY.replace("{}", "1"), size))
_dump("docker-inspect.json", lambda size: json.dumps([{
    "Name": "/c", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "MacAddress": C1}}}
}] * int(size * FULL / 120)))  # fmt: skip
LISTS: dict[str, dict[str, object]] = {
    "ip-addr.json": {"ifindex": 1, "ifname": "eth0", "addr_info": []},
    "ip-route.json": {"dst": "10.0.0.0/8", "dev": "eth0"},
    "ip-neigh.json": {"dst": "10.0.0.1", "dev": "eth0", "lladdr": C1},
    "bridge-fdb.json": {"mac": C1, "ifname": "veth1", "master": "docker0"},
}
"""Dumps that are lists of one thing, over and over."""


def _repeated(item: dict[str, object], room: float) -> str:
    return json.dumps([item] * (int(room) // (len(json.dumps(item)) + 2)))


for _name, _item in LISTS.items():
    _dump(_name, lambda size, item=_item: _repeated(item, size * FULL))


@case
def _dumps_as_large_as_they_may_be(folder: Path, size: float) -> Path:
    """Several of them, each just below its limit."""
    bundle = folder / "bundle"
    (bundle / "host").mkdir(parents=True)
    (bundle / "docker0.pcap").write_bytes(_small(folder))
    for name, item in LISTS.items():
        (bundle / "host" / name).write_text(_repeated(item, size * (15 << 20)))
    return bundle


_dump("ipset.txt", lambda size: "create s hash:ip\n" + _fill("add s 10.0.0.1\n", size))
_dump("sysctl.txt", lambda size: _fill("net.ipv4.ip_forward = 1\n", size))
_dump("manifest.json", lambda size: b"[" * int(size * (15 << 20)))
