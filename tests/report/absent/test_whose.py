"""What is said of whose address it is."""

import pytest

from analyzer.report.words.absent import WHY
from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts
from tests.report.absent.facts import ASKED, NETWORK


@pytest.mark.parametrize(
    ("why", "facts", "cause", "remedy"),
    [
        ("filtered", {"link": "eth1", "other": "eth0"}, "its way back to 172.17.0.2 is eth0", "or loosen it"),
        ("nobody", NETWORK, "no container of network n has it", "Ask by its name"),
        ("nobody", {**NETWORK, "far": True}, "network n has taken 172.17.0.0/16, in which it lies",
         "addresses that nobody else uses"),
    ],
)  # fmt: skip
def test_each_reason_has_its_cause_and_its_remedy(why: str, facts: Facts, cause: str, remedy: str) -> None:
    """The cause ends both sentences; what is not known is not named."""
    words = arp_unanswered({**ASKED, "why": why, **facts})

    assert cause in words.cause
    assert words.detail == f"nobody answers for 172.17.0.9 at docker0: {words.cause}"
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("stopped", "begins"),
    [(["db"], "Start db, or ask by its name:"), ([], "Ask by its name:")],
    ids=["stopped", "gone"],
)
def test_only_who_is_stopped_can_be_started(stopped: list[str], begins: str) -> None:
    """Where nobody is, the address was another container's once."""
    assert WHY["nobody"]({**NETWORK, "stopped": stopped})[2].startswith(begins)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"stopped": ["db"]}, "On that network, but not running: db."),
        ({"members": ["a", "b"]}, "On that network are: a, b."),
    ],
)
def test_of_a_network_without_the_address_those_who_may_be_meant_are_named(facts: Facts, said: str) -> None:
    """Those that do not run, and those that do; nothing is said of nobody."""
    told, bare = (arp_unanswered({**ASKED, "why": "nobody", **NETWORK, **more}) for more in (facts, {}))

    assert said in f"{told.explanation} {told.remedy}"
    assert "On that network" not in f"{bare.explanation} {bare.remedy}"
