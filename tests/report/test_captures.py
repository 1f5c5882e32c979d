"""What is said of captures that are not whole, or that two readings fit."""

import pytest

from analyzer.model.finding import Fact
from analyzer.report.words.captures import (
    ambiguous_packets,
    capture_doubles_packets,
    capture_gap,
    capture_loss,
    two_clocks,
)
from analyzer.report.words.sentence import Facts

FILE: Facts = {"file": "a.pcap", "offset": 90, "problem": "it ends"}
ENDED: Facts = {"where": "veth-c1", "ended": "vanished"}
CLOCKS: Facts = {"first": ["a", "b"], "second": ["c"], "ahead_s": 2.5, "crossing": 2, "example": "c", "file": "c.pcap"}


@pytest.mark.parametrize(
    ("facts", "detail", "remedy"),
    [
        ({**FILE, "frames": 1, "limited": True}, "only 1 frame of a.pcap was read", "a part of the captures"),
        ({**FILE, "frames": 2, "limited": True}, "only 2 frames of a.pcap were read", "more memory"),
        ({**FILE, "frames": 2}, "a.pcap is damaged after 2 frames", "end tcpdump with SIGINT"),
    ],
)
def test_a_file_that_was_not_read_whole_is_damaged_or_too_large(facts: Facts, detail: str, remedy: str) -> None:
    """Each has another remedy; both say where reading ended, and why."""
    words = capture_loss(facts)

    assert words.detail == detail
    assert "At byte 90: it ends." in words.explanation
    assert remedy in str(words.remedy)
    assert ("What came before is used" in words.explanation) is ("limited" not in facts)


@pytest.mark.parametrize(
    ("facts", "detail", "said"),
    [
        ({"dropped": 1, "frames": 9}, "1 frame was dropped at lo", "absence there proves nothing"),
        ({"dropped": 1_000}, "1,000 frames were dropped at lo", "absence there proves nothing"),
        ({"link_type": "USB", "frames": 1}, "1 frame of USB at lo was not looked into", "not decoded"),
        ({"link_type": "USB", "frames": 2}, "2 frames of USB at lo were not looked into", "not decoded"),
    ],
)
def test_frames_that_are_missing_are_told_from_those_that_nobody_decodes(facts: Facts, detail: str, said: str) -> None:
    """With their number; to record elsewhere helps only against the second."""
    words = capture_loss({"where": "lo", **facts})

    assert (words.detail, said in words.explanation) == (detail, True)
    assert (words.remedy is None) is ("dropped" in facts)


@pytest.mark.parametrize(
    ("facts", "detail", "remedy"),
    [
        ({}, "ended before the others: vanished", "if the disk was full"),
        ({"uncounted": True}, "did not end in good order: vanished", "Record it again."),
        ({"gone": True}, "ended before the others: vanished", "docker-events.json"),
    ],
)
def test_a_capture_that_ended_early_says_what_to_look_at(facts: Facts, detail: str, remedy: str) -> None:
    """Why it is so, if its interface is gone; else how to record it again."""
    words = capture_loss({**ENDED, **facts})

    assert words.detail == f"the capture at veth-c1 {detail}"
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("facts", "told"),
    [({"gone": True, "container": "c1"}, True), ({"gone": True}, False), ({"container": "c1"}, False)],
)
def test_a_container_is_said_to_have_stopped_only_where_its_interface_is_gone(facts: Facts, told: bool) -> None:
    """And where it has a name."""
    words = capture_loss({**ENDED, **facts})

    assert ("Container c1 stopped" in words.explanation) is told


@pytest.mark.parametrize(
    ("facts", "apart", "side", "why"),
    [
        ({}, "2.500 s apart", "2.500 s ahead", "2 packets, in both directions, are at both"),
        ({"ahead_s": -1234.5, "crossing": 3, "before_sent": True}, "1,234.500 s apart", "1,234.500 s behind",
         "3 packets, in both directions, would arrive before they were sent"),
    ],
)  # fmt: skip
def test_two_clocks_say_which_one_is_ahead_and_how_to_tell_it(facts: Facts, apart: str, side: str, why: str) -> None:
    """How far they are apart has no sign; what shows it is named; the option to type names the file."""
    words = two_clocks({**CLOCKS, **facts})

    assert words.detail == f"a, b and c have two clocks, {apart}"
    assert f"whose clock is {side}" in words.explanation
    assert why in words.explanation
    assert words.remedy == "Say so: --point c=c.pcap,host=OTHER"


@pytest.mark.parametrize(("container", "whom"), [("web", "container web"), ("", "its container")])
def test_what_a_capture_doubled_is_told_of_whom(container: Fact, whom: str) -> None:
    """By its name, where that is known."""
    facts: Facts = {"twice": 2, "where": "docker0", "container": container}

    assert capture_doubles_packets(facts).detail == f"2 packets came to {whom} twice, because of the capture"


def test_nobody_is_kept_from_anything_by_what_a_capture_lacks() -> None:
    """None of these sentences names what acts."""
    gap: Facts = {"where": "docker0", "packets": 4, "long_s": 0.123}
    told = [
        capture_gap(gap), capture_loss({**ENDED}), two_clocks(CLOCKS),
        ambiguous_packets({"connections_unsure": 1, "frames": 4}),
    ]  # fmt: skip

    assert told[0].detail == "4 packets passed docker0 unrecorded, within 0.12 s"
    assert {words.cause for words in told} == {""}
