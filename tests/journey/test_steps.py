"""Steps between two hops: what was rewritten and by whom, and why the next hop is the next."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import analyze
from analyzer.journey.steps import between, rewrites
from analyzer.model import (
    ArpExchange,
    Basis,
    FdbEntry,
    FdbStep,
    HostState,
    IpvlanStep,
    Link,
    Mac,
    NatChange,
    NatKind,
    NatStep,
    Neighbour,
    Point,
    Rewrite,
    Role,
    Route,
    RouteStep,
    Step,
)
from analyzer.packet.context import Context
from analyzer.packet.sight import Sight, sights
from analyzer.schema import Layer
from tests.packet.tables import (
    BRIDGE,
    ECHO,
    ETHERNET,
    GATEWAY,
    INNER,
    TCP,
    UDP,
    UPLINK,
    Frame,
    Packet,
    at,
    context,
    packet,
    seen,
)

POINTS = (at(0, "veth-c1", Role.VETH, interface="veth1a"), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK),
          at(3, "veth-c2", Role.VETH))  # fmt: skip
SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
OTHER = 0x0242_AC11_0003
GROUP = 0x0100_5E00_00FB
OUT = {"eth_src": UPLINK, "eth_dst": GATEWAY, "ttl": 63}
DEFAULT = Route(
    ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default via 192.168.1.1 dev wlan0"
)


def _both(before: Frame | list[Frame], after: Frame | list[Frame], *others: Packet, points: tuple[Point, ...] = POINTS,
          **options: Any) -> tuple[Context, list[list[Sight]]]:  # fmt: skip
    here = context(points, [packet(before, after), *others], **options)
    return here, next(sights(here, np.array([0])))


def _rewritten(before: Frame | list[Frame], after: Frame | list[Frame], *others: Packet, reply: bool = False
               ) -> list[tuple[str, str, str, str]]:  # fmt: skip
    here, parts = _both(before, after, *others)
    return [(r.field, r.before, r.after, r.by) for r in rewrites(here, *parts, reply=reply)]


def _steps(before: Frame, after: Frame, *others: Packet, exchanges: tuple[ArpExchange, ...] = (),
           changed: tuple[Rewrite, ...] | None = None, nat: tuple[NatChange, ...] = (), **options: Any
           ) -> list[Step]:  # fmt: skip
    here, parts = _both(before, after, *others, **options)
    told = rewrites(here, *parts, reply=False) if changed is None else changed
    return between(here, parts[0][0], parts[1][0], 1, told, list(exchanges), nat)


def test_every_field_that_differs_is_told() -> None:
    """MACs and TTL by forwarding, the ends of the tuple by NAT, in this order."""
    after = {"src": "192.168.1.100", "dst": "9.9.9.9", "sport": 5000, "dport": 54, **OUT}

    assert _rewritten(seen(1, 10), seen(2, 12, **after)) == [
        ("eth_src", "02:42:ac:11:00:02", "3c:22:fb:10:20:30", "forwarding"),
        ("eth_dst", "02:42:a5:97:21:da", "00:1d:aa:01:02:03", "forwarding"),
        ("src", "172.17.0.2", "192.168.1.100", "SNAT"),
        ("dst", "8.8.8.8", "9.9.9.9", "DNAT"),
        ("sport", "4000", "5000", "SNAT"),
        ("dport", "53", "54", "DNAT"),
        ("ttl", "64", "63", "forwarding"),
    ]


def test_in_the_reply_direction_the_inverse_is_applied() -> None:
    """The source is what DNAT had changed, the destination what SNAT had."""
    after = {"src": "192.168.1.100", "dst": "9.9.9.9", "sport": 5000, "dport": 54, **OUT}
    told = _rewritten(seen(1, 10), seen(2, 12, **after), reply=True)

    assert [(field, by) for field, _, _, by in told if by != "forwarding"] == [
        ("src", "DNAT"),
        ("dst", "SNAT"),
        ("sport", "DNAT"),
        ("dport", "SNAT"),
    ]


@pytest.mark.parametrize(("reply", "by"), [(False, "SNAT"), (True, "SNAT")])
def test_an_echo_identifier_is_the_askers_end(reply: bool, by: str) -> None:
    """Source NAT changes it in both directions."""
    ping = {"layers": ECHO, "proto": 1}

    assert _rewritten(seen(1, 10, **ping, icmp_id=7), seen(2, 12, **ping, icmp_id=9), reply=reply)[-1] == (
        "icmp_id", "7", "9", by,
    )  # fmt: skip


def test_nothing_differs() -> None:
    """Two sightings of the same bytes."""
    assert _rewritten(seen(0, 10), seen(2, 12)) == []


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (UDP & ~Layer.MAC_DST, UDP, {"eth_src", "src", "ttl"}),
        (UDP, UDP & ~Layer.MAC_SRC, {"eth_dst", "src", "ttl"}),
        (ETHERNET, ETHERNET, {"eth_src", "eth_dst"}),
        (UDP, ETHERNET, {"eth_src", "eth_dst"}),
    ],
    ids=["no receiver", "no sender", "no IP", "IP once"],
)
def test_only_what_both_hops_show_can_differ(before: int, after: int, fields: set[str]) -> None:
    """A cooked capture has no MACs, and another protocol no addresses."""
    frames = seen(0, 10, layers=before), seen(2, 12, layers=after, src="192.168.1.100", **OUT)

    assert {field for field, *_ in _rewritten(*frames)} == fields


@pytest.mark.parametrize(
    ("first", "second", "by"), [(0, 0, "segmentation"), (1, 0, "fragmentation"), (0, 1, "fragmentation")]
)
def test_another_number_of_frames(first: int, second: int, by: str) -> None:
    """Fragments of IP on either side, else segments."""
    layers = [UDP | (Layer.FRAGMENT if part else 0) for part in (first, second)]
    told = _rewritten([seen(0, 10 + n, layers=layers[0]) for n in range(3)], [seen(1, 20, layers=layers[1])])

    assert told == [("frames", "3", "1", by)]


@pytest.mark.parametrize(
    ("target", "columns", "by"),
    [
        (1, {}, "copy"),
        (3, {}, "SNAT"),
        (1, {"eth_dst": GROUP}, "SNAT"),
        (1, {"layers": UDP & ~Layer.MAC_DST}, "SNAT"),
        (1, {"eth_dst": BRIDGE}, "SNAT"),
    ],
    ids=["bridge", "port", "group", "cooked", "host"],
)
def test_a_bridges_copy_shows_what_becomes_of_a_packet_later(target: int, columns: dict[str, int], by: str) -> None:
    """Of a frame that goes from port to port: neither for the host nor for a group."""
    usual = {"eth_dst": OTHER, **columns}
    routed = packet(seen(0, 50), seen(2, 52, **OUT))
    told = _rewritten(seen(0, 10, **usual), seen(target, 12, **usual, src="172.17.0.1", dport=54), routed)

    assert [(field, one) for field, _, _, one in told] == [("src", by), ("dport", by if by == "copy" else "DNAT")]


def test_a_translated_packet_takes_three_steps() -> None:
    """The destination before the route, the source behind it; address and port are one end."""
    after = {"src": "192.168.1.100", "dst": "9.9.9.9", "sport": 5000, "dport": 54, **OUT}
    nat = (
        NatChange(NatKind.SNAT, "", "", Basis.OBSERVED, "-j MASQUERADE"),
        NatChange(NatKind.DNAT, "", "", Basis.OBSERVED, "-j DNAT"),
    )
    target, route, source = _steps(seen(1, 10), seen(2, 12, **after), nat=nat)

    assert isinstance(route, RouteStep)
    assert target == NatStep("DNAT", False, "dst+dport", "8.8.8.8:53", "9.9.9.9:54", 1, "-j DNAT", Basis.OBSERVED)
    assert source == NatStep(
        "SNAT", False, "src+sport", "172.17.0.2:4000", "192.168.1.100:5000", 1, "-j MASQUERADE", Basis.OBSERVED
    )


@pytest.mark.parametrize(
    ("rewrite", "told"),
    [
        (Rewrite("dst", "a", "b", "SNAT"), ("SNAT", True, "dst")),
        (Rewrite("dport", "1", "2", "SNAT"), ("SNAT", True, "dport")),
        (Rewrite("src", "a", "b", "DNAT"), ("DNAT", True, "src")),
        (Rewrite("sport", "1", "2", "DNAT"), ("DNAT", True, "sport")),
        (Rewrite("src", "a", "b", "SNAT"), ("SNAT", False, "src")),
        (Rewrite("sport", "1", "2", "SNAT"), ("SNAT", False, "sport")),
        (Rewrite("dst", "a", "b", "DNAT"), ("DNAT", False, "dst")),
        (Rewrite("icmp_id", "1", "2", "SNAT"), ("SNAT", False, "icmp_id")),
    ],
)
def test_which_way_a_translation_goes(rewrite: Rewrite, told: tuple[str, bool, str]) -> None:
    """On the way back the other end is put right; rules are not known then."""
    found = [step for step in _steps(seen(0, 10), seen(1, 12), changed=(rewrite,)) if isinstance(step, NatStep)]

    assert [(step.nat, step.reverse, step.field) for step in found] == [told]
    assert (found[0].before, found[0].after, found[0].rule) == (rewrite.before, rewrite.after, None)


def test_a_copy_is_translated_by_nobody() -> None:
    """It only shows the translation of another hop."""
    found = _steps(seen(0, 10), seen(1, 12), changed=(Rewrite("src", "a", "b", "copy"),))

    assert not any(isinstance(step, NatStep) for step in found)


def _route(step: Step) -> RouteStep:
    assert isinstance(step, RouteStep)
    return step


def _host(*routes: Route, **fields: Any) -> HostState:
    return HostState(routes=routes, **fields)


def _exchange(ip: str, mac: int = GATEWAY) -> ArpExchange:
    return ArpExchange("arp", ip_address(ip), Mac(UPLINK), None, "wlan0", 1, 1, Mac(mac))


def test_a_route_step_tells_both_points_and_ttls() -> None:
    """With the route of the receiver's address, and why it was this one."""
    (step,) = _steps(seen(1, 10), seen(2, 12, **OUT), hosts=[_host(DEFAULT)], exchanges=(_exchange("192.168.1.1"),))

    assert step == RouteStep(
        from_point="docker0",
        to_point="wlan0",
        at_hop=1,
        ttl_before=64,
        ttl_after=63,
        next_hop_mac=Mac(GATEWAY),
        next_hop_ip=ip_address("192.168.1.1"),
        route="default via 192.168.1.1 dev wlan0",
        why="no other prefix fits in table main, by rule “32766: from all lookup main”",
        neighbour=None,
        basis=Basis.STATED,
    )


def test_without_a_route_or_a_mac() -> None:
    """A cooked capture shows no next hop, and captures alone no route."""
    (step,) = _steps(
        seen(1, 10), seen(2, 12, layers=UDP & ~Layer.MAC_DST, **OUT), exchanges=(_exchange("192.168.1.1"),)
    )

    assert (_route(step).next_hop_mac, _route(step).next_hop_ip, _route(step).route, _route(step).basis) == (
        None, None, None, Basis.OBSERVED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dev", "after", "links", "told"),
    [
        ("wlan0", 2, (), True),
        ("eth9", 2, (), False),
        ("veth1a", 0, (), True),
        ("veth-c1", 0, (), True),
        ("docker0", 0, (), True),
        ("br0", 2, (Link(1, "wlan0", None, None, "br0"),), True),
        ("br1", 2, (Link(1, "wlan0", None, None, "br0"),), False),
        ("br0", 2, (Link(1, "wlan0", None, None, None),), False),
    ],
)
def test_a_route_is_told_where_the_packet_left_by_it(dev: str, after: int, links: tuple[Link, ...], told: bool) -> None:
    """By the interface, its bridge, or any where only a veth was captured."""
    hosts = [_host(replace(DEFAULT, dev=dev), links=links)]
    (step,) = _steps(seen(1, 10), seen(after, 12, **OUT), hosts=hosts)

    assert (_route(step).route is not None, _route(step).basis) == (told, Basis.STATED if told else Basis.OBSERVED)


def test_a_route_of_the_bridge_that_an_interface_is_a_port_of() -> None:
    """Also where the capture is not called as its interface."""
    points = (*POINTS[:2], replace(POINTS[2], name="out", interface="wlan0"), POINTS[3])
    hosts = [_host(replace(DEFAULT, dev="br0"), links=(Link(1, "wlan0", None, None, "br0"),))]
    (step,) = _steps(seen(1, 10), seen(2, 12, **OUT), hosts=hosts, points=points)

    assert _route(step).route == DEFAULT.text


@pytest.mark.parametrize(
    ("exchanges", "neighbours", "told"),
    [
        (["192.168.1.1"], [], "192.168.1.1"),
        (["192.168.1.1", "8.8.8.8"], [], "8.8.8.8"),
        (["192.168.1.1", "192.168.1.2"], [], None),
        (["192.168.1.1", "fe80::1"], [], "192.168.1.1"),
        (["fe80::1"], [], None),
        ([], ["192.168.1.1"], "192.168.1.1"),
        (["192.168.1.1"], ["192.168.1.1"], "192.168.1.1"),
        (["192.168.1.1"], ["192.168.1.9"], None),
        ([], [], None),
    ],
)
def test_whose_answer_gave_the_next_hops_mac(exchanges: list[str], neighbours: list[str], told: str | None) -> None:
    """The receiver's own, else the only address of its family that has it."""
    hosts = [_host(neighbours=tuple(Neighbour(ip_address(ip), "wlan0", Mac(GATEWAY), "STALE") for ip in neighbours))]
    given = (*(_exchange(ip) for ip in exchanges), _exchange("192.168.1.77", UPLINK))
    (step,) = _steps(seen(1, 10), seen(2, 12, **OUT), hosts=hosts, exchanges=given)

    assert str(_route(step).next_hop_ip) == str(told)


@pytest.mark.parametrize(
    ("mac", "told"), [(GATEWAY, "192.168.1.1 dev wlan0 lladdr 00:1d:aa:01:02:03 STALE"), (INNER, None)]
)
def test_the_recorded_neighbour_is_told_if_it_says_the_same(mac: int, told: str | None) -> None:
    """Another MAC than the packet's is another's entry."""
    hosts = [_host(neighbours=(Neighbour(ip_address("192.168.1.1"), "wlan0", Mac(mac), "STALE"),))]
    (step,) = _steps(seen(1, 10), seen(2, 12, **OUT), hosts=hosts, exchanges=(_exchange("192.168.1.1"),))

    assert _route(step).neighbour == told


HOME = packet(seen(3, 1, eth_src=OTHER), seen(1, 2, eth_src=OTHER))
"""The other container is behind veth-c2."""
ROUTED = packet(seen(0, 3), seen(2, 4, **OUT))
"""The bridge's and the uplink's MACs are the host's."""


@pytest.mark.parametrize(
    ("mac", "target", "learnt", "local", "flooded", "copied", "basis"),
    [
        (OTHER, 3, ("veth-c2", 1), False, False, False, Basis.OBSERVED),
        (OTHER, 1, None, False, False, True, Basis.INFERRED),
        (BRIDGE, 1, None, True, False, False, Basis.INFERRED),
        (GROUP, 3, None, False, True, False, Basis.OBSERVED),
        (0x0242_AC11_0009, 3, None, False, False, False, Basis.INFERRED),
    ],
    ids=["learnt", "copy", "host", "group", "unknown"],
)
def test_why_a_bridge_sends_a_frame_there(
    mac: int, target: int, learnt: tuple[str, int] | None, local: bool, flooded: bool, copied: bool, basis: Basis
) -> None:
    """It learnt the port, or has the MAC itself, or floods; or only shows a copy."""
    (step,) = _steps(seen(0, 10, eth_dst=mac), seen(target, 12, eth_dst=mac), HOME, ROUTED)

    assert step == FdbStep(
        mac=Mac(mac),
        from_point="veth-c1",
        to_point=POINTS[target].name,
        at_hop=1,
        learnt_point=learnt[0] if learnt else None,
        learnt_frame=learnt[1] if learnt else None,
        local=local,
        flooded=flooded,
        copied=copied,
        basis=basis,
    )


def test_a_mac_that_is_at_home_on_another_host() -> None:
    """This host's bridge sends it into the tunnel: it did not learn it at that port."""
    points = (*POINTS[:3], replace(POINTS[3], host="other"))
    (step,) = _steps(seen(0, 10, eth_dst=OTHER), seen(2, 12, eth_dst=OTHER), HOME, points=points)

    assert isinstance(step, FdbStep)
    assert (step.learnt_point, step.basis) == (None, Basis.INFERRED)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([(OTHER, "veth1a")], "02:42:ac:11:00:03 dev veth1a"),
        ([(OTHER, "veth-c1")], "02:42:ac:11:00:03 dev veth-c1"),
        ([(INNER, "veth1a"), (OTHER, "docker0")], None),
    ],
)
def test_the_recorded_entry_of_the_port(entries: list[tuple[int, str]], told: str | None) -> None:
    """For this MAC, by this port."""
    host = HostState(fdb=tuple(FdbEntry(Mac(mac), dev, None, permanent=False) for mac, dev in entries))
    (step,) = _steps(seen(3, 10, eth_dst=OTHER), seen(0, 12, eth_dst=OTHER), hosts=[host])

    assert isinstance(step, FdbStep)
    assert step.entry == told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"layers": UDP | Layer.TUNNEL}, {}),
        ({}, {"layers": UDP | Layer.TUNNEL}),
        ({"layers": UDP & ~Layer.MAC_DST}, {}),
        ({}, {"eth_src": UPLINK}),
        ({}, {"eth_dst": GATEWAY}),
    ],
    ids=["out of a tunnel", "into one", "cooked", "other sender", "other receiver"],
)
def test_what_no_bridge_passed_on(before: dict[str, int], after: dict[str, int]) -> None:
    """In a tunnel, without a MAC to look up, or with other MACs but the same TTL."""
    assert _steps(seen(0, 10, **before), seen(1, 12, **after)) == []


def test_tcp_ports_are_told_like_others() -> None:
    """A changed port alone is an end, too."""
    frames = seen(1, 10, layers=TCP, dport=80), seen(2, 12, layers=TCP, dport=8080, **OUT)
    step = _steps(*frames)[0]

    assert step == NatStep("DNAT", False, "dport", "80", "8080", 1, None, Basis.OBSERVED)


@pytest.mark.parametrize(
    ("sample", "mode", "asks"), [("ipvlan", "l2", 2), ("ipvlan-l3", "l3", 0)], ids=["asks-itself", "routed"]
)
def test_an_ipvlan_is_told_by_its_mode(sample: str, mode: str, asks: int) -> None:
    """Every packet of the container lies on its parent; in l3 it asks nobody, and the host's ARP is its own."""
    trace = analyze([SAMPLES / sample])
    told = [[one for one in journey.steps if isinstance(one, IpvlanStep)] for journey in trace.journeys()]
    arp = [journey for journey in trace.journeys() if journey.protocol == "arp" and len(journey.hops) == 2]

    assert {(one.container, one.parent, one.mode) for steps in told for one in steps} == {("web", "wlan0", mode)}
    assert (len(arp), trace.findings) == (asks, ())
    assert all(len(steps) == (len(journey.hops) == 2) for journey, steps in zip(trace.journeys(), told, strict=True))
    assert not {"dropped", "lost", "not-observable"} & set(trace.dispositions())
