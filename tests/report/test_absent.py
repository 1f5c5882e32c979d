"""Why an address does not answer ARP or NDP: each reason has its words."""

import pytest

from analyzer.report.words.absent import WHY
from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts

ASKED: Facts = {"asked": "172.17.0.9", "where": "docker0", "asker": "172.17.0.2", "questions": 1}
OWNED: Facts = {"link": "veth1", "owner": "web", "bridge": "docker0"}
ROUTE: Facts = {"route": "10.9.0.0/16 dev eth0", "dev": "eth0", "prefix": 8, "own": "10.0.0.5", "router": "10.0.0.1"}
NETWORK: Facts = {"network": "n", "driver": "macvlan", "subnet": "172.17.0.0/16"}


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
        ("lost-address", OWNED, "web has not that address, it has none", "Restart web"),
        ("lost-address", {**OWNED, "has": ["1.1.1.1"]}, "it has 1.1.1.1", "Restart web"),
        ("no-port", OWNED, "veth1, which leads to web, is no port of docker0", "Put it back"),
        ("no-port", {**OWNED, "master": "br0"}, "veth1, which leads to web, is a port of br0, not of docker0",
         "Put it"),
        ("blocked", {**OWNED, "state": "learning"}, "veth1, which leads to web, is learning", "stp_state"),
        ("vlans", {**OWNED, "vlan": 1, "other_vlan": 0}, "the ports are in VLANs 1 and none", "bridge vlan add"),
        ("vlans", {**OWNED, "vlan": 1, "other_vlan": 7}, "the ports are in VLANs 1 and 7", "bridge vlan add"),
        ("isolated", {**OWNED, "isolated_ports": ["a", "b"]}, "a and b are isolated ports", "Switch isolation off"),
        ("wide", ROUTE, "the host takes it for a neighbour, for eth0 has the netmask /8", "Give eth0 the netmask"),
        ("network-gateway", NETWORK, "nobody on that segment has it", "--gateway ROUTER,"),
        ("network-gateway", {**NETWORK, "router": "10.0.0.1"}, "the host's own router there is 10.0.0.1",
         "--gateway 10.0.0.1,"),
        ("gateway-silent", {**ROUTE, "prefix": "10.9.0.0/16"},
         "the route for 10.9.0.0/16 leads to 172.17.0.9, which does", "Bring 172.17.0.9 back"),
        ("gateway-silent", {**ROUTE, "prefix": ""}, "the host's gateway does not answer", "ip route replace default"),
        ("on-link", ROUTE, "the host takes it for a neighbour by the route", "netmask of the host"),
        ("on-link", {**ROUTE, "asker_name": "c1"}, "c1 takes it for a neighbour by the route", "netmask of c1"),
        ("wrong-gateway", {**ROUTE, "asker_name": "c1", "right": "172.17.0.1"},
         "it is the default gateway of c1, and its network's is 172.17.0.1", "In the container's namespace:"),
        ("nobody", NETWORK, "no container of network n has it", "Ask by its name"),
        ("nobody", {**NETWORK, "far": True}, "network n has taken 172.17.0.0/16, in which it lies",
         "addresses that nobody else uses"),
    ],
)  # fmt: skip
def test_each_reason_has_its_cause_and_its_remedy(why: str, facts: Facts, cause: str, remedy: str) -> None:
    """The cause ends both sentences; what is not known is not named."""
    words = arp_unanswered({**ASKED, "why": why, **facts})

    assert cause in words.cause
    assert words.detail == f"nobody answers for 172.17.0.9 at docker0: {words.cause}"
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"stopped": ["db"]}, "On that network, but not running: db."),
        ({"members": ["a", "b"]}, "On that network are: a, b."),
    ],
)
def test_of_a_network_without_the_address_those_who_may_be_meant_are_named(facts: Facts, said: str) -> None:
    """Those that do not run, and those that do; nothing is said of nobody."""
    told, bare = (arp_unanswered({**ASKED, "why": "nobody", **NETWORK, **more}) for more in (facts, {}))

    assert said in f"{told.explanation} {told.remedy}"
    assert "On that network" not in f"{bare.explanation} {bare.remedy}"


def test_a_route_to_a_router_that_is_silent_does_not_hide_the_default_route() -> None:
    """It is told beside it, where there is one."""
    facts: Facts = {**ASKED, "why": "gateway-silent", **ROUTE, "prefix": "10.9.0.0/16"}

    told = [arp_unanswered({**facts, "default": text}).explanation for text in ("default via 10.0.0.1", "")]
    assert ["The default route is another one" in text for text in told] == [True, False]


def test_every_reason_has_something_to_say_with_the_facts_that_it_needs() -> None:
    """A cause, an explanation and a remedy; what is absent leaves no trace."""
    facts: Facts = {
        **ASKED, **OWNED, **ROUTE, **NETWORK, "number": 1, "chain": "X", "rule": "-j X", "answered_at": "a", "vlan": 1,
        "other_vlan": 2, "isolated_ports": ["a"], "setting": "arp_ignore", "cause": "-j X", "right": "10.0.0.1",
        "asker_name": "c1", "state": "learning", "port": "10.0.0.1:80->80/tcp", "container": "web", "dev": "veth1",
    }  # fmt: skip

    for reason in WHY:
        words = arp_unanswered({**facts, "why": reason})
        assert words.cause
        assert words.remedy
        assert "None" not in f"{words.detail} {words.explanation} {words.remedy}", reason


@pytest.mark.parametrize(
    ("stopped", "begins"),
    [(["db"], "Start db, or ask by its name:"), ([], "Ask by its name:")],
    ids=["stopped", "gone"],
)
def test_only_who_is_stopped_can_be_started(stopped: list[str], begins: str) -> None:
    """Where nobody is, the address was another container's once."""
    assert WHY["nobody"]({**NETWORK, "stopped": stopped})[2].startswith(begins)
