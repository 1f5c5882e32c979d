"""What parts tell together: packets and connections by their numbers among all, as without any parts."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.run import Trace
from analyzer.schema import HOPS
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, Record, ether, ipv4, udp, write_pcap

INSIDE, HOST, SERVER = "172.17.0.2", "192.168.1.100", "8.8.8.8"
PARTS = 5


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, Trace]:
    """Analyse datagrams of many connections, of which two each begin at one time; whole, and in parts."""
    folder: Path = tmp_path_factory.mktemp("assemble")
    inside: list[Record] = []
    outside: list[Record] = []
    for number in range(24):
        time, body = T0 + number // 2 * 1_000_000, udp(4000 + number, 53, b"ask %d" % number)
        inside.append((time, ether(C1, BRIDGE, ipv4(INSIDE, SERVER, 17, body, ident=number + 1))))
        late = time + (9000 if number % 3 else 1_200_000)  # others come before it is there
        outside.append((late, ether(UPLINK, GATEWAY, ipv4(HOST, SERVER, 17, body, ident=number + 1, ttl=63))))
        reply = ipv4(SERVER, INSIDE, 17, udp(53, 4000 + number, b"told %d" % number), ident=900 + number)
        inside.append((time + 500_000, ether(BRIDGE, C1, reply)))
    veth = write_pcap(folder / "veth-c1.pcap", sorted(inside, key=lambda record: record[0]))
    paths = [veth, write_pcap(folder / "wlan0.pcap", sorted(outside, key=lambda record: record[0]))]
    return analyze(paths), analyze(paths, parts=PARTS)


def test_there_are_parts(traces: tuple[Trace, Trace]) -> None:
    """Else what follows would show little: no part has all, and all have all."""
    whole, cut = (trace.correlated for trace in traces)
    sizes = [len(part.packets) for part in cut.parts]

    assert len(whole.parts) == 1
    assert sum(size > 0 for size in sizes) > 2
    assert sum(sizes) == cut.packets == whole.packets == 48
    assert sorted(np.concatenate([part.packets for part in cut.parts]).tolist()) == list(range(48))
    assert sorted(np.concatenate([part.connections for part in cut.parts]).tolist()) == list(range(24))


def test_packets_are_numbered_by_the_time_of_their_first_frame(traces: tuple[Trace, Trace]) -> None:
    """Of equal times by where they were recorded; whatever part each is in."""
    whole, cut = (trace.correlated for trace in traces)
    frames = traces[0].tables.frames
    first = np.flatnonzero(whole.hops["hop"] == 0)
    rows = whole.hops["row"][first]
    order = np.lexsort((frames["frame"][rows], frames["point"][rows], frames["time_ns"][rows]))

    assert order.tolist() == list(range(48))
    for name in HOPS.dtypes:
        assert cut.hops[name].tolist() == whole.hops[name].tolist(), name


def test_connections_are_numbered_by_their_first_packet(traces: tuple[Trace, Trace]) -> None:
    """All of their columns go with them."""
    whole, cut = (trace.correlated for trace in traces)

    assert cut.first_packets.tolist() == whole.first_packets.tolist() == sorted(whole.first_packets.tolist())
    for name, column in whole.connections.items():
        assert cut.connections[name].tolist() == column.tolist(), name
    assert cut.connections["orig_sport"].tolist() == list(range(4000, 4024))


def test_a_part_tells_the_first_packet_of_each_direction(traces: tuple[Trace, Trace]) -> None:
    """By its number among all."""
    whole, cut = (trace.correlated for trace in traces)
    found = np.concatenate([part.first_of_streams() for part in cut.parts])
    expected: dict[tuple[int, bool], int] = {}
    hops = whole.hops
    for packet, connection, reply in zip(hops["packet"], hops["connection"], hops["reply"], strict=True):
        expected.setdefault((int(connection), bool(reply)), int(packet))

    assert sorted(found.tolist()) == sorted(expected.values())
    assert len(found) == 48


def test_tables_of_a_part_have_numbers_among_all(traces: tuple[Trace, Trace]) -> None:
    """Its rows are called as in the whole, and show the same frames."""
    whole, cut = traces
    frames, connection_of = whole.tables.frames, dict(
        zip(whole.correlated.hops["row"].tolist(), whole.correlated.hops["connection"].tolist(), strict=True)
    )  # fmt: skip
    for part in cut.correlated.parts:
        own, _, rows, hops = part.tables()
        assert own["time_ns"].tolist() == frames["time_ns"][rows].tolist()
        assert [connection_of[row] for row in rows[hops["row"]].tolist()] == hops["connection"].tolist()
        assert set(hops["packet"].tolist()) == set(part.packets.tolist())


def test_no_frames_make_no_packets(tmp_path: Path) -> None:
    """Nor connections."""
    found = analyze([write_pcap(tmp_path / "veth-c1.pcap", [])]).correlated

    assert (found.packets, len(found.hops["row"]), len(found.first_packets)) == (0, 0, 0)
    assert set(found.hops) == set(HOPS.dtypes)
