"""Losses by link: which packets count, what each link is called, and in which order they are told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from analyzer.journey.build import Tracer
from analyzer.journey.losses import MOST, losses, together
from analyzer.model import Basis, Disposition, Role
from analyzer.model.journey import BAD
from analyzer.model.loss import ConnectionLoss, Loss
from analyzer.packet.outcome import Outcome
from analyzer.packet.stops import Cause
from analyzer.schema import Int64
from tests.packet.tables import TCP, Packet, at, connection, context, packet, seen

POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK))
LOST = Outcome(Disposition.LOST, "", Basis.INFERRED, onward=("wlan0",))
DROPPED = Outcome(Disposition.DROPPED, "", Basis.STATED, cause=Cause("filtered-by-rule", "a rule", ()))
LEFT = Outcome(Disposition.LEFT_HOST, "", Basis.OBSERVED)


@dataclass
class Decided:
    """What a tracer is asked for, told beforehand."""

    outcomes: list[Outcome]
    repeats: dict[int, int] = field(default_factory=dict)
    """Packets that were sent again: copy and original."""
    late_segments: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.late_segments = np.array(self.late_segments, np.int64)  # type: ignore[assignment]

    @property
    def answers(self) -> "Decided":
        """What is asked for of answers."""
        return self

    @property
    def sent_again(self) -> tuple[Int64, Int64]:
        """Copies and originals."""
        return np.array(list(self.repeats), np.int64), np.array(list(self.repeats.values()), np.int64)

    def ended(self, *kinds: Disposition) -> Int64:
        """Packets that ended badly."""
        assert kinds == BAD
        return np.flatnonzero([outcome.disposition in kinds for outcome in self.outcomes])

    def outcome(self, number: int) -> Outcome:
        """How one ended."""
        return self.outcomes[number]


def _losses(
    packets: list[Packet], decided: Decided, explained: Callable[[int], str | None] = lambda _: None
) -> list[Loss]:
    count = max((one.connection for one in packets), default=0) + 1
    ends = ("172.17.0.2", 4000, "8.8.8.8", 80)
    rows = [connection(original=ends, reply=(*ends[2:], *ends[:2])) for _ in range(count)]
    here = context(POINTS, packets, connections=rows)
    return list(together([losses(here, cast(Tracer, decided), explained)]))


def _sent(time_ns: int, number: int = 0, *, reply: bool = False, points: int = 2, **columns: int) -> Packet:
    frames = (seen(point, time_ns + point, layers=TCP, tcp_flags=0x18, **columns) for point in range(points))
    return packet(*frames, connection=number, reply=reply)


def test_a_link_is_told_with_what_it_lost() -> None:
    """From the last point to the next ones, by connection: those that lost most first."""
    packets = [_sent(100 * n, number) for n, number in enumerate((3, 1, 2, 1, 2, 0))]
    either = Outcome(Disposition.LOST, "", Basis.INFERRED, onward=("wlan0", "wlan1"))
    (found,) = _losses(packets, Decided([either] * 5 + [LEFT]))

    assert found == Loss(
        last_point="docker0",
        next_point="wlan0 or wlan1",
        disposition=Disposition.LOST,
        packets=5,
        sent_again=0,
        connections=3,
        most=(ConnectionLoss(1, 2), ConnectionLoss(2, 2), ConnectionLoss(3, 1)),
        cause=None,
    )


def test_ten_connections_are_named() -> None:
    """All of them are counted; what belongs to none is only a packet."""
    packets = [_sent(100 * n, n) for n in range(12)] + [_sent(5000, -1)]
    (found,) = _losses(packets, Decided([LOST] * 13))

    assert (found.packets, found.connections) == (13, 12)
    assert [one.connection for one in found.most] == list(range(10))


def test_links_are_in_order_of_what_they_lost() -> None:
    """Then by their points and by what became of the packets; a link without a next point comes before others."""
    ends = [(LOST, 2), (LEFT, 2), (DROPPED, 2), (LOST, 1), (DROPPED, 1), (LOST, 1)]
    packets = [_sent(100 * n, points=points) for n, (_, points) in enumerate(ends)]
    found = _losses(packets, Decided([outcome for outcome, _ in ends], {5: 1}))

    assert [(one.packets, one.last_point, one.next_point, one.disposition) for one in found] == [
        (2, "veth-c1", "wlan0", Disposition.LOST),
        (1, "docker0", None, Disposition.DROPPED),
        (1, "docker0", None, Disposition.LEFT_HOST),
        (1, "docker0", "wlan0", Disposition.LOST),
        (1, "veth-c1", None, Disposition.DROPPED),
    ]


@pytest.mark.parametrize(
    ("explained", "cause"), [(None, "filtered-by-rule"), ("network-isolation", "network-isolation")]
)
def test_a_finding_explains_before_the_packets_own_cause(explained: str | None, cause: str) -> None:
    """What a check says of it goes first."""
    (found,) = _losses([_sent(0)], Decided([DROPPED]), lambda _: explained)

    assert (found.cause, found.next_point) == (cause, None)


def test_packets_of_two_causes_are_two_losses() -> None:
    """On one and the same link."""
    found = _losses([_sent(0), _sent(100)], Decided([LOST, LOST]), lambda number: "mtu-exceeded" if number else None)

    assert sorted(one.cause or "" for one in found) == ["", "mtu-exceeded"]


def test_what_was_sent_again_had_to_be() -> None:
    """An original that went its way is told where it was seen last, once, however often it was sent."""
    (found,) = _losses([_sent(0), _sent(100), _sent(200)], Decided([LEFT] * 3, {1: 0, 2: 0}))

    assert (found.packets, found.sent_again, found.disposition, found.last_point) == (
        1, 1, Disposition.LEFT_HOST, "docker0",
    )  # fmt: skip


def test_an_answer_that_was_lost_made_the_question_come_again() -> None:
    """It had been acknowledged before its copy: that is told of the acknowledgement, which was lost itself."""
    sent = {"seq": 1, "payload_len": 100}
    packets = [
        _sent(0, **sent),
        _sent(100, reply=True, ack=101, payload_len=0),
        _sent(200, **sent),
    ]
    (found,) = _losses(packets, Decided([LEFT, LOST, LEFT], {2: 0}))

    assert (found.packets, found.sent_again, found.disposition) == (1, 1, Disposition.LOST)


def test_an_original_that_nobody_saw_is_told_by_its_copy() -> None:
    """It was lost before the first point, and counts as sent again; other losses there are another link's."""
    packets = [_sent(0), _sent(100), _sent(200)]
    found = _losses(packets, Decided([LEFT, LOST, LEFT], late_segments=[0, 2]))

    assert [(one.last_point, one.next_point, one.packets, one.sent_again, one.cause) for one in found] == [
        (None, "veth-c1", 2, 2, None),
        ("docker0", "wlan0", 1, 0, None),
    ]


def test_no_more_links_than_a_report_can_hold() -> None:
    """The first fifty."""
    packets = [_sent(100 * n) for n in range(MOST + 1)]
    found = _losses(packets, Decided([LOST] * (MOST + 1)), str)

    assert (MOST, len(found)) == (50, 50)
