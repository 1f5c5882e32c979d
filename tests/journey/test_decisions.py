"""What a host asks of a packet, stage by stage, from recorded hosts."""

from pathlib import Path

import pytest

from analyzer import Trace, analyze
from analyzer.journey.decisions import decision
from analyzer.model import Basis
from analyzer.model.decision import Decision, Left

ROOT = Path(__file__).parents[2]


def _trace(name: str) -> Trace:
    fault = ROOT / "tests" / "faults" / f"{name}.tar.zst"
    return analyze([fault if fault.exists() else ROOT / "sample_pcaps" / name])


def _of(trace: Trace, journey: int) -> Decision:
    found = decision(trace.context, trace.tracer.prover, journey)
    assert found is not None
    return found


def _stages(found: Decision) -> list[tuple[str, str, Left]]:
    return [(one.name, one.told, one.outcome) for one in found.stages]


def test_a_rule_that_drops() -> None:
    """In the kernel's order up to the rule, with its counter and its owner; what is behind it is not reached."""
    found = _of(_trace("docker-user.bridge"), 2)
    last = found.stages[-1]

    assert _stages(found) == [
        ("bridge docker0", "its own MAC: up to the host", Left.PASSED),
        ("conntrack", "new", Left.PASSED),
        ("nat PREROUTING", "1 rule passed over", Left.PASSED),
        ("routing", "default via 192.168.1.1 dev wlan0", Left.PASSED),
        ("filter FORWARD", "rule 1 of DOCKER-USER drops it", Left.STOPPED),
    ]
    assert (last.rule, last.chain, last.number) == ("-A DOCKER-USER -p tcp -m tcp --dport 7 -j DROP", "DOCKER-USER", 1)
    assert (last.packets_before, last.packets, last.dump) == (0, 3, "iptables-save.txt")
    assert last.owner == "whoever administers the host"
    assert (found.not_reached, found.rules_not_reached, found.out) == (("nat POSTROUTING",), 7, "wlan0")


def test_a_packet_that_goes_its_way() -> None:
    """Each chain says what decided; nothing is left out behind."""
    found = _of(_trace("published-port"), 2)

    assert _stages(found)[1:] == [
        ("nat PREROUTING", "rule 2 of DOCKER does DNAT", Left.PASSED),
        ("routing", "172.17.0.0/16 dev docker0 src 172.17.0.1", Left.PASSED),
        ("filter FORWARD", "rule 1 of DOCKER accepts it", Left.PASSED),
        ("nat POSTROUTING", "3 rules passed over", Left.PASSED),
    ]
    assert found.stages[1].owner == "Docker, for web's published port 0.0.0.0:8080->80/tcp"
    assert (found.point, found.not_reached, found.out) == ("wlan0", (), "docker0")


@pytest.mark.parametrize(
    ("name", "stage", "told", "outcome"),
    [
        ("policy.bridge", "filter FORWARD", "no rule accepts it, and the policy drops it", Left.STOPPED),
        ("no-ip-forward.bridge", "forwarding is off", "forwarding is off: net.ipv4.conf.docker0", Left.STOPPED),
        ("reject-rule.bridge", "filter FORWARD", "rule 1 of FORWARD rejects it", Left.STOPPED),
        ("native-rule.bridge", "inet fault forward", "rule 1 of forward drops it", Left.STOPPED),
        ("blackhole.bridge", "a route that leads nowhere", "blackhole route 192.0.2.0/24", Left.STOPPED),
    ],
)  # fmt: skip
def test_what_else_stops(name: str, stage: str, told: str, outcome: Left) -> None:
    """Policies, settings, routes, nftables' own rules."""
    trace = _trace(name)
    bad = next(one.journey for finding in trace.findings for one in finding.evidence if one.journey is not None)
    last = _of(trace, bad).stages[-1]

    assert (last.name, last.outcome, last.basis) == (stage, outcome, Basis.STATED)
    assert last.told.startswith(told.partition(" 192.0.2")[0])


def test_what_is_told_of_an_analysis() -> None:
    """Of packets that findings name, and of each connection's first one; each once, in order."""
    told = _trace("docker-user.bridge").content(decisions=True).decisions

    assert [one.journey for one in told] == [2, 3, 4, 5]
    assert _trace("docker-user.bridge").content().decisions == ()


def test_without_dumps_nothing_is_decided() -> None:
    """A host of which nothing was recorded is not asked."""
    trace = analyze([ROOT / "sample_pcaps" / "seed" / name for name in ("veth-c3.pcap", "docker0.pcap", "wlan0.pcap")])

    assert decision(trace.context, trace.tracer.prover, 3) is None
    assert trace.decisions == ()
