"""The path against the kernel: the same verdicts, the same rules counted, for rules and packets nobody chose."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from analyzer.model import HostState, Link, Route
from analyzer.model.question import ABSENT
from analyzer.model.rules import Table, Verdict
from analyzer.model.verdict import Account
from analyzer.state.path import Path
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.names import PROTOCOLS
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet
from tests.live.invented import BRIDGED, SENT, random_native, random_packets, random_rules
from tests.live.kernel import LEFT, RIGHT, Kernel, Sent, counters

pytestmark = pytest.mark.live
RULESETS, PACKETS = 40, 25
Arrived = dict[int, tuple[str, str, int, int]]
LINKS = tuple(
    Link(number, name, None, kind, None, (ip_address(own),) if own else ())
    for number, (name, kind, own) in enumerate(
        (("r0", "veth", LEFT), ("r1", "veth", RIGHT), ("br0", "bridge", None)), 2
    )
)
ROUTES = tuple(
    Route(ip_network(prefix), dev, None, 0, "main", f"{prefix} dev {dev}")
    for prefix, dev in (("10.77.0.0/16", "r0"), ("10.78.0.0/24", "r1"))
)


def _path(*tables: Table) -> Path:
    return Path(HostState(links=LINKS, routes=ROUTES, tables=tables))


def _read(saved: str) -> list[Table]:
    return parse_tables(saved.splitlines(), 4)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """One router for all rulesets."""
    with Kernel() as kernel:
        yield kernel


def _packet(sent: Sent) -> Packet:
    ports = sent.proto != "icmp"
    return Packet(
        protocol=PROTOCOLS[sent.proto],
        src=ip_address(sent.src),
        dst=ip_address(sent.dst),
        sport=sent.sport if ports else None,
        dport=sent.dport if ports else None,
        icmp_type=None if ports else sent.icmp_type,
        icmp_code=None if ports else 0,
        tcp_flags=sent.flags if sent.proto == "tcp" else None,
        length={"tcp": 40, "udp": 28, "icmp": 28}[sent.proto],
        ttl=64,
        dscp=sent.tos >> 2,
        iif="r0",
        port_in=ABSENT,
        # conntrack takes no ICMP query but those that it can answer (nf_conntrack_proto_icmp.c): 13 is one.
        ct_state="NEW",
    )


def _compare(results: dict[int, Account], arrived: Arrived, saved: str) -> None:
    """Compare what was evaluated with what the kernel did."""
    assert [r.text for r in results.values() if r.verdict is Verdict.UNKNOWN] == []
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
    path = _path(*_read(kernel.load(random_rules(seed))))
    results = {sent.number: path.received(_packet(sent)) for sent in packets}

    _compare(results, *kernel.send(packets))


@pytest.mark.parametrize("seed", range(RULESETS))
def test_sent(kernel: Kernel, seed: int) -> None:
    """The same for what the host sends itself: OUTPUT, and POSTROUTING."""
    packets = [replace(sent, src=RIGHT) for sent in random_packets(seed, PACKETS) if sent.dst != LEFT]
    path = _path(*_read(kernel.load(random_rules(seed, SENT))))
    results = {sent.number: path.sent(replace(_packet(sent), iif=ABSENT)) for sent in packets}

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
        tables = _read(bridge.load(random_rules(seed, BRIDGED)))
        path = Path(HostState(links=(replace(LINKS[2], addresses=()),), tables=tuple(tables)))
        seen = {sent.number: replace(_packet(sent), iif="br0", port_in="r0", port_out="r1") for sent in packets}
        results = {number: path.bridged(packet) for number, packet in seen.items()}

        _compare(results, *bridge.send(packets, receiver="p1"))


@pytest.mark.parametrize("seed", range(RULESETS))
def test_rules_of_nftables_own(kernel: Kernel, seed: int) -> None:
    """The same for what ``nft -j`` tells, as of Docker's nftables backend: sets, maps, ranges, several base chains."""
    packets = random_packets(seed, PACKETS)
    path = _path(*parse_native(kernel.load_native(random_native(seed))))
    results = {sent.number: path.received(_packet(sent)) for sent in packets}

    arrived, _ = kernel.send(packets)

    assert [r.text for r in results.values() if r.verdict is Verdict.UNKNOWN] == []
    forwarded = {
        number for number, r in results.items()
        if r.verdict is Verdict.ACCEPT and r.packet is not None and r.packet.oif == "r1"
    }  # fmt: skip
    expected = Counter(rule.text for result in results.values() for rule in result.matched)
    told = Counter[str]()
    for rule in (rule for table in parse_native(kernel.native()) for rule in table.rules()):
        told[rule.text] += rule.packets
    assert set(arrived) & {sent.number for sent in packets} == forwarded
    assert {text: count for text, count in told.items() if count} == dict(expected)
