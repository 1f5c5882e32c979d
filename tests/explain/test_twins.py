"""Each hypothesis has a healthy twin: a recording that looks alike, and of which it must say nothing."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.explain.hypotheses import HYPOTHESES
from tests.explain.test_faults import OWN_TESTS
from tests.lab.faults.cases import CASES, RECORDED

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
TWINS = {
    "ambiguous-packets": "busy.bridge",
    "arp-unanswered": "silent-server.bridge",  # nobody answers, but it has a MAC
    "asymmetric-path": "strict-uplink.bridge",  # two uplinks, each for its own
    "bad-checksum": "silent-remote.bridge",  # SYNs that nobody answers, whose sums are right or left to the card
    "bridge-netfilter-off": "healthy.bridge",
    "capture-doubles-packets": "joined.bridge",  # twice on a bridge, on its way
    "capture-gap": "no-bridge.bridge",  # not recorded at all is no hole
    "capture-loss": "short.bridge",  # frames cut on purpose
    "client-address-hidden": "self-hairpin.bridge",
    "connection-refused": "aborts.bridge",  # resets that refuse nothing
    "conntrack-contradiction": "few-ports.bridge",
    "conntrack-full": "busy.bridge",
    "conntrack-invalid-reset": "aborts.bridge",
    "container-paused": "paused-unasked.bridge",
    "container-name-unknown": "failing-resolver.bridge",  # names that are no container's
    "conntrack-timeout": "every-third.bridge",  # losses amid pauses that conntrack bears
    "loopback-not-routed": "only-on-loopback.bridge",  # 127.0.0.1, and nothing is sent there
    "ndp-proxy-missing": "absent.ipv6.mixed",  # an address of the network's own that is asked for in vain
    "no-ipv6-for-name": "failing-resolver.bridge",  # names without any address
    "container-routed-elsewhere": "two-uplinks.bridge",  # rules and tables, and each container by its bridge
    "queue-drops": "busy.bridge",
    "reset-on-the-way": "aborts.bridge",  # resets that the ends send themselves
    "dns-conntrack-race": "silent-resolver.bridge",  # A and AAAA at once, and both got out
    "dhcp-unanswered": "healthy.bridge",
    "dns-failed": "slow-resolver.bridge",
    "dns-unanswered": "failing-resolver.bridge",
    "docker-proxy-in-path": "hidden-client.bridge",
    "duplicate-address": "changed-card.bridge",  # one after the other
    "embedded-dns-failed": "failing-resolver.bridge",
    "filtered-by-rule": "vanishing-rule.bridge",  # lost in the host, and no recorded rule does it
    "forward-policy-drop": "policy.bridge",  # other rules accept what the networks send
    "forwarding-disabled": "healthy.bridge",
    "hairpin-broken": "hidden-client.bridge",  # a hairpin that is masqueraded
    "high-latency-hop": "slow-resolver.bridge",  # slow, but not in the host
    "host-unreachable": "silent-remote.bridge",
    "loss-beyond-host": "vanishing-answers.bridge",  # sent again, for answers were lost in the host
    "loss-inside-host": "lossy-internet.bridge",
    "dropped-by-kernel": "traced-and-well.bridge",  # the kernel lets go of much, and nothing is missing
    "answered-from-elsewhere": "silent-remote.bridge",  # asked, and nobody answers
    "reset-after-idle": "aborts.bridge",
    "connection-goes-silent": "reset-at-rest.bridge",  # a pause, and a RST after it
    "wrong-protocol": "plain-and-well.bridge",
    "request-unanswered": "aborts.bridge",  # resets, after an answer
    "no-address-for-name": "failing-resolver.bridge",  # answers that say that there is none
    "multicast-stays-inside": "healthy.bridge",
    "veth-off-the-bridge": "loop.bridge",
    "ftp-data-unreachable": "ftp-well-published.bridge",
    "bridge-address-lost": "on-link.bridge",
    "docker-rules-gone": "policy.bridge",  # FORWARD drops, and Docker's rules are there
    "vxlan-unanswered": "overlay-checksum.overlay",  # wrong sums, and some come back
    "sidecar-cut-off": "sidecar-in-place.bridge",
    "container-ended": "ended-unasked.bridge",  # of which nobody wants anything
    "sent-to-dead-link": "two-uplinks.bridge",  # tables and rules, and interfaces that are up
    "hairpin-at-router": "no-hairpin.bridge",  # turned round on this host
    "published-port-shadowed": "hidden-client.bridge",
    "fragments-lost": "lossy-internet.bridge",
    "ports-exhausted": "busy.bridge",
    "mac-moved": "twice.bridge",  # by turns, which is two machines
    "masquerade-missing": "silent-remote.bridge",  # unanswered, but translated
    "mtu-blackhole": "lossy-internet.bridge",  # long packets are lost, and short ones
    "mtu-exceeded": "silent-path.bridge",  # too long, and nobody says so
    "mtu-mismatch": "healthy.bridge",
    "nat-clash": "same-ports.bridge",  # the port is taken, and another one free
    "nat-port-rewritten": "healthy.bridge",
    "neighbour-stale": "changed-card.bridge",
    "network-isolation": "joined.bridge",  # two networks, and a container on both
    "published-port-not-translated": "hidden-client.bridge",
    "nothing-left": "routeless-inside.bridge",  # no default route, and nobody outside is asked
    "ping-unanswered": "absent.bridge",  # pings that never got there
    "reverse-path-filtered": "two-uplinks.bridge",
    "routed-network-unreachable": "no-masquerade.bridge",
    "stale-conntrack": "mid-stream.bridge",  # entries older than the capture, that the rules would make again
    "stopped-in-container": "rules-inside.bridge",  # rules of its own that stop nobody
    "subnet-overlap": "joined.bridge",
    "syn-unanswered": "silent-resolver.bridge",
    "transparent-proxy": "by-proxy.bridge",  # relayed, by docker-proxy
    "ttl-exceeded": "healthy.bridge",
    "two-clocks": "slow-bridge.bridge",  # late everywhere, in one clock
    "untranslated-source-leak": "aborts.bridge",
    "vxlan-checksum": "overlay-absent.overlay",
    "vxlan-mtu": "overlay-refused.overlay",
    "wireguard-no-peer": "wireguard.bridge",
    "ipsec-drops": "ipsec-passed.bridge",
    "zero-window": "busy.bridge",
}  # fmt: skip


def test_each_has_a_twin_and_a_fault() -> None:
    """None without both: a rule that only ever spoke was never asked to be silent."""
    expected = {check for case in CASES for check in case.fault.expect}

    assert set(TWINS) == {one.name for one in HYPOTHESES}
    assert {one.name for one in HYPOTHESES} - OWN_TESTS <= expected


@pytest.mark.parametrize("name", sorted(TWINS))
def test_of_its_twin_it_says_nothing(name: str) -> None:
    """Nor stands it there as another possible cause."""
    findings = analyze([RECORDED / f"{TWINS[name]}.tar.zst"]).findings

    assert name not in {finding.check for finding in findings}
    assert name not in {other.check for finding in findings for other in finding.alternatives}
