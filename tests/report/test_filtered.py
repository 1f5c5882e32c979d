"""What is said of rules and policies of firewalls that stop packets."""

import pytest

from analyzer.report.words.filtered import NO_PROGRAM, docker_rules_gone, filtered_by_rule
from analyzer.report.words.sentence import Facts

BASE: Facts = {"packets": 3, "cause": "rule “-A FORWARD -j DROP” in filter"}
RULE: Facts = {**BASE, "chain": "FORWARD", "number": 2}
POLICY: Facts = {**BASE, "policy_of": "filter FORWARD"}
INSERT: Facts = {"commands": ["iptables -I FORWARD -j ACCEPT"]}
SET: Facts = {"set": "allowed", "policy_of": "inet FORWARD", "commands": ["nft add element"]}
ENDS: Facts = {"from": "1.2.3.4", "to": "172.17.0.2", "to_port": 80, "to_protocol": "tcp"}


@pytest.mark.parametrize(
    ("facts", "detail", "cause"),
    [
        (RULE, "3 packets dropped: ", "rule 2 of FORWARD drops it"),
        ({**RULE, "rejected": True}, "3 packets rejected: ", "rule 2 of FORWARD rejects it"),
        ({**RULE, "of_answer": True}, "answers to 3 packets dropped: ", "rule 2 of FORWARD drops the host's answer"),
        ({**RULE, "past": True}, "3 packets dropped: ", "rule 2 of FORWARD, which is gone now, drops it"),
        ({**RULE, "policy_of": "filter FORWARD"}, "3 packets dropped: ",
         "no rule of filter FORWARD accepts it, and its policy is DROP"),
        (BASE, "3 packets dropped: ", "rule “-A FORWARD -j DROP” in filter"),
    ],
)  # fmt: skip
def test_what_stops_a_packet_is_told_with_how_it_does_it(facts: Facts, detail: str, cause: str) -> None:
    """A policy, a rule by its place, else the cause as it stands; what it stops; and whether it is still there."""
    words = filtered_by_rule(facts)

    assert words.detail == detail + str(BASE["cause"])
    assert words.cause == cause


def test_a_rule_is_told_with_who_made_it() -> None:
    """Or that nobody knows."""
    assert f"rule 2 of chain FORWARD, {NO_PROGRAM}." in filtered_by_rule(RULE).explanation
    assert "rule 2 of chain FORWARD, made by ufw." in filtered_by_rule({**RULE, "owner": "ufw"}).explanation
    assert "It is rule" not in filtered_by_rule(POLICY).explanation


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"prohibited_by": "10.0.0.1", "past": True}, "a firewall at 10.0.0.1 prohibits it",
         "Ask whoever runs 10.0.0.1"),
        ({"past": True, "strangers": True}, "which is gone now", "See who adds and removes rules"),
        ({"strangers": True, "element": "x"}, "rule 2 of FORWARD drops it", "unless they should get in"),
        ({"strays": True, "strangers": True}, "rule 2 of FORWARD drops it", "Nothing to do: that is what"),
        ({"cause": "rule “-A X -m recent --update --seconds 60 --hitcount 4 -j DROP” in filter", "element": "x", **SET},
         ": it is a limit, --hitcount 4", "Raise it in the rule"),
        ({"cause": "rule “-A X -m connlimit --connlimit-above 2” in filter"}, ": it is a limit, --connlimit-above 2",
         "Raise it in the rule"),
        ({**SET, "lacks": "eth9", "element": "x"}, "set allowed of inet FORWARD lacks eth9, and its policy is DROP",
         "Add the interface to the set"),
        ({**SET, "element": "1.2.3.4", "policy_of": "", "owner": "CrowdSec"},
         "rule 2 of FORWARD drops it, for set allowed has 1.2.3.4", "CrowdSec keeps the list:"),
        ({**SET, "element": "1.2.3.4", "policy_of": ""}, "for set allowed has 1.2.3.4",
         "If a program keeps the list, t"),
        ({"spoofed": "172.16.0.0/12", "uplink": "wlan0", **INSERT}, "rule 2 of FORWARD drops it", "-i wlan0."),
        ({"near_miss": "--dport 8080 -j ACCEPT", "asked_port": 8080, "inner_port": 80},
         "rule 2 of FORWARD drops it, for “--dport 8080 -j ACCEPT” asks for the port before DNAT",
         "--ctorigdstport 8080"),
        ({"near_miss": "--dport 8080 -j ACCEPT", "asked_port": 8080, "inner_port": 80, "owner": "ufw", **ENDS},
         "rule 2 of FORWARD drops it, for “--dport 8080 -j ACCEPT” asks for the port before DNAT",
         "ufw route allow from any to 172.17.0.2 port 80 proto tcp"),
    ],
)  # fmt: skip
def test_a_rule_that_has_a_reason_is_told_with_it(facts: Facts, cause: str, remedy: str) -> None:
    """Each reason comes before those that could be looked for behind it."""
    words = filtered_by_rule({**RULE, **facts})

    assert cause in words.cause
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({}, None),
        (INSERT, "Let just this pass before the rule:"),
        ({"commands": ["iptables -t filter -D FORWARD 2"]}, "Delete the rule, if nobody needs it."),
        ({"commands": ["nft delete rule ip x y handle 3"]}, "Delete the rule, if nobody needs it."),
        ({**INSERT, "policy_of": "filter FORWARD"}, "Accept just this, before the policy decides."),
        ({**INSERT, "policy_of": "filter FORWARD", "bridges": ["docker0"]},
         ("Accept just this, before the policy decides. For whole networks, accept what comes in by docker0, and "
         "established answers.")),
        ({**INSERT, "policy_of": "inet filter forward", "bridges": ["docker0", "br-a"], "whole": ["one", "two"]},
         ("Accept just this, before the policy decides. For whole networks: one; two. What passes there is for "
          "Docker's own rules to decide. For this alone:")),
        ({**INSERT, "owner": "ufw"}, "Let just this pass before the rule:"),
        ({"owner": "ufw", "chain": "DOCKER-USER"}, None),
    ],
)  # fmt: skip
def test_what_can_be_typed_is_offered_with_what_it_does(facts: Facts, remedy: str | None) -> None:
    """It deletes a rule, or lets something pass before it, or before a policy; nothing without a command."""
    assert filtered_by_rule({**RULE, **facts}).remedy == remedy


def test_without_packets_a_rule_keeps_somebody_from_something_all_the_same() -> None:
    """By the recorded rules alone."""
    facts: Facts = {"who": ["c1"], "what": ["db:1"], "cause": "policy DROP", "policy_of": "filter FORWARD"}

    assert filtered_by_rule(facts).detail == "c1 cannot reach db:1: policy DROP"
    assert filtered_by_rule(facts).cause == "no rule of filter FORWARD accepts it, and its policy is DROP"


def test_a_service_without_endpoints_is_named_in_the_first_sentence() -> None:
    """So is one that has none on this node, and an address of Services without that port."""
    facts: Facts = {**RULE, "rejected": True, "owner": "kube-proxy", "to": "10.96.0.1", "to_port": 81}
    told = [
        filtered_by_rule(facts | {"service": "default/web:http", "endpoints": kind}).cause for kind in ("none", "local")
    ]

    assert told == [
        "rule 2 of FORWARD rejects it: Service default/web:http has no endpoints",
        "rule 2 of FORWARD rejects it: Service default/web:http has no endpoint on this node",
    ]
    assert filtered_by_rule(facts | {"endpoints": "port"}).cause.endswith(": no Service has port 81 at 10.96.0.1")


def test_docker_s_rules_that_are_gone_are_named_by_their_tables() -> None:
    """Docker makes them again, if it is started anew."""
    words = docker_rules_gone({"packets": 2, "tables": ["filter", "nat"]})

    assert words.cause == "Docker's rules are gone from *filter and *nat"
    assert str(words.remedy).startswith("systemctl restart docker")
