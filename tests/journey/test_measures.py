"""What is measured over time: bins, histograms and quantiles, to the nanosecond."""

from dataclasses import replace

import pytest

from analyzer.journey.build import Tracer
from analyzer.journey.measures import BINS, EDGES_NS, MOST_CROSSINGS, MOST_TROUBLE, Timeline, measures
from analyzer.model import Clock, HostState, Point, Role
from analyzer.model.overview import Crossing, Measures
from analyzer.packet.context import Context
from tests.packet.tables import TCP, UPLINK, Packet, at, connection, context, packet, seen

POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK))
SURE = Clock(0, 0, 30)


def _measured(*packets: Packet, points: tuple[Point, ...] = POINTS) -> Measures:
    return _of(context(points, packets, connections=[_row()]))


def _of(here: Context) -> Measures:
    times = here.frames["time_ns"].tolist()
    heard = [replace(POINTS[0], first_ns=min(times), last_ns=max(times))] if times else []
    line = Timeline.over(heard)
    line.add(here, Tracer(here))
    return measures(line, here.points)


def _row(**columns: object) -> dict[str, object]:
    ends = ("172.17.0.2", 4000, "8.8.8.8", 80)
    return connection(original=ends, reply=(*ends[2:], *ends[:2]), **columns)


def _crossings(*took: int, every: int = 1000) -> tuple[Crossing, ...]:
    """Packets that took so long from the first point to the second, one every so often."""
    return _measured(*(packet(seen(0, n * every), seen(1, n * every + t)) for n, t in enumerate(took))).crossings


@pytest.mark.parametrize(
    ("last_ns", "width_ns"), [(0, 1), (239, 1), (240, 2), (479, 2), (480, 3), (24_000_000, 100_001)]
)
def test_bins_are_as_short_as_they_can_be(last_ns: int, width_ns: int) -> None:
    """There are 240 of them, whole nanoseconds, and the last frame is in one."""
    found = _measured(packet(seen(0, 7_000)), packet(seen(0, 7_000 + last_ns)))
    (counts,) = (one.counts for one in found.frames if one.where == "veth-c1")

    assert (found.start_ns, found.bin_ns, len(counts)) == (7_000, width_ns, BINS)
    assert {n: count for n, count in enumerate(counts) if count} == (
        {0: 2} if last_ns == 0 else {0: 1, last_ns // width_ns: 1}
    )


def test_without_frames_there_is_nothing_to_measure() -> None:
    """Bins of one nanosecond, all of them empty, at each point."""
    found = _measured()

    assert (found.start_ns, found.bin_ns, found.trouble, found.crossings) == (0, 1, (), ())
    assert [(one.what, one.where, sum(one.counts)) for one in found.frames] == [
        ("frames", "veth-c1", 0),
        ("frames", "docker0", 0),
        ("frames", "wlan0", 0),
    ]


def test_the_histogram_has_six_edges_a_decade() -> None:
    """From 100 ns to 10 s."""
    assert (EDGES_NS[0], EDGES_NS[1], EDGES_NS[6], EDGES_NS[-1]) == (100, 147, 1000, 10_000_000_000)


@pytest.mark.parametrize(
    ("took", "place"), [(0, 0), (99, 0), (100, 1), (146, 1), (147, 2), (9_999_999_999, 48), (10_000_000_000, 49)]
)
def test_a_time_at_an_edge_is_above_it(took: int, place: int) -> None:
    """Below the first edge, between each two, and above the last."""
    (found,) = _crossings(took)

    assert len(found.histogram) == 50
    assert [n for n, count in enumerate(found.histogram) if count] == [place]


def test_quantiles_are_times_that_packets_took() -> None:
    """Of 0 to 200 ns: the 100th, the 180th and the 198th."""
    (found,) = _crossings(*reversed(range(201)))

    assert (found.from_point, found.to_point, found.packets, found.uncertainty_ns) == ("veth-c1", "docker0", 201, None)
    assert (found.least_ns, found.median_ns, found.p90_ns, found.p99_ns, found.most_ns) == (0, 100, 180, 198, 200)


def test_each_bin_has_its_own_median() -> None:
    """Of an even number the upper one; None where nothing crossed."""
    times = [(0, 9), (1, 3), (2, 5), (24_000, 8), (24_001, 2), (239_999, 4)]
    (found,) = _measured(*(packet(seen(0, t), seen(1, t + took)) for t, took in times)).crossings

    assert {n: median for n, median in enumerate(found.medians_ns) if median is not None} == {0: 5, 23: 8, 239: 4}


def test_what_was_recorded_late_took_no_time() -> None:
    """A hop that seems to be before the one it came from is left out; one of no time is not."""
    found = _measured(packet(seen(0, 10), seen(1, 9), seen(2, 20)), packet(seen(0, 30), seen(1, 30)))

    assert [(c.from_point, c.to_point, c.packets, c.least_ns) for c in found.crossings] == [
        ("docker0", "wlan0", 1, 11),
        ("veth-c1", "docker0", 1, 0),
    ]


def test_ways_that_more_packets_took_come_first() -> None:
    """And the others are left out when there are too many."""
    names = [f"p{n}" for n in range(MOST_CROSSINGS + 2)]
    points = tuple(at(n, name, Role.VETH) for n, name in enumerate(names))
    packets = [packet(seen(n, 10 * n), seen(n + 1, 10 * n + 5)) for n in range(MOST_CROSSINGS + 1)]
    packets += [packet(seen(4, 900 + n), seen(5, 905 + n)) for n in range(2)]
    found = _measured(*packets, points=points).crossings

    assert len(found) == MOST_CROSSINGS
    assert [(c.from_point, c.packets) for c in found[:3]] == [("p4", 3), ("p0", 1), ("p1", 1)]


@pytest.mark.parametrize(
    ("clocks", "uncertainty"),
    [
        ((None, SURE), 30),
        ((SURE, None), 30),
        ((SURE, replace(SURE, uncertainty_ns=12)), 42),
        ((SURE, replace(SURE, uncertainty_ns=0)), 30),
    ],
)
def test_times_between_hosts_are_as_uncertain_as_their_clocks(
    clocks: tuple[Clock | None, Clock | None], uncertainty: int
) -> None:
    """Both clocks' uncertainties together."""
    points = tuple(
        replace(point, host=host, clock=clock) for point, host, clock in zip(POINTS, "ab", clocks, strict=False)
    )
    (found,) = _measured(packet(seen(0, 10), seen(1, 15)), points=points).crossings

    assert found.uncertainty_ns == uncertainty


@pytest.mark.parametrize("clocks", [(None, None), (replace(SURE, uncertainty_ns=None), SURE)])
def test_times_between_clocks_that_nobody_knows_are_not_told(clocks: tuple[Clock | None, Clock | None]) -> None:
    """Where one of them may be wrong by any amount."""
    points = tuple(
        replace(point, host=host, clock=clock) for point, host, clock in zip(POINTS, "ab", clocks, strict=False)
    )

    assert _measured(packet(seen(0, 10), seen(1, 15)), points=points).crossings == ()


def _segment(point: int, time_ns: int, seq: int = 1) -> dict[str, object]:
    macs = {"eth_src": UPLINK} if point == 2 else {}
    return seen(point, time_ns, layers=TCP, seq=seq, tcp_flags=0x18, dport=80, ip_id=seq, **macs)


def test_trouble_is_counted_where_it_was_seen() -> None:
    """A lost packet at its last point, one that is sent again at its first; the more frequent first."""
    packets = [packet(_segment(0, t, t), _segment(1, t + 1, t), _segment(2, t + 2, t), connection=0) for t in (0, 900)]
    lost = [packet(_segment(0, t, 7), _segment(1, t + 1, 7), connection=0) for t in (240, 480, 720)]
    trouble = _measured(packets[0], *lost, packets[1]).trouble

    assert [(one.what, one.where) for one in trouble] == [("lost", "docker0"), ("retransmission", "veth-c1")]
    assert [[n for n, count in enumerate(one.counts) if count] for one in trouble] == [[60, 120, 180], [120, 180]]


def test_of_much_trouble_the_worst_is_told() -> None:
    """No more than can be drawn."""
    points = tuple(at(n, f"p{n}", Role.VETH) for n in range(MOST_TROUBLE + 1))
    packets = [packet(_segment(n % 25, n, n // 50)) for n in range(100)]
    for number, one in enumerate(packets):
        one.connection = number % 25
    here = context(points, packets, connections=[_row() for _ in range(25)], hosts=[HostState()])
    found = _of(here).trouble

    assert [one.what for one in found] == ["retransmission"] * MOST_TROUBLE
