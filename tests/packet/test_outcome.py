"""How journeys end: lost needs proof, absence alone proves nothing."""

import struct
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.model import Basis, Container, Disposition, HostState, Link, Listener, Point, Role, Route
from analyzer.model.engine import OnHost
from analyzer.model.journey import ENDS
from analyzer.packet.connections import Doubts
from analyzer.packet.outcome import Outcome, Outcomes
from analyzer.run import Trace
from analyzer.schema import Layer
from analyzer.state.rules.iptables import parse_tables
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
from tests.packet import tables
from tests.packet.tables import Packet, at, connection, context, packet, seen

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


POINTS = (
    at(0, "veth-c1", Role.VETH, container="c1", network="net", first_ns=0, last_ns=10_000),
    at(1, "docker0", Role.BRIDGE, first_ns=0, last_ns=10_000),
    at(2, "wlan0", Role.UPLINK, first_ns=0, last_ns=10_000),
    at(3, "veth-c2", Role.VETH, container="c2", network="net", first_ns=0, last_ns=10_000),
    at(4, "eth0", Role.CONTAINER, container="c9", network="net", first_ns=0, last_ns=10_000),
    at(5, "lo", Role.LOOPBACK, first_ns=0, last_ns=10_000),
    at(6, "x", Role.UNKNOWN, first_ns=0, last_ns=10_000),
)
OTHER, GROUP = 0x0242_AC11_0003, 0x0100_5E00_00FB
OUT = {"eth_src": tables.UPLINK, "eth_dst": tables.GATEWAY, "ttl": 63}
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 53)
PLAIN = connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]), seen_reply=False)
LINK = Link(1, "wlan0", None, None, None, (ip_address("192.168.1.100"), ip_address("172.17.0.1")))
HOST = HostState(links=(LINK,), containers=(Container("c2", "net", None, (ip_address("172.17.0.3"),)),))


def _passed(*points: int, number: int = 0, reply: bool = False, **columns: Any) -> Packet:
    return packet(*(seen(point, 100 + n, **columns) for n, point in enumerate(points)), connection=number, reply=reply)


def _end(
    *packets: Packet,
    number: int = 0,
    points: tuple[Point, ...] = POINTS,
    hosts: tuple[HostState, ...] = (HOST,),
    connections: tuple[dict[str, Any], ...] = (PLAIN, PLAIN),
    doubts: Doubts | None = None,
) -> Outcome:
    """Decide a packet's end, the first one's if nobody says another."""
    here = context(points, packets, connections=connections, hosts=hosts, doubts=doubts)
    return Outcomes(here).of(number, here.hop_rows(number))


NOWHERE = "; no captured point shows where packets go from there"


@pytest.mark.parametrize(
    ("one", "end", "basis", "reason"),
    [
        (
            _passed(0, eth_dst=GROUP),
            Disposition.DELIVERED,
            Basis.OBSERVED,
            "broadcast or multicast, seen on its segment",
        ),
        (
            _passed(0, layers=tables.UDP & ~Layer.MAC_DST, dst="239.0.0.1"),
            Disposition.DELIVERED,
            Basis.OBSERVED,
            "broadcast or multicast, seen on its segment",
        ),
        (
            _passed(0, layers=tables.UDP & ~Layer.MAC_DST, dst="255.255.255.255"),
            Disposition.DELIVERED,
            Basis.OBSERVED,
            "broadcast or multicast, seen on its segment",
        ),
        (
            _passed(0, layers=tables.UDP & ~Layer.MAC_DST, eth_dst=GROUP),
            Disposition.NOT_OBSERVABLE,
            Basis.INFERRED,
            f"last seen at veth-c1{NOWHERE}",
        ),
        (_passed(0, dst="239.0.0.1"), Disposition.NOT_OBSERVABLE, Basis.INFERRED, f"last seen at veth-c1{NOWHERE}"),
        (_passed(6, layers=tables.ARP), Disposition.DELIVERED, Basis.OBSERVED, "seen at x, on its own segment"),
        (_passed(1, 3), Disposition.DELIVERED, Basis.OBSERVED, "last seen at veth-c2, the way into container c2"),
        (_passed(3, dst="172.17.0.3"), Disposition.DELIVERED, Basis.OBSERVED,
         "last seen at veth-c2, the way into container c2"),
        (_passed(0, dst="172.17.0.3"), Disposition.NOT_OBSERVABLE, Basis.INFERRED, f"last seen at veth-c1{NOWHERE}"),
        (_passed(1, 4), Disposition.DELIVERED, Basis.OBSERVED, "last seen at eth0, the way into container c9"),
        (_passed(4, 3), Disposition.NOT_OBSERVABLE, Basis.INFERRED, f"last seen at veth-c2{NOWHERE}"),
        (_passed(1, 2), Disposition.LEFT_HOST, Basis.OBSERVED, "last seen going out on wlan0"),
        (_passed(2, src="192.168.1.100"), Disposition.LEFT_HOST, Basis.OBSERVED, "last seen going out on wlan0"),
        (_passed(2), Disposition.NOT_OBSERVABLE, Basis.INFERRED, f"last seen at wlan0{NOWHERE}"),
        (_passed(5), Disposition.DELIVERED, Basis.OBSERVED, "loopback: sender and receiver are this host"),
        (_passed(0, 1, dst="172.17.0.1"), Disposition.DELIVERED, Basis.STATED, "172.17.0.1 is the host's own address"),
        (_passed(6), Disposition.NOT_OBSERVABLE, Basis.INFERRED, f"last seen at x{NOWHERE}"),
    ],
)  # fmt: skip
def test_an_end_by_where_a_packet_was_seen_last(one: Packet, end: Disposition, basis: Basis, reason: str) -> None:
    """And by whom it is for: a group, the container behind a port, the world, the host."""
    found = _end(one)

    assert (found.disposition, found.basis, found.reason) == (end, basis, reason)
    assert (found.own, found.error, found.cause, found.onward) == (False, None, None, ())


def test_a_container_without_a_name_is_still_a_container() -> None:
    """Its port leads into it."""
    points = (*POINTS[:3], replace(POINTS[3], container=None), *POINTS[4:])

    assert _end(_passed(1, 3), points=points).reason == "last seen at veth-c2, the way into its container"


def test_a_question_that_got_through_somehow() -> None:
    """Its connection was answered: of that, and of questions only."""
    answered = replace_row(PLAIN, seen_reply=True)
    told = f"last seen at x; its connection was answered, but {NOWHERE[2:]}"

    assert _end(_passed(6), connections=(answered,)).reason == told
    assert _end(_passed(6, reply=True), connections=(answered,)).reason == f"last seen at x{NOWHERE}"
    assert _end(_passed(6, number=-1), connections=(answered,)).reason == f"last seen at x{NOWHERE}"


def replace_row(row: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """Return a row of CONNECTIONS with other columns."""
    return {**row, **columns}


HOME = packet(seen(3, 10, eth_src=OTHER), seen(1, 11, eth_src=OTHER))
"""The other container's MAC is at home at veth-c2."""


@pytest.mark.parametrize(
    ("points", "reached"),
    [((1, 3, 1), True), ((0, 3, 1), True), ((3, 0, 1), False), ((0, 1), False)],
    ids=["late copy", "from a port", "began there", "not there"],
)
def test_a_bridges_copy_may_be_later_than_the_port(points: tuple[int, ...], reached: bool) -> None:
    """The packet was at the port of its receiver."""
    found = _end(_passed(*points, eth_dst=OTHER), HOME)

    assert (found.reason == "seen at veth-c2, the port of its destination MAC") == reached
    assert (found.disposition is Disposition.DELIVERED) == reached


def test_only_containers_have_ports() -> None:
    """A MAC that is at home at the uplink is beyond the host."""
    beyond = packet(seen(2, 10, eth_src=OTHER), seen(1, 11, eth_src=OTHER))

    assert _end(_passed(0, 2, 1, eth_dst=OTHER), beyond).disposition is Disposition.NOT_OBSERVABLE


SIBLING = _passed(1, 2)
"""Goes on from docker0 to wlan0, to the same address in the same stream."""


@pytest.mark.parametrize(
    ("change", "end", "reason", "own"),
    [
        ({}, Disposition.LOST, "seen at docker0, not at wlan0, which was recording and lies on the way", True),
        (
            {"first_ns": 101},
            Disposition.NOT_OBSERVABLE,
            "last seen at docker0; wlan0 has no frames before and after, to show it recorded",
            True,
        ),
        ({"first_ns": 100, "last_ns": 100}, Disposition.LOST, "seen at docker0, not at wlan0", True),
        (
            {"last_ns": 99},
            Disposition.NOT_OBSERVABLE,
            "last seen at docker0; wlan0 has no frames before and after, to show it recorded",
            True,
        ),
        ({"dropped": 1}, Disposition.NOT_OBSERVABLE, "last seen at docker0; wlan0 dropped 1 frame while", False),
        ({"dropped": 2}, Disposition.NOT_OBSERVABLE, "last seen at docker0; wlan0 dropped 2 frames while", False),
        ({"dropped": 0}, Disposition.LOST, "seen at docker0, not at wlan0", True),
        ({"filter": "port 53"}, Disposition.LOST, "seen at docker0, not at wlan0", True),
        ({"snap_len": 42}, Disposition.LOST, "seen at docker0, not at wlan0", True),
        (
            {"snap_len": 41},
            Disposition.NOT_OBSERVABLE,
            "last seen at docker0; the captures keep too few bytes to tell its kind of packets apart",
            False,
        ),
    ],
)
def test_what_proves_a_loss(change: dict[str, Any], end: Disposition, reason: str, own: bool) -> None:
    """The next point was recording, dropped nothing, and kept enough of each frame."""
    points = (*POINTS[:2], replace(POINTS[2], **change), *POINTS[3:])
    found = _end(packet(seen(1, 100), connection=0), packet(seen(1, 5), seen(2, 6), connection=0), points=points)

    assert (found.disposition, found.basis, found.own) == (end, Basis.INFERRED, own)
    assert found.reason.startswith(reason)
    assert found.onward == (("wlan0",) if end is Disposition.LOST else ())


def test_a_filter_that_nothing_of_the_stream_passed_proves_nothing() -> None:
    """Packets of other connections may pass it where this one may not."""
    points = (*POINTS[:2], replace(POINTS[2], filter="udp"), *POINTS[3:])
    found = _end(_passed(1), _passed(1, 2, number=1), points=points)

    assert (found.disposition, found.basis, found.own) == (Disposition.NOT_OBSERVABLE, Basis.INFERRED, False)
    assert found.reason == "last seen at docker0; the filter “udp” may have kept it from wlan0"


@pytest.mark.parametrize(
    ("layers", "least"),
    [
        (tables.UDP, 42),
        (tables.TCP, 54),
        (tables.ECHO, 42),
        (tables.ETHERNET | Layer.IPV4 | Layer.TAG, 42),
        (tables.ETHERNET | Layer.IPV4, 54),
        (tables.UDP & ~Layer.IPV4 | Layer.IPV6, 62),
        (tables.TCP & ~Layer.IPV4 | Layer.IPV6, 74),
    ],
)
def test_how_much_tells_packets_apart(layers: int, least: int) -> None:
    """Ethernet's header, that of IP, and the transport's; a packet's at any point, whichever keeps least."""
    six = {"src": "fd00::2", "dst": "fd00::9"} if layers & Layer.IPV6 else {}
    packets = _passed(1, layers=layers, **six), _passed(1, 2, layers=layers, **six)
    ends = [
        _end(*packets, points=(replace(POINTS[0], snap_len=snap_len), *POINTS[1:])).disposition
        for snap_len in (least - 1, least)
    ]

    assert ends == [Disposition.NOT_OBSERVABLE, Disposition.LOST]


def test_several_next_points_are_all_told() -> None:
    """It should have been at one of them; all were recording."""
    found = _end(_passed(1), _passed(1, 2), _passed(1, 6))

    assert (found.onward, found.reason) == (
        ("wlan0", "x"),
        "seen at docker0, not at wlan0 or x, which was recording and lies on the way",
    )


def test_what_keeps_it_from_being_lost_names_them_all() -> None:
    """Points where it may be, or by which it went on."""
    ping = {"layers": tables.ECHO, "proto": 1}
    ways = [_passed(1), _passed(1, 2), _passed(1, 6), _passed(2, number=1)]
    asked = packet(seen(1, 100, **ping, icmp_seq=1), connection=0)
    back = packet(seen(1, 200, **ping, icmp_seq=1, eth_src=tables.GATEWAY), connection=0, reply=True)
    others = (packet(seen(1, 300, **ping, icmp_seq=2), seen(point, 301, **ping), connection=0) for point in (2, 6))
    answered = _end(asked, back, *others, connections=(replace_row(PLAIN, proto=1, seen_reply=True),))

    assert _end(*ways, doubts=Doubts(maybe={0: {1}})).reason == (
        "last seen at docker0; equal packets at wlan0 or x may be it, translated"
    )
    assert answered.reason == "last seen at docker0, not at wlan0 or x; it was answered, so it did go on"


def test_one_next_point_that_was_not_recording_is_enough() -> None:
    """It may have gone there."""
    points = (*POINTS[:6], replace(POINTS[6], first_ns=5000))

    assert _end(_passed(1), _passed(1, 2), _passed(1, 6), points=points).disposition is Disposition.NOT_OBSERVABLE


@pytest.mark.parametrize(
    ("maybe", "end"),
    [({0: {1}}, Disposition.NOT_OBSERVABLE), ({1: {2}}, Disposition.LOST), ({0: {2}}, Disposition.LOST)],
)
def test_what_may_be_its_other_side_keeps_it_from_being_lost(maybe: dict[int, set[int]], end: Disposition) -> None:
    """A connection that may be its own was seen at a point where it should have been."""
    packets = [_passed(1), _passed(1, 2), _passed(2, number=1), _passed(6, number=2)]
    found = _end(*packets, connections=(PLAIN,) * 3, doubts=Doubts(maybe=maybe))

    assert found.disposition is end
    if end is Disposition.NOT_OBSERVABLE:
        assert found.reason == "last seen at docker0; equal packets at wlan0 may be it, translated"
        assert (found.basis, found.own) == (Basis.INFERRED, False)


def _pings(*answer: int, again: bool = False, **columns: Any) -> Outcome:
    """A question that was seen at docker0 only, an answer, and another question that went on."""
    ping = {"layers": tables.ECHO, "proto": 1}
    packets = [packet(seen(1, 100, **ping, icmp_seq=1), connection=0)]
    back = {"src": "8.8.8.8", "dst": "172.17.0.2", "eth_src": tables.GATEWAY, **columns}
    frames = (seen(point, 200 + n, **ping, icmp_seq=1, **back) for n, point in enumerate(answer))
    packets += [packet(*frames, connection=0, reply=True)] if answer else []
    packets += [packet(*(seen(n, 300 + n, **ping, icmp_seq=2) for n in (1, 2)), connection=0)]
    return _end(*packets, connections=(replace_row(PLAIN, proto=1, seen_reply=True),), hosts=())


@pytest.mark.parametrize(
    ("points", "columns", "answered"),
    [((2, 1), {}, True), ((1,), {}, True), ((1,), {"eth_src": tables.BRIDGE}, True), ((), {}, False)],
)
def test_what_was_answered_went_on(points: tuple[int, ...], columns: dict[str, int], answered: bool) -> None:
    """Though the next point did not see it: whoever answered is not the host."""
    found = _pings(*points, **columns)

    assert found.disposition is (Disposition.NOT_OBSERVABLE if answered else Disposition.LOST)
    if answered:
        assert found.reason == "last seen at docker0, not at wlan0; it was answered, so it did go on"
        assert (found.basis, found.own) == (Basis.OBSERVED, True)


@pytest.mark.parametrize(("points", "lost"), [((1,), True), ((2, 1), False)], ids=["here", "beyond"])
def test_the_hosts_own_answer_shows_nothing(points: tuple[int, ...], lost: bool) -> None:
    """It comes from a MAC of the host, unless the next point saw it come."""
    routed = packet(seen(1, 400, dst="9.9.9.9"), seen(2, 401, **OUT, dst="9.9.9.9"))
    ping = {"layers": tables.ECHO, "proto": 1}
    back = {"src": "8.8.8.8", "dst": "172.17.0.2", "eth_src": tables.BRIDGE, "eth_dst": tables.INNER}
    answer = packet(*(seen(point, 200 + n, **ping, **back) for n, point in enumerate(points)), connection=0, reply=True)
    other = packet(seen(1, 300, **ping, icmp_seq=2), seen(2, 301, **ping, icmp_seq=2), connection=0)
    found = _end(packet(seen(1, 100, **ping), connection=0), answer, other, routed,
                 connections=(replace_row(PLAIN, proto=1, seen_reply=True),), hosts=())  # fmt: skip

    assert found.disposition is (Disposition.LOST if lost else Disposition.NOT_OBSERVABLE)


def test_of_what_was_sent_again_nobody_knows_which_was_answered() -> None:
    """The first copy may be lost all the same."""
    part = {"layers": tables.TCP, "tcp_flags": 0x18, "seq": 1}
    back = {"layers": tables.TCP, "tcp_flags": 0x10, "ack": 21, "payload_len": 0, "eth_src": tables.GATEWAY}
    packets = [
        packet(seen(1, 100, **part), connection=0),
        packet(seen(1, 200, **part), seen(2, 201, **part), connection=0),
        packet(seen(2, 300, **back), seen(1, 301, **back), connection=0, reply=True),
    ]

    assert _end(*packets, connections=(replace_row(PLAIN, proto=6, seen_reply=True),)).disposition is Disposition.LOST


WITH_INNER = (*POINTS[:4], replace(POINTS[4], container="c2"), *POINTS[5:])
"""The second container's own end was captured as well."""


def test_a_packet_for_a_container_is_lost_on_its_way_in() -> None:
    """The container's own end saw others, and not this one."""
    found = _end(_passed(1, 3), _passed(1, 3, 4), points=WITH_INNER)

    assert (found.disposition, found.onward) == (Disposition.LOST, ("eth0",))


@pytest.mark.parametrize(("change", "end"), [({}, Disposition.LOST), ({"first_ns": 5000}, Disposition.DELIVERED)])
def test_the_inner_end_decides_if_it_was_recording(change: dict[str, Any], end: Disposition) -> None:
    """Else the way into the container is all that can be told, and it is enough."""
    points = (*POINTS[:4], replace(WITH_INNER[4], **change), *POINTS[5:])

    assert _end(_passed(1, 3), points=points).disposition is end


def test_a_packet_that_came_from_the_inner_end_is_not_going_in() -> None:
    """It has just left the container, and is lost if the others went on to the bridge."""
    assert _end(_passed(4, 3), _passed(4, 3, 1), points=WITH_INNER).onward == ("docker0",)


BRIDGED = HostState(
    links=(replace(LINK, name="wlan0"), Link(2, "p1", None, None, "wlan0"), Link(3, "p2", None, None, "wlan0"))
)


@pytest.mark.parametrize(
    ("names", "others", "end", "onward"),
    [
        (("p1", "p2"), (), Disposition.LOST, ("p1", "p2")),
        (("p1", "p9"), (), Disposition.LEFT_HOST, ()),
        (("p1", "p9"), (_passed(1, 2, 7),), Disposition.LOST, ("p1",)),
        (("p8", "p9"), (), Disposition.LEFT_HOST, ()),
    ],
    ids=["all ports", "one port", "others took it", "no port"],
)
def test_an_uplink_that_is_a_bridge_has_ports_behind_it(
    names: tuple[str, str], others: tuple[Packet, ...], end: Disposition, onward: tuple[str, ...]
) -> None:
    """What leaves it is seen at one of them: if all were captured, or its stream shows which."""
    ports = tuple(at(7 + n, name, Role.UPLINK, first_ns=0, last_ns=9000) for n, name in enumerate(names))
    found = _end(_passed(1, 2), *others, points=(*POINTS, *ports), hosts=(BRIDGED,))

    assert (found.disposition, found.onward) == (end, onward)


def test_a_filter_at_a_bridges_ports_does_not_matter() -> None:
    """The uplink itself would have shown the packet with it."""
    ports = tuple(
        at(7 + n, name, Role.UPLINK, first_ns=0, last_ns=9000, filter="udp") for n, name in enumerate(("p1", "p2"))
    )

    assert _end(_passed(1, 2), points=(*POINTS, *ports), hosts=(BRIDGED,)).disposition is Disposition.LOST


PUBLISHED = connection(original=("1.2.3.4", 5000, "192.168.1.100", 80), reply=("172.17.0.3", 80, "1.2.3.4", 5000))


def test_what_is_for_a_container_is_not_for_the_host() -> None:
    """Its address is only what NAT shows; by which way answers came, it should have gone."""
    back = _passed(3, 2, reply=True, src="172.17.0.3", dst="1.2.3.4")
    asks = _passed(2, src="1.2.3.4", dst="192.168.1.100", dport=80)
    found = _end(back, asks, number=1, connections=(replace_row(PUBLISHED, seen_reply=False),))

    assert (found.disposition, found.onward) == (Disposition.LOST, ("veth-c2",))


@pytest.mark.parametrize(
    ("answer", "mac", "end"),
    [
        ({}, tables.BRIDGE, Disposition.DELIVERED),
        ({"op": 1}, tables.BRIDGE, Disposition.NOT_OBSERVABLE),
        ({"mac": OTHER}, tables.BRIDGE, Disposition.NOT_OBSERVABLE),
        ({"asked": "172.17.0.9"}, tables.BRIDGE, Disposition.NOT_OBSERVABLE),
        ({"asked_hi": 1}, tables.BRIDGE, Disposition.NOT_OBSERVABLE),
        ({"mac": OTHER}, OTHER, Disposition.NOT_OBSERVABLE),
    ],
    ids=["host", "question", "other MAC", "other address", "other network", "not the host's"],
)
def test_the_hosts_addresses_by_its_answers(answer: dict[str, Any], mac: int, end: Disposition) -> None:
    """Without dumps, an ARP answer from a MAC that routes shows whose an address is."""
    message = {"op": 2, "asked": "172.17.0.77", "mac": tables.BRIDGE, **answer}
    told = packet(seen(1, 5, layers=tables.ARP, eth_src=tables.BRIDGE, eth_dst=tables.INNER, neighbour=message))
    routed = packet(seen(1, 50), seen(2, 51, **OUT))
    found = _end(_passed(0, dst="172.17.0.77", eth_dst=mac), told, routed, hosts=())

    assert found.disposition is end
    if end is Disposition.DELIVERED:
        assert (found.reason, found.basis) == ("172.17.0.77 is the host's own address", Basis.INFERRED)


def _errors(icmp: tuple[int, int], mtu: int = 0, **columns: Any) -> Outcome:
    quote = {"src": "172.17.0.2", "dst": "8.8.8.8", "proto": 17, "sport": 4000, "dport": 53, "mtu": mtu}
    six = columns.get("layers", 0) & Layer.IPV6
    error = {"layers": tables.ERROR, "proto": 58 if six else 1, "icmp_type": icmp[0], "icmp_code": icmp[1],
             "src": "192.168.1.1", "dst": "172.17.0.2", "eth_src": tables.GATEWAY, **columns}  # fmt: skip
    return _end(_passed(1, number=-1), packet(seen(2, 300, **error, quote=quote)), _passed(6))


@pytest.mark.parametrize(
    ("icmp", "mtu", "columns", "reason"),
    [
        ((3, 1), 0, {}, "192.168.1.1 answered: host unreachable (frame 1 at wlan0)"),
        ((3, 4), 1400, {}, "192.168.1.1 answered: fragmentation needed, at most 1400 bytes fit (frame 1 at wlan0)"),
        (
            (1, 3),
            0,
            {"layers": tables.ERROR & ~Layer.IPV4 | Layer.IPV6, "src": "fd00::1", "dst": "fd00::2"},
            "fd00::1 answered: address unreachable (frame 1 at wlan0)",
        ),
    ],
)
def test_an_error_is_told_with_who_sent_it(
    icmp: tuple[int, int], mtu: int, columns: dict[str, Any], reason: str
) -> None:
    """Its meaning in its version, the MTU where it says one, and the frame."""
    found = _errors(icmp, mtu, **columns)

    assert (found.disposition, found.basis, found.own, found.error) == (
        Disposition.REJECTED, Basis.OBSERVED, True, 1,
    )  # fmt: skip
    assert (found.reason, found.cause) == (reason, None)


RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
{}
COMMIT
"""
ROUTES = (
    Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default via 192.168.1.1 dev wlan0"),
    Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", "172.17.0.0/16 dev docker0"),
)
ROUTED = packet(seen(0, 1, dst="9.9.9.9"), seen(2, 2, **OUT, dst="9.9.9.9"))
"""Shows the bridge's MAC to be the host's."""


def _stating(*rules: str, **fields: Any) -> HostState:
    text = RULES.format("\n".join(f"[3:180] {rule}" for rule in rules))
    links = tuple(Link(n, point.name, None, None, None) for n, point in enumerate(ELSEWHERE, 10))
    return replace(
        HOST, links=(*HOST.links, *links), routes=ROUTES, tables=tuple(parse_tables(text.splitlines(), 4)), **fields
    )


ELSEWHERE = (*POINTS[:2], replace(POINTS[2], name="up", interface="up"), *POINTS[3:])
"""The interface by which routes lead out was not captured."""
DROPS, REJECTS = "-A FORWARD -p udp -j DROP", "-A FORWARD -p udp -j REJECT --reject-with icmp-port-unreachable"


@pytest.mark.parametrize(
    ("rule", "row", "end"),
    [
        (DROPS, PLAIN, Disposition.DROPPED),
        (REJECTS, PLAIN, Disposition.REJECTED),
        (DROPS, replace_row(PLAIN, seen_reply=True), Disposition.NOT_OBSERVABLE),
        ("-A FORWARD -p tcp -j DROP", PLAIN, Disposition.NOT_OBSERVABLE),
        ("-A FORWARD -m statistic --mode random -j DROP", PLAIN, Disposition.NOT_OBSERVABLE),
    ],
    ids=["drop", "reject", "answered", "another", "undecided"],
)
def test_a_rule_ends_what_nobody_answers(rule: str, row: dict[str, Any], end: Disposition) -> None:
    """Where it was seen last; what was answered passed, and what cannot be decided proves nothing."""
    found = _end(_passed(1), ROUTED, points=ELSEWHERE, connections=(row,), hosts=(_stating(rule),))

    assert found.disposition is end
    if end is not Disposition.NOT_OBSERVABLE:
        assert found.reason == f"last seen at docker0; rule “{rule}” in filter"
        assert (found.basis, found.own) == (Basis.STATED, True)
        assert found.cause is not None


def test_what_may_be_stopped_hangs_on_each_packet() -> None:
    """Though nothing stops this one."""
    found = [_end(_passed(1), ROUTED, points=ELSEWHERE, hosts=(host,)).own for host in (_stating(), HOST)]

    assert found == [True, False]


def test_a_loss_is_told_by_its_rule() -> None:
    """Also of a connection that was answered, if captures show that the packet went no further."""
    answered = (replace_row(PLAIN, seen_reply=True),)
    found = _end(_passed(1), _passed(1, 2), ROUTED, connections=answered, hosts=(_stating(DROPS),))

    assert (found.disposition, found.reason) == (Disposition.DROPPED, f"last seen at docker0; rule “{DROPS}” in filter")


def test_the_hosts_own_error_is_told_by_its_rule() -> None:
    """It says that it was rejected, the rule says why; another's error has its own reasons."""
    quote = {"src": "172.17.0.2", "dst": "8.8.8.8", "proto": 17, "sport": 4000, "dport": 53}
    found = []
    for src in ("172.17.0.1", "192.168.1.1"):
        error = {"layers": tables.ERROR, "proto": 1, "icmp_type": 3, "icmp_code": 3, "src": src, "eth_src": OTHER}
        frames = seen(1, 300, **error, dst="172.17.0.2", quote=quote)
        found.append(_end(_passed(1), packet(frames), ROUTED, hosts=(_stating(REJECTS),)))

    assert [one.disposition for one in found] == [Disposition.REJECTED] * 2
    assert [one.cause is not None for one in found] == [True, False]
    assert found[0].cause is not None
    assert found[0].cause.rule is not None


def _to_host(*rules: str, row: dict[str, Any] = PLAIN, **columns: Any) -> Outcome:
    ping = {"layers": tables.ECHO, "proto": 1, "icmp_type": 8, "dst": "172.17.0.1", **columns}
    return _end(packet(seen(1, 100, **ping), connection=0), ROUTED, connections=(row,), hosts=(_stating(*rules),))


@pytest.mark.parametrize(
    ("rules", "row", "end", "reason", "own"),
    [
        ((), PLAIN, Disposition.DELIVERED, "172.17.0.1 is the host's own address", False),
        (
            ("-A INPUT -p icmp -j DROP",),
            PLAIN,
            Disposition.DROPPED,
            "last seen at docker0; rule “-A INPUT -p icmp -j DROP” in filter",
            True,
        ),
        (
            ("-A OUTPUT -p icmp -j DROP",),
            PLAIN,
            Disposition.DELIVERED,
            "172.17.0.1 is the host's own address; its answer is stopped: rule “-A OUTPUT -p icmp -j DROP” in filter",
            True,
        ),
        (
            ("-A OUTPUT -p icmp -j DROP",),
            replace_row(PLAIN, seen_reply=True),
            Disposition.DELIVERED,
            "172.17.0.1 is the host's own address",
            False,
        ),
    ],
    ids=["nothing", "input", "output", "answered"],
)
def test_what_came_for_the_host(
    rules: tuple[str, ...], row: dict[str, Any], end: Disposition, reason: str, own: bool
) -> None:
    """A rule may stop it, or its answer; of an answered one neither."""
    found = _to_host(*rules, row=row)

    assert (found.disposition, found.reason, found.own, found.basis) == (end, reason, own, Basis.STATED)
    assert (found.cause is not None and found.cause.of_answer) == ("answer is stopped" in reason)


@pytest.mark.parametrize(
    ("socket", "told"),
    [
        (Listener("tcp", None, None, 80, "nginx", pid=7), ", and nginx of container edge listens there"),
        (Listener("tcp", None, None, 80, "", pid=7), ", and a program of container edge listens there"),
        (Listener("tcp", None, None, 80, "nginx", pid=8), ""),
        (Listener("tcp", None, None, 81, "nginx", pid=7), ""),
    ],
    ids=["its-own", "unnamed", "another's", "another-port"],
)
def test_who_takes_what_came_for_the_host(socket: Listener, told: str) -> None:
    """A container on the host's network is named by its socket."""
    host = replace(_stating(), listeners=(socket,), on_host=(OnHost("edge", "ab", 7),))
    syn = {"layers": tables.TCP, "proto": 6, "tcp_flags": 2, "dst": "172.17.0.1", "dport": 80}
    found = _end(packet(seen(1, 100, **syn), connection=0), ROUTED, connections=(PLAIN,), hosts=(host,))

    assert found.reason == f"172.17.0.1 is the host's own address{told}"


NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n[3:180] -A PREROUTING -p udp -j DNAT --to-destination {}\nCOMMIT\n"


@pytest.mark.parametrize(
    ("target", "points", "end", "reason"),
    [
        ("172.17.0.3", POINTS, Disposition.LOST, "seen at wlan0, not at docker0, which was recording"),
        (
            "172.17.0.3",
            (POINTS[0], replace(POINTS[1], name="br", role=Role.UNKNOWN, interface="br"), *POINTS[2:]),
            Disposition.NOT_OBSERVABLE,
            "last seen at wlan0; rules send it on to 172.17.0.3, which was not captured",
        ),
        ("172.17.0.1", POINTS, Disposition.DELIVERED, "192.168.1.100 is the host's own address"),
    ],
    ids=["captured", "not captured", "own"],
)
def test_rules_send_it_on(target: str, points: tuple[Point, ...], end: Disposition, reason: str) -> None:
    """What came for the host's address is for a container: it should be where the route leads."""
    host = replace(HOST, routes=ROUTES, tables=tuple(parse_tables(NAT.format(target).splitlines(), 4)))
    packets = packet(seen(2, 100, src="1.2.3.4", dst="192.168.1.100", dport=80), connection=0), _passed(6, number=1)
    found = _end(*packets, points=points, hosts=(host,))

    assert found.disposition is end
    assert found.reason.startswith(reason)
    assert found.basis is (Basis.INFERRED if end is Disposition.LOST else Basis.STATED)


def test_what_rules_send_on_may_be_stopped_there() -> None:
    """A filter behind the translation."""
    text = NAT.format("172.17.0.3") + RULES.format("[3:180] -A FORWARD -p udp -j DROP")
    host = replace(HOST, routes=ROUTES, tables=tuple(parse_tables(text.splitlines(), 4)))
    found = _end(packet(seen(2, 100, src="1.2.3.4", dst="192.168.1.100"), connection=0), hosts=(host,))

    assert (found.disposition, found.reason) == (
        Disposition.DROPPED, "last seen at wlan0; rule “-A FORWARD -p udp -j DROP” in filter",
    )  # fmt: skip


def test_all_ends_at_once_are_those_one_by_one() -> None:
    """Packets alike in their way are decided once, others each for itself."""
    packets = [
        _passed(0, 1, 2), _passed(0, 1), _passed(1), _passed(0, 1, 2), _passed(1, 3), _passed(2), _passed(6),
        _passed(0, eth_dst=GROUP), _passed(1, dst="172.17.0.1"), _passed(3, dst="172.17.0.3"), _passed(3),
        packet([seen(0, 10), seen(0, 11)], [seen(1, 12)], connection=0), _passed(0, 1, reply=True),
        _passed(4, 3), _passed(1, 3, 4), _passed(5), _passed(5, number=-1),
    ]  # fmt: skip
    here = context(POINTS, packets, connections=(PLAIN, PLAIN), hosts=(HOST,))
    found = Outcomes(here)
    one_by_one = [found.of(number, here.hop_rows(number)).disposition for number in range(len(packets))]

    assert [ENDS[code] for code in found.all_ends()] == one_by_one
    assert len(Outcomes(context(POINTS, [])).all_ends()) == 0


def test_packets_whose_answers_are_stopped_are_kept() -> None:
    """By their numbers, all those alike."""
    ping = {"layers": tables.ECHO, "proto": 1, "icmp_type": 8, "dst": "172.17.0.1"}
    packets = [ROUTED, *(packet(seen(1, 100 + n, **ping), connection=0) for n in range(2)), _passed(6)]
    host = _stating("-A OUTPUT -p icmp -j DROP")
    stopped = Outcomes(context(POINTS, packets, connections=(PLAIN, PLAIN), hosts=(host,)))
    stopped.all_ends()

    assert stopped.silenced.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("kind", "dst", "end", "basis", "says"),
    [
        (
            "tun",
            "1.2.3.4",
            Disposition.NOT_OBSERVABLE,
            Basis.STATED,
            "tun0 is a tunnel, which carries it on in packets",
        ),
        ("tun", "10.8.0.2", Disposition.DELIVERED, Basis.OBSERVED, "out of its tunnel"),
        ("wireguard", "1.2.3.4", Disposition.NOT_OBSERVABLE, Basis.STATED, "is a tunnel"),
        ("veth", "1.2.3.4", Disposition.NOT_OBSERVABLE, Basis.INFERRED, "no captured point shows where packets go"),
        (None, "1.2.3.4", Disposition.NOT_OBSERVABLE, Basis.INFERRED, "no captured point shows where packets go"),
    ],
)
def test_what_a_tunnel_in_a_container_takes_goes_on_in_others(
    kind: str | None, dst: str, end: Disposition, basis: Basis, says: str
) -> None:
    """No point shows it as it is; what comes out of it has arrived."""
    tunnel = at(0, "tun0", Role.CONTAINER, interface="tun0", container="vpn", network="net", first_ns=0, last_ns=10_000)
    link = Link(2, "tun0", None, kind, None, (ip_address("10.8.0.2"),))
    host = replace(HOST, inside={"vpn": HostState(links=(link,))})
    found = _end(_passed(0, dst=dst), points=(tunnel,), hosts=(host,))

    assert (found.disposition, found.basis) == (end, basis)
    assert says in found.reason
