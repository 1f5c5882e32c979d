"""Segments that offload cuts or joins: which of several transmissions a part belongs to."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import analyze
from analyzer.link.runs import Rows
from analyzer.packet.segments import SPREAD_NS, join_parts
from analyzer.schema import FRAMES, Layer
from tests.build import BRIDGE, C1, T0, Record, ether, ipv4, tcp, write_pcap
from tests.packet.groups import packets_of
from tests.packet.tables import ETHERNET, TCP, UDP, Frame, table

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


TOP, S = 1 << 32, 1_000_000_000
Group = list[Frame]


def _joined(*groups: Group) -> list[int]:
    """Return each group's number after parts were joined; ``stream`` of a frame is 0 unless it tells another."""
    frames = [frame for group in groups for frame in group]
    group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    stream = np.array([frame.get("stream", 0) for frame in frames], np.int32)
    rows = [{"time_ns": n, **{k: v for k, v in one.items() if k != "stream"}} for n, one in enumerate(frames)]
    # Rows in another order than the table's show that places are no rows.
    order = np.arange(len(rows))[::-1].copy()
    found = join_parts(Rows(table(FRAMES, rows[::-1]), order), group, stream)
    numbers = [set(found[group == number].tolist()) for number in range(len(groups))]

    assert {len(one) for one in numbers} == {1}
    return [one.pop() for one in numbers]


def _part(point: int, seq: int, length: int, ip_id: int = 10, **columns: Any) -> Frame:
    usual = {"layers": TCP, "proto": 6, "seq": seq % TOP, "payload_len": length, "ip_id": ip_id % 65_536}
    return {**usual, "point": point, **columns}


@pytest.mark.parametrize(
    ("groups", "joined"),
    [
        ([[_part(0, 1, 20)], [_part(1, 1, 10)], [_part(1, 11, 10, 11)]], [0, 0, 0]),
        ([[_part(1, 1, 10)], [_part(1, 11, 10, 11)], [_part(0, 1, 20)]], [0, 0, 0]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10)], [_part(1, 21, 10, 11)]], [0, 0, 2]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, ack=9)], [_part(1, 11, 10, 11)]], [0, 1, 0]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, tsval=9)], [_part(1, 11, 10, 11)]], [0, 1, 0]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, tsecr=9)], [_part(1, 11, 10, 11)]], [0, 1, 0]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, stream=1)], [_part(1, 11, 10, 11)]], [0, 1, 0]),
        ([[_part(0, 1, 20, stream=-1)], [_part(1, 1, 10, stream=-1)]], [0, 1]),
        ([[_part(0, 1, 20), _part(1, 1, 20)], [_part(0, 1, 10)], [_part(1, 5, 10)]], [0, 1, 1]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10)], [_part(1, 11, 0, 11)]], [0, 0, 2]),
        ([[_part(0, -9, 20)], [_part(1, -9, 10)], [_part(1, 1, 10, 11)]], [0, 0, 0]),
        ([[_part(0, 5, 20)], [_part(1, 5, 10)], [_part(1, -20, 10, 9)]], [0, 0, 2]),
        ([[_part(0, 1, 20, 65_535)], [_part(1, 1, 10, 65_535)], [_part(1, 11, 10, 0)]], [0, 0, 0]),
        ([[_part(0, 1, 20, proto=17, layers=UDP)], [_part(1, 1, 10, proto=17, layers=UDP)]], [0, 1]),
    ],
)
def test_parts_of_one_segment(groups: list[Group], joined: list[int]) -> None:
    """Bytes that meet, of one stream, with the same acknowledgement and stamps, that a point did not see like this."""
    assert _joined(*groups) == joined


@pytest.mark.parametrize(
    ("groups", "joined"),
    [
        (
            [[_part(0, 1, 20)], [_part(1, 1, 10)], [_part(1, 11, 10, 11)],
             [_part(0, 1, 20, 12)], [_part(1, 1, 10, 12)], [_part(1, 11, 10, 13)]],
            [0, 0, 0, 3, 3, 3],
        ),
        (
            [[_part(0, 1, 20)], [_part(1, 11, 10, 11)], [_part(0, 11, 10, 200)], [_part(1, 1, 10, 10)]],
            [0, 0, 2, 0],
        ),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, 73)]], [0, 0]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, 74)]], [0, 1]),
        ([[_part(0, 1, 20)], [_part(1, 1, 10, 9)]], [0, 1]),
        ([[_part(0, 1, 20, 65_530)], [_part(1, 1, 10, 65_530 + 63)]], [0, 0]),
    ],
    ids=["sent twice", "second half again", "63 ids", "64 ids", "an id before", "ids wrap"],
)  # fmt: skip
def test_each_part_belongs_to_one_transmission(groups: list[Group], joined: list[int]) -> None:
    """The whole with the nearest IP id that is not above its own, and that another point saw."""
    assert _joined(*groups) == joined


FIRST = {"layers": UDP | Layer.FRAGMENT, "proto": 17, "ip_id": 5}
LATER = {"layers": ETHERNET | Layer.IPV4 | Layer.FRAGMENT, "proto": 17, "ip_id": 5, "frag_offset": 1480}
WHOLE = {"layers": UDP, "proto": 17, "ip_id": 5, "point": 1}


@pytest.mark.parametrize(
    ("groups", "joined"),
    [
        ([[FIRST], [LATER]], [0, 0]),
        ([[LATER], [FIRST]], [0, 0]),
        ([[FIRST], [LATER], [WHOLE]], [0, 0, 0]),
        ([[FIRST], [LATER | {"ip_id": 6}]], [0, 1]),
        ([[FIRST], [LATER | {"stream": 1}]], [0, 1]),
        ([[FIRST], [LATER], [WHOLE | {"ip_id": 6}]], [0, 0, 2]),
        ([[FIRST], [LATER], [WHOLE | {"stream": 1}]], [0, 0, 2]),
        ([[FIRST], [LATER], [WHOLE | {"layers": UDP & ~Layer.IPV4 | Layer.IPV6}]], [0, 0, 2]),
        ([[FIRST | {"stream": -1}], [LATER | {"stream": -1}]], [0, 1]),
        ([[WHOLE], [WHOLE]], [0, 1]),
        ([[FIRST | {"time_ns": 0}], [LATER | {"time_ns": SPREAD_NS}]], [0, 0]),
        ([[FIRST | {"time_ns": 0}], [LATER | {"time_ns": SPREAD_NS + 1}]], [0, 1]),
        (
            [
                [FIRST | {"time_ns": 0}],
                [LATER | {"time_ns": 5}],
                [FIRST | {"time_ns": 9 * S}],
                [LATER | {"time_ns": 9 * S}],
            ],
            [0, 0, 2, 2],
        ),
    ],
)
def test_fragments_of_one_datagram(groups: list[Group], joined: list[int]) -> None:
    """And the datagram itself, where the host has put it together: by the IP id, close together in time."""
    assert _joined(*groups) == joined


SIX = ETHERNET | Layer.IPV6
FIRST6 = {"layers": SIX | Layer.PORTS | Layer.UDP | Layer.FRAGMENT, "proto": 17, "ip_id": 5, "digest": 7, "time_ns": 10}
LATER6 = {"layers": SIX | Layer.FRAGMENT, "proto": 17, "ip_id": 5, "frag_offset": 1480, "digest": 8, "time_ns": 11}
WHOLE6 = {"layers": SIX | Layer.PORTS | Layer.UDP, "proto": 17, "digest": 7, "point": 1, "time_ns": 12}


@pytest.mark.parametrize(
    ("groups", "joined"),
    [
        ([[FIRST6], [LATER6]], [0, 0]),
        ([[FIRST6], [LATER6], [WHOLE6]], [0, 0, 0]),
        ([[FIRST6], [LATER6], [FIRST6 | {"ip_id": 9, "point": 1}], [LATER6 | {"ip_id": 9, "point": 1}]], [0, 0, 0, 0]),
        ([[FIRST6], [LATER6 | {"ip_id": 6}]], [0, 1]),
        ([[FIRST6], [LATER6 | {"point": 1}]], [0, 1]),
        ([[FIRST6], [LATER6 | {"stream": 1}]], [0, 1]),
        ([[FIRST6], [LATER6], [WHOLE6 | {"digest": 9}]], [0, 0, 2]),
        ([[FIRST6], [LATER6], [WHOLE6 | {"stream": 1}]], [0, 0, 2]),
        (
            [[FIRST6], [LATER6], [FIRST6 | {"ip_id": 6, "time_ns": 20}], [LATER6 | {"ip_id": 6, "time_ns": 21}]],
            [0, 0, 2, 2],
        ),
        (
            [[FIRST6], [LATER6], [WHOLE6], [FIRST6 | {"ip_id": 6, "time_ns": 20}],
             [LATER6 | {"ip_id": 6, "time_ns": 21}], [WHOLE6 | {"time_ns": 22}]],
            [0, 0, 0, 3, 3, 3],
        ),
        ([[FIRST6], [WHOLE6 | {"time_ns": 10 + SPREAD_NS}]], [0, 0]),
        ([[FIRST6], [WHOLE6 | {"time_ns": 11 + SPREAD_NS}]], [0, 1]),
    ],
)  # fmt: skip
def test_fragments_of_one_ipv6_datagram(groups: list[Group], joined: list[int]) -> None:
    """A host gives them another identification: the first one's payload tells, and how often a point has seen it."""
    assert _joined(*groups) == joined


def test_groups_that_are_joined_by_others_are_one() -> None:
    """The lowest number stays, for all frames of all of them."""
    groups = [[FIRST], [WHOLE | {"point": 2}, LATER | {"ip_id": 9}], [FIRST | {"ip_id": 9}]]

    assert _joined(*groups) == [0, 0, 0]
