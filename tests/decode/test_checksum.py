"""Checksums: right, left to the card, wrong, and not to be told; whole captures against tshark."""

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import analyze
from analyzer.decode.checksum import Sum, add, completed, verify
from analyzer.decode.reference import datagrams
from analyzer.errors import HoptraceError
from analyzer.run import Trace
from tests.build import ipv4, ipv6, udp
from tests.needs import CORPUS

PAYLOAD = b"odd number of bytes!!"


def _pseudo(packet: bytes, length: int) -> bytes:
    addresses = packet[12:20] if packet[0] >> 4 == 4 else packet[8:40]
    return addresses + struct.pack("!IHBB", length, 0, 0, 17)


def _packet(kind: str, *, partial: bool = False) -> bytes:
    """Build a datagram whose checksum is right, or that of the pseudo-header alone."""
    data = udp(1000, 2000, PAYLOAD)
    data = data[:6] + b"\0\0" + data[8:]
    pseudo = _pseudo(_around(kind, data), len(data))
    value = add(pseudo) if partial else 0xFFFF - add(pseudo + data)
    return _around(kind, data[:6] + struct.pack("!H", value) + data[8:])


def _around(kind: str, data: bytes) -> bytes:
    if kind == "udp4":
        return ipv4("10.0.0.1", "10.0.0.2", 17, data)
    return ipv6("fd00::1", "fd00::2", 17, data)


@pytest.mark.parametrize("kind", ["udp4", "udp6"])
def test_right_partial_and_wrong(kind: str) -> None:
    """RFC 1071's sum, that of the pseudo-header, and one bit beside."""
    right, partial = _packet(kind), _packet(kind, partial=True)

    assert verify(right) is Sum.RIGHT
    assert verify(partial) is Sum.PARTIAL
    assert verify(right[:-1] + bytes([right[-1] ^ 1])) is Sum.WRONG


@pytest.mark.parametrize("kind", ["udp4", "udp6"])
def test_a_tunnel_s_sum_counts_on_what_the_card_completes(kind: str) -> None:
    """Local checksum offload: the outer sum is right for the inner one as it leaves, not as it was captured."""
    inner, partial = _packet(kind), _packet(kind, partial=True)
    assert completed(partial) == inner
    assert completed(inner) == inner

    outer = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1000, 4789, b"vx" + inner))
    start = outer.index(b"vx") - 8
    data = outer[start : start + 6] + b"\0\0" + outer[start + 8 :]
    right = struct.pack("!H", 0xFFFF - add(_pseudo(outer, len(data)) + data))
    captured = outer[:start] + data[:6] + right + data[8 : -len(inner)] + partial

    assert verify(captured) is Sum.WRONG
    assert verify(captured, partial) is Sum.RIGHT
    assert verify(captured, inner) is Sum.WRONG


def test_what_cannot_be_told() -> None:
    """A packet that was cut, a fragment, a datagram without a checksum, another protocol, nothing at all."""
    right = _packet("udp4")
    fragment = right[:6] + struct.pack("!H", 0x2000) + right[8:]

    assert verify(right[:-1]) is Sum.UNKNOWN
    assert verify(fragment) is Sum.UNKNOWN
    assert verify(ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, b"x"))) is Sum.UNKNOWN
    assert verify(ipv4("10.0.0.1", "10.0.0.2", 47, b"x" * 20)) is Sum.UNKNOWN
    assert verify(b"") is Sum.UNKNOWN


@given(st.binary(max_size=120))
def test_any_bytes_are_no_trouble(data: bytes) -> None:
    """Hostile packets give an answer, too."""
    assert verify(data) in Sum
    assert verify(b"\x45" + data) in Sum
    assert verify(b"\x60" + data) in Sum


FIELDS = ("frame.number", "tcp.checksum.status", "udp.checksum.status", "icmp.checksum.status")
GOOD, BAD = "1", "0"


@pytest.mark.corpus
@pytest.mark.tshark
def test_the_same_as_tshark() -> None:
    """What tshark calls bad is wrong, and nothing else; the sum of the pseudo-header is good to it, too."""
    compared = 0
    for path in sorted(Path(CORPUS or "").rglob("*.pcap"))[::3]:
        try:
            trace = analyze([path])
        except HoptraceError:
            continue
        if len(trace.points) == 1 and trace.files[0].damage is None:
            compared += _compare(trace, path)

    assert compared > 300


def _compare(trace: Trace, path: Path) -> int:
    said = _by_tshark(path)
    frames = trace.tables.frames["frame"]
    rows = np.flatnonzero(np.isin(frames, list(said)))
    compared = 0
    for row, data, length, interface in trace.read_again(rows):
        packets = datagrams(data, length, interface)
        if len(packets) == 1 and (found := verify(packets[0])) is not Sum.UNKNOWN:
            assert (found is not Sum.WRONG) == (said[int(frames[row])] == GOOD), f"{path.name} {frames[row]}"
            compared += 1
    return compared


def _by_tshark(path: Path) -> dict[int, str]:
    """Return by frame what tshark says, where it says one thing of one packet."""
    checks = [word for name in ("tcp", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
    fields = [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-c", "400", "-o", "ip.defragment:FALSE", *checks, "-T", "fields", *fields],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: dict[int, str] = {}
    for line in done.stdout.splitlines():
        number, *told = line.split("\t")
        statuses = [status for status in told if status]
        if len(statuses) == 1 and statuses[0] in (GOOD, BAD):
            found[int(number)] = statuses[0]
    return found
