"""What is said of the rules, routes and settings of a host that stop packets."""

import pytest

from analyzer.report.words.rules import (
    NO_PROGRAM,
    container_routed_elsewhere,
    filtered_by_rule,
    forwarding_disabled,
    host_unreachable,
    loopback_not_routed,
    network_isolation,
    reverse_path_filtered,
)
from analyzer.report.words.sentence import Facts

BASE: Facts = {"packets": 3, "cause": "rule “-A FORWARD -j DROP” in filter"}
RULE: Facts = {**BASE, "chain": "FORWARD", "number": 2}
POLICY: Facts = {**BASE, "policy_of": "filter FORWARD"}
INSERT: Facts = {"commands": ["iptables -I FORWARD -j ACCEPT"]}
SET: Facts = {"set": "allowed", "policy_of": "inet FORWARD", "commands": ["nft add element"]}
ENDS: Facts = {"from": "1.2.3.4", "to": "172.17.0.2", "to_port": 80, "to_protocol": "tcp"}
APART: Facts = {**BASE, "from_container": "a", "to_container": "b", "network": "n"}
OUTSIDE: Facts = {**BASE, "to_container": "b", "outside": "1.2.3.4", "address": "172.17.0.2", "port": 80}
STRICT: Facts = {"packets": 1, "cause": "rp_filter on wlan0: the way back is by eth1", "settings": ["x"],
                 "commands": ["sysctl X"]}  # fmt: skip


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
        ({"strangers": True, "dockers_gone": True}, "rule 2 of FORWARD drops it", "unless they should get in"),
        ({"dockers_gone": True, **SET}, "Docker's rules are gone from FORWARD", "systemctl restart docker"),
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
        ({**INSERT, "policy_of": "filter FORWARD", "in_bridge": "docker0"},
         "Accept just this, before the policy decides."),
        ({**INSERT, "policy_of": "filter FORWARD", "in_bridge": "docker0", "forwarded": True},
         ("Accept just this, before the policy decides. For the whole network, accept what comes in by docker0, and "
         "established answers.")),
        ({**INSERT, "owner": "ufw"}, "Let just this pass before the rule:"),
        ({"owner": "ufw", "chain": "DOCKER-USER"}, None),
    ],
)  # fmt: skip
def test_what_can_be_typed_is_offered_with_what_it_does(facts: Facts, remedy: str | None) -> None:
    """It deletes a rule, or lets something pass before it, or before a policy; nothing without a command."""
    assert filtered_by_rule({**RULE, **facts}).remedy == remedy


@pytest.mark.parametrize(
    ("facts", "tool"),
    [
        ({"owner": "ufw", "forwarded": True, **ENDS}, "ufw route allow from 1.2.3.4 to 172.17.0.2 port 80 proto tcp"),
        ({"owner": "ufw", **ENDS, "to_port": ""}, "comes back. ufw allow from 1.2.3.4 to 172.17.0.2"),
        ({"owner": "firewalld", "in_bridge": "docker0"}, "--change-interface=docker0 && firewall-cmd --reload"),
        ({"owner": "firewalld"}, "or firewall-cmd --add-forward-port for this one."),
        ({"owner": "fail2ban", "chain": "f2b-ssh", **ENDS},
         "set ssh unbanip 1.2.3.4, and ignoreip = 1.2.3.4 in that jail, if it is one of yours."),
        ({"owner": "Docker", "within": "n"}, "put those that shall talk on a network of their own."),
        ({"owner": "Docker"}, "deleted by hand it comes back."),
        ({"owner": "somebody"}, "deleted by hand it comes back."),
    ],
)  # fmt: skip
def test_a_rule_of_a_program_s_is_changed_with_that_program(facts: Facts, tool: str) -> None:
    """By its own command, where that is known; a whole chain of its own is told from one for all."""
    remedy = str(filtered_by_rule({**RULE, **facts}).remedy)

    assert remedy.startswith(f"The rule is made by {facts['owner']}: change it there")
    assert remedy.endswith(tool)


def test_without_packets_a_rule_keeps_somebody_from_something_all_the_same() -> None:
    """By the recorded rules alone."""
    facts: Facts = {"who": ["c1"], "what": ["db:1"], "cause": "policy DROP", "policy_of": "filter FORWARD"}

    assert filtered_by_rule(facts).detail == "c1 cannot reach db:1: policy DROP"
    assert filtered_by_rule(facts).cause == "no rule of filter FORWARD accepts it, and its policy is DROP"


@pytest.mark.parametrize(
    ("facts", "detail", "remedy"),
    [
        ({"version": 6, "network": "n"}, "IPv6 forwarding is off, network n needs it", "accept_ra=2"),
        ({"version": 4}, "IPv4 forwarding is off", "sysctl -w a.b=1, and set it in /etc/sysctl.d"),
        ({**BASE, "commands": ["sysctl X"]}, "3 packets dropped: ", "Switch it on, and in /etc/sysctl.d as well"),
    ],
)
def test_forwarding_that_is_off_is_switched_on_for_its_ip_version(facts: Facts, detail: str, remedy: str) -> None:
    """Where packets came in, or everywhere."""
    words = forwarding_disabled({"settings": ["a.b"], **facts})

    assert words.detail.startswith(detail)
    assert remedy in str(words.remedy)
    assert words.cause == ("a.b is 0" if "packets" in facts else "")


@pytest.mark.parametrize(
    ("facts", "detail", "remedy"),
    [
        ({"counted": 2, "strict": ["wlan0"], "settings": []}, "rp_filter dropped 2 packets that no capture shows",
         "Capture at all interfaces"),
        ({"strict": ["wlan0", "eth1"], "uplinks": 2}, "strict reverse path filtering on wlan0, eth1, with 2 uplinks",
         "(loose)"),
        ({**STRICT, "sender": "c1", "as_address": "9.9.9.9", "own": ["172.17.0.2"]}, "1 packet dropped: ",
         "Let c1 send with its own address"),
        ({**STRICT, "value": "2"}, "1 packet dropped: ", "Set source validation to loose"),
        (STRICT, "1 packet dropped: ", "Set source validation to off"),
        ({**STRICT, "outcome": "not-enough"}, "1 packet dropped: ", None),
        ({**STRICT, "settings": []}, "1 packet dropped: ", None),
    ],
)  # fmt: skip
def test_source_validation_is_told_as_it_was_counted_recorded_or_run(
    facts: Facts, detail: str, remedy: str | None
) -> None:
    """A sender with another's address is its own fault; what does not help is not offered."""
    words = reverse_path_filtered(facts)

    assert words.detail.startswith(detail)
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)


def test_the_cause_of_source_validation_reads_as_a_sentence() -> None:
    """Who drops it, and where the way back goes."""
    foreign = reverse_path_filtered({**STRICT, "sender": "c1", "as_address": "9.9.9.9", "own": []})

    assert reverse_path_filtered(STRICT).cause == "rp_filter on wlan0 drops it, the way back is by eth1"
    assert foreign.cause == "it sends as 9.9.9.9, which is not its address, and rp_filter drops that"


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        (APART, "they share no network", "docker network connect n a, and use b's name"),
        ({**APART, "network": "bridge"}, "they share no network", "docker network create NET"),
        ({**APART, "to_container": ""}, "they share no network", "a is on another network"),
        ({**APART, "internal": "n"}, "network n is internal, nothing gets out", "create it without --internal"),
        (OUTSIDE, "from outside Docker lets nobody reach a container's own address", "b: docker run -p 80:80."),
        ({**OUTSIDE, "published": "8080->80"}, "from outside Docker lets nobody", "it is published as 8080->80: use"),
        ({**OUTSIDE, "to_container": ""}, "they share no network", "The sender is on another network"),
    ],
)
def test_networks_are_kept_apart_on_purpose(facts: Facts, cause: str, remedy: str) -> None:
    """What helps depends on who asks whom, and from where; the default bridge has no names."""
    words = network_isolation(facts)

    assert words.cause.startswith(cause)
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"cause": "no route", "commands": ["ip route X"]}, "no route", "Remove what leads nowhere"),
        ({"cause": "prohibit in table 51820"}, "prohibit in table 51820", "kill switch"),
        ({"cause": "prohibit in table 51820", "commands": ["ip route X"]}, "prohibit in table",
         "Remove what leads now"),
        ({"cause": "x", "no_default": 6}, "the host has no default route for IPv6",
         "ip -6 route add default via ROUTER dev UPLINK"),
        ({"cause": "x", "no_default": 4, "uplink": "wlan0"}, "no default route for IPv4",
         "ip route add default via ROUTER dev wlan0"),
        ({"cause": "x", "no_default": 6, "uplink": "wlan0", "ignores": "a.b"}, "no default route for IPv6",
         "Let wlan0 take router advertisements"),
        ({"destinations": 1_200}, "no way leads there", "Look at the routes there"),
        ({"target": "1.2.3.4", "said_by": "10.0.0.1"}, "10.0.0.1 has no way to 1.2.3.4", "Look at the routes there"),
        ({"target": "1.2.3.4", "said_by": ""}, "this host has no way to 1.2.3.4", "Look at the routes there"),
        ({"target": "x::1", "said_by": "y", "link_local": "c1"}, "c1 has no usable IPv6 address", "dadfailed"),
    ],
)  # fmt: skip
def test_a_way_that_leads_nowhere_is_the_host_s_or_somebody_else_s(facts: Facts, cause: str, remedy: str) -> None:
    """A missing default route, a route that forbids, or what a router said of many destinations or of one."""
    words = host_unreachable({"packets": 1, **facts})

    assert cause in words.cause
    assert remedy in str(words.remedy)


def test_what_comes_for_loopback_and_what_a_table_takes_away_say_by_which_rule() -> None:
    """The rule that sends it there stands in the explanation, if one does."""
    local: Facts = {**BASE, "settings": ["a.route_localnet"]}
    away: Facts = {"container": "c1", "way": "to wg0", "table": "51820", "bridge": "docker0", "rule": "not fwmark"}

    assert loopback_not_routed(local).cause == "it is sent on to 127.0.0.1, and a.route_localnet is 0"
    assert "Rule “-j DNAT” sends them to 127.0.0.1" in loopback_not_routed({**local, "rules": ["-j DNAT"]}).explanation
    assert "sends them to 127.0.0.1" not in loopback_not_routed(local).explanation
    assert container_routed_elsewhere(away).cause == "what is for c1 goes to wg0 by table 51820, not to docker0"
    for table, where in (("51820", "table 51820"), ("", "a rule")):
        ends = container_routed_elsewhere({**away, "way": "unreachable", "table": table})
        assert ends.cause == f"what is for c1 ends at “unreachable” of {where}, and does not get to docker0"
