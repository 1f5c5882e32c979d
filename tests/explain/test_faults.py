"""Findings on faults that were made on a real Docker host: what must be told is told, and nothing else is an error."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.model import Finding, Severity
from analyzer.read.bundle import unpack
from tests.lab.faults.cases import CASES, Case
from tests.lab.faults.score import account, score, told, written

OWN_TESTS = {
    "ambiguous-packets", "capture-doubles-packets", "conntrack-contradiction", "two-clocks", "bridge-netfilter-off",
    "forward-policy-drop", "routed-network-unreachable", "dns-conntrack-race", "dhcp-unanswered",
    "transparent-proxy",
}  # fmt: skip
"""
No fault of a Docker host, told without captures, or a race that nobody can make: their own tests have scenes of them.
"""


NAMES = """
ambiguous-packets answered-from-elsewhere arp-unanswered asymmetric-path bad-checksum bridge-address-lost
bridge-netfilter-off capture-doubles-packets capture-gap capture-loss client-address-hidden connection-goes-silent
connection-refused conntrack-contradiction conntrack-full conntrack-invalid-reset conntrack-timeout container-ended
container-name-unknown container-paused container-routed-elsewhere dhcp-unanswered dns-conntrack-race dns-failed
dns-unanswered docker-proxy-in-path docker-rules-gone dropped-by-kernel duplicate-address embedded-dns-failed
filtered-by-rule forward-policy-drop forwarding-disabled fragments-lost ftp-data-unreachable hairpin-at-router
hairpin-broken high-latency-hop host-unreachable ipsec-drops loopback-not-routed loss-beyond-host loss-inside-host
mac-moved masquerade-missing mtu-blackhole mtu-exceeded mtu-mismatch multicast-stays-inside nat-clash nat-port-rewritten
ndp-proxy-missing neighbour-stale network-isolation no-address-for-name no-ipv6-for-name nothing-left ping-unanswered
ports-exhausted published-port-not-translated published-port-shadowed queue-drops request-unanswered reset-after-idle
reset-on-the-way reverse-path-filtered routed-network-unreachable sent-to-dead-link sidecar-cut-off stale-conntrack
stopped-in-container subnet-overlap syn-unanswered transparent-proxy ttl-exceeded two-clocks untranslated-source-leak
veth-off-the-bridge
vxlan-checksum vxlan-mtu vxlan-unanswered wireguard-no-peer wrong-protocol zero-window
"""


TOLD_OF = written()


def test_names_stay() -> None:
    """What is published keeps its name: scripts ask for it."""
    assert {check.name for check in HYPOTHESES} == set(NAMES.split())


def _finding(name: str, check: str) -> Finding:
    path = next(case.path for case in CASES if case.name == name)
    return next(finding for finding in analyze([path]).findings if finding.check == check)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_told(case: Case) -> None:
    """Every check that is expected speaks, and no other one but for a consequence."""
    found = score(case.name, case.path.parent)

    assert (found.missing, found.wrong) == ((), ())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_exactly_is_told(case: Case) -> None:
    """Packets, place, numbers, proof, and what became of the remedy when it was tried; ``score --tell`` renews it."""
    assert account(case.path) == TOLD_OF[case.name]


def test_names_of_recordings() -> None:
    """Each is one recording's."""
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_check_has_a_fault() -> None:
    """Each is expected of some recording, but for those that are no fault of a host; each recording is told of."""
    expected = {check for case in CASES for check in case.fault.expect}

    assert {check.name for check in HYPOTHESES} - OWN_TESTS == expected
    assert set(TOLD_OF) == {case.name for case in CASES}


@pytest.mark.parametrize("case", [case for case in CASES if not case.fault.expect], ids=lambda case: case.name)
def test_healthy_hosts_are_not_accused(case: Case) -> None:
    """Idle, busy, captures that begin in the middle or are not all there."""
    assert [f.detail for f in analyze([case.path]).findings if f.severity is Severity.ERROR] == []


def test_the_rule_its_counter_and_what_happens_without_it() -> None:
    """The rule is named, it counted just the missing packets, and without it the same packet passes."""
    finding = _finding("drop-rule.bridge", "filtered-by-rule")

    assert finding.severity is Severity.ERROR
    assert "-A FORWARD -i docker0 -p tcp -m tcp --dport 7 -j DROP" in finding.detail
    assert finding.proof[-1].endswith("just the packets that are missing")
    assert finding.tried is not None
    assert "is then accepted by “-A FORWARD -s 172.17.0.2 -d 198.51.100.80 -p tcp --dport 7" in finding.tried
    assert finding.commands[0].startswith("iptables -t filter -I FORWARD -s 172.17.0.2 -d 198.51.100.80 -p tcp")


def test_other_kinds_of_rules_and_policies() -> None:
    """A rule of nftables' own is preceded with nft; a policy stays, and just this is accepted."""
    assert _finding("native-rule.bridge", "filtered-by-rule").commands[0].startswith("nft insert rule inet fault")
    assert _finding("policy.bridge", "filtered-by-rule").commands == (
        "iptables -t filter -I FORWARD -s 172.17.0.2 -d 198.51.100.80 -p tcp --dport 7 -j ACCEPT",
    )


def test_one_answer_names_all_that_block() -> None:
    """A second rule stops the same packets: to delete the first one alone changes nothing."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(_path("drop-rule.bridge")), stack)
        rules = bundle / "host" / "iptables-save.txt"
        first = "-A FORWARD -i docker0 -p tcp -m tcp --dport 7 -j DROP"
        text = rules.read_text()
        line = next(one for one in text.splitlines() if one.endswith(first))
        rules.write_text(text.replace(line, f"{line}\n[7:420] -A FORWARD -p tcp -j DROP"))
        (finding,) = [f for f in analyze([bundle]).findings if f.check == "filtered-by-rule"]

    assert first in finding.detail
    assert "leaves by wlan0" in (finding.tried or "")
    assert finding.commands == (
        "iptables -t filter -I FORWARD -s 172.17.0.2 -d 198.51.100.80 -p tcp --dport 7 -j ACCEPT",
        "iptables -t filter -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    )


@pytest.mark.parametrize(
    ("case", "check", "remedy", "after"),
    [
        ("no-forwarding.bridge", "forwarding-disabled", "net.ipv4.conf.docker0.forwarding=1", "leaves by wlan0"),
        ("no-masquerade.bridge", "masquerade-missing", "-j MASQUERADE", "translated by “-A POSTROUTING"),
        ("strict-uplink.bridge", "reverse-path-filtered", "rp_filter=2", "accepted by"),
    ],
)
def test_remedies_are_tried(case: str, check: str, remedy: str, after: str) -> None:
    """Each is applied to the recorded state, and the first packet runs through that."""
    finding = _finding(case, check)

    assert remedy in finding.commands[0]
    assert after in (finding.tried or "")


def test_where_it_was_lost() -> None:
    """Losses stand by link and cause; retransmissions belong to the link that lost the original."""
    (loss,) = [one for one in analyze([_path("drop-rule.bridge")]).losses if one.cause == "filtered-by-rule"]
    beyond = [one for one in analyze([_path("lossy-internet.bridge")]).losses if one.disposition == "left-host"]
    inside = [one for one in analyze([_path("vanishing-rule.bridge")]).losses if one.disposition == "lost"]

    assert (loss.last_point, loss.disposition, loss.connections) == ("docker0", "dropped", 1)
    assert loss.sent_again == 1 < loss.packets
    assert [(one.last_point, one.next_point) for one in beyond] == [("wlan0", None)]
    assert beyond[0].sent_again == beyond[0].packets > 0
    assert [(one.last_point, one.next_point) for one in inside] == [("docker0", "wlan0")]


def _path(name: str) -> Path:
    return next(case.path for case in CASES if case.name == name)


@pytest.mark.parametrize(
    ("case", "condition", "code"),
    [
        ("drop-rule.bridge", "error", 1),
        ("drop-rule.bridge", None, 0),
        ("lossy-internet.bridge", "warning", 1),
        ("lossy-internet.bridge", "error", 0),
        ("healthy.bridge", "warning", 0),
    ],
)
def test_fail_on(case: str, condition: str | None, code: int) -> None:
    """The exit code is 1 from the severity on that is given."""
    options = ["--fail-on", condition] if condition else []
    done = CliRunner().invoke(main, ["analyze", str(_path(case)), "-n", "0", *options])

    assert done.exit_code == code


def test_checks_are_listed_and_explained() -> None:
    """All of them, or one by its name; what it needs is said."""
    everything = CliRunner().invoke(main, ["checks"]).output
    one = CliRunner().invoke(main, ["checks", "zero-window"]).output
    unknown = CliRunner().invoke(main, ["checks", "nonsense"])

    assert all(f"{check.name}  {check.severity}" in everything for check in HYPOTHESES)
    assert "bridge-netfilter-off" in everything
    assert one.startswith("zero-window  warning\n  A TCP receiver")
    assert "Needs: captures" in one
    assert unknown.exit_code == 2


def test_the_score_is_printed() -> None:
    """Precision and recall over all cases, and each check's numbers."""
    table = told([score(name, _path(name).parent) for name in ("drop-rule.bridge", "healthy.bridge")])

    assert "filtered-by-rule                      1        0      0" in table
    assert table.endswith("2 cases: precision 1.000, recall 1.000")
