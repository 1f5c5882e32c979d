"""What is said of translations: missing, stale, clashing, or just worth knowing."""

import pytest

from analyzer.report.words.nat import (
    hairpin_broken,
    masquerade_missing,
    nat_clash,
    nat_port_rewritten,
    published_port_not_translated,
    published_port_shadowed,
    routed_network_unreachable,
    untranslated_source_leak,
)
from analyzer.report.words.sentence import Facts, Verb

MASQ: Facts = {"network": "n", "packets": 3, "where": "wlan0", "as_address": "172.17.0.2", "commands": ["iptables X"]}
PORT: Facts = {"port": "80/tcp", "container": "web", "packets": 2}


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "its packets leave by wlan0 as 172.17.0.2, untranslated", "systemctl restart docker). By hand"),
        ({"made_without": "n"}, "network n was made with enable_ip_masquerade=false", "Make the network anew"),
        ({"made_without": "n", "other_networks": ["a", "b"], "container": "c1"},
         "its default route is by network n, which does not masquerade", "Let the default route of c1 be by a or b"),
        ({"untracked_by": "-j NOTRACK", "other_networks": ["a"]}, "for a rule takes them out of connection tracking",
         "Delete the rule that takes them out"),
    ],
)  # fmt: skip
def test_why_nothing_masquerades_is_said_as_far_as_it_is_known(facts: Facts, cause: str, remedy: str) -> None:
    """A rule before all, then the container's other networks, then how its own was made."""
    words = masquerade_missing({**MASQ, **facts})

    assert words.cause.endswith(cause)
    assert remedy in str(words.remedy)
    assert words.verb is Verb.ANSWER


def test_without_packets_a_missing_rule_is_the_network_s() -> None:
    """Nobody is kept from anything yet; that no rule translates is said only if the rules are known."""
    assert masquerade_missing({"network": "n"}).detail == "nothing masquerades network n"
    assert masquerade_missing({"network": "n"}).cause == ""
    known = "No rule of table nat translates them."
    assert [known in masquerade_missing({**MASQ, "known": one}).explanation for one in (True, False)] == [True, False]


@pytest.mark.parametrize(("address", "by"), [("192.168.1.100", "192.168.1.100"), ("", "this host")])
def test_a_routed_network_needs_a_route_by_this_host(address: str, by: str) -> None:
    """By its address, where that is known."""
    facts: Facts = {**MASQ, "subnet": "10.9.0.0/24", "host_address": address}

    assert routed_network_unreachable(facts).remedy == f"On the router outside: ip route add 10.9.0.0/24 via {by}."


@pytest.mark.parametrize(
    ("facts", "detail", "cause", "remedy"),
    [
        ({"nobody_asked": True}, "published port 80/tcp of web is not translated", "", "flushes the nat table."),
        ({}, "published port 80/tcp of web is not translated", "no DNAT rule sends published port 80/tcp on to web",
         None),
        ({"relayed": True, "commands": ["iptables X"]}, "published port 80/tcp of web is not translated", "",
         "by hand:"),
    ],
)  # fmt: skip
def test_a_published_port_without_its_rule_may_still_be_relayed(
    facts: Facts, detail: str, cause: str, remedy: str | None
) -> None:
    """Then nobody is kept from it; nor if nobody asked."""
    words = published_port_not_translated({**PORT, **facts})

    assert (words.detail, words.cause) == (detail, cause)
    assert words.remedy is None if remedy is None else str(words.remedy).endswith(remedy)
    assert ("docker-proxy relays it" in words.explanation) is ("relayed" in facts)


def test_a_rule_that_comes_before_docker_s_is_named() -> None:
    """With its place, and whose port it takes."""
    shadow: Facts = {**PORT, "number": 1, "chain": "CNI", "rule": "-A CNI"}
    words = published_port_shadowed({**shadow, "commands": ["iptables -D CNI 1"]})

    assert words.cause == "rule 1 of CNI sends that port elsewhere, before Docker's rule for web"
    assert str(words.remedy).startswith("Delete the rule")
    assert published_port_shadowed(shadow).remedy is None


@pytest.mark.parametrize(
    ("itself", "cause", "remedy"),
    [(True, "drops what comes from its own address", "Inside the container use 127.0.0.1"),
     (False, "from an address that it did not ask", None)],
)  # fmt: skip
def test_a_container_that_asks_itself_is_told_from_one_that_asks_its_neighbour(
    itself: bool, cause: str, remedy: str | None
) -> None:
    """Only the first can use another address."""
    words = hairpin_broken({"packets": 1, "asked": "192.168.1.100:80", "itself": itself})

    assert words.cause.endswith(cause)
    assert words.remedy is None if remedy is None else str(words.remedy).startswith(remedy)


def test_what_is_only_worth_knowing_names_nothing_that_acts() -> None:
    """Other source ports and leaks keep nobody from anything; no free port does."""
    ports: Facts = {"rewritten": 1, "example": "172.17.0.2:4000", "port": 1024}

    assert nat_port_rewritten(ports).detail == "1 connection got another source port from SNAT"
    assert [nat_port_rewritten(ports).cause, untranslated_source_leak(MASQ).cause] == ["", ""]
    assert nat_clash(MASQ).cause == "SNAT has no free port left for it"
