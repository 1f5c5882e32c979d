"""The evaluator against the kernel: the same verdicts, the same rules counted, for rules and packets nobody chose."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from analyzer.host.netfilter.evaluate import Evaluator, Verdict
from analyzer.host.netfilter.packet import LOCAL, Packet
from analyzer.host.netfilter.ruleset import parse_ruleset
from analyzer.model import Address
from tests.live.kernel import LEFT, RIGHT, Kernel, Sent, counters, random_packets, random_rules

MISSING = [name for name in ("ip", "iptables-save", "conntrack") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(bool(MISSING) and not os.environ.get("CI"), reason=f"needs {', '.join(MISSING)}"),
]
RULESETS, PACKETS = 40, 25
OWN = {ip_address(LEFT), ip_address(RIGHT)}


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("seed", range(RULESETS))
def test_verdicts_and_counters_agree(kernel: Kernel, seed: int) -> None:
    """Each packet arrives, or does not, as evaluated; and each rule counted as many packets."""
    packets = random_packets(seed, PACKETS)
    evaluator = Evaluator(parse_ruleset(kernel.load(random_rules(seed)).splitlines(), 4), _owner, _router)
    results = {sent.number: evaluator.received(_packet(sent)) for sent in packets}

    arrived, saved = kernel.send(packets)

    assert not [r for r in results.values() if r.verdict is Verdict.UNKNOWN]
    forwarded = {
        number for number, r in results.items()
        if r.verdict is Verdict.ACCEPT and r.packet is not None and r.packet.oif == "r1"
    }  # fmt: skip
    expected = Counter(rule.text for result in results.values() for rule in result.matched)
    told = Counter[str]()
    for text, count in counters(saved):
        told[text] += count
    assert set(arrived) & {sent.number for sent in packets} == forwarded
    assert {text: count for text, count in told.items() if count} == dict(expected)
    for number in forwarded:
        packet = results[number].packet
        assert packet is not None
        assert arrived[number][1] == str(packet.dst)
        assert (packet.dport is None) or arrived[number][3] == packet.dport
