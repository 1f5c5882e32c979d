"""Two Docker hosts: inner packets through VXLAN, and clocks that are set wrong."""

import struct
from collections import defaultdict
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.model import Disposition, TunnelStep
from analyzer.run import Trace

OVERLAY = Path(__file__).parents[2] / "sample_pcaps" / "overlay"
HOSTS = ("host1", "host2")
DAY_NS = 86_400_000_000_000


def _inner(data: bytes) -> bytes:
    """Return the IP packet, that in VXLAN if there is one: nothing on its way changes it."""
    ethernet = dpkt.ethernet.Ethernet(data)
    udp = ethernet.data.data if isinstance(ethernet.data, dpkt.ip.IP) else None
    if isinstance(udp, dpkt.udp.UDP) and udp.dport == 4789:
        return bytes(udp.data)[8 + 14 :]
    return data[14:]


def inner_truth(folder: Path) -> list[list[tuple[str, int]]]:
    """Group frames of the containers' packets by all of their bytes."""
    groups: dict[bytes, list[tuple[str, int]]] = defaultdict(list)
    for host in HOSTS:
        for path in sorted((folder / host).glob("*.pcap")):
            with path.open("rb") as stream:
                for number, (_, data) in enumerate(dpkt.pcap.Reader(stream), 1):
                    packet = _inner(data)
                    if packet[:1] == b"E" and packet[12:15] == b"\x0a\x1e\x00":
                        groups[packet].append((f"{host}:{path.stem}", number))
    return sorted(sorted(group) for group in groups.values())


def found_inner(trace: Trace) -> list[list[tuple[str, int]]]:
    journeys = [j for j in trace.journeys() if str(j.hops[0].src).startswith("10.30.0.") and j.protocol != "arp"]
    return sorted(sorted((hop.point, frame) for hop in j.hops for frame in hop.frames) for j in journeys)


def _set_clock(folder: Path, offset_ns: int, drift: float) -> None:
    """Let host2's clock be ahead, and gain."""
    for path in (OVERLAY / "host1").glob("*.pcap"):
        (folder / "host1").mkdir(exist_ok=True)
        (folder / "host1" / path.name).write_bytes(path.read_bytes())
    (folder / "host2").mkdir()
    start = None
    for path in sorted((OVERLAY / "host2").glob("*.pcap")):
        data = bytearray(path.read_bytes())
        place = 24
        while place < len(data):
            seconds, below, length = struct.unpack_from("<III", data, place)
            time_ns = seconds * 1_000_000_000 + below
            start = start or time_ns
            time_ns += offset_ns + round((time_ns - start) * drift)
            struct.pack_into("<II", data, place, *divmod(time_ns, 1_000_000_000))
            place += 16 + length
        (folder / "host2" / path.name).write_bytes(data)


def test_inner_packets_are_followed_through_the_tunnel() -> None:
    """Each of them at all eight points, in order, from container to container."""
    trace = analyze([OVERLAY])
    journeys = [j for j in trace.journeys() if str(j.hops[0].src).startswith("10.30.0.") and j.protocol != "arp"]

    assert found_inner(trace) == inner_truth(OVERLAY)
    assert len(journeys) == 40
    for journey in journeys:
        there, back = ("host1", "host2") if str(journey.hops[0].src) == "10.30.0.11" else ("host2", "host1")
        names = {"host1": "veth-c1", "host2": "veth-c2"}
        # A bridge's own copy of what it forwards may be recorded a little later.
        assert [hop.point for hop in journey.hops if "br0" not in hop.point] == [
            f"{there}:{names[there]}", f"{there}:vxlan0", f"{there}:wlan0",
            f"{back}:wlan0", f"{back}:vxlan0", f"{back}:{names[back]}",
        ]  # fmt: skip
        assert {hop.point for hop in journey.hops if "br0" in hop.point} == {f"{there}:br0", f"{back}:br0"}
        assert journey.disposition is Disposition.DELIVERED
        tunnel = [step for step in journey.steps if isinstance(step, TunnelStep)]
        ends = ("192.168.1.100", "192.168.2.100") if there == "host1" else ("192.168.2.100", "192.168.1.100")
        assert [(s.action, s.vni, (str(s.src), str(s.dst)), s.dport) for s in tunnel] == [
            (action, 4097, ends, 4789) for action in ("encapsulated", "carried", "decapsulated")
        ]


@pytest.mark.parametrize("offset_ns", [0, 3_700_000_123, -250_000, -3 * DAY_NS])
@pytest.mark.parametrize("drift", [0.0, 40e-6, -90e-6])
def test_clocks_are_told_by_traffic(tmp_path: Path, offset_ns: int, drift: float) -> None:
    """Packets, their order and their latencies are those of one clock; the offset is within what is said."""
    _set_clock(tmp_path, offset_ns, drift)
    right, trace = analyze([OVERLAY]), analyze([tmp_path])
    (clock,) = {point.clock for point in trace.points if point.host == "host2"}

    assert clock is not None
    assert clock.uncertainty_ns is not None
    assert clock.uncertainty_ns < 50_000
    assert abs(clock.offset_ns - offset_ns - drift * 1.3e9) < clock.uncertainty_ns + abs(drift) * 1.3e9 + 1000
    assert found_inner(trace) == inner_truth(OVERLAY)
    ways = [
        {tuple(hop.frames[0] for hop in j.hops): tuple(hop.point for hop in j.hops) for j in one.journeys()}
        for one in (right, trace)
    ]
    assert ways[0] == ways[1]
    for journey in trace.journeys():
        for hop in journey.hops:
            assert hop.latency_ns is None or hop.latency_ns >= 0


def test_one_way_traffic_bounds_one_side(tmp_path: Path) -> None:
    """Then no latency between the hosts is told."""
    for host in HOSTS:
        (tmp_path / host).mkdir()
        data = (OVERLAY / host / "wlan0.pcap").read_bytes()
        kept, place = data[:24], 24
        while place < len(data):
            length = 16 + int.from_bytes(data[place + 8 : place + 12], "little")
            record = data[place : place + length]
            kept += record if record[16 + 26 : 16 + 30] == bytes((192, 168, 1, 100)) else b""
            place += length
        (tmp_path / host / "wlan0.pcap").write_bytes(kept)
    for name in ("veth-c1", "vxlan0"):
        (tmp_path / "host1" / f"{name}.pcap").write_bytes((OVERLAY / "host1" / f"{name}.pcap").read_bytes())

    trace = analyze([tmp_path])
    crossing = [j for j in trace.journeys() if {hop.point[:5] for hop in j.hops} == set(HOSTS)]

    assert crossing
    assert {point.clock.uncertainty_ns for point in trace.points if point.clock is not None} == {None}
    for journey in crossing:
        assert journey.latency_ns is None
        assert [hop.point[:5] for hop in journey.hops] == sorted(hop.point[:5] for hop in journey.hops)
