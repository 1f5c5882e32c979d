"""What is said of translations: missing, stale, clashing, or just worth knowing."""

import pytest

from analyzer.report.words.nat import (
    conntrack_full,
    conntrack_invalid_reset,
    conntrack_timeout,
    hairpin_broken,
    masquerade_missing,
    nat_clash,
    nat_port_rewritten,
    published_port_not_translated,
    published_port_shadowed,
    routed_network_unreachable,
    stale_conntrack,
    untranslated_source_leak,
)
from analyzer.report.words.sentence import Facts, Verb

MASQ: Facts = {"network": "n", "packets": 3, "where": "wlan0", "as_address": "172.17.0.2", "commands": ["iptables X"]}
PORT: Facts = {"port": "80/tcp", "container": "web", "packets": 2}
STALE: Facts = {"packets": 1, "old": "172.17.0.9", "commands": ["conntrack -D"]}
RESET: Facts = {"packets": 2, "where": "wlan0", "commands": ["iptables -D X"]}
FULL: Facts = {"entries": 1_000, "limit": 1_000}


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
    ("facts", "detail", "cause"),
    [
        ({}, "1 packet left untranslated, and today's rules would masquerade them",
         "an old conntrack entry leaves it untranslated"),
        ({"today": "172.17.0.3"}, "1 packet went to 172.17.0.9, and today's rules would send them to 172.17.0.3",
         "an old conntrack entry sends it to 172.17.0.9, today it would be 172.17.0.3"),
        ({"today": "172.17.0.3", "without": True},
         "1 packet went to 172.17.0.9, and today's rules would send them to 172.17.0.3",
         "a conntrack entry that is older than the rule keeps it at 172.17.0.9, today it would be 172.17.0.3"),
    ],
)  # fmt: skip
def test_an_old_entry_is_told_with_what_today_s_rules_would_do(facts: Facts, detail: str, cause: str) -> None:
    """Send it elsewhere, or masquerade it."""
    words = stale_conntrack({**STALE, **facts})

    assert (words.detail, words.cause) == (detail, cause)
    assert words.remedy == "Delete the entry; the next packet makes a new one."


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "the host itself resets it, conntrack calls its answers INVALID", None),
        ({"idle_s": 0}, "the host itself resets it, after 0 s of silence conntrack had forgotten it", "TCP keepalive"),
        ({"idle_s": 500, "zone_rule": "-j CT --zone 1"},
         "a rule puts only one direction into a conntrack zone: “-j CT --zone 1”", "--zone-orig"),
    ],
)  # fmt: skip
def test_a_reset_by_the_host_itself_says_why_it_did_not_know_the_connection(
    facts: Facts, cause: str, remedy: str | None
) -> None:
    """A zone of a rule's, a pause, or else an answer that is INVALID: keepalives help only against the second."""
    words = conntrack_invalid_reset({**RESET, **facts})

    assert words.cause == cause
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)
    assert ("when conntrack had forgotten the connection" in words.explanation) is (facts.get("idle_s") == 0)
    assert words.detail.startswith("2 RSTs sent by the host itself at wlan0")


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "", "look who holds so many"),
        ({"packets": 1}, "conntrack is full, 1,000 of 1,000 entries", "look who holds so many"),
        ({"packets": 1, "holder": "c1", "held": 900},
         "conntrack is full, 1,000 of 1,000 entries, 900 of them of c1", "see what c1 does with so many"),
    ],
)  # fmt: skip
def test_a_full_table_says_who_holds_it(facts: Facts, cause: str, remedy: str) -> None:
    """It keeps somebody from something only where packets were lost."""
    words = conntrack_full({**FULL, **facts})

    assert words.cause == cause
    assert remedy in str(words.remedy)
    assert words.verb is Verb.OPEN


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


def test_a_pause_that_is_too_long_is_told_beside_the_setting() -> None:
    """To the second, as the setting is."""
    facts: Facts = {"packets": 1, "pause_s": 45.4, "timeout_s": 30, "setting": "nf_conntrack_udp_timeout"}

    assert conntrack_timeout(facts).cause == "it was silent for 45 s, and conntrack forgets connections after 30"
    assert "every 30 s, or raise nf_conntrack_udp_timeout" in str(conntrack_timeout(facts).remedy)


def test_what_is_only_worth_knowing_names_nothing_that_acts() -> None:
    """Other source ports and leaks keep nobody from anything; no free port does."""
    ports: Facts = {"rewritten": 1, "example": "172.17.0.2:4000", "port": 1024}

    assert nat_port_rewritten(ports).detail == "1 connection got another source port from SNAT"
    assert [nat_port_rewritten(ports).cause, untranslated_source_leak(MASQ).cause] == ["", ""]
    assert nat_clash(MASQ).cause == "SNAT has no free port left for it"
