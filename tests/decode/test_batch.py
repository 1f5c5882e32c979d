"""What is compiled equals the reference: on real, made, cut and bit-flipped frames."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.decode import digest, offsets, reference, reference_link
from analyzer.decode.batch import KEEP_ALL, SIDE_TABLES, Means, decode
from analyzer.decode.reference import datagrams, decode_frame, payload
from analyzer.errors import InputError
from analyzer.kernel import compiled
from analyzer.read import records
from analyzer.read.file import CaptureFile
from analyzer.read.records import Interface
from analyzer.read.walk import Shape, walk
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, arp, echo, ether, ipv4, ipv6, tcp, udp
from tests.decode.agree import Frame, differences, pack
from tests.needs import CORPUS

SAMPLES = sorted(Path(__file__).parents[2].glob("sample_pcaps/*/*.pcap"))

A4, B4, A6, B6 = "172.17.0.2", "8.8.8.8", "fd00:d::2", "2001:db8::80"
TCP_SEGMENT = tcp(40000, 80, 7, 8, 0x18, b"GET / HTTP/1.1\r\n" * 4, (1, 2))
QUOTED = ipv4(A4, B4, 17, udp(5000, 53, b"question"))
FRAGMENT = struct.pack("!BBHI", 17, 0, 1448 | 1, 77)
SOLICIT = struct.pack("!BBHI", 135, 0, 0, 0) + bytes(16) + b"\1\1" + bytes.fromhex("0242ac110002")

MADE: list[tuple[int, bytes]] = [
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 6, TCP_SEGMENT))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 6, tcp(1, 2, 3, 4, 2)[:12] + b"\xa0\2\1\2\0\0\0\0\2\4\5\xb4\4\2\x08\x0a" + bytes(8) + b"\1\3\3\7"))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(5, 53, b"x" * 40), options=b"\x94\4\0\0"), vlans=(5,))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(5, 53, b"x" * 40)), vlans=(5, 6))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(5, 53, b"x" * 40)), vlans=(5, 6, 7))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 1, echo(8, 777, 1, b"payload" * 8)))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 1, struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + QUOTED))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 17, b"y" * 99, flags=0x2000 | 185))),
    (1, ether(C1, BRIDGE, arp(1, C1, A4, "00:00:00:00:00:00", "172.17.0.1"), 0x0806)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 6, TCP_SEGMENT), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 58, SOLICIT, hops=255), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 44, FRAGMENT + b"z" * 40), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 0, b"\x3c\0\5\2\0\0\0\0" + b"\x11\0\1\4\0\0\0\0" + udp(1, 2, b"hi")), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 0, b"\0\0\1\4\0\0\0\0" * 12 + b"\x3b\0" + bytes(6)), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 44, b"\x3c\0\0\0\0\0\0\1" + b"\x3c\0\1\4\0\0\0\0" * 10 + b"\x11\0\1\4\0\0\0\0" + udp(1, 2, b"")), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 58, struct.pack("!BBHI", 2, 0, 0, 1280) + ipv6(B6, A6, 17, udp(1, 2, b"q"))), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 132, struct.pack("!HHII", 1, 2, 0xCAFE, 0) + b"chunk" * 5))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 47, struct.pack("!HHII", 0xA000, 0x0800, 0, 99) + b"inner"))),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 50, struct.pack("!II", 0xBEEF, 3) + b"secret" * 9))),
    (1, ether(C1, BRIDGE, b"\x42\x42\3" + bytes(30), 38)),
    (113, struct.pack("!HHH8sH", 4, 1, 6, bytes.fromhex("0242ac1100020000"), 0x0800) + ipv4(A4, B4, 6, TCP_SEGMENT)),
    (276, struct.pack("!HHIHBB8s", 0x0800, 0, 12, 1, 0, 6, bytes.fromhex("0242ac1100020000")) + ipv4(A4, B4, 6, TCP_SEGMENT)),
    (101, ipv4(A4, B4, 6, TCP_SEGMENT)),
    (101, ipv6(A6, B6, 17, udp(1, 2, b"raw"))),
    (0, b"\2\0\0\0" + ipv4(A4, B4, 17, udp(1, 2, b"null"))),
    (108, b"\0\0\0\x18" + ipv6(A6, B6, 17, udp(1, 2, b"loop"))),
    (228, ipv4(A4, B4, 17, udp(1, 2, b"four"))),
    (229, ipv6(A6, B6, 17, udp(1, 2, b"six"))),
    (9, b"\xff\3\0\x21" + ipv4(A4, B4, 17, udp(1, 2, b"ppp" * 20))),
    (9, b"\x57" + ipv6(A6, B6, 17, udp(1, 2, b"short"))),
    (1, ether(C1, BRIDGE, b"\x11\0\0\7\0\x62\0\x21" + ipv4(A4, B4, 17, udp(1, 2, b"pppoe" * 14)), 0x8864)),
    *((1, ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(50000, 4789, b"\x08\0\0\0\0\x10\1\0" + inner)))) for inner in (
        ether(C1, BRIDGE, ipv4("10.0.1.2", "10.0.1.3", 6, TCP_SEGMENT)),
        ether(C1, BRIDGE, arp(1, C1, "10.0.1.2", "00:00:00:00:00:00", "10.0.1.3"), 0x0806),
        ether(C1, BRIDGE, ipv4("10.0.1.2", "10.0.1.3", 1, struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + QUOTED)),
        ether(C1, BRIDGE, ipv4("10.0.1.2", "10.0.1.3", 17, udp(5, 53, b"x" * 40)), vlans=(5, 6, 7)),
        ether(C1, BRIDGE, ipv6(A6, B6, 58, SOLICIT, hops=255), 0x86DD),
        ether(C1, BRIDGE, b"\x42\x42\3" + bytes(30), 38),
        ether(C1, BRIDGE, ipv4("10.0.1.2", "10.0.1.3", 17, udp(1, 4789, b"\x08\0\0\0\0\0\5\0" + bytes(40)))),
    )),
    (1, ether(C1, BRIDGE, ipv6(A6, B6, 17, udp(5, 8472, b"\x08\0\0\0\0\0\7\0" + ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(1, 2, b"in"))))), 0x86DD)),
    (1, ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(5, 4789, b"not VXLAN at all")))),
    (147, b"no link type that is known"),
]  # fmt: skip


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_samples(path: Path) -> None:
    """Real frames."""
    capture = CaptureFile(str(path))
    for batch in capture.batches():
        assert differences(batch, capture.info.interfaces) == []


@pytest.mark.parametrize(("link_type", "data"), MADE)
@pytest.mark.parametrize("keep", [1 << 30, 46, 20])
def test_every_cut_of_every_kind_of_frame(link_type: int, data: bytes, keep: int) -> None:
    """At every snap length, decoding stops at the same place."""
    frames: list[Frame] = [(data[:size], len(data)) for size in range(len(data) + 1)]
    frames += [(data[:size], size) for size in range(len(data) + 1)]

    assert differences(pack(frames), [Interface(link_type, 0)], keep) == []


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MADE), st.lists(st.integers(0, 1 << 12), min_size=1, max_size=6), st.integers(0, 4))
def test_flipped_bits(made: tuple[int, bytes], flips: list[int], fcs: int) -> None:
    """Corrupt headers give the same columns, and never an exception."""
    link_type, data = made
    broken = bytearray(data)
    for flip in flips:
        broken[flip // 8 % len(broken)] ^= 1 << flip % 8
    frames = [(bytes(broken), len(broken)), (bytes(broken[: len(broken) // 2]), len(broken))]

    assert differences(pack(frames), [Interface(link_type, 0, fcs_len=fcs)]) == []


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([0, 1, 101, 113, 276]), st.lists(st.binary(max_size=120), min_size=1, max_size=20))
def test_noise(link_type: int, frames: list[bytes]) -> None:
    """Bytes without any sense."""
    assert differences(pack([(data, len(data)) for data in frames]), [Interface(link_type, 0)]) == []


@pytest.mark.corpus
def test_outside_captures() -> None:
    """Frames that nobody here made."""
    frames = 0
    for path in sorted(Path(CORPUS or "").rglob("*")):
        try:
            capture = CaptureFile(str(path)) if path.is_file() and path.suffix not in (".csv", ".md") else None
            for batch in capture.batches() if capture else ():
                frames += len(batch)
                assert differences(batch, capture.info.interfaces) == [], path.name
        except InputError:
            continue

    assert frames > 10_000


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([0, 1, 101, 113, 228, 229, 276]), st.sampled_from(MADE), st.binary(max_size=200), st.data())
def test_the_reference_takes_any_bytes(
    link_type: int, made: tuple[int, bytes], more: bytes, data: st.DataObject
) -> None:
    """Frames of any kind, with anything in them, at any place: it says where decoding stopped, and never raises."""
    place = data.draw(st.integers(0, len(made[1])))
    frame = made[1][:place] + more
    for interface in (Interface(link_type, 0), Interface(made[0], 0)):
        found = decode_frame(frame, len(frame), interface)
        assert found.frame["payload_len"] >= 0
        assert isinstance(payload(frame, len(frame), interface), bytes)
        assert all(datagrams(frame, len(frame), interface))


def test_whatever_dpkt_raises_is_where_decoding_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decoded before is there."""

    def fail(*_: object) -> None:
        raise AttributeError("frag_off")

    monkeypatch.setattr(reference, "_tcp", fail)
    found = decode_frame(MADE[0][1], len(MADE[0][1]), Interface(1, 0))

    assert found.stopped == "dpkt: AttributeError at byte 34"
    assert found.frame["layers"] & (Layer.MALFORMED | Layer.IPV4 | Layer.TCP) == Layer.MALFORMED | Layer.IPV4
    assert (found.frame["sport"], found.frame["dport"]) == (40000, 80)


def test_the_numbers_of_both_sides() -> None:
    """Layers, link types, protocols and limits are called and numbered alike."""
    compiled = pytest.importorskip("analyzer.kernel.compiled")

    assert {name: int(one) for name, one in Layer.__members__.items()} == compiled.LAYERS
    assert {f"LINKTYPE_{name}": number for name, number in compiled.LINK_TYPES.items()} == {
        name: number for name, number in vars(records).items() if name.startswith("LINKTYPE_") and number >= 0
    }
    assert set(compiled.LINK_TYPES.values()) == records.DECODED
    known = vars(offsets) | vars(digest) | vars(reference) | vars(reference_link)
    assert {name: known[name] for name in compiled.NUMBERS} == compiled.NUMBERS


@pytest.mark.parametrize("count", [1_023, 1_024, 1_025, 3_000])
def test_many_rows_aside(count: int) -> None:
    """More than are put away at a time; each counts from the batch's first frame."""
    frames = [ether(C1, BRIDGE, arp(1, C1, A4, "00:00:00:00:00:00", "172.17.0.1"), 0x0806), MADE[6][1]]
    found = decode(pack([(data, len(data)) for data in frames * count]), [Interface(1, 0)])

    assert found.neighbours["row"].tolist() == list(range(0, 2 * count, 2))
    assert found.quotes["row"].tolist() == list(range(1, 2 * count, 2))


@pytest.mark.parametrize("size", [32, 33, 2_047, 2_048, 2_049, 9_000])
def test_payloads_of_any_length(size: int) -> None:
    """Whether they are digested by what is compiled or not."""
    data = ether(C1, BRIDGE, ipv4(A4, B4, 17, udp(5, 7, bytes(range(250)) * 36)[: 8 + size]))

    assert differences(pack([(data, len(data)), (data[:-9], len(data)), (data, len(data))]), [Interface(1, 0)]) == []


def test_places_outside_of_the_buffer_are_refused() -> None:
    """Whoever gives wrong ones is told so; nothing is read there."""
    pytest.importorskip("analyzer.kernel.compiled")
    given = pack([(MADE[0][1], len(MADE[0][1]))])
    for start in (-1, -1_000_000, len(given.buffer) - 20, 1 << 40):
        moved = replace(given, start=np.array([start]), cap_len=np.array([60]), orig_len=np.array([60]))
        with pytest.raises(IndexError):
            decode(moved, [Interface(1, 0)])
    with pytest.raises(IndexError):
        walk(given.buffer, 0, 1 << 20, Shape(8, 1 << 39, 2, 10, 30, 1, 0), "<")
    with pytest.raises(IndexError):
        walk(np.zeros(64, np.uint8), 0, 64, Shape(8, 4, 20, 10, 30, 1, 0), "<", (1 << 39,))


def test_several_threads_decode_what_one_does() -> None:
    """Each its share of rows; what lies aside stands in the order of its frames, also where there is much of it."""
    if compiled is None:
        pytest.skip("nothing is compiled here")
    ethernet = [(data, len(data)) for link_type, data in MADE if link_type == 1]
    frames = ethernet * (6_000 // len(ethernet))
    means = Means(KEEP_ALL, threads=3)
    alone = decode(pack(frames), [Interface(1, 0)])
    for _ in range(2):  # room for what lies aside is used again
        shared = decode(pack(frames), [Interface(1, 0)], means=means)
        tables = [(shared.frames, alone.frames)]
        tables += [(getattr(shared, name), getattr(alone, name)) for name in SIDE_TABLES]

        assert all(np.array_equal(mine[name], column) for mine, other in tables for name, column in other.items())
        assert all(len(getattr(alone, name)["row"]) > 0 for name in SIDE_TABLES)
    means.close()
