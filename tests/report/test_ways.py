"""What is said of neighbours, networks and ways."""

import pytest

from analyzer.report.words.sentence import Facts, Verb
from analyzer.report.words.ways import (
    asymmetric_path,
    duplicate_address,
    fragments_lost,
    hairpin_at_router,
    mac_moved,
    multicast_stays,
    neighbour_stale,
    sent_to_dead_link,
    subnet_overlap,
    ttl_exceeded,
)

NETWORK: Facts = {"network": "n", "subnet": "10.9.0.0/16"}
PATH: Facts = {"count": 2, "out": "wlan0", "back": "eth1"}
TWICE: Facts = {"address": "172.17.0.2", "owners": ["mac-a", "mac-b"], "machines": 2}
DEAD: Facts = {"packets": 1, "dev": "wg0", "route": "default dev wg0"}
STALE: Facts = {"packets": 2, "address": "172.17.0.2", "sent_to": "mac-a", "has": "mac-b"}
TTL: Facts = {"packets": 1, "ended_at": "1.2.3.4"}


@pytest.mark.parametrize(
    ("facts", "detail", "cause"),
    [
        ({"public": "8.8.8.8", "behind": "wg0"}, "network n has taken 10.9.0.0/16, which are public addresses",
         "network n has taken its addresses, 10.9.0.0/16"),
        ({"behind": "wg0", "address": "10.9.0.7", "questions": 1, "asked_at": "docker0"},
         "10.9.0.7 is behind wg0, and network n has its addresses",
         "it is behind wg0, but network n has the same addresses"),
        ({"behind_route": "10.9.0.0/24 dev wg0"},
         "network n 10.9.0.0/16 overlaps with what is behind 10.9.0.0/24 dev wg0",
         "network n has the same addresses as what is behind 10.9.0.0/24 dev wg0"),
        ({"behind_route": "x", "other_network": "m", "other_subnet": "10.9.1.0/24"},
         "networks n and m overlap: 10.9.0.0/16, 10.9.1.0/24", "networks n and m have the same addresses"),
    ],
)  # fmt: skip
def test_addresses_that_stand_twice_are_told_with_whose_they_are(facts: Facts, detail: str, cause: str) -> None:
    """Somebody's on the internet, behind an interface, behind a route, or another network's."""
    words = subnet_overlap({**NETWORK, **facts})

    assert words.detail.startswith(detail)
    assert words.cause == cause


def test_what_shows_that_networks_overlap_is_told() -> None:
    """Who was asked for in vain, and what stops the packets; nothing is said of what is not known."""
    facts: Facts = {**NETWORK, "behind_route": "x"}
    told = subnet_overlap({**facts, "vain": ["10.9.0.7"], "vain_at": "docker0", "acts_by": "-j DROP"}).explanation

    assert "No container has 10.9.0.7, which was asked for at docker0 in vain" in told
    assert "What goes there is stopped by -j DROP." in told
    assert subnet_overlap(facts).explanation.strip().endswith("cannot be reached from here.")


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "questions come by wlan0, and answers leave by eth1", "Mark connections"),
        (
            {"route": "default dev eth1"},
            "answers leave by eth1: “default dev eth1” sends them there",
            "-i wlan0 -m conn",
        ),
        ({"route": "default dev eth1", "rule": "from all"}, ": “from all” sends them there", "Mark connections"),
        ({"works": True}, "", "Nothing to do, as long as it works."),
    ],
)
def test_two_ways_are_nobody_s_trouble_as_long_as_they_work(facts: Facts, cause: str, remedy: str) -> None:
    """Else what sends answers the other way is named: a rule before a route."""
    words = asymmetric_path({**PATH, **facts})

    assert words.cause.endswith(cause)
    assert bool(words.cause) is bool(cause)
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("facts", "detail", "cause", "remedy"),
    [
        ({}, "172.17.0.2 belongs to 2 machines", "", None),
        ({"machines": 5, "taker": "mac-b", "owner": "web"}, "172.17.0.2 belongs to 5 machines",
         "mac-b answers for 172.17.0.2, too, and got it instead", "Docker gave it to web"),
        ({"containers": ["a", "b"], "network": "n"}, "a and b have one MAC in network n", "", "--mac-address"),
        ({"containers": ["a", "b"], "network": "n", "packets": 1}, "a and b have one MAC in network n",
         "a and b have one MAC, and frames for one arrive at the other", "--mac-address"),
    ],
)  # fmt: skip
def test_an_address_that_several_have_is_trouble_where_the_wrong_one_got_something(
    facts: Facts, detail: str, cause: str, remedy: str | None
) -> None:
    """An IP address or a MAC; the other one is to be changed."""
    words = duplicate_address({**TWICE, **facts})

    assert (words.detail, words.cause) == (detail, cause)
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)


def test_machines_beyond_those_that_are_named_are_counted() -> None:
    """All that answer for it."""
    assert duplicate_address(TWICE).explanation.startswith("mac-a, mac-b all answer for it.")
    assert duplicate_address({**TWICE, "machines": 5}).explanation.startswith("mac-a, mac-b and 3 more all answer")


@pytest.mark.parametrize(
    ("moves", "detail", "said"), [(1, "", "A container moved there."), (2, " and on", "is a loop")]
)
def test_a_mac_that_keeps_moving_is_a_loop(moves: int, detail: str, said: str) -> None:
    """One that moved once is a container that moved; an address that has another MAC is told as such."""
    words = mac_moved({"mac": "mac-a", "from_point": "a", "to_point": "b", "moves": moves})

    assert words.detail == f"mac-a moved from a to b{detail}"
    assert said in words.explanation
    assert mac_moved({"address": "1.1.1.1", "from_mac": "x", "to_mac": "y"}).detail == "1.1.1.1 moved from x to y"


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "the route “default dev wg0” sends it to wg0, which is down", "take the route away."),
        ({"rule": "fwmark 1", "table": "7"}, "rule “fwmark 1” (table 7) sends it to wg0", "take the routing rule, or"),
    ],
)
def test_a_link_that_is_down_is_told_with_what_sends_there(facts: Facts, cause: str, remedy: str) -> None:
    """A routing rule, where one chose the table, else the route; just that is to be taken away."""
    words = sent_to_dead_link({**DEAD, **facts})

    assert words.cause.startswith(cause)
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("facts", "detail", "cause"),
    [
        ({}, "2 packets for 172.17.0.2 went to mac-a, which is not its MAC", "packets for 172.17.0.2 go to mac-a"),
        ({"at_port": "veth2", "container": "web", "port": "veth1"},
         "the bridge sends what is for mac-a to veth2, and web, whose MAC it is, is at veth1",
         "the bridge has its MAC mac-a at veth2, not at veth1"),
        ({"sender": "c1", "at_port": "veth2"}, "c1 sends 2 packets to mac-a, which nobody has",
         "it sends to mac-a, which nobody has"),
    ],
)  # fmt: skip
def test_a_stale_entry_is_the_sender_s_the_bridge_s_or_somebody_s(facts: Facts, detail: str, cause: str) -> None:
    """Whoever has it is named, as far as that is known."""
    words = neighbour_stale({**STALE, **facts})

    assert words.detail == detail
    assert words.cause.startswith(cause)


@pytest.mark.parametrize(
    ("facts", "detail", "cause", "remedy"),
    [
        ({}, "the TTL of 1 packet ended at 1.2.3.4", "their TTL ended at 1.2.3.4", "traceroute shows them"),
        ({"young": True, "here": True}, "the TTL of 1 packet ended at 1.2.3.4, this host", "", "Nothing to do."),
        ({"here": True}, "the TTL of 1 packet ended at 1.2.3.4, this host", "their TTL ended at 1.2.3.4, this host",
         "Look for rules with -j TTL"),
        ({"here": True, "came_with": 1}, "1 answer came with a TTL of 1, and ended at 1.2.3.4, this host",
         "answers come with a TTL of 1, which ends on this host", "-j TTL --ttl-set 64"),
        ({"circling": 2, "where": "wlan0", "young": True}, "2 packets went round in circles at wlan0",
         "its packets go round in circles at wlan0", "Compare ip route get"),
    ],
)  # fmt: skip
def test_a_ttl_that_ended_is_a_loop_a_probe_or_was_low_from_the_start(
    facts: Facts, detail: str, cause: str, remedy: str
) -> None:
    """Probes are nobody's trouble; what goes in circles is seen to do so."""
    words = ttl_exceeded({**TTL, **facts})

    assert (words.detail, words.cause) == (detail, cause)
    assert remedy in str(words.remedy)


def test_where_packets_died_that_went_in_circles_is_told_if_it_is_known() -> None:
    """By all who said so."""
    facts: Facts = {**TTL, "circling": 2, "where": "wlan0"}

    assert "They died at a, b." in ttl_exceeded({**facts, "died_at": ["a", "b"]}).explanation
    assert "They died" not in ttl_exceeded(facts).explanation


def test_who_was_asked_and_who_got_it_instead_are_both_named() -> None:
    """By a router that turns packets round, beyond which fragments vanish, and on a bridge that multicast stays on."""
    turned = hairpin_at_router({"asked_as": "1.2.3.4:80", "to": "192.168.1.100:80", "where": "wlan0"})
    pieces = fragments_lost({"packets": 1, "server": "s", "fits": 1400, "last": "wlan0"})
    mdns = multicast_stays({"container": "c1", "service": "mDNS", "count": 1, "network": "n"})

    assert turned.detail.startswith("the router sends what is for 1.2.3.4:80 back to 192.168.1.100:80")
    assert "up to 1400 bytes, in one packet, did" in pieces.detail
    assert pieces.verb is Verb.ANSWER
    assert mdns.detail == "c1 looks for services by mDNS, 1 question, and gets no further than network n"
    assert mdns.cause == ""


@pytest.mark.parametrize(
    ("sender", "who", "helps"),
    [
        ("169.254.169.254", "the metadata service", "--http-put-response-hop-limit 2"),
        ("1.2.3.4", "came with a TTL", ""),
    ],
)
def test_answers_that_came_too_old_may_be_meant_so(sender: str, who: str, helps: str) -> None:
    """Clouds keep containers from their metadata by the TTL."""
    words = ttl_exceeded({**TTL, "came_with": 1, "here": True, "sender": sender})

    assert who in words.detail
    assert helps in str(words.remedy)
