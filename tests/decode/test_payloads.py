"""What frames are compared by: digests of payloads and what NAT leaves of checksums, noted while decoding, or later."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from analyzer.decode.digest import DIGEST_BYTES
from analyzer.decode.frames import read_frames
from analyzer.decode.payloads import COLUMNS, NONE, Payloads, kept_bytes, may_be_refined
from analyzer.decode.reread import read_blocks
from analyzer.decode.tables import FrameTables
from analyzer.link.keys import make_keys
from analyzer.read.file import CaptureFile
from analyzer.schema import Columns
from tests.build import C1, C2, T0, echo, ether, ipv4, ipv6, pcap, tcp, udp
from tests.explain.scene import packet

LONG = bytes(range(60))


def _read(folder: Path, *frames: bytes, snap: int = 262_144) -> tuple[FrameTables, list[partial[CaptureFile]]]:
    path = folder / "a.pcap"
    path.write_bytes(pcap([(T0 + number, frame) for number, frame in enumerate(frames)], snap=snap))
    captures = [partial(CaptureFile, str(path), "a.pcap")]
    return read_frames(captures, make_keys), captures


def _noted(folder: Path, *frames: bytes, snap: int = 262_144) -> Columns:
    return _read(folder, *frames, snap=snap)[0].columns("payload", "checksum")


def _summed(src: str, dst: str, sport: int, dport: int, payload: bytes = LONG) -> bytes:
    """Return a datagram in a frame, with a right checksum."""
    data = bytearray(packet(src, dst, 17, udp(sport, dport, payload)))
    body = data[len(data) - len(payload) - 8 :]
    ends = data[8:40] if ":" in src else data[12:20]
    over = bytes(ends) + bytes([0, 17]) + len(body).to_bytes(2, "big") + bytes(body) + bytes(len(body) % 2)
    total = sum(int.from_bytes(over[at : at + 2], "big") for at in range(0, len(over), 2))
    place = len(data) - len(body) + 6
    data[place : place + 2] = (0xFFFF - (total % 0xFFFF)).to_bytes(2, "big")
    return ether(C1, C2, bytes(data), 0x86DD if ":" in src else 0x0800)


def _all() -> Iterator[bytes]:
    """Give frames of all kinds."""
    for size in (0, DIGEST_BYTES, DIGEST_BYTES + 1, 60, 301, 3_000):
        payload = (LONG * 50)[:size]
        yield ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, payload)))
        yield ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, payload), options=bytes(8)))
        yield ether(C1, C2, ipv6("fd00::1", "fd00::2", 17, udp(1, 2, payload)), 0x86DD)
        yield ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 1, echo(8, 1, 2, payload)))
        yield ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, 3, 4, 16, payload)))
        yield ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, payload)), vlans=(7,))
        yield ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, payload), flags=0x2000))
        yield _summed("10.0.0.1", "10.0.0.2", 1, 2, payload)
        yield _summed("fd00::1", "fd00::2", 1, 2, payload)


@pytest.mark.parametrize("snap", [262_144, 120, 80])
def test_what_is_noted_is_what_is_read_again(tmp_path: Path, snap: int) -> None:
    """Of frames that may be refined; of those below other layers nothing is noted."""
    tables, captures = _read(tmp_path, *_all(), snap=snap)
    frames = tables.frames
    noted = tables.columns("payload", "checksum")
    rows = np.arange(len(frames["proto"]))
    (block,) = read_blocks(captures, tables, rows)
    again = Payloads({name: frames[name] for name in COLUMNS}, block, rows)
    whole = may_be_refined(frames) & again.simple

    assert whole.any()
    assert not whole.all()
    assert noted["payload"][whole].tolist() == again.digests(kept_bytes(frames, rows))[whole].tolist()
    assert noted["checksum"][whole].tolist() == again.invariants()[whole].tolist()
    assert set(noted["payload"][~whole].tolist()) == {0}
    assert set(noted["checksum"][~whole].tolist()) == {NONE}


def test_payloads_below_other_layers_are_read_all_the_same(tmp_path: Path) -> None:
    """A VLAN tag changes no digest."""
    data = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, LONG))
    tables, captures = _read(tmp_path, ether(C1, C2, data), ether(C1, C2, data, vlans=(7,)))
    (block,) = read_blocks(captures, tables, np.arange(2))
    plain, tagged = Payloads(
        {name: tables.frames[name] for name in COLUMNS}, block, np.arange(2)
    ).digests(np.array([40, 40])).tolist()  # fmt: skip

    assert plain == tagged != 0


def test_every_byte_counts(tmp_path: Path) -> None:
    """Behind those that the identity takes in, up to the last one."""
    payloads = [LONG, *(LONG[:at] + b"\xff" + LONG[at + 1 :] for at in range(DIGEST_BYTES, len(LONG)))]
    frames = [ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, payload))) for payload in payloads]
    assert len(set(_noted(tmp_path, *frames)["payload"].tolist())) == len(payloads)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("172.17.0.2", "8.8.8.8", 4000, 53), ("192.168.1.100", "8.8.8.8", 61_000, 53)),
        (("fd00::2", "2001:db8::8", 4000, 53), ("2001:db8::1", "2001:db8::8", 4000, 53)),
    ],
    ids=["IPv4", "IPv6"],
)
def test_translation_leaves_the_rest_of_a_checksum(
    tmp_path: Path, before: tuple[str, str, int, int], after: tuple[str, str, int, int]
) -> None:
    """Addresses and ports change with it (RFC 1624); other bytes make another one."""
    one, two, other = _noted(
        tmp_path, _summed(*before), _summed(*after), _summed(*after, LONG[:-1] + b"!")
    )["checksum"].tolist()  # fmt: skip
    assert one == two != other
    assert NONE not in (one, other)


def test_no_checksum_has_no_rest(tmp_path: Path) -> None:
    """Zero is none (RFC 768), and the sum of the pseudo header alone is one that the card was to complete."""
    plain = udp(1, 2, LONG)
    pseudo = sum((0x0A00, 1, 0x0A00, 2, 17, len(plain))) % 0xFFFF
    partial_one = plain[:6] + pseudo.to_bytes(2, "big") + plain[8:]
    frames = [ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, body)) for body in (plain, partial_one)]
    assert _noted(tmp_path, *frames)["checksum"].tolist() == [NONE, NONE]
