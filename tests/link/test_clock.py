"""Two hosts' clocks: what packets between them show, and what they leave open."""

from typing import Any

import numpy as np
import pytest

from analyzer.link.clock import Apart, Offset, _hull, _slopes, align_roughly, bounds, far_apart, look_at
from analyzer.model import Role
from analyzer.schema import FRAMES, Layer
from tests.packet.tables import ETHERNET, TCP, UDP, Packet, at, connection, context, packet, seen, table

S, US = 1_000_000_000, 1_000
POINTS = (at(0, "a:w", Role.UPLINK), at(1, "b:w", Role.UPLINK), at(2, "c:w", Role.UPLINK))


def _aligned(*frames: tuple[int, int, int]) -> tuple[list[int], list[int]]:
    """Align frames: identity, host and time of each; return offsets and times."""
    identity, host, time_ns = (np.array(column, np.int64) for column in zip(*frames, strict=True))
    odd = identity % 2 == 1  # in two parts, each with all of its identities
    offsets = align_roughly(lambda: ((time_ns[one], identity[one], host[one]) for one in (odd, ~odd)), max(host) + 1)
    return offsets, (time_ns - np.array(offsets)[host]).tolist()


def test_hosts_are_brought_together() -> None:
    """By the middle of what their packets differ; the first host's clock counts."""
    frames = [(1, 0, 100), (2, 0, 200), (3, 0, 300), (1, 1, 7100), (2, 1, 7203), (3, 1, 7301), (9, 1, 7400)]
    offsets, times = _aligned(*frames)

    assert offsets == [0, 7001]
    assert times == [100, 200, 300, 99, 202, 300, 399]


def test_a_host_may_be_known_by_another_one() -> None:
    """The third one has no packet of the first; by then the second is aligned."""
    offsets, _ = _aligned((1, 0, 100), (1, 1, 5100), (2, 1, 5200), (2, 2, 9200))

    assert offsets == [0, 5000, 9000]


def test_a_host_without_common_packets_stays() -> None:
    """And later ones are not compared with it."""
    offsets, times = _aligned((1, 0, 100), (2, 1, 5100), (2, 2, 9200), (1, 2, 400))

    assert offsets == [0, 0, 300]
    assert times == [100, 5100, 8900, 100]


def test_the_first_sighting_counts() -> None:
    """On either host, in order of time."""
    offsets, _ = _aligned((1, 0, 500), (1, 0, 100), (1, 1, 9000), (1, 1, 5100))

    assert offsets == [0, 5000]


@pytest.mark.parametrize(("last", "offset"), [(S, S // 2), (S + 1, 0)], ids=["together", "apart"])
def test_differences_of_one_offset_lie_within_a_second(last: int, offset: int) -> None:
    """Those that chance makes are all over; of equally many, the smallest count."""
    assert _aligned((1, 0, 100), (2, 0, 200), (1, 1, 100), (2, 1, 200 + last))[0] == [0, offset]


def test_most_differences_count() -> None:
    """However far away the others are."""
    frames = [(n, 0, 10 * n) for n in range(5)] + [(n, 1, 10 * n + (50 * S if n > 1 else n * 9 * S)) for n in range(5)]

    assert _aligned(*frames)[0] == [0, 50 * S]


def _estimated(*packets: Packet, number: int = 1, known: tuple[int, ...] = (0,)) -> Offset | None:
    flow = ("172.17.0.2", 4000, "8.8.8.8", 53)
    row = connection(original=flow, reply=(*flow[2:], *flow[:2]))
    here = context(POINTS, packets, connections=(row, row))
    return bounds(here.frames, here.hops, np.array([0, 1, 2]), number, set(known)).estimate()


def _away(time_ns: int, took: int, ahead: int = 0, **columns: Any) -> Packet:
    """A packet from the first host to the second, whose clock is ahead."""
    return packet(seen(0, time_ns, **columns), seen(1, time_ns + took + ahead, **columns | {"ttl": 63}), connection=0)


def _back(time_ns: int, took: int, ahead: int = 0, **columns: Any) -> Packet:
    return packet(
        seen(1, time_ns + ahead, **columns), seen(0, time_ns + took, **columns | {"ttl": 63}), connection=0, reply=True
    )


def test_packets_both_ways_bound_the_offset() -> None:
    """It lies in the middle, and is as uncertain as what the quickest took."""
    found = _estimated(_away(0, 40, 1000), _away(100, 20, 1000), _back(50, 30, 1000), _back(150, 10, 1000))

    assert found is not None
    assert found.drift == 0.0
    assert abs(found.offset_ns - 1000) <= 15
    assert found.uncertainty_ns is not None
    assert 10 <= found.uncertainty_ns <= 20
    assert not found.rough


@pytest.mark.parametrize("ahead", [0, 5000, -5000])
def test_equal_delays_give_the_very_offset(ahead: int) -> None:
    """All packets take the same time."""
    packets = [one(n * 1000, 100, ahead) for n in range(6) for one in (_away, _back)]
    found = _estimated(*packets)

    assert found is not None
    assert (found.offset_ns, found.uncertainty_ns, found.drift) == (ahead, 100, 0.0)


def test_one_way_bounds_one_side() -> None:
    """The quickest packet there, or back; nobody knows how long it took."""
    there = _estimated(_away(500, 40, 1000), _away(700, 20, 1000))
    back = _estimated(_back(500, 40, 1000), _back(700, 20, 1000))

    assert there == Offset(1020, 1540)
    assert back == Offset(980, 1500)


def test_no_packet_went_between() -> None:
    """Each host has its own."""
    assert _estimated(packet(seen(0, 1)), packet(seen(1, 2))) is None
    assert _estimated(_away(0, 5), number=2) is None


def test_several_hosts_are_known() -> None:
    """Any of them tells of the next one."""
    packets = [packet(seen(1, n * 100), seen(2, n * 100 + 1030, ttl=63)) for n in range(3)]

    assert _estimated(*packets, number=2, known=(0, 1)) == Offset(1030, 1030)
    assert _estimated(*packets, number=2, known=(0,)) is None


def test_first_all_went_one_way_then_all_the_other() -> None:
    """The closest of each way bound it, and no drift is told."""
    packets = [*(_away(n, 30 + n, 1000) for n in range(3)), *(_back(9000 + n, 10 + n, 1000) for n in range(3))]

    assert _estimated(*packets) == Offset((1030 + 990) // 2, 1030, 0.0, 20)


@pytest.mark.parametrize("drift", [0.0, 40e-6, -90e-6, 300e-6])
def test_a_clock_that_gains_is_told_so(drift: float) -> None:
    """Also after a while, as long as the kernel could correct it."""
    packets = []
    for n in range(40):
        time = n * S // 4
        gained = round(time * drift)
        packets += [_away(time, 100, gained), _back(time, 100, gained)]
    found = _estimated(*packets)

    assert found is not None
    assert abs(found.drift - drift) < 2e-7
    assert abs(int(found.at(np.array([5 * S]))[0]) - 5 * S * drift) < 2_000


def test_a_clock_gains_no_more_than_the_kernel_corrects() -> None:
    """What seems more is something else."""
    packets = [one(n * S, 100, n * S // 100) for n in range(10) for one in (_away, _back)]
    found = _estimated(*packets)

    assert found is not None
    assert abs(found.drift) <= 500e-6


def test_offsets_are_told_for_any_time() -> None:
    """By the drift from where it is known best, rounded."""
    found = Offset(1000, 5 * S, 2e-6)

    assert found.at(np.array([5 * S, 6 * S, 4 * S, 5 * S + 400_000])).tolist() == [1000, 3000, -1000, 1001]


TUNNEL = UDP | Layer.TUNNEL


def _overlay(*frames: tuple[int, int, bool]) -> Packet:
    """One packet whose TTL nothing changes: point, time, whether it is inside a tunnel."""
    tunnel = {"vni": 7, "layers": UDP}
    made = (seen(p, t, **({"layers": TUNNEL, "tunnel": tunnel} if inside else {})) for p, t, inside in frames)
    return packet(*made)


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (_overlay((0, 10, False), (0, 12, True), (1, 1050, True), (1, 1052, False)), Offset(1038, 1050)),
        (_overlay((0, 10, False), (0, 12, True), (1, 1050, True)), Offset(1038, 1050)),
        (_overlay((0, 12, True), (1, 1050, True), (1, 1052, False)), Offset(1038, 1050)),
        (_overlay((1, 1000, False), (1, 1002, True), (0, 50, True), (0, 52, False)), Offset(952, 1002)),
        (_overlay((1, 1002, True), (0, 50, True), (0, 52, False)), Offset(952, 1002)),
        (_overlay((1, 1000, False), (1, 1002, True), (0, 50, True)), Offset(952, 1002)),
        (_overlay((0, 10, True), (1, 1050, True)), None),
        (_overlay((0, 10, False), (1, 1050, False)), None),
        (_overlay((0, 10, False), (0, 12, True), (1, 1000, False), (1, 1050, True)), None),
    ],
)
def test_who_put_a_packet_into_the_tunnel_sent_it(one: Packet, found: Offset | None) -> None:
    """Its own clock shows that, as the receiver's shows that it came out; both say so, or one of them."""
    assert _estimated(one) == found


def _open(time_ns: int, difference: int, *, reply: bool, number: int = 0) -> Packet:
    """A packet that nothing shows the direction of; the second host saw it so much later."""
    return packet(seen(0, time_ns), seen(1, time_ns + difference), connection=number, reply=reply)


def test_the_direction_that_takes_longer_is_the_one_there() -> None:
    """Of a connection that both hosts saw in both directions, by the middle of each."""
    packets = [_open(n, 1000 + 40 * (1 - 2 * (n % 2)) + n, reply=bool(n % 2)) for n in range(6)]
    found = _estimated(*packets)

    assert found is not None
    assert found.uncertainty_ns is not None
    assert abs(found.offset_ns - 1002) <= 3


def test_the_middle_of_each_direction_decides() -> None:
    """A single packet that came sooner does not turn it round."""
    there = [_open(n, took, reply=False) for n, took in enumerate((1040, 990, 1050))]
    back = [_open(9000 + n, took, reply=True) for n, took in enumerate((1000, 1020, 1010))]

    assert _estimated(*there, *back) == Offset((990 + 1020) // 2, 991, 0.0, 15)


@pytest.mark.parametrize(
    "packets",
    [
        [_open(n, 1000 + n, reply=False) for n in range(4)],
        [_open(n, 1000, reply=bool(n % 2)) for n in range(4)],
        [_open(n, 1000 + 40 * n, reply=bool(n), number=n) for n in range(2)],
        [packet(seen(0, 1), seen(1, 1001)), packet(seen(0, 2), seen(1, 1052), reply=True)],
    ],
    ids=["one direction", "equal", "two connections", "none"],
)
def test_what_leaves_the_directions_open(packets: list[Packet]) -> None:
    """Then nothing is told."""
    assert _estimated(*packets) is None


def _points(*times: list[int], layers: int = TCP, ip_id: int = 0, most: int = 10) -> list[Apart]:
    """Frames of several points: the n-th of each is packet n."""
    rows = [
        {"point": point, "time_ns": time, "layers": layers, "ip_id": ip_id}
        for point, column in enumerate(times)
        for time in column
    ]
    identity = np.concatenate([np.arange(len(column)) for column in times])
    none = np.zeros(0, np.int64)
    return far_apart(look_at(table(FRAMES, rows), identity, [(none, none)] * len(times)), most)


FIRST = [100, 200, 300, 400, 500]


@pytest.mark.parametrize(
    ("ahead", "most", "apart"), [(11, 10, True), (10, 10, False), (-11, 10, True), (-10, 10, False)]
)
def test_points_that_fit_only_with_an_offset(ahead: int, most: int, apart: bool) -> None:
    """More than packets take, in either direction."""
    found = _points(FIRST, [time + ahead for time in FIRST], most=most)

    assert found == ([Apart((0, 1), ahead, 5)] if apart else [])


@pytest.mark.parametrize(
    ("layers", "ip_id", "telling"),
    [(TCP, 0, True), (UDP, 7, True), (UDP, 0, False), (ETHERNET | Layer.IPV6, 7, False)],
)
def test_which_frames_tell(layers: int, ip_id: int, telling: bool) -> None:
    """Those with numbers; others repeat by chance."""
    assert bool(_points(FIRST, [time + 99 for time in FIRST], layers=layers, ip_id=ip_id)) == telling


@pytest.mark.parametrize(("common", "apart"), [(4, False), (5, True)])
def test_a_few_packets_prove_nothing(common: int, apart: bool) -> None:
    """Five are enough."""
    assert bool(_points(FIRST, [time + 99 for time in FIRST[:common]])) == apart


@pytest.mark.parametrize(("fitting", "apart"), [(6, True), (5, True), (4, False)])
def test_half_of_all_have_to_fit(fitting: int, apart: bool) -> None:
    """And five at least; the others are chance."""
    first = [100 * n for n in range(10)]
    second = [time + (99 if n < fitting else (n - 3) * 10 * S) for n, time in enumerate(first)]

    assert _points(first, second) == ([Apart((0, 1), 99, fitting)] if apart else [])


def test_each_pair_of_points_is_compared() -> None:
    """Up to sixteen of them."""
    shifted = [[time + 99 * n for time in FIRST] for n in range(17)]

    assert [one.points for one in _points(*shifted[:3])] == [(0, 1), (0, 2), (1, 2)]
    assert [one.offset_ns for one in _points(*shifted[:3])] == [99, 198, 99]
    assert len(_points(*shifted[:16])) == 120
    assert _points(*shifted) == []


@pytest.mark.parametrize(
    ("points", "hull"),
    [
        ([(0, 0)], [(0, 0)]),
        ([(0, 0), (1, 5)], [(0, 0), (1, 5)]),
        ([(0, 0), (1, 5), (2, 0)], [(0, 0), (2, 0)]),
        ([(0, 0), (1, -5), (2, 0)], [(0, 0), (1, -5), (2, 0)]),
        ([(0, 0), (1, 1), (2, 2)], [(0, 0), (2, 2)]),
        ([(2, 0), (0, 0), (1, -5)], [(0, 0), (1, -5), (2, 0)]),
        ([(0, 9), (0, 3), (1, 3), (1, 1)], [(0, 3), (1, 1)]),
    ],
)
def test_the_hull_lies_below_all_points(points: list[tuple[int, int]], hull: list[tuple[int, int]]) -> None:
    """Only its corners are kept, from left to right."""
    x, y = (np.array(column) for column in zip(*points, strict=True))

    assert [tuple(corner) for corner in _hull(x, y).tolist()] == hull


def test_many_points_have_the_same_hull() -> None:
    """They are thinned out first."""
    x = np.arange(-5000, 5000)
    y = np.where(x % 10 == 0, x * x, x * x + 10_000)
    found = _hull(x, y)

    assert found[:, 0].tolist() == [*range(-5000, 5000, 10), 4999]


@pytest.mark.parametrize(
    ("at_x", "slopes"),
    [(0, (-np.inf, -1.0)), (1, (-1.0, -1.0)), (2, (-1.0, 3.0)), (3, (3.0, 3.0)), (4, (3.0, np.inf))],
)
def test_slopes_of_a_hull(at_x: float, slopes: tuple[float, float]) -> None:
    """Left and right of a place; steep behind its ends."""
    assert _slopes(np.array([[0.0, 2.0], [2.0, 0.0], [4.0, 6.0]]), at_x, np.inf) == slopes
