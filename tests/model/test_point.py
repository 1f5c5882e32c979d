"""When a capture was surely recording, and where on the way out its interface is."""

from dataclasses import replace

import pytest

from analyzer.model import Role
from analyzer.model.point import OUTWARD_ORDER
from tests.packet.tables import at

POINT = at(0, "docker0", Role.BRIDGE)


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ((None, None, None, None), None),
        ((20, 30, None, None), (20, 30)),
        ((None, None, 10, 40), (10, 40)),
        ((20, 30, 10, 40), (10, 40)),
        ((5, 50, 10, 40), (5, 50)),
        ((None, None, 10, None), None),
        ((None, None, None, 40), None),
        ((20, 30, 10, None), (10, 30)),
    ],
)
def test_a_capture_ran_from_the_first_thing_known_to_the_last(
    times: tuple[int | None, ...], span: tuple[int, int] | None
) -> None:
    """Frames and the manifest, whichever reaches further; without a beginning or an end nothing is known."""
    first, last, since, until = times
    point = replace(POINT, first_ns=first, last_ns=last, recorded_from_ns=since, recorded_until_ns=until)

    assert point.span_ns == span


def test_a_time_is_covered_from_the_first_moment_to_the_last_inclusive() -> None:
    """Of a point of which nothing is known, no time is."""
    point = replace(POINT, first_ns=10, last_ns=20)

    assert [point.covers(time) for time in (9, 10, 15, 20, 21)] == [False, True, True, True, False]
    assert not POINT.covers(0)


def test_the_way_out_leads_from_the_container_to_the_uplink() -> None:
    """By the veth, and then the bridge; what is unknown comes behind all others."""
    way = [Role.CONTAINER, Role.VETH, Role.BRIDGE, Role.OVERLAY, Role.UPLINK]

    assert sorted(set(way), key=OUTWARD_ORDER.__getitem__) == way
    assert max(OUTWARD_ORDER, key=OUTWARD_ORDER.__getitem__) is Role.UNKNOWN
