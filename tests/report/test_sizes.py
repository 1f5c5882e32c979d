"""What is said of packets that are too long, or broken."""

import pytest

from analyzer.report.words.sentence import Facts, Verb
from analyzer.report.words.sizes import bad_checksum, mtu_exceeded, vanishing, vxlan_checksum

LONG: Facts = {"packets": 2, "long": 2, "longest": 1500, "told_by": "192.168.1.1", "mtu": 1400}
HEARD: Facts = {"heard_at": "wlan0"}
RULE: Facts = {**HEARD, "rule": "-j DROP", "number": 1, "chain": "FORWARD"}


@pytest.mark.parametrize(
    ("facts", "detail", "cause"),
    [
        ({}, "192.168.1.1 says at most 1400 bytes fit", "192.168.1.1 says no more fits"),
        ({"adapts": True}, "192.168.1.1 says at most 1400 bytes fit", ""),
        ({"mtu": 0}, "192.168.1.1 says the link takes less", ""),
        (HEARD, "192.168.1.1 says at most 1400 bytes fit, and the sender never hears it",
         "192.168.1.1 says at most 1400 bytes fit, and this host stops that answer behind wlan0"),
        (RULE, "192.168.1.1 says at most 1400 bytes fit, and rule 1 of FORWARD drops that answer",
         "192.168.1.1 says at most 1400 bytes fit, and rule 1 of FORWARD drops that answer"),
        ({**HEARD, "policy_of": "filter FORWARD"},
         "192.168.1.1 says at most 1400 bytes fit, and the policy DROP of filter FORWARD drops that answer",
         "192.168.1.1 says at most 1400 bytes fit, and the policy DROP of filter FORWARD drops that answer"),
    ],
)  # fmt: skip
def test_a_link_that_takes_less_is_heard_or_its_answer_is_stopped(facts: Facts, detail: str, cause: str) -> None:
    """By whom is said as far as it is known; nobody is kept from anything where the sender adapts."""
    words = mtu_exceeded({**LONG, **facts})

    assert words.detail == f"2 packets of up to 1500 bytes: {detail}"
    assert words.cause == cause


@pytest.mark.parametrize(
    ("by", "kind"),
    [("192.168.1.1", "ICMP fragmentation needed (type 3, code 4)"), ("fe80::1", "ICMPv6 packet too big")],
)
def test_the_message_that_is_stopped_is_that_of_its_ip_version(by: str, kind: str) -> None:
    """In the explanation, and in what to let pass."""
    assert kind in mtu_exceeded({**LONG, **RULE, "told_by": by}).explanation
    assert kind in str(mtu_exceeded({**LONG, **HEARD, "told_by": by}).remedy)


@pytest.mark.parametrize(
    ("facts", "said"),
    [({}, "They are gone, and the sender was told so."), ({"packets": 1}, "It is gone"),
     ({"adapts": True}, "TCP sends shorter segments from then on")],
)  # fmt: skip
def test_what_became_of_long_packets_is_said(facts: Facts, said: str) -> None:
    """Gone, or sent again in shorter ones."""
    assert mtu_exceeded({**LONG, **facts}).explanation.startswith(said)


@pytest.mark.parametrize(("mtu", "size"), [(1300, 1300), (0, 1400)])
def test_the_remedy_names_the_number_that_was_said_or_one_that_is_small_enough(mtu: int, size: int) -> None:
    """Both for all networks and for one."""
    remedy = str(mtu_exceeded({**LONG, "mtu": mtu}).remedy)

    assert f'"mtu": {size} in' in remedy
    assert f"driver.mtu={size} for" in remedy
    assert f"an MTU of {size}:" in str(mtu_exceeded({**LONG, **RULE, "mtu": mtu}).remedy)


@pytest.mark.parametrize(("rejected", "verb"), [(True, "rejected"), (False, "dropped")])
def test_what_the_host_itself_finds_too_long_does_not_get_there(rejected: bool, verb: str) -> None:
    """With an error or without; its own cause stands."""
    words = mtu_exceeded({"packets": 1, "cause": "wg0 takes 1420", "rejected": rejected})

    assert words.detail == f"1 packet {verb}: wg0 takes 1420"
    assert (words.cause, words.verb) == ("wg0 takes 1420", Verb.REACH)


def test_packets_that_vanish_are_told_with_those_that_did_not() -> None:
    """The least that vanished, and the most that was answered."""
    words = vanishing({"packets": 4, "least": 1401, "fits": 1400, "last": "wlan0"})

    assert "of 1401 bytes and more vanish behind wlan0, up to 1400 bytes were answered" in words.detail
    assert words.verb is Verb.SEND


def test_a_wrong_checksum_is_the_packet_s_own_or_that_of_the_one_around_it() -> None:
    """From where on it is wrong; no answer comes to either."""
    facts: Facts = {"packets": 1, "where": "wlan0"}

    assert bad_checksum(facts).cause == "its packets have a wrong TCP, UDP or ICMP checksum from wlan0 on"
    assert vxlan_checksum(facts).cause == "its packets have a wrong outer UDP checksum from wlan0 on"
    assert bad_checksum(facts).verb is vxlan_checksum(facts).verb is Verb.ANSWER
