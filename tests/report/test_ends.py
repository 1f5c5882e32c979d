"""What is said of ends that refuse, keep silent or do not read."""

from typing import Any

import pytest

from analyzer.report.words.ends import (
    DELIVERED,
    LEFT_HOST,
    answered_from_elsewhere,
    goes_silent,
    reset_after_idle,
    syn_unanswered,
    zero_window,
)
from analyzer.report.words.sentence import Facts, Verb

SYN: Facts = {"target": "1.2.3.4:80", "last": "wlan0", "end": LEFT_HOST, "packets": 3}
DEFAULT: Facts = {"by_default": "default dev wlan0", "other_default": "default dev eth1", "other_dev": "eth1",
                  "gateway": "192.168.1.1"}  # fmt: skip
TTL: Facts = {"live_ttl": 64, "dead_ttl": 63}
WAITING: Facts = {"waiting": 5, "room": 4, "program": "app"}
IDLE: Facts = {"server": "s:1", "resets": 1, "least_s": 10.0, "most_s": 10.04, "connections": ["a → s:1"]}
SILENT: Facts = {"peer": "1.2.3.4", "where": "wlan0", "least_s": 10.0, "most_s": 12.0, "kind": "rested"}


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "its SYNs leave by wlan0, and nothing comes back", None),
        ({"end": DELIVERED}, "its SYNs get to wlan0, and nobody answers", "is its queue full"),
        ({"end": "not-observable"}, "not known where, there is no capture beyond wlan0", None),
        ({"answers_at": ["443", "22"]}, "the same server answers at 443, 22", "port 25"),
        ({"answers_here": True}, "while others to the same port are answered", "a load balancer"),
        ({"answers_here": True, "answers_at": ["22"]}, "while others to the same port are answered", "a load balancer"),
        ({"ecn": True}, "something beyond wlan0 drops SYNs that offer ECN", "net.ipv4.tcp_ecn=0"),
        (DEFAULT, "the default route by wlan0 comes first", "ip route del default dev wlan0"),
        (TTL, "something beyond wlan0 drops TTL 63", "--ttl-set 64"),
        ({**DEFAULT, **TTL}, "the default route by wlan0 comes first", "ip route del default dev wlan0"),
        ({**DEFAULT, "answers_udp": True}, "drops DNS by TCP", "TCP port 53"),
        ({"answers_udp": True, **WAITING}, "app does not accept connections, its queue is full (5 of 4)",
         "See what app"),
        ({**WAITING, "program": ""}, "the program there does not accept connections", "See what the program there"),
        ({**WAITING, "into": "c9", "address": "172.17.0.1"}, "its SYNs go to container c9, which is not 172.17.0.1",
         "Set the sender's default route"),
    ],
)  # fmt: skip
def test_of_all_that_is_known_of_silence_the_surest_is_told(facts: Facts, cause: str, remedy: str | None) -> None:
    """Where SYNs went wrong, before a full queue, before what is between; else only where they were seen last."""
    words = syn_unanswered({**SYN, **facts})

    assert cause in words.cause
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)


def test_who_does_not_answer_was_reached_or_not() -> None:
    """Where SYNs arrived, somebody cannot reach it; else no answer comes. Many targets are counted."""
    many: dict[str, Any] = {**SYN, "target": "", "targets": 1_200}

    assert syn_unanswered({**SYN, "end": DELIVERED}).verb is Verb.REACH
    assert syn_unanswered(SYN).verb is Verb.ANSWER
    assert syn_unanswered(many).detail.startswith("no answer from 1,200 destinations: 3 SYNs")


def test_a_full_buffer_keeps_somebody_from_something_only_if_it_stayed_full() -> None:
    """Else it was slow for a while; a name is told before an address."""
    facts: Facts = {"closed_s": 2.06, "receiver": "172.17.0.3:80"}
    stuck = zero_window({**facts, "stuck": True, "name": "web"})

    assert (zero_window(facts).cause, zero_window(facts).remedy) == ("", None)
    assert zero_window(facts).detail == "172.17.0.3:80 takes no more data: window 0 for 2.1 s"
    assert stuck.cause == "web takes no more data, its window is 0 for 2.1 s"


@pytest.mark.parametrize(
    ("granted", "said"), [(True, "acknowledges the very SYN"), (False, "goes to the port that ask")]
)
def test_an_answer_from_elsewhere_says_how_it_is_known_to_be_one(granted: bool, said: str) -> None:
    """A SYN that it acknowledges proves more than a port."""
    facts: Facts = {"asked_at": "1.2.3.4:80", "other": "10.0.0.9", "where": "wlan0", "granted": granted}

    assert said in answered_from_elsewhere(facts).explanation


@pytest.mark.parametrize(
    ("facts", "pause", "said"),
    [
        ({"same_ttl": True}, "10.0 s", "look like the server's own"),
        ({"most_s": 10.06}, "10.0 to 10.1 s", "have another TTL"),
        ({"tried_again": True}, "10.0 s",
         "it had closed or forgotten what was idle. Of a → s:1. The client tried again"),
        ({"same_ttl": True, "closed": True, "tried_again": True}, "10.0 s",
         "It had closed what was idle (FIN), and the client used it all the same. Of a → s:1. The client tried again"),
    ],
)  # fmt: skip
def test_a_reset_after_a_pause_says_how_long_and_whose_it_is(facts: Facts, pause: str, said: str) -> None:
    """Pauses that are alike are one number; what it had closed itself is no riddle."""
    words = reset_after_idle({**IDLE, **facts})

    assert words.cause == f"it is reset when it is used again after {pause} of silence"
    assert said in words.explanation


@pytest.mark.parametrize(
    ("kind", "cause", "verb"),
    [
        ("rested", "after 10.0 to 12.0 s of silence nothing is answered any more", Verb.KEEP),
        ("opened", "after the handshake nothing is answered, dropped beyond wlan0", Verb.USE),
        ("stopped", "from one moment on nothing is answered any more, lost beyond wlan0", Verb.KEEP),
    ],
)
def test_a_connection_goes_silent_after_a_pause_at_its_beginning_or_at_some_moment(
    kind: str, cause: str, verb: Verb
) -> None:
    """Each has its own cause, and its own thing that somebody cannot do."""
    words = goes_silent({**SILENT, "kind": kind})

    assert words.cause.startswith(cause)
    assert words.verb is verb


@pytest.mark.parametrize(("alive", "gone"), [(True, False), (False, True)])
def test_who_answers_another_connection_later_is_not_gone(alive: bool, gone: bool) -> None:
    """Then only somebody between can have forgotten."""
    assert ("or 1.2.3.4 is gone" in goes_silent({**SILENT, "peer": "1.2.3.4", "kind": "rested", "alive": alive})
            .explanation) is gone  # fmt: skip
