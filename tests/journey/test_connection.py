"""A connection as it is told: its tuples, what translated it, by which rule, and by which published port it came."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.journey.connection import build_connection
from analyzer.model import (
    Basis,
    Connection,
    ConntrackEntry,
    Container,
    FlowTuple,
    HostState,
    Link,
    NatChange,
    NatKind,
    Role,
    Route,
)
from analyzer.packet.connections import Doubts
from analyzer.schema import Layer
from analyzer.state.rules.iptables import parse_tables
from tests.packet.tables import UDP, Packet, at, connection, context, packet, seen

INSIDE, SERVER, HOST_IP = "172.17.0.2", "8.8.8.8", "192.168.1.100"
POINTS = (at(0, "veth-c1", Role.VETH), at(1, "wlan0", Role.UPLINK), at(2, "b:wlan0", Role.UPLINK, host="b"))
PLAIN = ((INSIDE, 4000, SERVER, 53), (SERVER, 53, INSIDE, 4000))
HIDDEN = ((INSIDE, 4000, SERVER, 53), (SERVER, 53, HOST_IP, 4000))
PUBLISHED = (("1.2.3.4", 5000, HOST_IP, 8080), (INSIDE, 80, "1.2.3.4", 5000))
LINKS = (
    Link(2, "wlan0", None, None, None, (ip_address(HOST_IP),)),
    Link(3, "docker0", None, "bridge", None, (ip_address("172.17.0.1"),)),
)
ROUTES = (
    Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default"),
    Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", "172.17.0.0/16"),
)


def _built(both: tuple[tuple[str, int, str, int], ...], *hosts: HostState, shown: tuple[Packet, ...] = (),
           doubts: Doubts | None = None, **columns: Any) -> Connection:  # fmt: skip
    """Build the second of two connections."""
    rows = [connection(original=PLAIN[0], reply=PLAIN[1]), connection(original=both[0], reply=both[1], **columns)]
    seen_in = shown or (packet(seen(0, 1), connection=1),)
    return build_connection(context(POINTS, seen_in, connections=rows, hosts=hosts, doubts=doubts), 1)


def test_what_a_connection_is_told_with() -> None:
    """Its own row of the table, and nothing that nobody knows."""
    counted = {"first_ns": 5, "last_ns": 9, "frames": 7, "packets": 3}

    assert _built(PLAIN, **counted) == Connection(
        id=1,
        protocol="udp",
        original=FlowTuple("udp", ip_address(INSIDE), ip_address(SERVER), 4000, 53),
        reply=FlowTuple("udp", ip_address(SERVER), ip_address(INSIDE), 53, 4000),
        nat=(),
        basis=Basis.OBSERVED,
        first_ns=5,
        last_ns=9,
        frames=7,
        packets=3,
        ambiguous=False,
    )


@pytest.mark.parametrize(
    ("proto", "name", "told"),
    [
        (6, "tcp", {"sport": 2048, "dport": 53}),
        (132, "sctp", {"sport": 2048, "dport": 53}),
        (33, "dccp", {"sport": 2048, "dport": 53}),
        (136, "udplite", {"sport": 2048, "dport": 53}),
        (47, "gre", {}),
        (99, "99", {}),
    ],
)
def test_ports_are_of_protocols_that_have_them(proto: int, name: str, told: dict[str, int]) -> None:
    """Others have addresses only."""
    flow = (INSIDE, 2048, SERVER, 53)

    assert _built((flow, PLAIN[1]), proto=proto).original == FlowTuple(
        name, ip_address(INSIDE), ip_address(SERVER), **told
    )


@pytest.mark.parametrize(("proto", "name"), [(1, "icmp"), (58, "icmpv6")])
def test_a_ping_has_an_identifier_and_a_type(proto: int, name: str) -> None:
    """They stand where others have their ports."""
    told = _built(((INSIDE, 77, SERVER, 8 * 256 + 3), (SERVER, 77, INSIDE, 0)), proto=proto)

    assert told.original == FlowTuple(
        name, ip_address(INSIDE), ip_address(SERVER), icmp_type=8, icmp_code=3, icmp_id=77
    )


def test_ipv6_addresses_are_whole() -> None:
    """Both halves, of both ends."""
    told = _built((("fd00:1::2", 1, "fd00:2::3", 2), ("fd00:2::3", 2, "fd00:1::2", 1)))

    assert (str(told.original.src), str(told.original.dst)) == ("fd00:1::2", "fd00:2::3")


@pytest.mark.parametrize(
    ("columns", "basis", "state"),
    [
        ({"stated": 1}, Basis.STATED, (11, "ESTABLISHED", 99)),
        ({"stated": 1, "seen_reply": False}, Basis.STATED, (11, "ESTABLISHED", 99)),
        ({"stated": 0}, Basis.STATED, (10, None, None)),
        ({}, Basis.OBSERVED, (None, None, None)),
        ({"seen_reply": False}, Basis.INFERRED, (None, None, None)),
    ],
)
def test_how_a_mapping_is_known(columns: dict[str, Any], basis: Basis, state: tuple[Any, ...]) -> None:
    """conntrack states it, an answer shows it, or it is only inferred."""
    flow = FlowTuple("udp", ip_address(INSIDE), ip_address(SERVER), 4000, 53)
    host = HostState(conntrack=(
        ConntrackEntry(flow, flow.reversed(), 10),
        ConntrackEntry(flow, flow.reversed(), 11, state="ESTABLISHED", timeout_s=99),
    ))  # fmt: skip
    told = _built(HIDDEN, host, **columns)

    assert (told.conntrack_id, told.conntrack_state, told.conntrack_timeout_s) == state
    assert (told.basis, [change.basis for change in told.nat]) == (basis, [basis])


def test_what_is_not_sure() -> None:
    """Those that could be swapped with it, in order; and by whom it is relayed."""
    told = _built(PLAIN, doubts=Doubts({1: {9, 4}}, {1: {7}}), ambiguous=True, relayed_to=0, relayed_from=5)

    assert (told.ambiguous, told.candidates, told.relayed_to, told.relayed_from) == (True, (4, 9), 0, 5)
    assert _built(PLAIN, doubts=Doubts({0: {1}})).candidates is None


@pytest.mark.parametrize(
    ("both", "changes"),
    [
        (PLAIN, []),
        (HIDDEN, [(NatKind.SNAT, INSIDE, HOST_IP)]),
        (
            ((INSIDE, 4000, SERVER, 53), (SERVER, 53, HOST_IP, 4001)),
            [(NatKind.SNAT, f"{INSIDE}:4000", f"{HOST_IP}:4001")],
        ),
        (
            ((INSIDE, 4000, SERVER, 53), (SERVER, 53, INSIDE, 4001)),
            [(NatKind.SNAT, f"{INSIDE}:4000", f"{INSIDE}:4001")],
        ),
        (PUBLISHED, [(NatKind.DNAT, f"{HOST_IP}:8080", f"{INSIDE}:80")]),
        (
            (("1.2.3.4", 5000, HOST_IP, 80), (INSIDE, 80, "1.2.3.4", 5000)),
            [(NatKind.DNAT, HOST_IP, INSIDE)],
        ),
        (
            ((INSIDE, 5000, HOST_IP, 8080), (INSIDE, 80, "172.17.0.1", 5000)),
            [(NatKind.SNAT, INSIDE, "172.17.0.1"), (NatKind.DNAT, f"{HOST_IP}:8080", f"{INSIDE}:80")],
        ),
        (
            ((INSIDE, 5000, SERVER, 8080), (SERVER, 80, INSIDE, 5000)),
            [(NatKind.DNAT, f"{SERVER}:8080", f"{SERVER}:80")],
        ),
    ],
)
def test_which_ends_were_translated(both: Any, changes: list[tuple[NatKind, str, str]]) -> None:
    """The port is told where it changed, or nothing else did."""
    assert [(change.kind, change.before, change.after) for change in _built(both).nat] == changes


def test_ends_of_what_has_no_port() -> None:
    """A ping's identifier is its source's port, and its target has none."""
    both = ((INSIDE, 7, HOST_IP, 8 * 256), (SERVER, 9, "172.17.0.1", 0))
    told = [(change.before, change.after) for change in _built(both, proto=1).nat]

    assert told == [(f"{INSIDE}:7", "172.17.0.1:9"), (HOST_IP, SERVER)]


NAT = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
[{0}:60] -A PREROUTING -d 192.168.1.100/32 -p udp -m udp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
[{0}:60] -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
"""
DNAT = "-A PREROUTING -d 192.168.1.100/32 -p udp -m udp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"
MASQUERADE = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"


def _host(after: int = 9, before: int | None = None, **fields: Any) -> HostState:
    old = tuple(parse_tables(NAT.format(before).splitlines(), 4)) if before is not None else ()
    rules = tuple(parse_tables(NAT.format(after).splitlines(), 4))
    return HostState(links=LINKS, routes=ROUTES, tables=rules, tables_before=old, **fields)


@pytest.mark.parametrize(("before", "counted"), [(None, (9, None)), (4, (9, 4))])
@pytest.mark.parametrize(("both", "rule"), [(HIDDEN, MASQUERADE), (PUBLISHED, DNAT)])
def test_the_rule_behind_a_translation(
    both: Any, rule: str, before: int | None, counted: tuple[int | None, int | None]
) -> None:
    """With its counter now, and before the captures ran."""
    (change,) = _built(both, _host(before=before)).nat

    assert (change.rule, (change.rule_packets, change.rule_packets_before)) == (rule, counted)


@pytest.mark.parametrize(
    "both",
    [
        ((INSIDE, 4000, SERVER, 53), ("8.8.4.4", 53, INSIDE, 4000)),
        (("1.2.3.4", 1, SERVER, 53), (SERVER, 53, HOST_IP, 1)),
    ],
    ids=["target", "source"],
)
def test_a_translation_without_a_rule(both: Any) -> None:
    """The recorded ones do not make it: that of the other end is none of it."""
    (change,) = _built(both, _host()).nat

    assert (change.rule, change.rule_packets, change.rule_packets_before) == (None, None, None)


def _two_hosts(*packets: Packet, both: Any = PUBLISHED, proto: int = 17) -> tuple[NatChange, ...]:
    """The second host translates; the first one only has an address."""
    hosts = (HostState(name=None, links=LINKS[:1]), _host(name="b"))
    return _built(both, *hosts, shown=packets, proto=proto).nat


ASKED = {"src": "1.2.3.4", "dst": HOST_IP, "sport": 5000, "dport": 8080}


def test_of_several_hosts_each_may_have_translated() -> None:
    """As the first packet came to it, where it was seen first."""
    frames = [seen(1, 5, **ASKED), seen(2, 9, **ASKED), seen(2, 10, **ASKED | {"dst": INSIDE, "dport": 80})]

    assert [change.rule for change in _two_hosts(packet(*frames, connection=1))] == [DNAT]
    assert [change.rule for change in _two_hosts(packet(frames[0], frames[2], connection=1))] == [None]
    assert [change.rule for change in _two_hosts(packet(frames[0], connection=1))] == [None]


@pytest.mark.parametrize(
    "frame",
    [
        packet(seen(2, 9, **ASKED), connection=1, reply=True),
        packet(seen(2, 9, **ASKED | {"layers": Layer.MAC_SRC}), connection=1),
        packet(seen(2, 9, **ASKED | {"layers": UDP & ~(Layer.PORTS | Layer.UDP)}), connection=1),
    ],
    ids=["answer", "no addresses", "no ports"],
)
def test_what_does_not_show_how_it_came(frame: Packet) -> None:
    """Then no rule of a host is named that asks for it."""
    assert [change.rule for change in _two_hosts(frame)] == [None]


@pytest.mark.parametrize(
    ("both", "published", "told"),
    [
        (PUBLISHED, ["0.0.0.0:8080->80/udp"], "web 0.0.0.0:8080->80/udp"),
        (PUBLISHED, ["[::]:8080->80/udp"], "web [::]:8080->80/udp"),
        (PUBLISHED, ["0.0.0.0:8080->80/tcp"], None),
        (PUBLISHED, ["0.0.0.0:8081->80/udp"], None),
        (PUBLISHED, ["0.0.0.0:8081->81/udp", "0.0.0.0:8080->80/udp"], "web 0.0.0.0:8080->80/udp"),
        (PUBLISHED, [], None),
        (PUBLISHED, ["80/udp"], None),
        (PUBLISHED, ["0.0.0.0:8080->81/udp"], "web 0.0.0.0:8080->81/udp"),
        (
            (("1.2.3.4", 1, "9.9.9.9", 8080), (INSIDE, 80, "1.2.3.4", 1)),
            ["0.0.0.0:8080->80/udp"],
            "web 0.0.0.0:8080->80/udp",
        ),
        ((("1.2.3.4", 1, "9.9.9.9", 8080), (INSIDE, 81, "1.2.3.4", 1)), ["0.0.0.0:8080->80/udp"], None),
        ((("1.2.3.4", 1, "9.9.9.9", 8080), ("172.17.0.9", 80, "1.2.3.4", 1)), ["0.0.0.0:8080->80/udp"], None),
        ((("1.2.3.4", 1, INSIDE, 8080), (INSIDE, 8080, "1.2.3.4", 1)), ["0.0.0.0:8080->8080/udp"], None),
    ],
)
def test_the_published_port_that_it_came_to(both: Any, published: list[str], told: str | None) -> None:
    """By the host's address, or by the container that answers; not by the container's own address."""
    container = Container("web", "net", None, (ip_address(INSIDE),), tuple(published))
    host = HostState(links=LINKS, containers=(Container("db", "net", None, ()), container))

    assert _built(both, HostState(name="other"), host).published == told
