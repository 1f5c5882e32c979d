"""The pcapng reader: sections, interfaces, time units, comments, statistics, names, and damage."""

import struct
from pathlib import Path

import pytest

from analyzer.capture.read import CaptureFile
from analyzer.capture.records import FileInfo
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
