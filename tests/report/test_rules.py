"""What is said of the routes and settings of a host that stop packets."""

import pytest

from analyzer.report.words.rules import (
    container_routed_elsewhere,
    forwarding_disabled,
    host_unreachable,
    loopback_not_routed,
    network_isolation,
    reverse_path_filtered,
)
from analyzer.report.words.sentence import Facts

BASE: Facts = {"packets": 3, "cause": "rule “-A FORWARD -j DROP” in filter"}
APART: Facts = {**BASE, "from_container": "a", "to_container": "b", "network": "n"}
OUTSIDE: Facts = {**BASE, "to_container": "b", "outside": "1.2.3.4", "address": "172.17.0.2", "port": 80}
STRICT: Facts = {"packets": 1, "cause": "rp_filter on wlan0: the way back is by eth1", "settings": ["x"],
                 "commands": ["sysctl X"]}  # fmt: skip


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
        (
            {**APART, "both_on": "app", "there": "10.0.0.7"},
            "it asks the address that b has on n, where a is not",
            "Ask b at 10.0.0.7",
        ),
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
        ({"target": "1.2.3.4", "said_by": "", "carrier": "eth0", "flaps": 2},
         "the carrier of eth0 went and came 2 times", "cable"),
        ({"target": "1.2.3.4", "said_by": "", "carrier": "eth0"}, "eth0 is down or has no carrier", "cable"),
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
