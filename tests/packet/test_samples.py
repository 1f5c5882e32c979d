"""Captures alone against the kernel's own answer, on every sample from the real Docker Engine."""

import random
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.model import Basis
from tests.oracle import Truth
from tests.packet.groups import IN_PARTS, UNROUTED, packets_of, tuples_of

SAMPLES = sorted(path.parent for path in Path(__file__).parents[2].glob("sample_pcaps/*/expected.json"))

UNTRACKED = "no-bridge"
TRACKED = [sample for sample in SAMPLES if sample.name != UNTRACKED]
ONE_SIGHTING = "across-networks"
"""A hairpin port sends broadcasts back; where no other point saw them, that may as well be two broadcasts."""


@pytest.mark.parametrize("folder", [s for s in SAMPLES if s.name not in IN_PARTS], ids=lambda p: p.name)
def test_every_frame_is_grouped_as_it_really_was(folder: Path) -> None:
    """No frame too many and none too few in any packet."""
    trace = analyze(sorted(folder.glob("*.pcap")))

    assert packets_of(trace) == Truth(folder).packets()


@pytest.mark.parametrize("folder", [s for s in TRACKED if s.name != UNROUTED], ids=lambda p: p.name)
def test_tuples_are_conntracks(folder: Path) -> None:
    """Original and reply tuple of every connection, from frames alone."""
    trace = analyze(sorted(folder.glob("*.pcap")))

    assert tuples_of(trace) == Truth(folder).tuples()


def test_macvlan_passes_by_the_hosts_conntrack() -> None:
    """What a macvlan's container sends is not translated, and the host's conntrack does not know it."""
    folder = SAMPLES[0].parent / UNTRACKED
    found = tuples_of(analyze(sorted(folder.glob("*.pcap"))))
    unknown = [pair for pair in found if pair not in Truth(folder).tuples()]

    assert [(original[1], original[1] == reply[2]) for original, reply in unknown] == [("192.168.1.50", True)] * 2
    assert len(found) == len(unknown) + len(Truth(folder).tuples())


@pytest.mark.parametrize("folder", TRACKED, ids=lambda p: p.name)
def test_conntrack_dumps_make_the_mapping_stated(folder: Path) -> None:
    """With the dumps beside the captures nothing changes but the basis, and nothing is contradicted."""
    trace = analyze([folder])

    assert tuples_of(trace) == Truth(folder).tuples()
    assert {trace.connection(n).basis for n in range(len(trace.connections))} == {Basis.STATED}
    assert [f for f in trace.findings if f.check == "conntrack-contradiction"] == []


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_the_order_of_files_does_not_matter(folder: Path) -> None:
    """Packets are the same whichever file is named first."""
    files = sorted(folder.glob("*.pcap"))

    assert packets_of(analyze(files[::-1])) == packets_of(analyze(files))


@pytest.mark.parametrize(
    "folder", [s for s in SAMPLES if s.name not in (*IN_PARTS, "any", ONE_SIGHTING)], ids=lambda p: p.name
)
@pytest.mark.parametrize("seed", range(3))
def test_captures_that_overlap_only_partly(folder: Path, seed: int, tmp_path: Path) -> None:
    """Points that begin late, end early or keep one protocol: the rest of each packet is still together."""
    chance = random.Random(f"{folder.name} {seed}")
    kept: dict[str, list[int]] = {}
    for path in sorted(folder.glob("*.pcap")):
        kept[path.stem] = _cut(path, tmp_path / path.name, chance)
    number = {(name, old): new for name, numbers in kept.items() for new, old in enumerate(numbers, 1)}
    whole = Truth(folder).packets()
    truth = {frozenset((p, number[p, f]) for p, f in packet if (p, f) in number) for packet in whole} - {frozenset()}

    found = packets_of(analyze(sorted(tmp_path.glob("*.pcap"))))

    assert found == truth


def _cut(path: Path, to: Path, chance: random.Random) -> list[int]:
    """Copy a part of a capture; return the numbers that the kept frames had."""
    with path.open("rb") as stream:
        reader = dpkt.pcap.Reader(stream)
        frames = [(number, data) for number, (_, data) in enumerate(reader, 1)]
    count = len(frames)
    first, last = chance.choice([(0, count), (count // 3, count), (0, count * 2 // 3)])
    proto = chance.choice([None, None, 6, 17])
    keep = [n for n, data in frames[first:last] if proto is None or data[23:24] != bytes((proto,))]
    raw, place, records = path.read_bytes(), 24, []
    for _ in range(count):
        length = 16 + int.from_bytes(raw[place + 8 : place + 12], "little")
        records.append(raw[place : place + length])
        place += length
    to.write_bytes(raw[:24] + b"".join(records[number - 1] for number in keep))
    return keep
