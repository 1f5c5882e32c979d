"""What is said of packets that went missing, of slow hops and of queues."""

import pytest

from analyzer.report.words.losses import high_latency_hop, loss_beyond_host, loss_inside_host, queue_drops
from analyzer.report.words.sentence import Facts

INSIDE: Facts = {"packets": 3, "lost": "last seen at docker0", "last": "docker0", "onward": ["wlan0"]}
BEYOND: Facts = {"packets": 3, "where": "wlan0", "peer": "1.2.3.4"}
SLOW: Facts = {"from_point": "docker0", "to_point": "wlan0", "crossings": 9, "median_ms": 20.4, "most_ms": 99.6}
QUEUE: Facts = {"kind": "tbf", "dev": "eth0", "dropped": 1}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"no_dumps": True, "broken": ["eth0 is down"]}, "Without dumps of the host's state nothing can be said"),
        ({"broken": ["eth0 is down", "eth1 is gone"], "undecided": "a set"},
         "eth0 is down, as ip-addr.json has it. eth1 is gone, as ip-addr.json has it."),
        ({"undecided": "a set is not known"}, "The recorded rules do not decide: a set is not known."),
        ({"undecided": "a set", "rule": "-A X"}, "The recorded rules do not decide: a set, of rule “-A X”."),
        ({}, "No recorded rule, route or setting stops them"),
        ({"counter": "TcpExtX", "meaning": "its queue was full"},
         "TcpExtX went up by just as many: its queue was full. No recorded rule, route or setting stops them"),
    ],
)  # fmt: skip
def test_why_a_host_lost_packets_is_said_as_far_as_it_is_recorded(facts: Facts, why: str) -> None:
    """What is broken comes before what rules leave open; a counter that fits stands before all."""
    assert loss_inside_host({**INSIDE, **facts}).explanation.startswith(why)


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [({}, "between docker0 and wlan0", None),
     ({"onward": ["wlan0", "eth1"], "helps": "the ring"}, "docker0 and wlan0 or eth1", "Look there first: the ring.")],
)  # fmt: skip
def test_a_loss_inside_is_between_the_last_point_and_any_that_follows(
    facts: Facts, cause: str, remedy: str | None
) -> None:
    """Where to look first is told only if something says so."""
    words = loss_inside_host({**INSIDE, **facts})

    assert words.cause.endswith(cause)
    assert words.remedy == remedy


@pytest.mark.parametrize(
    ("facts", "detail", "cause"),
    [
        ({"towards": True}, "3 packets towards 1.2.3.4, or their answers, lost beyond wlan0",
         "lost beyond wlan0, or their answers"),
        ({}, "3 packets from 1.2.3.4 lost before wlan0", "lost before wlan0"),
        ({"peer": "", "peers": 1_200}, "3 packets from 1,200 peers lost before wlan0", "lost before wlan0"),
        ({"between": ["h1", "h2"], "lost": "sent by h1"}, "3 packets lost between h1 and h2", "lost between h1 and h2"),
    ],
)  # fmt: skip
def test_a_loss_beyond_the_host_says_on_which_side(facts: Facts, detail: str, cause: str) -> None:
    """Of what left, an answer may be lost instead; between two hosts neither has lost them."""
    words = loss_beyond_host({**BEYOND, **facts})

    assert (words.detail, words.cause) == (detail, cause)
    assert (words.remedy is not None) is ("between" in facts)


def test_what_is_lost_only_among_many_is_limited_by_somebody() -> None:
    """Fewer at once, or a higher limit, would help."""
    words = loss_beyond_host({**BEYOND, "towards": True, "at_once": 10})

    assert words.cause == "somebody beyond wlan0 lets only some of them pass when many are sent at once"
    assert "more than 10 others" in words.explanation
    assert str(words.remedy).startswith("Send fewer at once")


def test_a_carrier_that_goes_and_comes_makes_a_hop_slow() -> None:
    """Then it is no queue of anybody's."""
    words = high_latency_hop({**SLOW, "flaps": 4})

    assert "The carrier of wlan0 went and came 4 times meanwhile" in words.explanation
    assert "cable" in str(words.remedy)


def test_a_slow_hop_is_held_back_by_a_queue_where_one_is_known() -> None:
    """Only then there is something to take away; times are whole milliseconds."""
    plain, queued = high_latency_hop(SLOW), high_latency_hop({**SLOW, "queue": "netem", "dev": "wlan0"})

    assert plain.detail == "from docker0 to wlan0 half of 9 packets take 20 ms and more"
    assert plain.explanation.startswith("The slowest took 100 ms. Inside a host forwarding takes microseconds")
    assert plain.remedy is None
    assert "The queue netem on wlan0 holds them back" in queued.explanation
    assert queued.remedy is not None


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        ({}, "the queue tbf on eth0 dropped 1 packet"),
        ({"rate": 125_000, "place": "web", "dropped": 2},
         "the queue tbf on eth0 of web, which lets 1,000 kbit/s pass, dropped 2 packets"),
        ({"leads_to": "web"}, "the queue tbf on eth0 dropped 1 packet, the way to web"),
    ],
)  # fmt: skip
def test_a_queue_that_drops_says_whose_it_is_and_what_it_lets_pass(facts: Facts, detail: str) -> None:
    """Rates are recorded in bytes and told in bits; nobody is kept from anything for sure."""
    assert queue_drops({**QUEUE, **facts}).detail == detail
    assert queue_drops({**QUEUE, **facts}).cause == ""
