"""The evaluator against the kernel: the same verdicts, the same rules counted, for rules and packets nobody chose."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

import pytest

from analyzer.model import Address
from analyzer.model.rules import Ruleset
from analyzer.state.rules.evaluate import Evaluator, Result, Verdict
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import LOCAL, Packet
from analyzer.state.rules.ruleset import parse_ruleset
from tests.live.kernel import (
    BRIDGED,
    LEFT,
    RIGHT,
    SENT,
    Kernel,
    Sent,
    counters,
    random_native,
    random_packets,
    random_rules,
)

pytestmark = pytest.mark.live
RULESETS, PACKETS = 40, 25
Arrived = dict[int, tuple[str, str, int, int]]
OWN = {ip_address(LEFT), ip_address(RIGHT)}


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """One router for all rulesets."""
    with Kernel() as kernel:
        yield kernel


def _owner(ip: Address) -> str:
    return "LOCAL" if ip in OWN else "MULTICAST" if ip.is_multicast else "UNICAST"


def _router(packet: Packet) -> str:
    if packet.dst in OWN:
        return LOCAL
    return "r1" if str(packet.dst).startswith("10.78.0.") else "r0"


def _packet(sent: Sent) -> Packet:
    ports = sent.proto != "icmp"
    return Packet(
        protocol=sent.proto,
        src=ip_address(sent.src),
        dst=ip_address(sent.dst),
        sport=sent.sport if ports else None,
        dport=sent.dport if ports else None,
        icmp_type=None if ports else sent.icmp_type,
        icmp_code=None if ports else 0,
        tcp_flags=sent.flags if sent.proto == "tcp" else None,
        length={"tcp": 40, "udp": 28, "icmp": 28}[sent.proto],
        ttl=64,
        iif="r0",
        # conntrack takes no ICMP query but those that it can answer (nf_conntrack_proto_icmp.c): 13 is one.
        ct_state="NEW",
    )


def _compare(results: dict[int, Result], arrived: Arrived, saved: str) -> None:
    """Compare what was evaluated with what the kernel did."""
    assert [r.reason for r in results.values() if r.verdict is Verdict.UNKNOWN] == []
    forwarded = {
        number for number, r in results.items()
        if r.verdict is Verdict.ACCEPT and r.packet is not None and r.packet.oif in ("r1", "br0")
    }  # fmt: skip
    told = Counter[str]()
    for text, count in counters(saved):
        told[text] += count
    expected = Counter(rule.text for result in results.values() for rule in result.matched)
    assert set(arrived) & set(results) == forwarded
    assert {text: count for text, count in told.items() if count} == dict(expected)
    for number in forwarded:
        packet = results[number].packet
        assert packet is not None
        assert arrived[number][1] == str(packet.dst)
        assert (packet.dport is None) or arrived[number][3] == packet.dport


@pytest.mark.parametrize("seed", range(RULESETS))
def test_received(kernel: Kernel, seed: int) -> None:
    """Each packet arrives, or does not, as evaluated; and each rule counted as many packets."""
    packets = random_packets(seed, PACKETS)
    evaluator = Evaluator(parse_ruleset(kernel.load(random_rules(seed)).splitlines(), 4), _owner, _router)
    results = {sent.number: evaluator.received(_packet(sent)) for sent in packets}

    _compare(results, *kernel.send(packets))


@pytest.mark.parametrize("seed", range(RULESETS))
def test_sent(kernel: Kernel, seed: int) -> None:
    """The same for what the host sends itself: OUTPUT, and POSTROUTING."""
    packets = [replace(sent, src=RIGHT) for sent in random_packets(seed, PACKETS) if sent.dst != LEFT]
    evaluator = Evaluator(parse_ruleset(kernel.load(random_rules(seed, SENT)).splitlines(), 4), _owner, _router)
    results = {sent.number: evaluator.sent(replace(_packet(sent), iif=None)) for sent in packets}

    _compare(results, *kernel.send(packets, itself=True))


@pytest.fixture
def bridge() -> Iterator[Kernel]:
    """A bridge where the router was."""
    with Kernel() as kernel:
        kernel.bridge()
        yield kernel


def test_bridged(bridge: Kernel) -> None:
    """The same for what a bridge passes on, with bridge-nf-call-iptables: both interfaces are the bridge."""
    for seed in range(RULESETS):
        packets = [sent for sent in random_packets(seed, PACKETS) if sent.dst != LEFT]
        rules = parse_ruleset(bridge.load(random_rules(seed, BRIDGED)).splitlines(), 4)
        evaluator = Evaluator(rules, lambda ip: "UNICAST", _router)
        seen = {sent.number: replace(_packet(sent), iif="br0", physdev_in="r0", physdev_out="r1") for sent in packets}
        results = {number: evaluator.bridged(packet) for number, packet in seen.items()}

        _compare(results, *bridge.send(packets, receiver="p1"))


@pytest.mark.parametrize("seed", range(RULESETS))
def test_rules_of_nftables_own(kernel: Kernel, seed: int) -> None:
    """The same for what ``nft -j`` tells, as of Docker's nftables backend: sets, maps, ranges, several base chains."""
    packets = random_packets(seed, PACKETS)
    native = parse_native(kernel.load_native(random_native(seed)))
    evaluator = Evaluator(Ruleset(4), _owner, _router, native)
    results = {sent.number: evaluator.received(_packet(sent)) for sent in packets}

    arrived, _ = kernel.send(packets)

    assert [r.reason for r in results.values() if r.verdict is Verdict.UNKNOWN] == []
    forwarded = {
        number for number, r in results.items()
        if r.verdict is Verdict.ACCEPT and r.packet is not None and r.packet.oif == "r1"
    }  # fmt: skip
    expected = Counter(rule.text for result in results.values() for rule in result.matched)
    chains = (chain for table in parse_native(kernel.native()) for chain in table.chains.values())
    told = Counter[str]()
    for shown in (rule.shown for chain in chains for rule in chain.rules):
        told[shown.text] += shown.packets
    assert set(arrived) & {sent.number for sent in packets} == forwarded
    assert {text: count for text, count in told.items() if count} == dict(expected)
