"""How journeys end: lost needs proof, absence alone proves nothing."""

import struct
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Disposition
from analyzer.model.journey import ENDS
from analyzer.pipeline import Trace
from tests.build import (
    BRIDGE,
    C1,
    GATEWAY,
    T0,
    UPLINK,
    Record,
    block,
    enhanced,
    ether,
    interface,
    ipv4,
    option,
    section,
    tcp,
    udp,
    write_pcap,
)

MS = 1_000_000


def _through(time: int, sport: int, seq: int) -> tuple[bytes, bytes]:
    """One SYN as docker0 and wlan0 see it."""
    segment = tcp(sport, 80, seq, 0, 2, b"", (time // MS % 1000, 0))
    inside = ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 6, segment, ident=seq % 65535 + 1))
    outside = ether(UPLINK, GATEWAY, ipv4("192.168.1.100", "8.8.8.8", 6, segment, ident=seq % 65535 + 1, ttl=63))
    return inside, outside


def _analysed(tmp_path: Path, veth: list[Record], docker0: list[Record], wlan0: list[Record]) -> Trace:
    points = (("veth-c1", veth), ("docker0", docker0), ("wlan0", wlan0))
    return analyze([write_pcap(tmp_path / f"{name}.pcap", records) for name, records in points])


def _three(missing_at: int) -> tuple[list[Record], list[Record], list[Record]]:
    """Three SYNs to one server, one of which does not reach the uplink."""
    veth: list[Record] = []
    docker0: list[Record] = []
    wlan0: list[Record] = []
    for number in range(3):
        time = T0 + number * 50 * MS
        inside, outside = _through(time, 40_000 + number, 1000 * number)
        veth.append((time, inside))
        docker0.append((time + 5_000, inside))
        if number != missing_at:
            wlan0.append((time + 40_000, outside))
    return veth, docker0, wlan0


def test_a_packet_that_its_siblings_passed_is_lost(tmp_path: Path) -> None:
    """The uplink was recording before and after, and packets to the same destination went there."""
    journeys = list(_analysed(tmp_path, *_three(missing_at=1)).journeys())

    assert [j.disposition for j in journeys] == [Disposition.LEFT_HOST, Disposition.LOST, Disposition.LEFT_HOST]
    assert "docker0" in journeys[1].reason
    assert "wlan0" in journeys[1].reason


def test_at_the_edge_of_a_capture_nothing_is_lost(tmp_path: Path) -> None:
    """After its last frame nobody knows whether the uplink was still recording."""
    journeys = list(_analysed(tmp_path, *_three(missing_at=2)).journeys())

    assert journeys[2].disposition is Disposition.NOT_OBSERVABLE


def test_without_siblings_the_way_is_unknown(tmp_path: Path) -> None:
    """Other destinations may be reached another way."""
    veth, docker0, wlan0 = _three(missing_at=9)
    inside = ether(C1, BRIDGE, ipv4("172.17.0.2", "203.0.113.9", 17, udp(5, 6, b"hello"), ident=77))
    veth.insert(1, (T0 + 20 * MS, inside))
    docker0.insert(1, (T0 + 20 * MS + 5000, inside))
    journeys = list(_analysed(tmp_path, veth, docker0, wlan0).journeys())

    assert journeys[1].disposition is Disposition.NOT_OBSERVABLE


@pytest.mark.parametrize(
    ("dropped", "end", "why"),
    [
        (0, Disposition.LOST, "wlan0, which was recording and lies on the way"),
        (1, Disposition.NOT_OBSERVABLE, "wlan0 dropped 1 frame"),
        (7, Disposition.NOT_OBSERVABLE, "wlan0 dropped 7 frame"),
    ],
)
def test_a_point_that_dropped_frames_proves_no_loss(tmp_path: Path, dropped: int, end: Disposition, why: str) -> None:
    """What it does not show, it may have dropped."""
    veth, docker0, wlan0 = _three(missing_at=1)
    statistics = struct.pack("<III", 0, 0, 0) + option(7, struct.pack("<Q", dropped)) + option(0, b"")
    blocks = [section(), interface(options=option(2, b"wlan0") + option(9, b"\x09") + option(0, b""))]
    blocks += [enhanced(0, time, frame) for time, frame in wlan0]
    (tmp_path / "wlan0.pcapng").write_bytes(b"".join([*blocks, block(5, statistics)]))
    paths = [write_pcap(tmp_path / f"{name}.pcap", r) for name, r in (("veth-c1", veth), ("docker0", docker0))]
    journeys = list(analyze([*paths, tmp_path / "wlan0.pcapng"]).journeys())

    assert [j.disposition for j in journeys] == [Disposition.LEFT_HOST, end, Disposition.LEFT_HOST]
    assert why in journeys[1].reason


def test_an_icmp_error_that_quotes_a_packet_rejects_it(tmp_path: Path) -> None:
    """The quoted packet's journey ends with the error, also where the quote is translated."""
    question = udp(5000, 53, b"question")
    inside = ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, question, ident=9))
    outer = ipv4("192.168.1.100", "8.8.8.8", 17, question, ident=9, ttl=63)

    def error(to: str, quoted: bytes) -> bytes:
        return ipv4("8.8.8.8", to, 1, struct.pack("!BBHI", 3, 3, 0, 0) + quoted[:28], ident=4, ttl=60)

    back = ether(GATEWAY, UPLINK, error("192.168.1.100", outer))
    into = ether(BRIDGE, C1, error("172.17.0.2", ipv4("172.17.0.2", "8.8.8.8", 17, question, ident=9, ttl=63)))
    trace = _analysed(
        tmp_path,
        [(T0, inside), (T0 + MS, into)],
        [(T0 + 5, inside), (T0 + MS - 5, into)],
        [(T0 + 9, ether(UPLINK, GATEWAY, outer)), (T0 + MS - 9, back)],
    )
    asked, told = trace.journeys()

    assert asked.disposition is Disposition.REJECTED
    assert "port unreachable" in asked.reason
    assert [hop.point for hop in told.hops] == ["wlan0", "docker0", "veth-c1"]


def test_a_lone_uplink_capture_claims_no_losses(tmp_path: Path) -> None:
    """With one point there is nothing to compare."""
    _, _, wlan0 = _three(missing_at=9)
    trace = analyze([write_pcap(tmp_path / "wlan0.pcap", wlan0)])

    assert {j.disposition for j in trace.journeys()} == {Disposition.NOT_OBSERVABLE}


SAMPLES = sorted(path.parent for path in Path(__file__).parents[2].glob("sample_pcaps/*/expected.json"))


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_counting_dispositions_equals_deciding_each(folder: Path) -> None:
    """Packets that are alike are decided once; the result is the same as one by one."""
    trace = analyze([folder])

    assert [ENDS[code] for code in trace.tracer.ends] == [journey.disposition for journey in trace.journeys()]


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_no_sample_claims_a_loss(folder: Path) -> None:
    """What is lost in the samples is lost behind the uplink: this host is healthy."""
    assert not len(analyze(sorted(folder.glob("*.pcap"))).tracer.ended(Disposition.LOST))
