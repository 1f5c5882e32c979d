"""What is said of rules that keep an answer away."""

import pytest

from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts
from tests.report.absent.facts import ASKED


@pytest.mark.parametrize(
    ("why", "facts", "cause", "remedy"),
    [
        ("rule", {"number": 1, "chain": "INPUT", "rule": "-j DROP"}, "rule 1 of INPUT drops frames", "let ARP pass"),
        ("answers-lost", {"answered_at": "veth1"}, "answers come to veth1, and are lost before docker0", "who drops?"),
        ("answers-lost", {"answered_at": "veth1", "rules": ["drop a"]}, "a rule drops the answers, “drop a”",
         "Correct"),
        ("answers-lost", {"answered_at": "veth1", "rules": ["a", "b"]}, "one of 2 rules drops answers", "Correct"),
        ("dnat", {"number": 1, "chain": "NAT", "rule": "x"}, "rule 1 of NAT sends it to 172.17.0.9, which no container",
         "Delete the rule"),
        ("choice", {"chain": "pre", "rule": "dnat"}, "to which a rule of pre sends it by turns", "out of the rule's"),
    ],
)  # fmt: skip
def test_each_reason_has_its_cause_and_its_remedy(why: str, facts: Facts, cause: str, remedy: str) -> None:
    """The cause ends both sentences; what is not known is not named."""
    words = arp_unanswered({**ASKED, "why": why, **facts})

    assert cause in words.cause
    assert words.detail == f"nobody answers for 172.17.0.9 at docker0: {words.cause}"
    assert remedy in str(words.remedy)
