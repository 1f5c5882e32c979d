"""A whole analysis, with whatever it is given to work with."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import InputError
from analyzer.model import Role
from analyzer.run import Means, analyze_whole, estimate, prepare
from analyzer.run.budget import Budget
from tests.build import pcap
from tests.run.every import Tiny

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
SEED = SAMPLES / "seed"


@pytest.mark.parametrize(
    ("means", "shared"),
    [(Means(), False), (Means(jobs=2), True), (Means(scheduler="local"), True), (Means(parts=7, work_dir="x"), False)],
)
def test_several_share_the_work_only_if_somebody_says_so(means: Means, shared: bool) -> None:
    """Parts alone are worked one after the other."""
    assert means.shared is shared


@pytest.mark.parametrize(
    ("means", "told"),
    [
        (Means(), ": all are held in memory"),
        (Means(Budget(1 << 30)), ": all of them, in 1 part"),
        (Means(Budget(1 << 30), parts=7), ": all of them, in 7 parts"),
        (Means(Tiny(1 << 30)), "1,024 MiB of memory holds 5: read 40 at a time, told in up to 5 parts, with 0 MiB in "),
        (Means(Tiny(1 << 30), parts=1, work_dir="x"), "read 40 at a time, told in up to 1 part, with 0 MiB in x"),
        (Means(Tiny(1 << 30), work_dir="x", jobs=4), "read 10 at a time, told in up to 5 parts"),
        (Means(Budget(1 << 30), work_dir="x", jobs=2), " at a time, told in up to 8 parts"),
    ],
)
def test_how_the_work_will_be_cut_is_told_before_anything_is_read(means: Means, told: str) -> None:
    """What fits is held, unless several share the work; else how much is read at a time, and where the rest lies."""
    with prepare([SEED]) as prepared:
        text = estimate(prepared, means)

    assert text.startswith("some ")
    assert told in text


def test_points_are_counted_and_their_roles_found() -> None:
    """With the times of their first and last frames."""
    trace = analyze(SEED)
    points = {point.name: point for point in trace.points}

    assert {name: point.role for name, point in points.items()} == {
        "docker0": Role.BRIDGE, "veth-c3": Role.VETH, "wlan0": Role.UPLINK,
    }  # fmt: skip
    assert [point.frames for point in points.values()] == [len(trace.frames[trace.frames.point == n]) for n in range(3)]
    assert points["wlan0"].first_ns == trace.frames[trace.frames.point == points["wlan0"].id].time_ns.min()
    assert all(point.clock is None for point in points.values())


def test_the_clock_of_another_host_is_measured() -> None:
    """By packets that both saw; the first host's is the one that all times are told by."""
    clocks = {point.host: point.clock for point in analyze([SAMPLES / "overlay"]).points}
    first, second = clocks

    assert clocks[first] is None
    assert clocks[second] is not None


def test_no_more_frames_are_read_than_somebody_wants() -> None:
    """It is told where each capture was left."""
    with prepare([SEED]) as prepared:
        trace = analyze_whole(prepared, most=10)

    assert 0 < len(trace.frames) <= 10
    assert all(info.damage is not None and info.damage.limited for info in trace.files)


def test_captures_of_which_nothing_can_be_read_are_an_error(tmp_path: Path) -> None:
    """One that has no frame, but says what it is, is empty; damage behind the first frames leaves these."""
    whole = pcap([(1, bytes(60))] * 2)
    for name, size in (("empty", 24), ("cut", len(whole) - 5), ("none", 10)):
        (tmp_path / f"{name}.pcap").write_bytes(whole[:size])

    assert len(analyze(tmp_path / "empty.pcap").frames) == 0
    assert len(analyze(tmp_path / "cut.pcap").frames) == 1
    with pytest.raises(InputError):
        analyze(tmp_path / "none.pcap")


def test_progress_is_heard_by_stage() -> None:
    """Each stage to its end, in order."""
    heard: dict[str, list[tuple[int, int]]] = {}
    with prepare([SEED]) as prepared:
        analyze_whole(prepared, hears=lambda stage, done, of: heard.setdefault(stage, []).append((done, of)))

    assert {"notice", "group", "order"} <= heard.keys()
    assert all(found[-1][0] == found[-1][1] for found in heard.values())
