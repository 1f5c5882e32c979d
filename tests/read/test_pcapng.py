"""The pcapng reader: sections, interfaces, time units, comments, statistics, names, and damage."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read.file import CaptureFile
from analyzer.read.pcapng import read_pcapng, to_ns
from analyzer.read.records import Damage, FileInfo, Interface
from analyzer.read.source import Window, buffer
from tests.build import block, enhanced, interface, option, section

SECONDS = 1_790_000_000


def _read(path: Path, data: bytes) -> tuple[list[tuple[int, int, bytes]], FileInfo]:
    path.write_bytes(data)
    capture = CaptureFile(str(path))
    found = []
    for batch in capture.batches():
        for i in range(len(batch)):
            packet = batch.buffer[int(batch.start[i]) : int(batch.start[i] + batch.cap_len[i])].tobytes()
            found.append((int(batch.time_ns[i]), int(batch.interface[i]), packet))
    return found, capture.info


@pytest.mark.parametrize("order", ["<", ">"])
def test_interfaces_have_their_own_units_and_offsets(tmp_path: Path, order: str) -> None:
    """if_tsresol may count decimal or binary digits; if_tsoffset adds seconds."""
    data = section(order)
    data += interface(1, order=order)  # microseconds, the default
    data += interface(1, options=option(9, b"\x09", order) + option(0, b"", order), order=order)
    data += interface(1, options=option(9, b"\x8a", order), order=order)  # 2^-10 s
    data += interface(
        1, options=option(9, b"\x00", order) + option(14, struct.pack(f"{order}q", 100), order), order=order
    )
    for number, ticks in enumerate((SECONDS * 10**6 + 5, SECONDS * 10**9 + 7, (SECONDS << 10) + 512, SECONDS)):
        data += enhanced(number, ticks, b"abc", order=order)
    found, _ = _read(tmp_path / "a.pcapng", data)

    base = SECONDS * 10**9
    assert found == [
        (base + 5000, 0, b"abc"),
        (base + 7, 1, b"abc"),
        (base + 500_000_000, 2, b"abc"),
        (base + 100 * 10**9, 3, b"abc"),
    ]


def test_a_new_section_may_change_the_byte_order(tmp_path: Path) -> None:
    """Interface numbers begin anew in each section."""
    data = section("<") + interface(1) + enhanced(0, 1, b"one")
    data += section(">") + interface(113, order=">") + enhanced(0, 2, b"two", order=">")
    found, info = _read(tmp_path / "a.pcapng", data)

    assert [(i, p) for _, i, p in found] == [(0, b"one"), (1, b"two")]
    assert [i.link_type for i in info.interfaces] == [1, 113]


def test_names_comments_drops_and_resolutions_are_kept(tmp_path: Path) -> None:
    """What a capture says about itself is not lost."""
    data = section() + interface(1, snap=96, options=option(2, b"docker0") + option(0, b""))
    data += enhanced(0, 1, b"one") + enhanced(0, 2, b"two", options=option(1, "hällo".encode()) + option(0, b""))
    data += block(4, option(1, bytes((10, 0, 0, 1)) + b"web\0") + option(0, b""))
    data += block(5, struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", 3)) + option(7, struct.pack("<Q", 4)))
    _, info = _read(tmp_path / "a.pcapng", data)

    assert (info.interfaces[0].name, info.interfaces[0].snap_len, info.interfaces[0].dropped) == ("docker0", 96, 7)
    assert info.comments == [(2, "hällo")]
    assert info.names == {"10.0.0.1": "web"}


def test_old_blocks_are_packets_too(tmp_path: Path) -> None:
    """Simple and obsolete packet blocks hold packets; a journal entry is a frame without one."""
    data = section() + interface(1) + block(3, struct.pack("<I", 3) + b"abc")
    data += block(2, struct.pack("<HHIIII", 0, 0, 0, 9, 3, 3) + b"def") + block(9, b"MESSAGE=x")
    found, info = _read(tmp_path / "a.pcapng", data)

    assert [p for _, _, p in found] == [b"abc", b"def", b""]
    assert info.frames == 3


def test_the_original_length_is_kept(tmp_path: Path) -> None:
    """A frame cut by the snap length still tells how long it was."""
    path = tmp_path / "a.pcapng"
    path.write_bytes(section() + interface(1, snap=60) + enhanced(0, 1, b"x" * 60, orig=1500))
    batch = next(CaptureFile(str(path)).batches())

    assert (int(batch.cap_len[0]), int(batch.orig_len[0])) == (60, 1500)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (enhanced(0, 1, b"abc")[:-1], "cut"),
        (enhanced(0, 1, b"abc")[:-4] + b"\0\0\0\1", "at its end"),
        (enhanced(5, 1, b"abc"), "interface 5"),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 1000, 1000) + b"abc"), "1000 bytes"),
        (struct.pack("<II", 6, 7), "block of 7"),
    ],
)
def test_damage_ends_the_file_and_keeps_what_was_before(tmp_path: Path, bad: bytes, why: str) -> None:
    """Every whole block before the damage counts, and the damage has its place."""
    good = section() + interface(1) + enhanced(0, 1, b"one") + enhanced(0, 2, b"two")
    found, info = _read(tmp_path / "a.pcapng", good + bad)

    assert [p for _, _, p in found] == [b"one", b"two"]
    assert info.damage is not None
    assert info.damage.offset == len(good)
    assert why in info.damage.problem


def test_thousands_of_sections(tmp_path: Path) -> None:
    """Each with its own interface, and now and then in the other byte order."""
    data = b""
    for number in range(3000):
        order = ">" if number % 1000 == 999 else "<"
        data += section(order) + interface(1, order=order) + enhanced(0, number, b"abc", order=order)
    found, info = _read(tmp_path / "a.pcapng", data)

    assert [(t, i) for t, i, _ in found] == [(number * 1000, number) for number in range(3000)]
    assert info.damage is None


def test_packets_around_other_blocks_keep_their_order(tmp_path: Path) -> None:
    """Statistics and names between packets do not split them; simple packets stand where they were."""
    statistics = block(5, bytes(12))
    data = section() + interface(1) + enhanced(0, 1, b"a") + statistics + enhanced(0, 2, b"b")
    data += interface(113) + enhanced(1, 3, b"c") + block(3, struct.pack("<I", 1) + b"d") + enhanced(0, 4, b"e")
    found, _ = _read(tmp_path / "a.pcapng", data)

    assert [(i, p) for _, i, p in found] == [(0, b"a"), (0, b"b"), (1, b"c"), (0, b"d"), (0, b"e")]


def test_statistics_count_interfaces_from_their_own_section(tmp_path: Path) -> None:
    """Drops of the second section's interface 0 are not those of the file's first interface."""
    data = b""
    for dropped in (4, 9):
        statistics = struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", dropped)) + option(0, b"")
        data += section() + interface(1) + enhanced(0, 1, b"abc") + block(5, statistics)
    _, info = _read(tmp_path / "a.pcapng", data)

    assert [i.dropped for i in info.interfaces] == [4, 9]


def test_statistics_of_an_interface_that_only_an_earlier_section_has(tmp_path: Path) -> None:
    """They are nobody's: the section before keeps what it was told."""
    dropped = option(5, struct.pack("<Q", 9))
    data = section() + interface(1) + interface(1) + block(5, struct.pack("<III", 1, 0, 0) + dropped)
    data += section() + interface(1) + block(5, struct.pack("<III", 1, 0, 0) + option(5, struct.pack("<Q", 3)))
    _, info = _read(tmp_path / "a.pcapng", data)

    assert [i.dropped for i in info.interfaces] == [None, 9, None]


GOOD = section() + interface(1) + enhanced(0, 1, b"one")


def _simple(packet: bytes, orig: int, order: str = "<") -> bytes:
    return block(3, struct.pack(f"{order}I", orig) + packet, order)


def _obsolete(
    packet: bytes, *, number: int = 0, ticks: int = 0, cap: int | None = None, orig: int = 0, order: str = "<"
) -> bytes:
    size = len(packet) if cap is None else cap
    return block(
        2, struct.pack(f"{order}HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, size, orig) + packet, order
    )


def _lengths(path: Path, data: bytes) -> list[tuple[int, int, int]]:
    """Return frame number, captured and original length of each record."""
    path.write_bytes(data)
    return [
        (batch.first_frame + i, int(batch.cap_len[i]), int(batch.orig_len[i]))
        for batch in CaptureFile(str(path)).batches()
        for i in range(len(batch))
    ]


def _header(order: str = "<", magic: int = 0x1A2B3C4D, major: int = 1, minor: int = 0) -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", magic, major, minor, -1), order)


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (_header()[:4], InputError, "section header cut: needed 28 bytes, found 4 at byte 0"),
        (_header()[:27], InputError, "section header cut: needed 28 bytes, found 27 at byte 0"),
        (_header(magic=0x1A2B3C4E), InputError, "section header without byte-order magic: 4e3c2b1a at byte 0"),
        (_header(major=2), UnknownFormatError, "pcapng version 2.0, known is 1.0 at byte 0"),
        (_header(minor=1), UnknownFormatError, "pcapng version 1.1, known is 1.0 at byte 0"),
        (_header(">", minor=3), UnknownFormatError, "pcapng version 1.3, known is 1.0 at byte 0"),
        (section() + enhanced(0, 1, b"abc"), InputError, "packet of interface 0, 0 are described at byte 28"),
    ],
)
def test_a_file_that_gives_nothing(tmp_path: Path, data: bytes, kind: type[InputError], problem: str) -> None:
    """It is an error, with its reason and where it is."""
    with pytest.raises(InputError) as error:
        _read(tmp_path / "a.pcapng", data)

    assert (type(error.value), str(error.value)) == (kind, f"a.pcapng: {problem}")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("minor", [0, 2])
def test_versions_that_are_known(tmp_path: Path, order: str, minor: int) -> None:
    """1.0, and 1.2, which is the same."""
    found, info = _read(
        tmp_path / "a", section(order, minor) + interface(1, order=order) + enhanced(0, 1, b"a", order=order)
    )

    assert found == [(1000, 0, b"a")]
    assert (info.big_endian, info.damage) == (order == ">", None)


def test_a_section_alone(tmp_path: Path) -> None:
    """It has no frames, and nothing is wrong with it."""
    found, info = _read(tmp_path / "a", section())

    assert (found, info.interfaces, info.frames, info.damage) == ([], [], 0, None)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"\0\0\0", "block cut: 3 bytes left of it"),
        (enhanced(0, 1, b"abc")[:-1], "block cut: 35 bytes left of it"),
        (enhanced(0, 1, b"abc")[:7], "block cut: 7 bytes left of it"),
        (enhanced(0, 1, b"abc")[:-4] + b"\0\0\0\1", "block length 36 at its start, 16777216 at its end"),
        (enhanced(5, 1, b"abc"), "packet of interface 5, 1 are described"),
        (enhanced(1, 1, b"abc"), "packet of interface 1, 1 are described"),
        (block(6, bytes(16)), "packet block of 28 bytes, needs 32"),
        (block(6, struct.pack("<5I", 0, 0, 0, 5, 5) + b"four"), "packet of 5 bytes in a block of 36"),
        (enhanced(0, 1, bytes(262_145)), "packet of 262145 bytes in a block of 262180"),
        (block(1, bytes(4)), "interface block of 16 bytes, needs 20"),
        (struct.pack("<II", 6, 11), "block of 11 bytes"),
        (struct.pack("<II", 6, 14), "block of 14 bytes"),
        (struct.pack("<II", 6, (16 << 20) + 4), "block of 16777220 bytes"),
        (_obsolete(b"abc", number=1), "packet of 3 bytes"),
        (_obsolete(b"abcd", cap=5), "packet of 5 bytes"),
        (_obsolete(bytes(262_145)), "packet of 262145 bytes"),
        (_header()[:20], "section header cut: needed 28 bytes, found 20"),
        (_header()[:4], "section header cut: needed 28 bytes, found 4"),
        (_header(magic=7), "section header without byte-order magic: 07000000"),
        (_header(major=3), "pcapng version 3.0, known is 1.0"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_kinds_of_damage(tmp_path: Path, bad: bytes, problem: str, order: str) -> None:
    """What was before it stays; reason and place are told, also in a second section."""
    good = GOOD if order == "<" else section(">") + interface(1, order=">") + enhanced(0, 1, b"a", order=">") + GOOD
    found, info = _read(tmp_path / "a", good + bad + (b"" if " cut" in problem else enhanced(0, 2, b"never")))

    assert [packet for _, _, packet in found] == ([b"one"] if order == "<" else [b"a", b"one"])
    assert info.damage == Damage(len(good), problem)


@pytest.mark.parametrize("first", ["length", "interface"])
def test_the_first_damage_counts(tmp_path: Path, first: str) -> None:
    """Whatever its kind."""
    damaged = {"length": enhanced(0, 1, b"abc")[:-4] + b"\0\0\0\1", "interface": enhanced(5, 1, b"abc")}
    second = next(bad for name, bad in damaged.items() if name != first)
    _, info = _read(tmp_path / "a", GOOD + damaged[first] + second)

    assert info.damage is not None
    assert info.damage.offset == len(GOOD)
    assert ("at its end" if first == "length" else "interface 5") in info.damage.problem


def test_what_a_block_may_be_at_the_most(tmp_path: Path) -> None:
    """Packets without bytes and the longest ones, in blocks that hold nothing else; interfaces without options."""
    longest = bytes(262_144)
    data = (
        section()
        + interface(1)
        + enhanced(0, 1, b"")
        + enhanced(0, 2, longest)
        + _obsolete(longest)
        + enhanced(0, 3, b"ab")
    )

    assert _lengths(tmp_path / "a", data) == [(1, 0, 0), (2, 262_144, 262_144), (3, 262_144, 262_144), (4, 2, 2)]


def test_a_block_larger_than_the_window(tmp_path: Path) -> None:
    """It is passed over like a small one, up to 16 MiB."""
    (tmp_path / "a").write_bytes(GOOD + block(0xBAD, bytes((16 << 20) - 12)) + enhanced(0, 2, b"two"))
    capture = CaptureFile(str(tmp_path / "a"), memory=buffer(4096))

    assert sum(len(batch) for batch in capture.batches()) == 2
    assert capture.info.damage is None


@pytest.mark.parametrize("size", [64, 100, 333])
@pytest.mark.parametrize("order", ["<", ">"])
def test_windows_of_any_size(tmp_path: Path, size: int, order: str) -> None:
    """Blocks that straddle them are read whole, and the place of damage is the file's."""
    data = b"".join(
        section(one) + interface(1, order=one) + enhanced(0, number, bytes([number]) * number * 3, order=one)
        for number, one in enumerate([order, "<", ">", ">", "<", order] * 6)
    )
    (tmp_path / "a").write_bytes(data + b"\0\0\0\6\0")
    capture = CaptureFile(str(tmp_path / "a"), memory=buffer(size))
    found = [
        (batch.first_frame + i, int(batch.time_ns[i]), int(batch.cap_len[i]))
        for batch in capture.batches()
        for i in range(len(batch))
    ]

    assert found == [(number + 1, number * 1000, number * 3) for number in range(36)]
    assert capture.info.frames == 36
    assert capture.info.damage is not None
    assert capture.info.damage.offset == len(data)


class _Breaks(io.BytesIO):
    """A compressed stream that is cut."""

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if count := super().readinto(buffer):
            return count
        raise OSError("cut")


@pytest.mark.parametrize(
    ("left", "problem"), [(b"", "cannot read on: cut"), (b"\0\0", "block cut: 2 bytes left of it; cannot read on: cut")]
)
def test_a_stream_that_breaks(left: bytes, problem: str) -> None:
    """It is told where, and whether a block was cut; what was before is there."""
    info = FileInfo("a")
    count = sum(map(len, read_pcapng(Window(_Breaks(GOOD + left), buffer()), info)))

    assert (count, info.damage) == (1, Damage(len(GOOD), problem))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mixed", [False, True])
def test_comments(tmp_path: Path, order: str, mixed: bool) -> None:
    """Those of packets have the frame's number, those of a section none; there may be several of one packet."""
    one, two = option(1, b"one", order), option(1, b"two", order) + option(2, b"flags", order) + option(1, b"", order)
    head = struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)
    data = block(0x0A0D0D0A, head + option(1, b"whole", order) + option(3, b"Linux", order), order)
    data += interface(1, order=order) + enhanced(0, 1, b"a", order=order)
    data += _simple(b"x", 1, order) if mixed else enhanced(0, 1, b"x", order=order)
    data += enhanced(0, 1, b"four", one, order) + enhanced(0, 1, b"odd", two + option(0, b""), order)
    data += enhanced(0, 1, b"", one, order)
    _, info = _read(tmp_path / "a", data)

    assert info.comments == [(0, "whole"), (3, "one"), (4, "two"), (4, ""), (5, "one")]


@pytest.mark.parametrize(
    ("snap", "packet", "orig", "cap_len"),
    [
        (0, b"abcd", 3, 3),
        (0, b"abcd", 4, 4),
        (0, b"abcd", 99, 4),
        (2, b"abcd", 3, 2),
        (2, b"abcd", 99, 2),
        (9, b"", 0, 0),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_simple_packets(tmp_path: Path, order: str, snap: int, packet: bytes, orig: int, cap_len: int) -> None:
    """They are as long as they were, as their interface allows, and as their block holds, whatever is least."""
    data = section(order) + interface(1, snap, order=order) + _simple(packet, orig, order) + _simple(b"z", 1, order)

    assert _lengths(tmp_path / "a", data) == [(1, cap_len, orig), (2, 1, 1)]


def test_simple_packets_are_of_the_first_interface_of_their_section(tmp_path: Path) -> None:
    """They have no time; without an interface they are no packets."""
    data = section() + _simple(b"lost", 4) + interface(1) + interface(1) + _simple(b"a", 1)
    data += section() + _simple(b"lost", 4) + interface(113) + interface(1) + _simple(b"b", 1)
    found, info = _read(tmp_path / "a", data)

    assert found == [(0, 0, b"a"), (0, 2, b"b")]
    assert (info.frames, info.damage) == (2, None)


@pytest.mark.parametrize("order", ["<", ">"])
def test_obsolete_packets(tmp_path: Path, order: str) -> None:
    """They have an interface with a time unit of its own, and both lengths."""
    ticks = SECONDS * 10**9 + 7
    nano = interface(1, options=option(9, b"\x09", order), order=order)
    data = section(order) + interface(1, order=order) + section(order) + interface(1, order=order) + nano
    data += _obsolete(b"abcde", number=1, ticks=ticks, cap=3, orig=1500, order=order)
    data += block(2, bytes(16), order) + _obsolete(b"", number=0, ticks=5, order=order)
    found, info = _read(tmp_path / "a", data)

    assert found == [(ticks, 2, b"abc"), (5000, 1, b"")]
    assert _lengths(tmp_path / "a", data) == [(1, 3, 1500), (2, 0, 0)]
    assert info.damage is None


@pytest.mark.parametrize("kind", [9, 0x204, 0x208, 0x209, 0x210, 0x214, 0x216, 0x217, 0x221])
def test_frames_without_a_packet(tmp_path: Path, kind: int) -> None:
    """They share one interface, and have neither bytes nor a time."""
    entry = block(kind, b"MESSAGE=x")
    data = (section() + interface(1) + enhanced(0, 1, b"a") + entry + entry) * 2
    found, info = _read(tmp_path / "a", data)

    assert found == [(1000, 0, b"a"), (0, 1, b""), (0, 1, b""), (1000, 2, b"a"), (0, 1, b""), (0, 1, b"")]
    assert info.interfaces == [Interface(1, 0), Interface(-1, 0), Interface(1, 0)]
    assert _lengths(tmp_path / "a", data)[1] == (2, 0, 0)


@pytest.mark.parametrize("first", [True, False])
def test_entries_do_not_count_among_the_interfaces(tmp_path: Path, first: bool) -> None:
    """A journal's entry before an interface's description does not shift what packets and statistics say."""
    before, between = (block(9, b"MESSAGE=x"), b"") if first else (b"", block(9, b"MESSAGE=x"))
    names = [interface(1, options=option(2, name) + option(0, b"")) for name in (b"docker0", b"wlan0")]
    dropped = block(5, struct.pack("<III", 1, 0, 0) + option(7, struct.pack("<Q", 4)) + option(0, b""))
    data = section() + before + names[0] + between + names[1] + enhanced(1, 1, b"a") + dropped
    found, info = _read(tmp_path / "a", data)

    (place,) = (number for _, number, packet in found if packet == b"a")
    assert (info.interfaces[place].name, info.interfaces[place].dropped) == ("wlan0", 4)


def test_other_blocks_are_no_frames(tmp_path: Path) -> None:
    """Those that nobody knows, and statistics that are too short or of no interface."""
    data = (
        GOOD
        + block(0xBAD, bytes(8))
        + block(5, bytes(8))
        + block(5, struct.pack("<I", 1) + bytes(8) + option(5, bytes(8)))
    )
    found, info = _read(tmp_path / "a", data + block(0x205, b"") + enhanced(0, 2, b"two"))

    assert found == [(1000, 0, b"one"), (2000, 0, b"two")]
    assert (info.interfaces, info.frames, info.damage) == ([Interface(1, 0)], 2, None)


@pytest.mark.parametrize("order", ["<", ">"])
def test_statistics_that_say_nothing_keep_what_was_said(tmp_path: Path, order: str) -> None:
    """The last that says something counts, for its own interface."""
    said = [struct.pack(f"{order}III", 1, 0, 0) + option(5, struct.pack(f"{order}Q", n), order) for n in (9, 4)]
    data = section(order) + interface(1, order=order) * 2 + block(5, said[0], order) + block(5, said[1], order)
    data += block(5, struct.pack(f"{order}III", 1, 0, 0), order)
    _, info = _read(tmp_path / "a", data)

    assert [i.dropped for i in info.interfaces] == [None, 4]


@pytest.mark.parametrize(
    ("ticks", "units", "offset", "expected"),
    [
        (0, 1, 0, 0),
        (5, 1, -7, -2_000_000_000),
        (1_500_000, 1_000_000, 0, 1_500_000_000),
        (1, 3, 0, 333_333_333),
        (1_000_000_001, 1_000_000_000, 0, 1_000_000_001),
        (10**19 + 10**18 + 1, 10**19, 0, 1_100_000_000),
        (1_999_999_999_999, 10**12, 0, 1_999_999_999),
        ((1 << 40) + (1 << 39) + 1, 1 << 40, 0, 1_500_000_000),
        (2**63 + 2**62, 2**63, 0, 1_500_000_000),
        (2**63 - 1, 2**63, 0, 999_999_999),
        (1 << 31, 1 << 31, 1, 2_000_000_000),
        (2**64 - 1, 1, 0, 9_000_000_000_000_000_000),
        (2**64 - 1, 10**9, 0, 9_000_000_000_709_551_615),
        (0, 1, 2**63 - 1, 9_000_000_000_000_000_000),
        (0, 1, -(2**63), -9_000_000_000_000_000_000),
        (1, 1, -(2**63), -8_999_999_999_000_000_000),
        (2**64 - 1, 1, -9_000_000_000, 0),
    ],
)
def test_times(ticks: int, units: int, offset: int, expected: int) -> None:
    """Exact to the nanosecond, in units of any size; what 64 bits cannot hold ends at 9e9 seconds."""
    assert to_ns(np.array([ticks], np.uint64), units, offset).tolist() == [expected]
