"""Frames as journeys are told from them."""

from ipaddress import ip_address

import numpy as np
import pytest

from analyzer.model import Role
from analyzer.packet.sight import COLUMNS, MOST_HOPS, look, sights
from analyzer.schema import FRAMES, Layer
from tests.packet.tables import ETHERNET, UDP, at, context, packet, seen

POINTS = (at(0, "veth-c1", Role.VETH, container="c1"), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK))
PARTS = packet([seen(0, 10), seen(0, 11)], [seen(1, 12)], [seen(2, 13), seen(2, 14), seen(2, 15)])


def test_columns_are_those_of_frames() -> None:
    """Whoever renames one there, does here."""
    assert set(COLUMNS) <= set(FRAMES.dtypes)


def test_hops_of_packets_in_any_order() -> None:
    """Several frames of a hop stand together, in the order of the way."""
    here = context(POINTS, [PARTS, packet(seen(2, 1)), packet(seen(1, 20), seen(0, 21))])
    found = list(sights(here, np.array([2, 0])))

    assert [[[one.row for one in hop] for hop in hops] for hops in found] == [[[4], [2]], [[0, 1], [3], [6, 7, 8]]]
    assert [one.frame for one in found[1][0]] == here.frames["frame"][[0, 1]].tolist()


@pytest.mark.parametrize("at_a_time", [1, 2, 1000])
def test_many_packets(at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are looked up together."""
    monkeypatch.setattr("analyzer.packet.sight.AT_A_TIME", at_a_time)
    here = context(POINTS, [packet(seen(0, number), seen(1, number + 1)) for number in range(0, 50, 10)])

    assert [hops[1][0].time_ns - hops[0][0].time_ns for hops in sights(here, np.arange(5))] == [1] * 5


def test_no_more_hops_than_are_told() -> None:
    """A packet that goes round and round."""
    here = context(POINTS, [packet(*(seen(number % 2, number) for number in range(MOST_HOPS + 5)))])
    (hops,) = sights(here, np.array([0]))

    assert len(hops) == MOST_HOPS


def test_addresses() -> None:
    """As what the frame is has them, and none where it has none."""
    ends = [(UDP, "10.0.0.1"), (UDP ^ Layer.IPV4 | Layer.IPV6, "fd00::1"), (ETHERNET, "10.0.0.1")]
    frames = [seen(0, number, layers=layers, src=src) for number, (layers, src) in enumerate(ends)]
    found = look(context(POINTS, [packet(one) for one in frames]), np.arange(3))

    assert [one.source for one in found] == [ip_address("10.0.0.1"), ip_address("fd00::1"), None]
