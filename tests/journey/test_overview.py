"""What is drawn and measured: the topology, times from point to point, trouble, and what bridges learnt."""

from itertools import pairwise
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.model.overview import NodeKind, Overview
from analyzer.run import Trace
from tests.build import BRIDGE, C1, C2, T0, ether, ipv4, pcap, udp

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def _overview(*names: str) -> tuple[Trace, Overview]:
    trace = analyze([SAMPLES / name for name in names])
    return trace, trace.overview()


def _edges(overview: Overview) -> set[tuple[str, str]]:
    nodes = overview.topology.nodes
    return {(nodes[edge.a].name, nodes[edge.b].name) for edge in overview.topology.edges}


def test_the_seed_s_way_out() -> None:
    """From the container to the remote address, with the gateway that a route names."""
    _, overview = _overview("seed")
    way = ["c3", "veth-c3", "docker0", "host", "wlan0", "192.168.1.1", "8.8.8.8"]

    assert set(pairwise(way)) <= _edges(overview)
    assert {n.name for n in overview.topology.nodes if n.point is None and n.kind is NodeKind.CONTAINER} == {
        "c1",
        "c2",
        "c3",
    }


def test_two_hosts_are_joined_by_their_uplinks() -> None:
    """What goes from one host's uplink to the other's joins them; each overlay hangs on its bridge."""
    _, overview = _overview("overlay/host1", "overlay/host2")

    assert ("host1:wlan0", "host2:wlan0") in _edges(overview)
    assert ("host1:br0", "host1:vxlan0") in _edges(overview)
    assert ("host1:br0", "host1") not in _edges(overview)


def test_without_dumps_the_container_is_whose_addresses_are_seen(tmp_path: Path) -> None:
    """Captures alone: its name is the file's, its address is what it sends from."""
    for name in ("veth-c3", "docker0", "wlan0"):
        (tmp_path / f"{name}.pcap").write_bytes((SAMPLES / "seed" / f"{name}.pcap").read_bytes())
    nodes = analyze([tmp_path]).overview().topology.nodes
    container = next(node for node in nodes if node.kind is NodeKind.CONTAINER)

    assert (container.name, container.details[0]) == ("c3", "172.17.0.4")


def test_times_from_point_to_point_are_those_of_the_journeys() -> None:
    """Every hop's latency is counted once, and the median is one of them."""
    trace, overview = _overview("lossy")
    took: dict[tuple[str, str], list[int]] = {}
    for journey in trace.journeys():
        for here, there in pairwise(journey.hops):
            if here.latency_ns is not None:
                took.setdefault((here.point, there.point), []).append(here.latency_ns)
    found = {(c.from_point, c.to_point): c for c in overview.measures.crossings}

    assert {way: len(times) for way, times in took.items()} == {way: c.packets for way, c in found.items()}
    for way, crossing in found.items():
        assert (crossing.least_ns, crossing.most_ns) == (min(took[way]), max(took[way]))
        assert crossing.median_ns in took[way]
        assert sum(crossing.histogram) == crossing.packets


def test_retransmissions_are_those_of_the_journeys() -> None:
    """In number, and by the point that saw them first."""
    trace, overview = _overview("lossy")
    again: dict[str, int] = {}
    for journey in trace.journeys():
        if journey.retransmission_of is not None:
            point = journey.hops[0].point
            again[point] = again.get(point, 0) + 1

    assert {c.where: sum(c.counts) for c in overview.measures.trouble if c.what == "retransmission"} == again


def test_frames_over_time_are_all_frames() -> None:
    """Every frame is in one bin of its point."""
    trace, overview = _overview("published-port")

    assert {c.where: sum(c.counts) for c in overview.measures.frames} == {p.name: p.frames for p in trace.points}


def test_a_mac_that_moves_is_learnt_again(tmp_path: Path) -> None:
    """The same source MAC comes in at another port later."""
    frames = {"veth-a": [], "veth-b": [], "docker0": []}
    for number, port in enumerate(("veth-a", "veth-a", "veth-b")):
        data = ether(
            C1, BRIDGE, ipv4("172.17.0.2", "172.17.0.1", 17, udp(1000, 2000, bytes([number]) * 40), ident=number + 1)
        )
        frames[port].append((T0 + number * 1_000_000, data))
        frames["docker0"].append((T0 + number * 1_000_000 + 500, data))
    for name, records in frames.items():
        (tmp_path / f"{name}.pcap").write_bytes(pcap(records))
    found = analyze([tmp_path]).overview().learnt

    assert [(entry.point, entry.moved_from, entry.bridge) for entry in found] == [
        ("veth-a", None, "docker0"),
        ("veth-b", "veth-a", "docker0"),
    ]


def _dns(number: int, name: str, answer: str | None) -> bytes:
    message = dpkt.dns.DNS(id=number, qd=[dpkt.dns.DNS.Q(name=name, type=1)])
    if answer is not None:
        message.qr = 1
        message.an = [dpkt.dns.DNS.RR(name=name, type=1, ttl=60, rlen=4, rdata=bytes(map(int, answer.split("."))))]
    return bytes(message)


@pytest.mark.parametrize("pieces", [1, 2])
def test_names_are_joined_with_their_answers(tmp_path: Path, pieces: int) -> None:
    """By id and name, also where the capture was rotated; one stays unanswered."""
    sent = [
        (C1, C2, "172.17.0.2", "172.17.0.3", 40000, 53, _dns(7, "a.example", None)),
        (C2, C1, "172.17.0.3", "172.17.0.2", 53, 40000, _dns(7, "a.example", "192.0.2.1")),
        (C1, C2, "172.17.0.2", "172.17.0.3", 40001, 53, _dns(8, "b.example", None)),
    ]
    records = [
        (T0 + n * 1_000_000, ether(a, b, ipv4(src, dst, 17, udp(sport, dport, data), ident=n + 1)))
        for n, (a, b, src, dst, sport, dport, data) in enumerate(sent)
    ]
    if pieces == 1:
        (tmp_path / "veth-c1.pcap").write_bytes(pcap(records))
    else:
        (tmp_path / "veth-c1.pcap0").write_bytes(pcap(records[:1]))
        (tmp_path / "veth-c1.pcap1").write_bytes(pcap(records[1:]))
    names = analyze([tmp_path] if pieces == 1 else sorted(tmp_path.iterdir())).names

    assert [(n.name, n.outcome, n.records, n.latency_ns) for n in names] == [
        ("a.example", "NOERROR", ("192.0.2.1",), 1_000_000),
        ("b.example", None, (), None),
    ]
