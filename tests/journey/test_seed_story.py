"""The textbook story, on the seed sample: what each journey must tell."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import ArpStep, Basis, Direction, Disposition, FdbStep, Journey, NatStep, RouteStep
from analyzer.run import Trace

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def trace() -> Trace:
    return analyze([SEED])


@pytest.fixture(scope="module")
def blind() -> Trace:
    """The same without the host's dumps."""
    return analyze(sorted(SEED.glob("*.pcap")))


def _ping(trace: Trace, kind: str, seq: int) -> Journey:
    return next(j for j in trace.journeys() if j.summary == f"ICMP echo {kind} seq {seq}")


def test_the_first_ping_goes_out_as_the_textbook_says(trace: Trace) -> None:
    """Container, docker0, uplink; the address changes at MASQUERADE, the MACs and the TTL where it is routed."""
    journey = _ping(trace, "request", 1)

    assert [hop.point for hop in journey.hops] == ["veth-c3", "docker0", "wlan0"]
    assert [str(hop.src) for hop in journey.hops] == ["172.17.0.4", "172.17.0.4", "192.168.1.100"]
    assert [hop.ttl for hop in journey.hops] == [64, 64, 63]
    assert {r.field: (r.before, r.after, r.by) for r in journey.hops[2].rewrites if r.field in ("src", "ttl")} == {
        "src": ("172.17.0.4", "192.168.1.100", "SNAT"),
        "ttl": ("64", "63", "forwarding"),
    }
    assert (journey.disposition, journey.direction) == (Disposition.LEFT_HOST, Direction.ORIGINAL)


def test_the_first_ping_waits_for_two_arp_answers(trace: Trace) -> None:
    """The container asks for 172.17.0.1, the host for 192.168.1.1; later pings wait for nobody."""
    waits = [step for step in _ping(trace, "request", 1).steps if isinstance(step, ArpStep)]

    assert [(str(s.exchange.asked_ip), s.exchange.point, s.at_hop) for s in waits] == [
        ("172.17.0.1", "veth-c3", 0),
        ("192.168.1.1", "wlan0", 2),
    ]
    assert all(s.exchange.latency_ns and s.exchange.latency_ns > 0 for s in waits)
    assert not any(isinstance(step, ArpStep) for step in _ping(trace, "request", 2).steps)


def test_steps_carry_rule_and_route_where_the_host_states_them(trace: Trace) -> None:
    """The rule's and the route's own text."""
    steps = _ping(trace, "request", 1).steps
    bridge = next(step for step in steps if isinstance(step, FdbStep))
    route = next(step for step in steps if isinstance(step, RouteStep))
    nat = next(step for step in steps if isinstance(step, NatStep))

    assert bridge.local
    assert (route.route, str(route.next_hop_ip), route.basis) == (
        "default via 192.168.1.1 dev wlan0",
        "192.168.1.1",
        Basis.STATED,
    )
    assert nat.rule == "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"


def test_the_reply_comes_back_the_same_way(trace: Trace) -> None:
    """The translation is undone, the bridge knows the port, and the reply answers the request."""
    request, reply = _ping(trace, "request", 1), _ping(trace, "reply", 1)
    nat = next(step for step in reply.steps if isinstance(step, NatStep))
    bridge = next(step for step in reply.steps if isinstance(step, FdbStep))

    assert [hop.point for hop in reply.hops] == ["wlan0", "docker0", "veth-c3"]
    assert (nat.nat, nat.reverse, nat.before, nat.after) == ("SNAT", True, "192.168.1.100", "172.17.0.4")
    assert bridge.learnt_point == "veth-c3"
    assert (reply.answers, request.answered_by) == (request.id, reply.id)
    assert (reply.disposition, reply.direction) == (Disposition.DELIVERED, Direction.REPLY)


def test_captures_alone_tell_the_same_but_for_what_only_the_host_knows(blind: Trace) -> None:
    """Without dumps there are no rules and routes, and the same hops, translations and verdicts."""
    journey = _ping(blind, "request", 1)
    route = next(step for step in journey.steps if isinstance(step, RouteStep))
    nat = next(step for step in journey.steps if isinstance(step, NatStep))

    assert [hop.point for hop in journey.hops] == ["veth-c3", "docker0", "wlan0"]
    assert (route.route, str(route.next_hop_ip), route.basis) == (None, "192.168.1.1", Basis.OBSERVED)
    assert (nat.rule, nat.after) == (None, "192.168.1.100")
    assert journey.disposition is Disposition.LEFT_HOST


def test_arp_exchanges_are_told_once(trace: Trace) -> None:
    """A question that a bridge floods is seen at several points, and is one question."""
    asked = [str(exchange.asked_ip) for exchange in trace.arp]

    assert asked.count("172.17.0.1") == 1
    assert asked.count("192.168.1.1") == 1


def test_the_container_is_named_where_it_is_known(trace: Trace, blind: Trace) -> None:
    """docker inspect states it; a file called veth-c3 lets it be inferred."""
    for one, basis in ((trace, Basis.STATED), (blind, Basis.INFERRED)):
        veth = next(point for point in one.points if point.name == "veth-c3")
        assert (veth.container, veth.container_basis) == ("c3", basis)


def test_tcp_answers_are_joined_by_sequence_numbers(trace: Trace) -> None:
    """SYN, SYN-ACK and ACK answer each other."""
    first = next(j for j in trace.journeys() if j.summary == "TCP SYN")
    second = trace.journey(first.answered_by or -1)
    third = trace.journey(second.answered_by or -1)

    assert (second.summary, third.summary) == ("TCP SYN,ACK", "TCP ACK")
    assert first.reply_latency_ns is not None
    assert first.reply_latency_ns > 0


def test_a_container_never_has_the_bridges_mac() -> None:
    """A hairpin is routed after br_netfilter gave it the container's MAC: that does not make it the host's."""
    trace = analyze([SEED.parent / "hairpin"])
    own = {container.mac for container in trace.hosts.everywhere.containers}
    steps = [step for journey in trace.journeys() for step in journey.steps if isinstance(step, FdbStep)]

    assert any(step.copied for step in steps)
    assert any(step.learnt_point == "veth-web" and step.to_point == "veth-web" for step in steps)
    assert not any(step.local and step.mac in own for step in steps)


def test_each_translation_is_told_once() -> None:
    """The bridge's copy of a frame still shows the source as it was: nothing translates that back."""
    trace = analyze([SEED.parent / "self-hairpin"])
    told = [
        [(step.nat, step.reverse) for step in journey.steps if isinstance(step, NatStep)]
        for journey in trace.journeys()
        if journey.protocol == "tcp"
    ]

    assert [finding.check for finding in trace.findings] == ["capture-doubles-packets"]
    assert len(told) > 5
    for steps in told:
        assert [nat for nat, _ in steps] == (["SNAT", "DNAT"] if steps[0][1] else ["DNAT", "SNAT"])
