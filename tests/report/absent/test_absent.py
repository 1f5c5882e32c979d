"""Why an address does not answer ARP or NDP: each reason has its words."""

from analyzer.report.words.absent import WHY
from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts
from tests.report.absent.facts import ASKED, NETWORK, OWNED, ROUTE


def test_every_reason_has_something_to_say_with_the_facts_that_it_needs() -> None:
    """A cause, an explanation and a remedy; what is absent leaves no trace."""
    facts: Facts = {
        **ASKED, **OWNED, **ROUTE, **NETWORK, "number": 1, "chain": "X", "rule": "-j X", "answered_at": "a", "vlan": 1,
        "other_vlan": 2, "isolated_ports": ["a"], "setting": "arp_ignore", "cause": "-j X", "right": "10.0.0.1",
        "asker_name": "c1", "state": "learning", "port": "10.0.0.1:80->80/tcp", "container": "web", "dev": "veth1",
        "hops": 2, "flaps": 2, "other": "eth0", "parent": "eth1", "kind": "macvtap",
    }  # fmt: skip

    for reason in WHY:
        words = arp_unanswered({**facts, "why": reason})
        assert words.cause
        assert words.remedy
        assert "None" not in f"{words.detail} {words.explanation} {words.remedy}", reason
