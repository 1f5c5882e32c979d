"""The gap prover: what it runs through the recorded state, and what it takes for proven."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import Disposition, HostState, Link, Mac, Point, Role, Route
from analyzer.model.question import ABSENT
from analyzer.packet.icmp_errors import Errors
from analyzer.packet.prove import Prover, Translated
from analyzer.packet.stops import Cause, Passed
from analyzer.schema import Layer
from analyzer.state.cases import MOST_CASES
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.packet import Packet as Ran
from tests.packet.tables import (
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

INSIDE, SERVER, HOST_IP = ip_address("172.17.0.2"), ip_address("8.8.8.8"), ip_address("192.168.1.100")
POINTS = (
    at(0, "veth-c1", Role.VETH, interface="veth1a", container="c1"),
    at(1, "docker0", Role.BRIDGE),
    at(2, "wlan0", Role.UPLINK, interface="w0"),
    at(3, "eth0", Role.CONTAINER, container="c1"),
    at(4, "x", Role.UNKNOWN),
)
LINKS = (
    Link(2, "w0", Mac(UPLINK), None, None, (HOST_IP,)),
    Link(3, "docker0", Mac(BRIDGE), "bridge", None, (ip_address("172.17.0.1"), ip_address("fe80::1"))),
    Link(4, "veth1a", None, "veth", "docker0"),
)
ROUTES = (
    Route(ip_network("0.0.0.0/0"), "w0", ip_address("192.168.1.1"), 0, "main", "default"),
    Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", "172.17.0.0/16"),
)
FLOW = (str(INSIDE), 4000, str(SERVER), 53)
PLAIN = connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]))
HIDDEN = connection(original=FLOW, reply=(*FLOW[2:], str(HOST_IP), 4000))
PUBLISHED = connection(original=("1.2.3.4", 5000, str(HOST_IP), 8080), reply=(str(INSIDE), 80, "1.2.3.4", 5000))
BACK = {"src": str(SERVER), "dst": str(INSIDE), "sport": 53, "dport": 4000, "eth_src": GATEWAY, "eth_dst": UPLINK}


def _filter(*rules: str, before: bool = False, forward: str = "ACCEPT [5:300]") -> dict[str, Any]:
    """Rules of table filter, each with its counter, as they are or were."""
    text = "\n".join(
        ["*filter", ":INPUT ACCEPT [0:0]", f":FORWARD {forward}", ":OUTPUT ACCEPT [0:0]", *rules, "COMMIT"]
    )
    return {"tables_before" if before else "tables": tuple(parse_tables(text.splitlines(), 4))}


def _host(**fields: Any) -> HostState:
    return HostState(**{"links": LINKS, "routes": ROUTES} | fields)


def _prover(
    *packets: Packet, host: HostState | None = None, row: Frame = PLAIN, points: tuple[Point, ...] = POINTS
) -> Prover:
    here = context(points, packets, connections=(PLAIN, row), hosts=(host or _host(),))
    return Prover(here, Errors(here))


def _ran(*packets: Packet, number: int = 0, **options: Any) -> Ran | None:
    """Return a packet as the host got it, by its last row."""
    prover = _prover(*packets, **options)
    return prover.packet(number, prover.context.rows_of(number)[-1])


def _sent(*points: int, number: int = 1, reply: bool = False, **columns: Any) -> Packet:
    return packet(*(seen(point, 10 + n, **columns) for n, point in enumerate(points)), connection=number, reply=reply)


def test_a_connections_first_packet() -> None:
    """As its last hop shows it, with the bridge by which it came."""
    assert _ran(_sent(0, tcp_flags=2, layers=TCP, ttl=61, ip_len=60)) == Ran(
        protocol=6,
        src=INSIDE,
        dst=SERVER,
        sport=4000,
        dport=53,
        tcp_flags=2,
        length=60,
        ttl=61,
        iif="docker0",
        port_in="veth1a",
        src_mac=INNER,
    )


@pytest.mark.parametrize(
    ("point", "points", "iif", "port"),
    [
        (0, POINTS, "docker0", "veth1a"),
        (1, POINTS, "docker0", None),
        (2, POINTS, "w0", ABSENT),
    ],
)
def test_by_which_interface_the_host_gets_it(point: int, points: tuple[Point, ...], iif: str, port: object) -> None:
    """A port's bridge if there is one; the port itself is told only of a veth."""
    ran = _ran(_sent(point), points=points)

    assert ran is not None
    assert (ran.iif, ran.port_in) == (iif, port)


@pytest.mark.parametrize(
    ("point", "points"),
    [
        (3, POINTS),
        (4, POINTS),
        (0, (replace(POINTS[0], interface="veth9z"), *POINTS[1:])),
        (2, (*POINTS[:2], replace(POINTS[2], interface="capture1"), *POINTS[3:])),
        (2, (*POINTS[:2], replace(POINTS[2], role=Role.UNKNOWN), *POINTS[3:])),
    ],
)
def test_by_an_interface_that_nobody_knows(point: int, points: tuple[Point, ...]) -> None:
    """Rules hang on it, so none is asked: the host has no interface of that name, or its part is not known."""
    assert _ran(_sent(point), points=points) is None


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({}, {"sport": 4000, "dport": 53, "icmp_type": None, "icmp_code": None, "tcp_flags": None, "src_mac": INNER}),
        (
            {"layers": ECHO, "proto": 1, "icmp_type": 8, "icmp_code": 1, "tcp_flags": 2},
            {"protocol": 1, "sport": None, "dport": None, "icmp_type": 8, "icmp_code": 1, "tcp_flags": None},
        ),
        ({"layers": UDP & ~Layer.MAC_SRC}, {"src_mac": None}),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 47}, {"protocol": 47, "sport": None, "dport": None}),
    ],
)
def test_only_what_was_decoded_is_known(columns: dict[str, Any], shown: dict[str, Any]) -> None:
    """Rules that ask for more stay undecided."""
    ran = _ran(_sent(0, **columns))

    assert ran is not None
    assert {name: getattr(ran, name) for name in shown} == shown


@pytest.mark.parametrize("layers", [ETHERNET, UDP | Layer.TUNNEL])
def test_what_no_rule_sees(layers: int) -> None:
    """Neither what is no IP, nor what is inside a tunnel."""
    assert _ran(_sent(0, layers=layers)) is None


def test_a_bridge_shows_what_the_host_has_made_of_it() -> None:
    """The first sighting has the destination as it came, if nothing routed it since."""
    frames = seen(0, 10, dst=str(HOST_IP), dport=8080), seen(1, 11, dst="172.17.0.3", dport=80)
    changed = {"ttl": {"ttl": 63}, "src": {"src": "9.9.9.9"}, "ports": {"layers": UDP & ~Layer.PORTS}}
    same = _ran(packet(*frames, connection=1))
    others = {name: _ran(packet(frames[0], frames[1] | one, connection=1)) for name, one in changed.items()}

    assert same is not None
    assert (same.dst, same.dport) == (HOST_IP, 8080)
    assert {name: (str(ran.dst), ran.dport) for name, ran in others.items() if ran is not None} == {
        "ttl": ("172.17.0.3", 80),
        "src": ("172.17.0.3", 80),
        "ports": ("172.17.0.3", None),
    }


def test_ipv6_sources_are_compared_whole() -> None:
    """The upper half, too."""
    six = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6}
    frames = (seen(0, 10, **six, src="fd00:1::2", dst="fd00::8"), seen(1, 11, **six, src="fd00:2::2", dst="fd00::9"))
    ran = _ran(packet(*frames, connection=1))

    assert ran is not None
    assert str(ran.dst) == "fd00::9"


@pytest.mark.parametrize(
    ("packets", "number", "state"),
    [
        ([_sent(0)], 0, "NEW"),
        ([_sent(0), _sent(0)], 1, "NEW"),
        ([_sent(0), _sent(2, reply=True, **BACK)], 1, "ESTABLISHED"),
        ([_sent(2, reply=True, **BACK)], 0, "ESTABLISHED"),
        ([_sent(0), _sent(2, reply=True, **BACK), _sent(0)], 0, "NEW"),
        ([_sent(0), _sent(2, reply=True, **BACK), _sent(0)], 2, "ESTABLISHED"),
        ([_sent(0), _sent(2, reply=True, number=0, **BACK), _sent(0)], 2, "NEW"),
        ([_sent(0, number=-1)], 0, "NEW"),
        ([_sent(0, number=-1, layers=ERROR, proto=1)], 0, "RELATED"),
    ],
)
def test_what_conntrack_calls_it(packets: list[Packet], number: int, state: str) -> None:
    """New until an answer was seen; an error without a connection is related to one."""
    ran = _ran(*packets, number=number)

    assert ran is not None
    assert ran.ct_state == state
    assert (ran.ct_original is None) == (state != "ESTABLISHED")


@pytest.mark.parametrize(
    ("row", "reply", "to", "moved"),
    [
        (PLAIN, False, (SERVER, 53), (False, False)),
        (PLAIN, True, (INSIDE, 4000), (False, False)),
        (HIDDEN, True, (INSIDE, 4000), (False, True)),
        (HIDDEN, False, (SERVER, 53), (False, True)),
        (PUBLISHED, False, (INSIDE, 80), (True, False)),
        (PUBLISHED, True, (ip_address("1.2.3.4"), 5000), (True, False)),
        (HIDDEN | {"proto": 1}, True, (INSIDE, None), (False, True)),
        (HIDDEN | {"proto": 58}, False, (SERVER, None), (False, True)),
    ],
)
def test_what_conntrack_does_with_an_established_connection(
    row: Frame, reply: bool, to: tuple[Any, Any], moved: tuple[bool, bool]
) -> None:
    """It sends packets to the other tuple's source, and remembers the original one."""
    ran = _ran(_sent(2, reply=True, **BACK), _sent(0, reply=reply), number=1, row=row)

    assert ran is not None
    assert (ran.ct_to, (ran.ct_dnat, ran.ct_snat), ran.ct_reply) == (to, moved, reply)
    original = (row["orig_src"], row["orig_dst"], row["orig_sport"], row["orig_dport"])
    assert ran.ct_original == (*(ip_address(ip) for ip in original[:2]), *original[2:])


def test_ipv6_tuples_are_whole() -> None:
    """Both halves of where it is sent, and of the original tuple."""
    flow = ("fd00:1::2", 1, "fd00:2::3", 2)
    row = connection(original=flow, reply=("fd00:3::4", 2, *flow[:2]))
    six = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6, "src": "fd00:1::2", "dst": "fd00:2::3"}
    ran = _ran(_sent(2, reply=True, **six), _sent(0, **six), number=1, row=row)

    assert ran is not None
    assert ran.ct_to == (ip_address("fd00:3::4"), 2)
    assert ran.ct_original == (ip_address("fd00:1::2"), ip_address("fd00:2::3"), 1, 2)


DROPS = "[2:120] -A FORWARD -p udp -j DROP"


def _why(*packets: Packet, number: int = 0, lost: bool = False, **options: Any) -> Cause | None:
    prover = _prover(*packets, **options)
    return prover.why(number, prover.context.hop_rows(number), lost=lost)


@pytest.mark.parametrize(
    ("one", "points", "stopped"),
    [
        (_sent(0), POINTS, True),
        (_sent(2), POINTS, True),
        (_sent(3), POINTS, False),
        (_sent(3), (replace(POINTS[0], container=None), *POINTS[1:]), False),
        (_sent(3), (replace(POINTS[0], container="c2"), *POINTS[1:]), False),
        (_sent(3, 0), POINTS, True),
        (_sent(0, layers=ETHERNET), POINTS, False),
    ],
    ids=["port", "uplink", "inner end", "port unknown", "other port", "came out", "no IP"],
)
def test_what_can_be_asked_for(one: Packet, points: tuple[Point, ...], stopped: bool) -> None:
    """What came to the host; at a container's own end it has not come to a captured port yet."""
    assert (_why(one, points=points, host=_host(**_filter(DROPS))) is not None) == stopped


def test_without_a_recorded_state_nothing_is_proven() -> None:
    """A host that tells nothing stops nothing."""
    assert _why(_sent(0), host=HostState(links=LINKS)) is None
    assert not _prover(_sent(0), host=HostState(links=LINKS)).able(0)
    assert _prover(_sent(0), host=_host()).able(0)


@pytest.mark.parametrize(
    ("columns", "point", "bridged"),
    [
        ({"eth_dst": BRIDGE}, 0, False),
        ({"eth_dst": GATEWAY}, 0, True),
        ({"eth_dst": GATEWAY}, 1, True),
        ({"eth_dst": GATEWAY}, 2, False),
        ({"eth_dst": GATEWAY}, 4, False),
        ({"eth_dst": GATEWAY, "layers": UDP & ~Layer.MAC_DST}, 0, False),
    ],
)
def test_what_a_bridge_only_passes_on(columns: dict[str, int], point: int, bridged: bool) -> None:
    """A frame at its ports that is for none of the host's MACs: no route is asked for it."""
    host = _host(
        routes=(),
        sysctls={"net.ipv4.ip_forward": "0"},
        **_filter("[1:60] -A FORWARD -m physdev --physdev-is-bridged -j DROP"),
    )

    assert (_why(_sent(point, **columns), host=host) is not None) == bridged


@pytest.mark.parametrize(
    ("points", "others", "dst", "drops_to", "stopped"),
    [
        (POINTS, (), "8.8.8.8", "w0", True),
        (POINTS, (), "8.8.8.8", "docker0", False),
        (POINTS, (_sent(0, src="172.17.0.3", dst="9.9.9.9"),), "172.17.0.3", "docker0", True),
        (POINTS, (_sent(1, 0, src="172.17.0.3", dst="9.9.9.9"),), "172.17.0.3", "docker0", False),
        ((*POINTS[:4], replace(POINTS[4], role=Role.UPLINK)), (), "8.8.8.8", "w0", None),
        ((*POINTS[:2], replace(POINTS[2], interface=None), *POINTS[3:]), (), "8.8.8.8", "wlan0", True),
        ((*POINTS[:2], replace(POINTS[2], host="b"), *POINTS[3:]), (), "8.8.8.8", "w0", None),
    ],
    ids=["uplink", "not the bridge", "behind a port", "not from there", "two uplinks", "by name", "other host"],
)
def test_the_way_out_as_captures_show_it(
    points: tuple[Point, ...], others: tuple[Packet, ...], dst: str, drops_to: str, stopped: bool | None
) -> None:
    """The bridge behind which the receiver sends, else the only uplink, else nobody knows."""
    host = _host(routes=(), **_filter(f"[1:60] -A FORWARD -o {drops_to} -j DROP"))
    cause = _why(_sent(1, dst=dst, eth_dst=BRIDGE), *others, host=host, points=points)

    assert (cause is not None) == (stopped is not False)
    assert cause is None or cause.unknown == (stopped is None)


def test_equal_packets_are_run_once() -> None:
    """But not those that were lost, or at another point, or of another length."""
    packets = [_sent(0), _sent(0), _sent(0, ip_len=99), _sent(4)]
    prover = _prover(*packets, host=_host(**_filter(DROPS)))
    causes = [prover.why(number, prover.context.rows_of(number)) for number in range(4)]
    lost = prover.why(0, prover.context.rows_of(0), lost=True)

    assert causes[0] is causes[1]
    assert all(cause is not causes[0] for cause in (*causes[2:], lost))
    assert prover.why(0, prover.context.rows_of(0)) is causes[0]


RANDOM = "-A FORWARD -m statistic --mode random -j {}"


@pytest.mark.parametrize(
    ("before", "after", "lost", "text", "disposition"),
    [
        (["[0:0] " + RANDOM.format("DROP")], ["[2:120] " + RANDOM.format("DROP")], True, "DROP", Disposition.DROPPED),
        (
            ["[0:0] " + RANDOM.format("REJECT")],
            ["[2:120] " + RANDOM.format("REJECT")],
            True,
            "REJECT",
            Disposition.REJECTED,
        ),
        (["[0:0] " + RANDOM.format("DROP")], ["[2:120] " + RANDOM.format("DROP")], False, None, None),
        (["[2:120] " + RANDOM.format("DROP")], ["[2:120] " + RANDOM.format("DROP")], True, None, None),
        ([], ["[2:120] " + RANDOM.format("DROP")], True, None, None),
        (
            ["[0:0] " + RANDOM.format("ACCEPT"), "[0:0] " + RANDOM.format("DROP")],
            ["[2:120] " + RANDOM.format("ACCEPT"), "[2:120] " + RANDOM.format("DROP")],
            True,
            "DROP",
            Disposition.DROPPED,
        ),
    ],
    ids=["drop", "reject", "not lost", "stood still", "not recorded", "second"],
)
def test_counters_decide_what_rules_leave_open(
    before: list[str], after: list[str], lost: bool, text: str | None, disposition: Disposition | None
) -> None:
    """Of a packet that was lost: a rule that kills, and has counted meanwhile."""
    cause = _why(_sent(1), lost=lost, host=_host(**_filter(*before, before=True), **_filter(*after)))

    assert cause is not None
    assert cause.unknown == (text is None)
    if text is not None:
        assert cause.text == f"rule “{RANDOM.format(text)}” in filter, by its counter"
        assert cause.disposition is disposition


def test_an_open_rule_that_changes_nothing() -> None:
    """Where the packet passes whether it matches or not, nothing stops it."""
    assert _why(_sent(1), lost=True, host=_host(**_filter("[2:120] " + RANDOM.format("ACCEPT")))) is None


def test_a_rule_that_surely_stops_it_behind_open_ones() -> None:
    """It is named by itself only if what comes before it does not decide."""
    sure = "[2:120] -A FORWARD -p udp -j DROP"
    host = _host(
        **_filter("[0:0] " + RANDOM.format("ACCEPT"), before=True),
        **_filter("[2:120] " + RANDOM.format("ACCEPT"), sure),
    )
    cause = _why(_sent(1), lost=True, host=host)

    assert cause is not None
    assert cause.unknown


@pytest.mark.parametrize(("many", "found"), [(15, True), (MOST_CASES - 1, False)])
def test_so_many_open_rules_are_passed_over(many: int, found: bool) -> None:
    """Then nobody knows."""
    rules = [RANDOM.format("ACCEPT") + f" -m comment --comment {n}" for n in range(many)] + [RANDOM.format("DROP")]
    host = _host(**_filter(*(f"[0:0] {r}" for r in rules), before=True), **_filter(*(f"[2:120] {r}" for r in rules)))
    cause = _why(_sent(1), lost=True, host=host)

    assert cause is not None
    assert cause.unknown != found


INVALID = "-A FORWARD -m conntrack --ctstate INVALID -j DROP"


@pytest.mark.parametrize(
    ("one", "counted", "lost", "stopped"),
    [
        (_sent(1, layers=TCP, tcp_flags=16), 2, True, True),
        (_sent(1, layers=TCP, tcp_flags=16), 2, False, False),
        (_sent(1, layers=TCP, tcp_flags=16), 0, True, False),
        (_sent(1), 2, True, False),
    ],
    ids=["tcp", "not lost", "stood still", "datagram"],
)
def test_conntrack_may_take_it_for_invalid(one: Packet, counted: int, lost: bool, stopped: bool) -> None:
    """A segment, or a packet of a known connection, if such a rule has counted meanwhile."""
    host = _host(**_filter(f"[0:0] {INVALID}", before=True), **_filter(f"[{counted}:60] {INVALID}"))
    cause = _why(one, lost=lost, host=host)

    assert (cause is not None) == stopped
    assert cause is None or cause.text == f"rule “{INVALID}” in filter, if conntrack takes it for INVALID"


def test_an_established_datagram_may_be_invalid() -> None:
    """Then conntrack translates nothing either."""
    host = _host(**_filter(f"[0:0] {INVALID}", before=True), **_filter(f"[2:60] {INVALID}"))
    cause = _why(_sent(2, reply=True, **BACK), _sent(1), number=1, lost=True, host=host)

    assert cause is not None
    assert "INVALID" in cause.text


@pytest.mark.parametrize(
    ("before", "now", "lost", "stopped"),
    [
        ([DROPS], [], True, True),
        ([DROPS], [], False, False),
        ([], [], True, False),
        (["[2:120] -A FORWARD -p tcp -j DROP"], [], True, False),
        ([DROPS], ["[0:0] -A FORWARD -p udp -j ACCEPT", DROPS], True, False),
    ],
    ids=["gone", "not lost", "never", "another", "still there"],
)
def test_a_rule_that_is_gone_now(before: list[str], now: list[str], lost: bool, stopped: bool) -> None:
    """It was there before the captures ran, and may have stopped the packet while they did."""
    cause = _why(_sent(1), lost=lost, host=_host(**_filter(*before, before=True), **_filter(*now)))

    assert (cause is not None) == stopped
    if cause is not None:
        assert cause.text == "rule “-A FORWARD -p udp -j DROP” in filter, which is gone now"
        assert cause.proof == ("host-before/iptables-save.txt: -A FORWARD -p udp -j DROP",)
        assert cause.past


@pytest.mark.parametrize(
    ("before", "now", "stopped"),
    [("DROP [3:180]", "ACCEPT [3:180]", True), ("DROP [3:180]", "DROP [3:180]", False)],
)
def test_a_policy_that_is_another_now(before: str, now: str, stopped: bool) -> None:
    """One that still drops is not gone, though it counted nothing."""
    host = _host(**_filter(before=True, forward=before), **_filter(forward=now))
    cause = _why(_sent(1), lost=True, host=host)

    assert cause is not None or not stopped
    assert (cause is not None and cause.past) == stopped


def test_what_else_was_different_before_is_no_rule() -> None:
    """Routes and settings were recorded once."""
    host = _host(sysctls={}, routes=ROUTES[1:], **_filter(before=True), **_filter())
    cause = _why(_sent(1), lost=True, host=host)

    assert cause is not None
    assert (cause.check, cause.past) == ("host-unreachable", False)


def _answer(one: Packet, *rules: str, **options: Any) -> Cause | None:
    prover = _prover(one, host=_host(**_filter(*rules)), **options)
    return prover.answer(0, prover.context.rows_of(0))


TO_HOST = {"dst": "172.17.0.1"}
PING = {"layers": ECHO, "proto": 1, **TO_HOST}


@pytest.mark.parametrize(
    ("columns", "rule", "stopped"),
    [
        ({"layers": TCP, "tcp_flags": 2}, "-p tcp", True),
        ({"layers": TCP, "tcp_flags": 0xC2}, "-p tcp", True),
        ({"layers": TCP, "tcp_flags": 0x12}, "-p tcp", False),
        ({"layers": TCP, "tcp_flags": 0x10}, "-p tcp", False),
        ({"layers": TCP, "tcp_flags": 0x03}, "-p tcp", False),
        ({"layers": TCP, "tcp_flags": 0x06}, "-p tcp", False),
        ({"layers": TCP, "tcp_flags": 2}, "-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK", True),
        ({"layers": TCP, "tcp_flags": 2}, "-p tcp -m tcp --tcp-flags SYN,ACK SYN", False),
        ({"layers": TCP, "tcp_flags": 2}, "-p tcp -m tcp --sport 53 --dport 4000", True),
        ({"layers": TCP, "tcp_flags": 2}, "-s 172.17.0.1/32 -d 172.17.0.2/32", True),
        ({"layers": TCP, "tcp_flags": 2}, "-m conntrack --ctstate ESTABLISHED", True),
        ({"layers": TCP, "tcp_flags": 2}, "-m conntrack --ctstate NEW", False),
        ({"layers": TCP, "tcp_flags": 2}, "-m conntrack --ctdir REPLY", True),
        ({"layers": UDP}, "-p udp", False),
        (PING | {"icmp_type": 8}, "-p icmp -m icmp --icmp-type 0", True),
        (PING | {"icmp_type": 8}, "-p icmp -m icmp --icmp-type 8", False),
        (PING | {"icmp_type": 13}, "-p icmp", False),
        ({"layers": TCP, "tcp_flags": 2}, "-m statistic --mode random", False),
        ({"layers": TCP, "tcp_flags": 2}, "-m length --length 0:65535", False),
        ({"layers": TCP, "tcp_flags": 2}, "-m ttl --ttl-eq 64", False),
    ],
)
def test_what_stops_the_hosts_answer(columns: dict[str, Any], rule: str, stopped: bool) -> None:
    """To a SYN or an echo request, with its ends turned round; what is not known of it decides nothing."""
    cause = _answer(_sent(1, **TO_HOST | columns), f"[1:60] -A OUTPUT {rule} -j DROP")

    assert (cause is not None) == stopped
    assert cause is None or (cause.of_answer, cause.unknown) == (True, False)


def test_an_answer_in_another_state() -> None:
    """The caller may ask for one that was changed."""
    prover = _prover(_sent(1, layers=TCP, tcp_flags=2, **TO_HOST))
    changed = _host(**_filter("[1:60] -A OUTPUT -p tcp -j DROP"))

    assert prover.answer(0, [0]) is None
    assert prover.answer(0, [0], changed) is not None


def test_a_packet_in_another_state() -> None:
    """What stops it there, or how it passes; the recorded state does not matter."""
    prover = _prover(_sent(1), host=_host(**_filter(DROPS)))
    passed = prover.tried(_host(**_filter()), 0, [0])
    stopped = prover.tried(_host(**_filter("[1:60] -A FORWARD -d 8.8.8.8/32 -j DROP")), 0, [0])

    assert isinstance(passed, Passed)
    assert (passed.text, passed.out) == ("stopped by no rule, and leaves by w0", "w0")
    assert isinstance(stopped, Cause)
    assert _prover(_sent(1, layers=ETHERNET)).tried(_host(), 0, [0]) is None


def test_another_state_without_routes() -> None:
    """Captures show the way out there, too."""
    passed = _prover(_sent(1)).tried(_host(routes=()), 0, [0])

    assert isinstance(passed, Passed)
    assert (passed.text, passed.out, passed.route) == ("stopped by no rule, and leaves by w0", "w0", None)


NAT = """*raw
:PREROUTING ACCEPT [0:0]
{raw}
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
{nat}
COMMIT
"""


def _nat(nat: str = "", raw: str = "", **fields: Any) -> HostState:
    return _host(tables=tuple(parse_tables(NAT.format(nat=nat, raw=raw).splitlines(), 4)), **fields)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (_nat("-A POSTROUTING -o w0 -j MASQUERADE"), Translated.YES),
        (_nat("-A POSTROUTING -o w0 -j SNAT --to-source 192.168.1.100"), Translated.YES),
        (_nat("-A POSTROUTING -o docker0 -j MASQUERADE"), Translated.NO),
        (_nat("-A PREROUTING -j DNAT --to-destination 9.9.9.9"), Translated.NO),
        (_nat("-A POSTROUTING -m statistic --mode random -j MASQUERADE"), Translated.UNKNOWN),
        (_nat("-A POSTROUTING -o w0 -j MASQUERADE", routes=()), Translated.UNKNOWN),
        (_host(), Translated.UNKNOWN),
    ],
)
@pytest.mark.parametrize("established", [False, True])
def test_whether_rules_would_hide_its_source(host: HostState, told: Translated, established: bool) -> None:
    """If it began a connection, also where it belongs to one that is known already."""
    packets = [_sent(2, reply=True, **BACK)] * established + [_sent(1)]
    prover = _prover(*packets, host=host, row=HIDDEN)

    assert prover.translated(int(established), prover.context.rows_of(int(established))) is told


def test_which_translations_rules_would_make() -> None:
    """As the packet was seen first; none where nothing can be run."""
    host = _nat("-A PREROUTING -d 192.168.1.100/32 -j DNAT --to-destination 172.17.0.3\n-A POSTROUTING -j MASQUERADE")
    one = packet(seen(2, 10, dst=str(HOST_IP)), seen(1, 11, dst="172.17.0.3", ttl=63), connection=1)
    prover = _prover(one, host=host)

    assert [t.kind for t in prover.translations(0, prover.context.rows_of(0))] == ["DNAT", "MASQUERADE"]
    assert _prover(one).translations(0, [0]) == []


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("-A PREROUTING -p udp -j NOTRACK", True),
        ("-A PREROUTING -p udp -j CT --notrack", True),
        ("-A PREROUTING -p udp -j CT --helper ftp", False),
        ("-A PREROUTING -p tcp -j NOTRACK", False),
        ("-A PREROUTING -p udp -j LOG\n-A PREROUTING -p udp -j CT --notrack", True),
    ],
)
def test_the_rule_that_takes_it_out_of_tracking(raw: str, found: bool) -> None:
    """By either target, if it matches."""
    prover = _prover(_sent(1), host=_nat(raw=raw))
    rule = prover.untracked(0, [0])

    assert (rule.text if rule else None) == (raw.splitlines()[-1] if found else None)
    assert _prover(_sent(1)).untracked(0, [0]) is None


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (_nat("-A PREROUTING -j DNAT --to-destination 172.17.0.3:80"), "172.17.0.3"),
        (_nat("-A PREROUTING -j DNAT --to-destination 172.17.0.1"), None),
        (_nat("-A PREROUTING -j REDIRECT --to-ports 81"), None),
        (_nat("-A PREROUTING -p tcp -j DNAT --to-destination 172.17.0.3"), None),
        (_nat(), None),
        (_host(), None),
    ],
)
def test_where_rules_send_what_came_for_the_host(host: HostState, told: str | None) -> None:
    """To an address that is not its own."""
    prover = _prover(_sent(2, dst=str(HOST_IP)), host=host)

    assert str(prover.sent_on(0, prover.context.rows_of(0))) == str(told)


@pytest.mark.parametrize(
    ("target", "port"), [("DNAT --to-destination 172.17.0.3:80", 80), ("DNAT --to-destination 172.17.0.3", None)]
)
def test_the_port_that_rules_send_it_to(target: str, port: int | None) -> None:
    """Where they name one."""
    prover = _prover(_sent(2, dst=str(HOST_IP)), host=_nat(f"-A PREROUTING -p udp -j {target}"))

    assert prover.sent_on_port(0, prover.context.rows_of(0)) == port
    assert _prover(_sent(2), host=_nat()).sent_on_port(0, [0]) is None


@pytest.mark.parametrize(
    ("rule", "asked", "stopped"),
    [
        ("-p ipv6-icmp", "fe80::1", True),
        ("-p ipv6-icmp -m icmp6 --icmpv6-type 135", "fe80::1", True),
        ("-p ipv6-icmp -m icmp6 --icmpv6-type 136", "fe80::1", False),
        ("-d ff02::1:ff00:1/128", "fe80::1", True),
        ("-d ff02::1:ff00:2/128", "fe80::1", False),
        ("-s fe80::9/128", "fe80::1", True),
        ("-i docker0", "fe80::1", True),
        ("-i w0", "fe80::1", False),
        ("-m hl --hl-eq 255", "fe80::1", True),
        ("-p ipv6-icmp", "fe80::2", False),
    ],
)
def test_what_keeps_the_host_from_hearing_a_neighbour(rule: str, asked: str, stopped: bool) -> None:
    """A solicitation goes to the group of the asked address (RFC 4291), with the hop limit of RFC 4861."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n[1:60] -A INPUT {rule} -j DROP\nCOMMIT"
    prover = _prover(host=_host(tables=tuple(parse_tables(text.splitlines(), 6))))

    assert (prover.solicited(ip_address("fe80::9"), ip_address(asked)) is not None) == stopped
