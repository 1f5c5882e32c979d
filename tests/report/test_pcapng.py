"""Blocks of a pcapng, and what a comment says."""

import io
import struct
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.report.pcapng import MOST_COMMENT, Pictured, comments, pcapng_blocks
from analyzer.run import Trace

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def seed() -> Trace:
    """ARP, pings, and a TCP connection."""
    return analyze(SEED)


def _frame(trace: Trace, comment: str | None, **changed: object) -> Pictured:
    frame = Pictured(1_700_000_000_123_456_789, trace.points[0], 1, b"\0" * 61, 1514, comment)
    return replace(frame, **changed)  # type: ignore[arg-type]


def test_a_frame(seed: Trace) -> None:
    """To the nanosecond, with its length on the wire, and padded."""
    blocks = list(pcapng_blocks(seed.points, [], [_frame(seed, "x")]))
    packet = blocks[-1]

    assert [struct.unpack_from("<I", block)[0] for block in blocks] == [0x0A0D0D0A, 1, 1, 1, 6]
    assert struct.unpack_from("<III", packet, 8) == (0, *divmod(1_700_000_000_123_456_789, 1 << 32))
    assert struct.unpack_from("<II", packet, 20) == (61, 1514)
    assert all(len(block) % 4 == 0 and block[4:8] == block[-4:] for block in blocks)
    assert len(list(dpkt.pcapng.Reader(io.BytesIO(b"".join(blocks))))) == 1


def test_a_point_of_two_link_types(seed: Trace) -> None:
    """Is two interfaces."""
    blocks = list(pcapng_blocks(seed.points[:1], [], [_frame(seed, None), _frame(seed, None, link_type=113)]))

    assert [struct.unpack_from("<I", block)[0] for block in blocks] == [0x0A0D0D0A, 1, 6, 1, 6]
    assert struct.unpack_from("<I", blocks[-1], 8) == (1,)


def test_names(seed: Trace) -> None:
    """A record each, which ends."""
    names = [(ip_address("172.17.0.4"), "c3"), (ip_address("fd00::2"), "db\x1b[2J")]
    _, block, *_ = pcapng_blocks(seed.points, names, [])

    assert block[:4] == struct.pack("<I", 4)
    assert block[8:20] == struct.pack("<HH", 1, 7) + bytes([172, 17, 0, 4]) + b"c3\0" + b"\0"
    assert b"\x1b" not in block
    assert block.endswith(struct.pack("<HHI", 0, 0, len(block)))


def test_a_comment(seed: Trace) -> None:
    """Each hop's own, and at the last one how it ended."""
    said = comments(seed.journey(3))

    assert said[0] == "J3 hop 1 of 3; C0"
    assert said[2].startswith("J3 hop 3 of 3; C0; NAT: MASQUERADE")
    assert "here" not in said[1]


def test_what_means_harm_stays_out_of_a_comment(seed: Trace) -> None:
    """Nothing that a terminal obeys, and not without end."""
    (*_, last) = comments(replace(seed.journey(3), reason="\x1b[2J" + "x" * 9_999))

    assert "\x1b" not in last
    assert len(last) == MOST_COMMENT
