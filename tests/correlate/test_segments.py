"""Segments that offload cuts or joins: which of several transmissions a part belongs to."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.build import BRIDGE, C1, T0, Record, ether, ipv4, tcp, write_pcap
from tests.correlate.groups import packets_of

MS = 1_000_000
PART = 1448
DATA = bytes(range(256)) * 12


def _segment(time_ns: int, ident: int, first: int, parts: int) -> Record:
    """Data of *parts* parts from byte *first* on, without timestamps."""
    segment = tcp(40_000, 80, 1_000 + first, 7, 0x10, DATA[first : first + parts * PART])
    return time_ns, ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 6, segment, ident=ident))


def _packets(tmp_path: Path, veth: list[Record], docker0: list[Record]) -> list[list[str]]:
    """Analyse; return each packet's sightings as ``point frame``."""
    paths = [write_pcap(tmp_path / "veth-c1.pcap", veth), write_pcap(tmp_path / "docker0.pcap", docker0)]
    return sorted(sorted(f"{point} {frame}" for point, frame in packet) for packet in packets_of(analyze(paths)))


def test_a_segment_and_its_parts_are_one_packet(tmp_path: Path) -> None:
    """What the container sent at once is cut on its way."""
    docker0 = [_segment(T0 + 1_000, 10, 0, 1), _segment(T0 + 2_000, 11, PART, 1)]

    assert _packets(tmp_path, [_segment(T0, 10, 0, 2)], docker0) == [["docker0 1", "docker0 2", "veth-c1 1"]]


def test_each_transmission_has_its_own_parts(tmp_path: Path) -> None:
    """Bytes that are sent twice are two packets, told apart by IP ids, not one packet with four parts."""
    again = T0 + 300 * MS
    veth = [_segment(T0, 10, 0, 2), _segment(again, 12, 0, 2)]
    docker0 = [_segment(T0 + 1_000, 10, 0, 1), _segment(T0 + 2_000, 11, PART, 1)]
    docker0 += [_segment(again + 1_000, 12, 0, 1), _segment(again + 2_000, 13, PART, 1)]

    assert _packets(tmp_path, veth, docker0) == [
        ["docker0 1", "docker0 2", "veth-c1 1"],
        ["docker0 3", "docker0 4", "veth-c1 2"],
    ]


def test_what_is_sent_again_in_part_is_another_packet(tmp_path: Path) -> None:
    """The second half was lost, and goes again with an IP id of its own."""
    again = T0 + 300 * MS
    veth = [_segment(T0, 10, 0, 2), _segment(again, 200, PART, 1)]
    docker0 = [_segment(T0 + 1_000, 10, 0, 1), _segment(again + 1_000, 200, PART, 1)]

    assert _packets(tmp_path, veth, docker0) == [["docker0 1", "veth-c1 1"], ["docker0 2", "veth-c1 2"]]


@pytest.mark.parametrize(("distance", "packets"), [(0, 1), (63, 1), (64, 2), (65_535, 2)])
def test_parts_are_at_most_63_ip_ids_behind_the_first(tmp_path: Path, distance: int, packets: int) -> None:
    """64 KiB have no more parts; what is farther is another transmission, even where no point saw both."""
    part = _segment(T0 + 1_000, (65_500 + distance) % 65_536, PART, 1)

    assert len(_packets(tmp_path, [_segment(T0, 65_500, 0, 2)], [part])) == packets
