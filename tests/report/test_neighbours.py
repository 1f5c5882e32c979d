"""What is said of addresses for which nobody answers ARP or NDP."""

import pytest

from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts

ASKED: Facts = {"asked": "172.17.0.9", "where": "docker0", "asker": "172.17.0.2", "questions": 1}
NETWORK: Facts = {"network": "n", "driver": "macvlan", "subnet": "172.17.0.0/16"}


@pytest.mark.parametrize(
    ("facts", "detail", "said"),
    [
        ({}, "nobody answers for 172.17.0.9 at docker0", "172.17.0.2 asked 1 time at docker0."),
        ({"questions": 3}, "nobody answers for 172.17.0.9 at docker0", "172.17.0.2 asked 3 times at docker0."),
        ({"where": ""}, "nobody answers for 172.17.0.9", "Without the MAC address nothing can be sent to it"),
    ],
)
def test_who_asked_and_where_is_told_if_it_was_seen(facts: Facts, detail: str, said: str) -> None:
    """Else only that nobody answers."""
    words = arp_unanswered({**ASKED, **facts})

    assert words.detail == detail
    assert words.explanation.startswith(said)
    assert words.cause == f"nobody{detail.partition('172.17.0.9')[2]} answers ARP for 172.17.0.9"


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"foreign_source": True, "why": "nobody", **NETWORK}, "SNAT gives it the source 172.17.0.9, which nobody",
         "Take the SNAT rule away"),
        ({"why": "own-down", "link": "eth0", "macvlan": True}, "eth0, which has it, is down", "Set the interface up."),
        ({"macvlan": True, "own_address": True}, "a macvlan or ipvlan container and its host do not reach",
         "a macvlan i"),
        ({"resolver_of": ["c1", "c2"]}, "nobody at docker0 answers ARP",
         "Bring the name server 172.17.0.9 back, or let c1"),
        ({"why": "no such reason"}, "nobody at docker0 answers ARP", None),
    ],
)  # fmt: skip
def test_what_is_known_for_sure_comes_before_what_is_likely(facts: Facts, cause: str, remedy: str | None) -> None:
    """A source that nobody has, then a reason that was found, then the design of a network, then whose server it is."""
    words = arp_unanswered({**ASKED, **facts})

    assert words.cause.startswith(cause)
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)


def test_an_address_of_the_host_s_own_is_not_said_to_be_missing() -> None:
    """Something keeps the host from answering then."""
    own = arp_unanswered({**ASKED, "own_address": True}).explanation

    assert "It is this host's own address" in own
    assert "does not exist there" not in own
