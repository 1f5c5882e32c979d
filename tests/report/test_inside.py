"""What is said of what happens in containers' own namespaces."""

import pytest

from analyzer.report.words.inside import (
    container_ended,
    container_paused,
    dropped_by_kernel,
    ndp_proxy_missing,
    nothing_left,
    off_the_bridge,
    ping_unanswered,
    ports_exhausted,
    stopped_in_container,
)
from analyzer.report.words.sentence import Facts, Verb

RULE: Facts = {"chain": "INPUT", "number": 2, "rule": "-A INPUT -j DROP"}
STOPPED: Facts = {"container": "web", "inside": "rule “X”", "packets": 3}
ENDED: Facts = {"container": "web", "packets": 2, "network": "n", "exit_code": 0}
UNSENT: Facts = {"who": ["c1"], "count": 1, "commands": ["do it"]}
DROP: Facts = {"packets": 1, "last": "wlan0", "reason": "R", "function": "f", "meaning": "no room", "helps": "Do."}


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (
            {**RULE, "policy_of": "filter INPUT"},
            "inside web no rule of filter INPUT accepts it, and its policy is DROP",
        ),
        (RULE, "rule 2 of INPUT inside web drops it"),
        ({**RULE, "rejected": True, "of_answer": True}, "rule 2 of INPUT inside web rejects its answers"),
        ({"of_answer": True, "inside": "no route"}, "web has no way back: no route"),
        ({"inside": "rp_filter drops it"}, "inside web, rp_filter drops it"),
        ({"out": "eth1", "came_by": "eth0"}, "web sends its answers out by eth1, another network"),
    ],
)
def test_what_stops_a_packet_in_a_container_is_named(facts: Facts, cause: str) -> None:
    """A policy, a rule, another way for its answers, none, or what its namespace says."""
    assert stopped_in_container({**STOPPED, **facts}).cause == cause


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        (RULE, "3 packets got into web, which stops what came: rule “X”"),
        ({**RULE, "rejected": True, "of_answer": True}, "3 packets got into web, which rejects its answers: rule “X”"),
        ({"out": "eth1", "came_by": "eth0"}, "3 packets got into web, which answers by eth1, not by eth0"),
        ({"out": "eth1", "came_by": "eth0", "networks": ["a", "b"]},
         "3 packets got into web, which answers by eth1 (a, b), not by eth0"),
    ],
)  # fmt: skip
def test_packets_that_got_in_are_told_from_answers_that_do_not_get_out(facts: Facts, detail: str) -> None:
    """With the networks of the other way, where they are known."""
    assert stopped_in_container({**STOPPED, **facts}).detail == detail


@pytest.mark.parametrize(
    ("how", "code", "did"),
    [
        ("exited", 0, "web ended with exit code 0 while"), ("exited", 128, "web ended with exit code 128 while"),
        ("exited", 137, "web was killed by signal 9 while"), ("exited", 192, "web ended with exit code 192 while"),
        ("removed", 143, "web was killed by signal 15 and removed while"),
        ("restarted", 1, "web ended with exit code 1 and started again while"),
        ("disconnected", 137, "web was taken from network n while"),
    ],
)  # fmt: skip
def test_an_exit_code_above_128_is_a_signal(how: str, code: int, did: str) -> None:
    """Up to the 63rd; only one that is gone for good has a log to look into."""
    words = container_ended({**ENDED, "how": how, "exit_code": code})

    assert words.detail.startswith(did)
    assert ("docker logs web" in str(words.remedy)) is (how in {"exited", "removed"})


def test_a_container_that_ended_is_lost_to_whom_it_had_connections_with() -> None:
    """Others cannot reach it."""
    ended: Facts = {**ENDED, "how": "exited"}

    assert container_ended({**ended, "connections": ["a → b"]}).verb is Verb.KEEP
    assert container_ended(ended).verb is Verb.REACH


def test_a_ping_that_is_ignored_is_told_from_one_that_is_lost() -> None:
    """By the setting; who it is has a name before an address."""
    ping: Facts = {"target": "172.17.0.3", "packets": 1, "last": "veth-c1"}

    assert ping_unanswered({**ping, "what": ["web"]}).detail == "web does not answer 1 ping, last seen at veth-c1"
    assert ping_unanswered(ping).detail.startswith("172.17.0.3 does not answer")
    assert ping_unanswered({**ping, "setting": "ipv4.X"}).cause == "its kernel ignores pings, ipv4.X is 1"


@pytest.mark.parametrize(
    ("facts", "detail", "remedy"),
    [
        ({"why": "rule", **RULE}, "rule 2 of INPUT inside c1 stopped 1 packet that it sent", "In the container's"),
        ({"why": "policy", "policy_of": "filter OUTPUT"},
         "the policy of filter OUTPUT inside c1, DROP, stopped 1 packet",
         "In the container's"),
        ({"why": "resolver", "servers": ["127.0.0.53"]}, "its resolv.conf names 127.0.0.53",
         "a server that it reaches"),
        ({"why": "resolver", "servers": ["127.0.0.53"], "hosts_servers": ["9.9.9.9"]}, "c1 asks itself for names",
         "Give it 9.9.9.9, which the host asks,"),
        ({"why": "itself"}, "c1 refused 1 connection itself", "Ask for the other container by its name, or"),
        ({"why": "itself", "others": ["db"]}, "c1 refused 1 connection itself", "by its name, such as db, or"),
        ({"why": "unknown", "ran": "curl x"}, "c1 sent nothing at all while “curl x” ran", "strace"),
        ({"why": "route", "down": ["eth0"], "without_address": ["eth1"]}, "wanted to send: eth0 is down", "In the con"),
        ({"why": "route", "without_address": ["eth1"]}, "to send: eth1 has no address", "In the container"),
        ({"why": "route"}, "that it wanted to send: it has no default route", "In the container's"),
    ],
)  # fmt: skip
def test_what_kept_a_packet_from_being_sent_is_named(facts: Facts, detail: str, remedy: str) -> None:
    """With what helps against just that."""
    words = nothing_left({**UNSENT, **facts})

    assert detail in words.detail
    assert remedy in str(words.remedy)


def test_a_container_that_has_a_default_route_lacks_another_one() -> None:
    """So it is not said to have none; and what else it sent is told."""
    words = nothing_left({**UNSENT, "why": "route", "default": True})

    assert words.detail == "c1 has no route for 1 packet that it wanted to send"
    assert words.explanation.endswith("Other packets of it did leave.")
    assert nothing_left({**UNSENT, "why": "route", "silent": True}).explanation.endswith("It sent nothing else.")


@pytest.mark.parametrize(("beyond", "there"), [("wlan0", "behind wlan0"), ("eth1", "behind wlan0, at eth1")])
def test_a_drop_of_the_kernel_s_is_placed_once(beyond: str, there: str) -> None:
    """In its own words; without advice the check's own stands."""
    words = dropped_by_kernel({**DROP, "beyond": beyond})

    assert words.detail == f"1 packet dropped by the kernel {there}: R in f"
    assert words.cause == f"the kernel drops it {there}: no room"
    assert (words.remedy, dropped_by_kernel({**DROP, "beyond": beyond, "helps": ""}).remedy) == ("Do.", None)


@pytest.mark.parametrize(
    ("master", "at"), [("br-x", "is a port of br-x, not of docker0"), ("", "is no port of docker0")]
)
def test_an_interface_off_its_bridge_is_at_another_one_or_at_none(master: str, at: str) -> None:
    """What leads to the container is named with it."""
    facts: Facts = {"container": "web", "port": "veth1", "bridge": "docker0", "network": "n", "master": master}

    assert off_the_bridge(facts).cause == f"veth1, which leads to web, {at}"


def test_who_asks_for_an_address_that_the_host_does_not_answer_for_may_be_unknown() -> None:
    """A router then; ports that are used up say how many there are; what is paused is told so."""
    asked: Facts = {"container": "web", "address": "fd00::2", "asker": "", "where": "wlan0"}
    ports: Facts = {"who": ["c1"], "used": 4, "count": 5, "server": "s:1", "outcome": "not-enough", "commands": ["x"]}

    assert ndp_proxy_missing(asked).detail == "a router asks at wlan0 for fd00::2, and nobody answers"
    assert ports_exhausted(ports).detail == "c1 has 5 local ports, and 4 of them are in use towards s:1"
    assert str(ports_exhausted(ports).remedy).startswith("Not enough")
    assert container_paused({"container": "web", "packets": 1}).verb is Verb.USE


@pytest.mark.parametrize(
    ("facts", "offered"),
    [({"gateway": "172.17.0.1"}, True), ({"gateway": "172.17.0.1", "networks": ["back"]}, False), ({}, False)],
    ids=["tunnel", "another-network", "no-gateway"],
)
def test_a_vpns_container_keeps_its_default_route(facts: Facts, offered: bool) -> None:
    """Only the askers' network is led back; where the other way is a network of Docker's, that is put right."""
    words = stopped_in_container({**STOPPED, "out": "tun0", "came_by": "eth0", "asker": "192.168.1.7", **facts})

    assert ("answers to 192.168.1.7's network, in its namespace: ip route add THAT-NETWORK via 172.17.0.1"
            in str(words.remedy)) is offered  # fmt: skip


@pytest.mark.parametrize(("tunnels", "told"), [(["tun0"], True), ([], False)], ids=["vpn", "plain"])
def test_a_kill_switch_is_told_its_own_settings(tunnels: list[str], told: bool) -> None:
    """It keeps others out on purpose."""
    words = stopped_in_container({**STOPPED, "policy_of": "filter INPUT", "tunnels": tunnels, "commands": ["do"]})

    assert ("may be its kill switch" in str(words.remedy)) is told


def test_an_internal_network_leads_nowhere_by_design() -> None:
    """Its containers lack no route."""
    words = nothing_left({**UNSENT, "why": "no-route", "internal": ["back"]})

    assert words.detail == "c1 has no route for 1 packet that it wanted to send: network back is internal"
    assert "docker network connect NETWORK c1" in str(words.remedy)
