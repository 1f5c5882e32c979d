"""What the policy of FORWARD does with what networks send out."""

from dataclasses import replace

import pytest

from analyzer.model import Severity
from tests.explain.host.state import HOST, asked, network, rules

check = asked("forward-policy-drop")


@pytest.mark.parametrize(
    ("policy", "rule", "told"),
    [
        ("DROP", "", True),
        ("ACCEPT", "", False),
        ("DROP", "-A FORWARD -i docker0 -j ACCEPT\n", False),
        ("DROP", "-A FORWARD -i docker0 -j DROP\n", False),
        ("ACCEPT", "-A FORWARD -i docker0 -j DROP\n", False),
        ("DROP", "-A FORWARD -m nonsense --strange -j ACCEPT\n", False),
    ],
    ids=["policy", "open", "accepted", "rule-first", "rule", "undecided"],
)
def test_only_the_policy_is_told(policy: str, rule: str, told: bool) -> None:
    """What a rule decides, or nobody can, is not the policy's."""
    text = f"*filter\n:FORWARD {policy} [0:0]\n{rule}COMMIT\n"
    found = check(replace(HOST, tables=rules(text)))

    assert [(f.check, f.severity, f.detail, f.proof) for f in found] == [
        ("forward-policy-drop", Severity.ERROR, "FORWARD drops all that network bridge sends",
         ("iptables-save.txt: filter FORWARD: policy drop",))
    ] * told  # fmt: skip


def test_each_network_is_tried() -> None:
    """Of two, one is let out."""
    text = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 172.17.0.0/16 -j ACCEPT\nCOMMIT\n"
    networks = (network("a", "172.17.0.0/31"), network("b", "172.17.0.0/16"), network("c", "172.18.0.0/16"))
    found = check(replace(HOST, tables=rules(text), networks=networks))

    assert [finding.detail for finding in found] == ["FORWARD drops all that network c sends"]
