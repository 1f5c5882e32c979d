"""Points with two clocks: by times of one packet that no delay explains."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import echo, udp
from tests.explain.scene import MS, Scene

HYPOTHESIS = "two-clocks"


def _talk(scene: Scene, ahead_ms: float, *, out: int = 3, back: int = 3, slow_ms: tuple[float, float] = (0, 0),
          late: tuple[str, ...] = ("wlan0",)) -> None:  # fmt: skip
    """
    Let a container and a server talk, while some points' clock is ahead.

    What goes out takes *slow_ms* to the uplink, and what comes back from there.
    """
    places = {name: len(records) for name, records in scene.points.items()}
    for number in range(max(out, back)):
        if number < out:
            scene.out(number * 100, 17, udp(40_000, 7777, bytes([number]) * 8))
            _move(scene, ("wlan0",), len(scene.points["wlan0"]) - 1, slow_ms[0])
        if number < back:
            scene.back(number * 100 + 50, 17, udp(7777, 40_000, bytes([number]) * 9))
            _move(scene, ("docker0", "veth-c2"), len(scene.points["docker0"]) - 1, slow_ms[1])
    for name in late:
        records = scene.points[name]
        for place in range(places.get(name, 0), len(records)):
            records[place] = (records[place][0] + round(ahead_ms * MS), records[place][1])


def _move(scene: Scene, names: tuple[str, ...], place: int, ms: float) -> None:
    for name in names:
        time, data = scene.points[name][place]
        scene.points[name][place] = (time + round(ms * MS), data)


@pytest.mark.parametrize(
    ("ahead_ms", "title"),
    [
        (0, None),
        (0.9, None),
        (1.1, "docker0, veth-c2 and wlan0 have two clocks, 0.001 s apart"),
        (500, "docker0, veth-c2 and wlan0 have two clocks, 0.500 s apart"),
        (-500, "docker0, veth-c2 and wlan0 have two clocks, 0.500 s apart"),
        (-0.9, None),
    ],
)
def test_a_millisecond_and_more(tmp_path: Path, ahead_ms: float, title: str | None) -> None:
    """Less may be a tap that is late; points of one clock stand together."""
    scene = Scene(tmp_path)
    _talk(scene, ahead_ms)

    assert scene.titles(HYPOTHESIS) == ([title] if title else [])


@pytest.mark.parametrize(("out", "back", "told"), [(3, 3, True), (2, 3, False), (3, 2, False), (9, 0, False)])
def test_three_packets_each_way(tmp_path: Path, out: int, back: int, told: bool) -> None:
    """Fewer may be delays."""
    scene = Scene(tmp_path)
    _talk(scene, 50, out=out, back=back)

    assert bool(scene.titles(HYPOTHESIS)) is told


@pytest.mark.parametrize(
    ("ahead_ms", "slow_ms", "told"),
    [
        (0, (50, 50), False),
        (0, (50, 0), False),
        (100, (0, 0), True),
        (100, (45, 0), True),
        (100, (0, 38), True),
        (100, (90, 0), False),
        (100, (0, 45), False),
    ],
    ids=["slow-both", "slow-out", "ahead", "ahead-and-slow", "ahead-and-slow-back", "much-slower", "much-slower-back"],
)
def test_delays_are_no_offset(tmp_path: Path, ahead_ms: float, slow_ms: tuple[float, float], told: bool) -> None:
    """Delays make both directions later; an offset makes one earlier. Both may be half of the offset apart."""
    scene = Scene(tmp_path)
    _talk(scene, ahead_ms, slow_ms=slow_ms)

    assert bool(scene.titles(HYPOTHESIS)) is told


@pytest.mark.parametrize(("ahead_ms", "way"), [(500, "ahead"), (-500, "behind")])
def test_what_is_told(tmp_path: Path, ahead_ms: float, way: str) -> None:
    """Which clock goes how far ahead or behind, by how many packets, with five frames, and what to say of whom."""
    scene = Scene(tmp_path)
    _talk(scene, ahead_ms)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING
    assert finding.explanation.startswith(
        "6 packets, in both directions, would arrive before they were sent, unless wlan0 is of another host, whose "
        f"clock is 0.500 s {way}. "
    )
    assert [str(one) for one in finding.evidence] == [f"wlan0 #{number}" for number in (1, 2, 3, 4, 5)]
    assert finding.remedy == "Say so: --point wlan0=wlan0.pcap,host=OTHER"


@pytest.mark.parametrize("ahead_ms", [500, -500])
def test_points_of_the_second_clock_stand_together(tmp_path: Path, ahead_ms: float) -> None:
    """As those of the first one do: three clocks' pairs would be three findings, two clocks' are one."""
    scene = Scene(tmp_path)
    _talk(scene, ahead_ms, late=("docker0", "wlan0"))

    assert scene.titles(HYPOTHESIS) == ["docker0, wlan0 and veth-c2 have two clocks, 0.500 s apart"]


def test_three_clocks(tmp_path: Path) -> None:
    """Each pair of them is told."""
    scene = Scene(tmp_path)
    _talk(scene, 500, late=("wlan0",))
    scene.points["docker0"] = [(time + 90 * MS, data) for time, data in scene.points["docker0"]]

    assert scene.titles(HYPOTHESIS) == [
        "docker0 and veth-c2 have two clocks, 0.090 s apart",
        "docker0 and wlan0 have two clocks, 0.410 s apart",
        "veth-c2 and wlan0 have two clocks, 0.500 s apart",
    ]


def test_what_is_slow_on_one_clock(tmp_path: Path) -> None:
    """Is told all the same: only what lies between the two clocks says nothing."""
    scene = Scene(tmp_path)
    _talk(scene, 500)
    scene.points["veth-c2"] = [
        (time - (30 * MS if number % 2 == 0 else 0), data)
        for number, (time, data) in enumerate(scene.points["veth-c2"])
    ]
    titles = [finding.detail for finding in scene.findings()]

    assert titles == [
        "from veth-c2 to docker0 half of 3 packets take 30 ms and more",
        "docker0, veth-c2 and wlan0 have two clocks, 0.500 s apart",
    ]


def test_an_hour_apart(tmp_path: Path) -> None:
    """Then no frames are joined, and the points are what shows it."""
    scene = Scene(tmp_path)
    _talk(scene, 3_600_000, out=20, back=20)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "docker0, veth-c2 and wlan0 have two clocks, 3,600.000 s apart"
    assert ", in both directions, are at both, unless wlan0 is of another host, " in finding.explanation
    assert [str(one) for one in finding.evidence] == ["docker0", "wlan0"]


def test_losses_between_them_are_not_told(tmp_path: Path) -> None:
    """Nor is how long packets take: until it is said whose clock is whose, that says nothing."""
    scene = Scene(tmp_path)
    for number in range(12):
        scene.out(number * 100, 1, echo(8, 7, number, b"ping"), until="docker0" if number in {8, 9} else "wlan0")
        if number not in {8, 9}:
            scene.back(number * 100 + 50, 1, echo(0, 7, number, b"ping"))
    scene.points["wlan0"] = [(time + 500 * MS, data) for time, data in scene.points["wlan0"]]
    checks = {finding.check for finding in scene.findings()}

    assert HYPOTHESIS in checks
    assert not checks & {"loss-inside-host", "high-latency-hop"}
