"""Journeys: what each is put together from, and what is counted without building any."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.journey.build import Tracer
from analyzer.model import (
    ArpStep,
    Basis,
    Clock,
    Direction,
    Disposition,
    FdbStep,
    FilterStep,
    Hop,
    HostState,
    Journey,
    Link,
    Mac,
    NatStep,
    Point,
    ProxyStep,
    Role,
    Route,
    RouteStep,
    TunnelStep,
)
from analyzer.packet.connections import Doubts
from analyzer.schema import Layer
from analyzer.state.rules.iptables import parse_tables
from tests.packet.tables import (
    ARP,
    BRIDGE,
    ECHO,
    ERROR,
    ETHERNET,
    GATEWAY,
    INNER,
    TCP,
    UDP,
    UPLINK,
    Frame,
    Packet,
    at,
    connection,
    context,
    packet,
    seen,
)

POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK),
          at(3, "x", Role.UNKNOWN))  # fmt: skip
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 53)
PLAIN = connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]))
HIDDEN = connection(original=FLOW, reply=(*FLOW[2:], "192.168.1.100", 4000))
OUT = {"eth_src": UPLINK, "eth_dst": GATEWAY, "ttl": 63, "src": "192.168.1.100"}
BACK = {"src": "8.8.8.8", "dst": "172.17.0.2", "sport": 53, "dport": 4000, "eth_src": BRIDGE, "eth_dst": INNER}


def _tracer(*packets: Packet, rows: tuple[Frame, ...] = (PLAIN, PLAIN), points: tuple[Point, ...] = POINTS,
            **options: Any) -> Tracer:  # fmt: skip
    return Tracer(context(points, packets, connections=rows, **options))


def _sent(time_ns: int, *points: int, number: int = 0, reply: bool = False, **columns: Any) -> Packet:
    frames = (seen(point, time_ns + n, **columns) for n, point in enumerate(points or (0,)))
    return packet(*frames, connection=number, reply=reply)


def _journey(*packets: Packet, number: int = 0, **options: Any) -> Journey:
    return _tracer(*packets, **options).journey(number)


def test_a_hop_tells_what_was_decoded() -> None:
    """And nothing of layers that are not there."""
    plain, ping, bare = (
        _journey(packet(seen(0, 10, layers=layers, proto=17, icmp_id=7, ip_id=9, vlan=5))).hops[0]
        for layers in (UDP | Layer.VLAN, ECHO, Layer.ETH_TYPE)
    )

    assert plain == Hop(
        point="veth-c1",
        frames=(1,),
        time_ns=10,
        latency_ns=None,
        length=62,
        eth_src=Mac(INNER),
        eth_dst=Mac(BRIDGE),
        vlan=5,
        src=ip_address("172.17.0.2"),
        dst=ip_address("8.8.8.8"),
        sport=4000,
        dport=53,
        ttl=64,
        ip_id=9,
    )
    assert (ping.vlan, ping.sport, ping.dport, ping.icmp_id) == (None, None, None, 7)
    assert bare == Hop("veth-c1", (1,), 10, None, 62)


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (UDP & ~Layer.IPV4 | Layer.IPV6, (64, None)),
        (UDP & ~Layer.IPV4 | Layer.IPV6 | Layer.FRAGMENT, (64, 9)),
        (ARP, (None, None)),
    ],
)
def test_the_ip_id_is_ipv4s_or_a_fragments(layers: int, told: tuple[int | None, int | None]) -> None:
    """Other packets of IPv6 have none."""
    (hop,) = _journey(packet(seen(0, 10, layers=layers, ip_id=9, neighbour={"op": 1}))).hops

    assert (hop.ttl, hop.ip_id) == told


def test_a_hop_of_several_frames() -> None:
    """All of their numbers and lengths, and the time of the first; the next hop's first ends it."""
    parts = [seen(0, 10 + n, layers=TCP, orig_len=100 + n) for n in range(3)]
    journey = _journey(packet(parts, [seen(1, 25, layers=TCP, orig_len=200)], connection=0))

    assert [(hop.frames, hop.time_ns, hop.latency_ns, hop.length) for hop in journey.hops] == [
        ((1, 2, 3), 10, 15, 303),
        ((1,), 25, None, 200),
    ]
    assert [[r.field for r in hop.rewrites] for hop in journey.hops] == [[], ["frames"]]
    assert journey.latency_ns == 15


def test_times_between_hosts_are_uncertain() -> None:
    """Of each hop by both clocks."""
    points = (replace(POINTS[0], host="a"), replace(POINTS[1], host="b", clock=Clock(0, 0, 30)), *POINTS[2:])
    hops = _journey(_sent(10, 0, 1), points=points).hops

    assert [(hop.latency_ns, hop.latency_uncertainty_ns) for hop in hops] == [(1, 30), (None, None)]


def test_what_a_journey_is_told_with() -> None:
    """Its connection and direction, its summary, and how it ended."""
    journey = _journey(_sent(5, number=1), _sent(10, 0, 1, 2, number=1, reply=True), number=1)

    assert (journey.id, journey.connection, journey.direction) == (1, 1, Direction.REPLY)
    assert (journey.protocol, journey.summary) == ("udp", "UDP 20 bytes")
    assert (journey.disposition, journey.basis) == (Disposition.LEFT_HOST, Basis.OBSERVED)
    assert journey.reason == "last seen going out on wlan0"
    assert journey.latency_ns == 2
    assert (journey.ambiguous, journey.candidates) == (False, None)


def test_a_packet_without_a_connection() -> None:
    """It has no direction, and answers nothing."""
    journey = _journey(_sent(10, number=-1), _sent(20, number=-1, reply=True))

    assert (journey.connection, journey.direction, journey.answered_by) == (None, None, None)


def test_who_else_could_own_its_frames() -> None:
    """Told of ambiguous ones only."""
    packets = [replace(_sent(10 + n), ambiguous=n != 2) for n in range(3)]
    tracer = _tracer(*packets, doubts=Doubts({0: {1}}))

    assert [(tracer.journey(n).ambiguous, tracer.journey(n).candidates) for n in range(3)] == [
        (True, (1,)), (True, (0,)), (False, None),
    ]  # fmt: skip


def test_steps_are_in_the_order_of_the_way() -> None:
    """Bridging to the first hop, routing to the second, each with its number; translations belong to their rules."""
    journey = _journey(
        packet(seen(0, 10), seen(1, 11), seen(2, 12, **OUT), connection=0), rows=(HIDDEN,),
    )  # fmt: skip

    assert [(type(step), step.at_hop) for step in journey.steps] == [(FdbStep, 1), (RouteStep, 2), (NatStep, 2)]


def test_in_the_reply_direction_translations_are_undone() -> None:
    """By the direction of the connection."""
    back = packet(seen(2, 10, **BACK | {"dst": "192.168.1.100", "eth_src": GATEWAY, "eth_dst": UPLINK}),
                  seen(1, 11, **BACK, ttl=63), connection=0, reply=True)  # fmt: skip
    steps = [step for step in _journey(back, rows=(HIDDEN,)).steps if isinstance(step, NatStep)]

    assert [(step.nat, step.reverse, step.before, step.after) for step in steps] == [
        ("SNAT", True, "192.168.1.100", "172.17.0.2")
    ]


def test_a_tunnel_is_told_before_what_follows_in_it() -> None:
    """At the first hop as well."""
    outer = {"vni": 7, "layers": UDP, "src": "10.0.0.1", "dst": "10.0.0.2"}
    inner = {"layers": UDP | Layer.TUNNEL, "tunnel": outer}
    journey = _journey(packet(seen(2, 10, **inner), seen(3, 11, **inner), seen(1, 12), connection=0))

    assert [(step.action, step.at_hop) for step in journey.steps if isinstance(step, TunnelStep)] == [
        ("encapsulated", 0), ("carried", 1), ("decapsulated", 2),
    ]  # fmt: skip


def _resolved(point: int, mac: int, target: int, time_ns: int) -> list[Packet]:
    message = {"asked": "10.0.0.1", "peer": "10.0.0.9", "to_mac": mac}
    return [
        packet(seen(point, time_ns, layers=ARP, neighbour=message | {"op": 1, "mac": mac})),
        packet(seen(point, time_ns + 5, layers=ARP, eth_src=target, neighbour=message | {"op": 2, "mac": target})),
    ]


def _waits(*packets: Packet) -> list[tuple[str, int]]:
    journey = _journey(*packets, number=len(packets) - 1)
    return [(step.exchange.point, step.at_hop) for step in journey.steps if isinstance(step, ArpStep)]


def test_a_packet_waits_where_it_is_sent() -> None:
    """By its sender, and by the host where its MAC is the sender's; not at other ports of a bridge."""
    first, inside, second = (
        _resolved(0, INNER, BRIDGE, 10),
        _resolved(1, INNER, BRIDGE, 11),
        _resolved(2, UPLINK, GATEWAY, 30),
    )
    one = packet(seen(0, 20), seen(1, 21), seen(2, 40, **OUT), connection=0)

    assert _waits(*first, *inside, *second, one) == [("veth-c1", 0), ("wlan0", 2)]


@pytest.mark.parametrize(
    ("reply", "columns", "told"),
    [
        (False, {}, [(5, 2)]),
        (True, {}, [(6, 2)]),
        (False, {"payload_len": 0}, []),
        (False, {"payload_len": 1}, [(5, 2)]),
    ],
)
def test_a_relay_sends_bytes_on(reply: bool, columns: dict[str, int], told: list[tuple[int, int]]) -> None:
    """In another connection, by the direction; what carries no bytes ends there."""
    journey = _journey(
        _sent(10, 0, 1, reply=reply, **columns), rows=(PLAIN | {"relayed_to": 5, "relayed_from": 6},) + (PLAIN,) * 6
    )

    assert [(step.connection, step.at_hop) for step in journey.steps if isinstance(step, ProxyStep)] == told


def test_without_a_connection_nothing_relays() -> None:
    """Nor does the last connection of all."""
    journey = _journey(_sent(10, 0, 1, number=-1), rows=(PLAIN | {"relayed_to": 5},))

    assert not any(isinstance(step, ProxyStep) for step in journey.steps)


ROUTES = (
    Route(ip_network("0.0.0.0/0"), "w0", ip_address("192.168.1.1"), 0, "main", "default"),
    Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", "172.17.0.0/16"),
)
RULES = "*filter\n:FORWARD {policy} [9:99]\n[{count}:60] -A FORWARD -p udp -j {target}\nCOMMIT\n"


def _host(before: int | None = None, target: str = "DROP", policy: str = "ACCEPT") -> HostState:
    def rules(count: int) -> Any:
        return tuple(parse_tables(RULES.format(count=count, target=target, policy=policy).splitlines(), 4))

    links = (Link(1, "docker0", Mac(BRIDGE), "bridge", None),)
    return HostState(
        links=links, routes=ROUTES, tables=rules(9), tables_before=rules(before) if before is not None else ()
    )


@pytest.mark.parametrize(
    ("host", "step"),
    [
        (_host(), ("drop", "rule “-A FORWARD -p udp -j DROP” in filter", "-A FORWARD -p udp -j DROP", "filter", 9)),
        (_host(4), ("drop", "rule “-A FORWARD -p udp -j DROP” in filter", "-A FORWARD -p udp -j DROP", "filter", 5)),
        (
            _host(target="REJECT"),
            ("reject", "rule “-A FORWARD -p udp -j REJECT” in filter", "-A FORWARD -p udp -j REJECT", "filter", 9),
        ),
        (_host(target="LOG", policy="DROP"), ("drop", "policy DROP of filter FORWARD", None, None, None)),
    ],
    ids=["drop", "counted", "reject", "policy"],
)
def test_what_stopped_it_is_the_last_step(host: HostState, step: tuple[Any, ...]) -> None:
    """One behind the last hop, with what the rule counted while captures ran."""
    journey = _journey(_sent(10, 0, 1), rows=(PLAIN | {"seen_reply": False},), hosts=[host])
    last = journey.steps[-1]

    assert isinstance(last, FilterStep)
    assert (last.verdict, last.cause, last.rule, last.table, last.counted) == step
    assert last.at_hop == 2


@pytest.mark.parametrize(("reply", "direction"), [(False, Direction.REPLY), (True, Direction.ORIGINAL)])
def test_an_error_is_of_the_connection_that_it_is_about(reply: bool, direction: Direction) -> None:
    """It goes the other way, and is told with the packet that it quotes."""
    quote = {"src": "172.17.0.2", "dst": "8.8.8.8", "proto": 17, "sport": 4000, "dport": 53}
    columns = BACK | {"layers": ERROR, "proto": 1, "icmp_type": 3, "icmp_code": 3, "quote": quote}
    tracer = _tracer(_sent(10, number=1, reply=reply), packet(seen(0, 12, **columns)))
    asked, error = tracer.journey(0), tracer.journey(1)

    assert (asked.rejected_by, asked.error_about) == (1, None)
    assert (error.error_about, error.connection, error.direction) == (0, 1, direction)


def test_an_error_about_what_has_no_connection() -> None:
    """It has none either."""
    quote = {"src": "172.17.0.2", "dst": "8.8.8.8", "proto": 17, "sport": 4000, "dport": 53}
    columns = BACK | {"layers": ERROR, "proto": 1, "icmp_type": 3, "icmp_code": 3, "quote": quote}
    error = _journey(_sent(10, number=-1), packet(seen(0, 12, **columns)), number=1)

    assert (error.error_about, error.connection, error.direction) == (0, None, None)


def test_questions_and_answers() -> None:
    """Each names the other; the time until the answer was back at the first point, which saw it last."""
    tracer = _tracer(_sent(10, 0, 1), _sent(20, 1, 0, 0, reply=True, **BACK), _sent(30, 0), _sent(40, 1, reply=True))
    told = [(j.answers, j.answered_by, j.reply_latency_ns) for j in map(tracer.journey, range(4))]

    assert told == [(None, 1, 12), (0, None, None), (None, 3, None), (2, None, None)]


def _segment(time_ns: int, seq: int = 1, *, reply: bool = False, **columns: int) -> Packet:
    return _sent(time_ns, 0, reply=reply, **{"layers": TCP, "tcp_flags": 16, "seq": seq} | columns)


@pytest.mark.parametrize(
    ("packets", "told"),
    [
        ([_segment(10), _segment(30), _segment(70), _segment(90, reply=True, ack=21, payload_len=0)], [60, 0, 0, None]),
        (
            [_segment(10), _segment(30), _segment(40, reply=True, ack=21, payload_len=0), _segment(70)],
            [20, 0, None, None],
        ),
        ([_segment(10), _segment(40, reply=True, ack=21, payload_len=0), _segment(70)], [None, None, None]),
        ([_segment(10), _segment(30)], [None, None]),
    ],
)
def test_how_late_a_packet_was_sent_for_the_last_time(packets: list[Packet], told: list[int | None]) -> None:
    """Of the first copy, till the last one before its answer; copies themselves are not sent again."""
    tracer = _tracer(*packets)

    assert [tracer.journey(n).sent_again_ns for n in range(len(packets))] == [one or None for one in told]


def test_copies_name_their_original() -> None:
    """The first one."""
    tracer = _tracer(_segment(10), _segment(30), _segment(50))

    assert [tracer.journey(n).retransmission_of for n in range(3)] == [None, 0, 0]
    assert [column.tolist() for column in tracer.answers.sent_again] == [[1, 2], [0, 0]]


def test_which_packets_ended_so() -> None:
    """One kind, or several."""
    tracer = _tracer(
        _sent(10, 0, 1, 2), _sent(20, 3), _sent(30, 0, 1, 2), packet(seen(3, 40, layers=ARP, neighbour={"op": 1}))
    )

    assert tracer.ended(Disposition.LEFT_HOST).tolist() == [0, 2]
    assert tracer.ended(Disposition.DELIVERED, Disposition.NOT_OBSERVABLE).tolist() == [1, 3]


def test_packets_whose_answers_are_stopped() -> None:
    """Known without being asked for ends first."""
    text = "*filter\n:OUTPUT DROP [3:180]\nCOMMIT\n"
    link = Link(1, "docker0", Mac(BRIDGE), "bridge", None, (ip_address("172.17.0.1"),))
    host = HostState(links=(link,), routes=ROUTES, tables=tuple(parse_tables(text.splitlines(), 4)))
    ping = {"layers": ECHO, "proto": 1, "icmp_type": 8, "dst": "172.17.0.1"}
    tracer = _tracer(_sent(5, 3), _sent(10, 1, **ping), rows=(PLAIN | {"seen_reply": False},), hosts=[host])

    assert tracer.silenced.tolist() == [1]


def test_frames_that_are_no_ip() -> None:
    """They are told by what they are."""
    journey = _journey(packet(seen(0, 10, layers=ETHERNET, eth_type=0x88CC)))

    assert (journey.protocol, journey.summary) == ("0x88cc", "LLDP 62 bytes")


def test_a_journey_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first hops are told, and how many there are."""
    for where in ("journey.build", "packet.sight"):
        monkeypatch.setattr(f"analyzer.{where}.MOST_HOPS", 2)
    (journey,) = analyze(Path(__file__).parents[2] / "sample_pcaps" / "seed").journeys([3])

    assert len(journey.hops) == 2
    assert journey.reason.endswith("; the first 2 of 3 hops are told")
