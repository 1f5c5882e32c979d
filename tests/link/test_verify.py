"""Frames of equal identity are compared byte by byte, and by their checksums, before they are one packet."""

import struct
from contextvars import ContextVar
from pathlib import Path

import pytest

from analyzer import Trace, analyze
from analyzer.decode import digest
from analyzer.model import Disposition
from analyzer.report import json_report
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, ether, ipv4, ipv6, udp, write_pcap

FAR, HOST, INSIDE = "198.51.100.80", "192.168.1.100", "172.17.0.2"
LONG = b"app.requests.count.total.service:1|c|#host:" + b"x" * 40
"""More than the identity takes in: what is behind may differ."""


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _datagram(src: str, dst: str, sport: int, payload: bytes, *, kind: str = "right", **options: int) -> bytes:
    """Return an IP packet, whose checksum is right, partial, none, or that of other bytes."""
    make = ipv6 if ":" in src else ipv4
    plain = udp(sport, 8125, payload)
    packet = make(src, dst, 17, plain, **options)
    addresses = packet[8:40] if ":" in src else packet[12:20]
    pseudo = addresses + struct.pack("!HH", 17, len(plain))
    field = {
        "right": 0xFFFF - _sum(pseudo + plain),
        "partial": _sum(pseudo),
        "none": 0,
        "other": 0xFFFF - _sum(pseudo + plain + b"\0\7"),
    }[kind]
    place = len(packet) - len(plain) + 6
    return packet[:place] + struct.pack("!H", field) + packet[place + 2 :]


def _trace(
    folder: Path, inside: bytes, outside: bytes, kinds: tuple[str, str] = ("right", "right"), *, keep: int = 2000
) -> Trace:
    """Analyse datagrams that a container sends, and those that leave the host shortly after."""
    veth, uplink = [], []
    for number in range(10):
        time = T0 + number * 1_000_000_000
        one = _datagram(INSIDE, FAR, 40_000, inside, kind=kinds[0], ttl=64, ident=0)
        two = _datagram(HOST, FAR, 50_000, outside, kind=kinds[1], ttl=63, ident=0)
        veth.append((time, ether(C1, BRIDGE, one)))
        uplink.append((time + 30_000, ether(UPLINK, GATEWAY, two)))
    write_pcap(folder / "veth-c1.pcap", veth, snap=keep)
    write_pcap(folder / "wlan0.pcap", uplink, snap=keep)
    return analyze([folder])


def test_equal_datagrams_are_one_packet(tmp_path: Path) -> None:
    """As MASQUERADE sends them on."""
    trace = _trace(tmp_path, LONG, LONG)

    assert trace.packets == 10
    assert str(trace.connection(0).reply.dst) == HOST


@pytest.mark.parametrize("place", [43, 60, len(LONG) - 1])
def test_one_byte_is_enough(tmp_path: Path, place: int) -> None:
    """Datagrams that begin alike are others if any byte that both captures kept differs."""
    other = LONG[:place] + b"!" + LONG[place + 1 :]
    trace = _trace(tmp_path, LONG, other, ("none", "none"))

    assert trace.packets == 20
    assert [str(trace.connection(number).reply.dst) for number in (0, 1)] == [INSIDE, HOST]


@pytest.mark.parametrize(
    ("kinds", "packets"),
    [
        (("right", "right"), 20),
        (("partial", "right"), 10),
        (("right", "partial"), 10),
        (("none", "right"), 10),
        (("partial", "partial"), 10),
    ],
)
def test_what_was_cut_off_is_in_the_checksum(tmp_path: Path, kinds: tuple[str, str], packets: int) -> None:
    """Captures that kept the same beginning: a checksum changes as addresses and ports do (RFC 1624), or tells."""
    other = LONG[:-1] + b"!"
    trace = _trace(tmp_path, LONG, other, kinds, keep=14 + 20 + 8 + 50)

    assert trace.packets == packets


@pytest.mark.parametrize("kinds", [("right", "right"), ("partial", "partial"), ("partial", "right"), ("none", "none")])
@pytest.mark.parametrize("keep", [92, 2000])
def test_checksums_of_a_translation_agree(tmp_path: Path, kinds: tuple[str, str], keep: int) -> None:
    """Those that are right, those that the network card completes, and those that are not there."""
    assert _trace(tmp_path, LONG, LONG, kinds, keep=keep).packets == 10


def test_a_wrong_checksum_parts_them(tmp_path: Path) -> None:
    """Whatever its bytes say, the kernel would have changed it otherwise."""
    assert _trace(tmp_path, LONG, LONG, ("right", "other")).packets == 20


def _lines(folder: Path, spacing_ns: int, lost: int | None = None) -> Trace:
    """Analyse numbered lines that begin alike, and take 30 us across the host; one may be lost."""
    veth, uplink = [], []
    for number in range(20):
        line = LONG + b"%03d" % number
        one = _datagram(INSIDE, FAR, 40_000, line, ttl=64, ident=0)
        two = _datagram(HOST, FAR, 50_000, line, ttl=63, ident=0)
        veth.append((T0 + number * spacing_ns, ether(C1, BRIDGE, one)))
        if number != lost:
            uplink.append((T0 + number * spacing_ns + 30_000, ether(UPLINK, GATEWAY, two)))
    write_pcap(folder / "veth-c1.pcap", veth)
    write_pcap(folder / "wlan0.pcap", uplink)
    return analyze([folder])


@pytest.mark.parametrize("spacing_ns", [1_000, 15_000, 40_000, 1_000_000])
def test_a_burst_of_datagrams_that_begin_alike(tmp_path: Path, spacing_ns: int) -> None:
    """However close they are: each is joined with itself."""
    trace = _lines(tmp_path, spacing_ns)

    assert trace.packets == 20
    assert [[hop.frames for hop in journey.hops] for journey in trace.journeys()] == [
        [(number,), (number,)] for number in range(1, 21)
    ]


def test_which_of_them_was_lost(tmp_path: Path) -> None:
    """The one whose bytes are missing, and no other."""
    trace = _lines(tmp_path, 1_000_000, lost=5)
    (lost,) = (journey for journey in trace.journeys() if journey.disposition is Disposition.LOST)

    assert lost.hops[0].frames == (6,)
    assert not lost.ambiguous


@pytest.mark.parametrize("folder", ["equal-datagrams", "quiet-hairpin", "fragments", "bundle"])
def test_no_result_depends_on_the_secret(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """It is new in each run; the report is the same."""
    bundle = Path(__file__).parents[2] / "sample_pcaps" / folder
    told = set()
    for keys in (digest.KEYS.get(), (0, 0, 0, 0), (1, 2, 3, 1 << 63), ((1 << 64) - 1,) * 4):
        monkeypatch.setattr(digest, "KEYS", ContextVar("keys", default=keys))
        told.add("".join(json_report.json_lines(analyze([bundle]).content())))

    assert len(told) == 1
