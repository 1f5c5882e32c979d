"""Frames, of which all stays that a packet is followed by: compared on captures of all kinds, column by column."""

import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import analyze
from analyzer.anonymise.bundle import anonymise
from analyzer.decode.checksum import Sum, verify
from analyzer.decode.reference import datagrams
from analyzer.errors import HoptraceError
from analyzer.read.records import DECODED, LINKTYPE_ETHERNET, LINKTYPE_IPV4, LINKTYPE_IPV6
from analyzer.run import Trace
from tests.build import C1, C2, arp, echo, ether, ipv4, ipv6, tcp, udp
from tests.needs import CORPUS

SAMPLES = sorted(Path(__file__).parents[2].glob("sample_pcaps/**/*.pcap*"))
SAME = (
    "frame", "time_ns", "cap_len", "orig_len", "layers", "direction", "vlan", "eth_type", "proto", "ttl", "tos",
    "ip_id", "ip_len", "frag_offset", "sport", "dport", "icmp_type", "icmp_code", "icmp_id", "icmp_seq", "seq", "ack",
    "tcp_flags", "window", "tsval", "tsecr", "payload_len",
)  # fmt: skip
"""Columns of FRAMES in which nothing of anybody stands."""
SECRET = b"payroll of acme" * 3
VXLAN, UNREACHED = b"\x08" + bytes(7), b"\x03\x03" + bytes(6)
SIGNED = tcp(1, 2, 3, 4, 2)[:12] + b"\xa0\2\0\0\0\0\0\0\x13\x12"
"""TCP with the option of RFC 2385."""


def _both(path: Path, target: Path) -> tuple[Trace, Trace]:
    anonymise([str(path)], target, b"a key of 16 bytes and more")
    return analyze([path]), analyze([target])


def _columns(trace: Trace) -> dict[str, list[int]]:
    """As the frames are told; what is no packet may be told by less."""
    return {name: trace.tables.frames[name].tolist() for name in SAME}


def _sums(trace: Trace) -> list[Sum]:
    found = []
    for _, data, length, interface in trace.read_again(np.arange(len(trace.tables.frames["frame"]))):
        packets = datagrams(data, length, interface)
        found.append(
            verify(*packets[:1]) if len(packets) == 1 else verify(packets[0], packets[-1]) if packets else None
        )
    return found


@pytest.mark.parametrize("kind", [0, 60], ids=["hop by hop", "destination"])
def test_options_of_ipv6_tell_nothing(new: SimpleNamespace, kind: int) -> None:
    """A mobile node's home address, or anything; that a router is to look stays (RFC 2711)."""
    home = bytes((17, 2, 0xC9, 16)) + bytes(range(16)) + bytes(2)
    found = new.frames.replaced(ipv6("2001:db8::1", "2001:db8::2", kind, home + udp(1, 2, b"")), LINKTYPE_IPV6)
    alert = ipv6("fe80::1", "ff02::16", 0, b"\x3a\0\x05\2\0\0\1\0")

    assert found[40:64] == bytes((17, 2)) + bytes(22)
    assert new.frames.replaced(alert, LINKTYPE_IPV6)[40:] == alert[40:]


def test_a_header_that_is_too_short_tells_no_address(new: SimpleNamespace) -> None:
    """IPv4 of fewer than 20 bytes."""
    found = new.frames.replaced(b"\x43" + ipv4("9.9.9.9", "8.8.8.8", 17, b"secret")[1:], LINKTYPE_IPV4)

    assert found[12:] == bytes(len(found) - 12)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_a_packet_is_followed_by_stays(path: Path, tmp_path: Path) -> None:
    """Its numbers and lengths, and what its checksums say; no address does."""
    before, after = _both(path, tmp_path / "new")

    assert _columns(after) == _columns(before)
    right = (Sum.RIGHT, Sum.PARTIAL, Sum.WRONG)
    pairs = list(zip(_sums(before), _sums(after), strict=True))
    assert all(new == old or old not in right or new is Sum.UNKNOWN for old, new in pairs)
    assert [old for old, new in pairs if old is Sum.WRONG] == [new for old, new in pairs if new is Sum.WRONG]


@pytest.mark.corpus
def test_of_captures_of_any_kind_as_well(tmp_path: Path) -> None:
    """What others collected, damaged ones and strange ones: nothing fails, and frames are told alike."""
    compared = 0
    for number, path in enumerate(sorted(Path(CORPUS or "").rglob("*.pcap*"))):
        try:
            before, after = _both(path, tmp_path / str(number))
        except HoptraceError:
            continue
        odd = {name for name, told in _columns(before).items() if told != _columns(after)[name]}
        assert not odd - {"layers", "payload_len"}, f"{path}: {odd}"
        compared += 1

    assert compared > 250


@given(st.binary(max_size=200), st.sampled_from(sorted({*DECODED, 105, 999})))
def test_any_bytes_are_a_frame(new: SimpleNamespace, data: bytes, link_type: int) -> None:
    """As long afterwards."""
    assert len(new.frames.replaced(data, link_type)) == len(data)


@given(st.binary(max_size=90), st.sampled_from([1, 2, 4, 6, 17, 41, 44, 47, 50, 51, 58, 132]), st.booleans())
def test_any_bytes_are_a_packet(new: SimpleNamespace, data: bytes, proto: int, version6: bool) -> None:
    """Whatever protocol a header says it is of."""
    inner = ipv6("fd00::1", "fd00::2", proto, data) if version6 else ipv4("10.0.0.1", "10.0.0.2", proto, data)
    frame = ether(C1, C2, inner, 0x86DD if version6 else 0x0800)

    assert len(new.frames.replaced(frame, LINKTYPE_ETHERNET)) == len(frame)


@pytest.mark.parametrize(
    "frame",
    [
        ether(C1, C2, SECRET, 0x88CC),
        ether(C1, C2, SECRET, 0x0026),
        ether(C1, C2, b"\x11\x09\0\0\0\x10" + SECRET, 0x8863),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, b"")) + SECRET),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, 3, 4, 16, SECRET))),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, SECRET), flags=0x2001)),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 1, echo(8, 1, 1, SECRET))),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 47, b"\0\0\x88\xbe" + SECRET)),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 50, bytes(8) + SECRET)),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 132, bytes(28) + SECRET)),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 99, SECRET)),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, 3, 4, 2), options=SECRET[:12])),
        ether(C1, C2, ipv6("fd00::1", "fd00::2", 43, b"\x3b\x05" + SECRET[:46]), 0x86DD),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 4789, VXLAN + ether(C1, C2, SECRET, 0x999)))),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 4, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, SECRET)))),
        ether(C1, C2, arp(1, C1, "10.0.0.1", C2, "10.0.0.2") + SECRET, 0x0806),
        ether(C1, C2, b"\0\x06\x08\0\x06\x04\0\1" + SECRET, 0x0806),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 6, SIGNED + SECRET[:18])),
        ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 1, UNREACHED + ipv4("10.1.0.1", "10.0.0.2", 17, udp(1, 2, SECRET)))),
    ],
)  # fmt: skip
def test_nothing_is_left_of_what_is_carried(new: SimpleNamespace, frame: bytes) -> None:
    """Padding, options, tunnels, quotes, and protocols that nobody reads here."""
    found = new.frames.replaced(frame, LINKTYPE_ETHERNET)

    assert len(found) == len(frame)
    assert b"acme" not in found
    assert b"payr" not in found
    assert bytes((10, 0, 0)) not in found
    assert bytes((10, 1, 0)) not in found


def test_a_quote_is_of_the_packet_as_it_is_now(new: SimpleNamespace) -> None:
    """So that an error and its packet find each other."""
    packet = ipv4("172.17.0.9", "9.9.9.9", 17, udp(1000, 33434, b"x" * 20))
    error = ipv4("192.0.2.9", "172.17.0.9", 1, b"\x0b\0" + bytes(6) + packet[:28])

    quoted = new.frames.replaced(error, LINKTYPE_IPV4)[28:]

    assert quoted[12:24] == new.frames.replaced(packet, LINKTYPE_IPV4)[12:24]
    assert struct.unpack_from(">H", quoted, 2)[0] == len(packet)


@pytest.mark.parametrize("port", [53, 5353, 1053, 40000])
def test_a_payload_is_replaced_alike_wherever_ports_are_translated(new: SimpleNamespace, port: int) -> None:
    """What it is, is told by itself."""
    question = bytes.fromhex("0007010000010000000000000770617972 6f6c6c0461636d6503636f6d0000010001".replace(" ", ""))
    inner, outer = (ipv4("10.0.0.1", "10.0.0.2", 17, udp(4000, one, question)) for one in (53, port))

    assert new.frames.replaced(inner, LINKTYPE_IPV4)[28:] == new.frames.replaced(outer, LINKTYPE_IPV4)[28:]
