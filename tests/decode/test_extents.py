"""Captures in extents: the tables that reading them whole gives, wherever they are cut."""

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analyzer.decode import extents
from analyzer.decode.frames import read_frames
from analyzer.decode.reader import Room
from analyzer.decode.stretch import Stretch
from analyzer.decode.tables import FrameTables
from analyzer.link.keys import make_keys
from analyzer.read.file import CaptureFile
from analyzer.read.work import Work, work_directory
from tests.build import T0, block, enhanced, interface, ipv4, option, pcap, section, udp

RAW = 101
COUNT = 400


def _each(stage: Callable[[Any, Any], Any], common: Any, items: Sequence[Any]) -> Iterator[Any]:
    return (stage(common, item) for item in items)


def _packets(random: Random) -> list[bytes]:
    return [
        ipv4("172.17.0.2", "8.8.8.8", 17, udp(5000 + n % 7, 53, random.randbytes(random.randrange(90))), ident=n)
        for n in range(COUNT)
    ]


def _records(random: Random, **options: object) -> bytes:
    return pcap([(T0 + n * 1_000_000, packet) for n, packet in enumerate(_packets(random))], link_type=RAW, **options)


def _of_captures(random: Random) -> bytes:
    """Return a capture whose payloads are captures."""
    inner = pcap([(T0 + n, b"\x45" + bytes(29)) for n in range(30)], link_type=RAW)[24:]
    cut = [(T0 + n, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, inner[random.randrange(46) :]))) for n in range(60)]
    return pcap(cut, link_type=RAW)


def _blocks(
    random: Random, order: str = "<", between: Callable[[int], bytes] = lambda _: b"",
    interface_of: Callable[[Random, int], int] = lambda random, _: random.randrange(2),
) -> bytes:  # fmt: skip
    data = section(order) + interface(RAW, order=order) + interface(RAW, order=order)
    for number, packet in enumerate(_packets(random)):
        data += between(number)
        comment = option(1, f"the {number}th".encode(), order) if number % 50 == 0 else b""
        data += enhanced(interface_of(random, number), 10**15 + number, packet, comment, order=order)
    statistics = struct.pack(f"{order}III", 1, 0, 0) + option(5, struct.pack(f"{order}Q", 17), order)
    return data + block(5, statistics, order)


def _at(place: int, data: bytes) -> Callable[[int], bytes]:
    return lambda number: data if number == place else b""


CASES: dict[str, Callable[[Random], bytes]] = {
    "pcap": _records,
    "big endian": partial(_records, order=">"),
    "a record that cannot be": lambda random: _records(random)[:12_000] + b"\xff" * 5_000,
    "cut": lambda random: _records(random)[:-7],
    "captures inside": _of_captures,
    "pcapng": _blocks,
    "pcapng, big endian": partial(_blocks, order=">"),
    "an interface more": partial(_blocks, between=_at(200, interface(RAW, 60))),
    "a section more": partial(_blocks, between=_at(150, section() + interface(RAW, 90) + interface(1))),
    "no interface any more": partial(_blocks, between=_at(150, section())),
    "interfaces that come late": partial(_blocks, interface_of=lambda _, number: int(number < 170)),
    "names": partial(_blocks, between=_at(300, block(4, struct.pack("<HH4s4s4x", 1, 8, b"\n\0\0\1", b"one")))),
    "journal entries": partial(_blocks, between=lambda number: block(9, b"an entry") if number % 100 == 99 else b""),
}  # fmt: skip


def _told(tables: FrameTables) -> tuple[object, ...]:
    columns = {name: column.tolist() for name, column in tables.columns().items()}
    sides = {name: {key: of.tolist() for key, of in tables.side(name).items()} for name in ("quotes", "neighbours")}
    files = [file for one in tables.stretches for file in one.file_of_rows().tolist()]
    numbers = [number for one in tables.stretches for number in _numbers(one)]
    return columns, sides, tables.files, tables.sources, tables.keep, files, numbers


def _numbers(one: Stretch) -> list[int]:
    """Return what the rows of a stretch are called in their files."""
    ends = [*(of.begin for of in one.files[1:]), one.read]
    return [of.number + place for of, end in zip(one.files, ends, strict=False) for place in range(end - of.begin)]


@pytest.mark.parametrize("length", [300, 2_000, 9_000])
@pytest.mark.parametrize("case", CASES)
def test_as_if_read_whole(case: str, length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, points, interfaces, comments, names, drops and damage are the same, also beside another file."""
    monkeypatch.setattr(extents, "LEAST", length)
    captures = []
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(CASES[case](Random(name)))
        captures.append(partial(CaptureFile, str(tmp_path / name), name))
    with work_directory(str(tmp_path), 0) as work:
        room = Room(0, 100, lambda: Work(work.folder))
        cut = read_frames(captures, make_keys, room=room, each=_each, extents=1_000_000)
        whole = read_frames(captures, make_keys, room=room)
        assert _told(cut) == _told(whole)


@pytest.mark.parametrize("case", ["pcap", "big endian", "pcapng", "pcapng, big endian"])
def test_records_are_found(case: str, tmp_path: Path) -> None:
    """Where nothing is strange, extents begin at records, and are about as long as they should be."""
    (tmp_path / "a").write_bytes(CASES[case](Random(1)))
    capture = CaptureFile(str(tmp_path / "a"))
    first, *later = capture.extents(4_000)
    header = 16 if "pcapng" not in case else 28
    places = {place - header for records in capture.batches() for place in capture.places_of(records).tolist()}

    assert first.begin == 0
    assert [one.begin // 4_000 for one in later] == list(range(1, len(later) + 1))
    assert len(later) >= capture.size // 4_000 - 1
    assert {one.begin for one in later} <= places


def test_a_large_file_is_cut_where_a_small_one_is_not(tmp_path: Path) -> None:
    """An extent has at least 16 MiB."""
    (tmp_path / "a").write_bytes(_records(Random(1)))
    assert len(extents.cut_files([partial(CaptureFile, str(tmp_path / "a"), "a")], 1)[0].extents) == 1
