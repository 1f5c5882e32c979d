"""What is said of ports and interfaces that keep an answer away."""

import pytest

from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts
from tests.report.absent.facts import ASKED, OWNED


@pytest.mark.parametrize(
    ("why", "facts", "cause", "remedy"),
    [
        ("lost-address", OWNED, "web has not that address, it has none", "Restart web"),
        ("lost-address", {**OWNED, "has": ["1.1.1.1"]}, "it has 1.1.1.1", "Restart web"),
        ("no-port", OWNED, "veth1, which leads to web, is no port of docker0", "Put it back"),
        ("no-port", {**OWNED, "master": "br0"}, "veth1, which leads to web, is a port of br0, not of docker0",
         "Put it"),
        ("blocked", {**OWNED, "state": "learning"}, "veth1, which leads to web, is learning", "stp_state"),
        ("locked", OWNED, "the bridge takes nothing from web, for its port veth1 is locked", "Allow its MAC"),
        ("no-copy", {**OWNED, "setting": "bcast_flood"}, "veth1, which leads to web, is given no broadcasts", "Set it"),
        ("no-copy", {**OWNED, "setting": "mcast_flood"}, "veth1, which leads to web, is given no multicasts", "Set it"),
        ("vlans", {**OWNED, "vlan": 1, "other_vlan": 0}, "the ports are in VLANs 1 and none", "bridge vlan add"),
        ("vlans", {**OWNED, "vlan": 1, "other_vlan": 7}, "the ports are in VLANs 1 and 7", "bridge vlan add"),
        ("isolated", {**OWNED, "isolated_ports": ["a", "b"]}, "a and b are isolated ports", "Switch isolation off"),
    ],
)  # fmt: skip
def test_each_reason_has_its_cause_and_its_remedy(why: str, facts: Facts, cause: str, remedy: str) -> None:
    """The cause ends both sentences; what is not known is not named."""
    words = arp_unanswered({**ASKED, "why": why, **facts})

    assert cause in words.cause
    assert words.detail == f"nobody answers for 172.17.0.9 at docker0: {words.cause}"
    assert remedy in str(words.remedy)
