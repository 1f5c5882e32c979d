"""Packets that take long between two points of one host."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import udp
from tests.explain.scene import MS, Scene

HYPOTHESIS = "high-latency-hop"


def _send(scene: Scene, took_ms: list[float]) -> None:
    """Let packets take so long from the bridge to the uplink."""
    for number, ms in enumerate(took_ms):
        scene.out(number * 100, 17, udp(40_000, 7777, bytes(divmod(number, 256)) * 4))
        before = scene.points["docker0"][-1][0]
        scene.points["wlan0"][-1] = (before + round(ms * MS), scene.points["wlan0"][-1][1])


@pytest.mark.parametrize(
    ("took_ms", "median"),
    [
        ([10, 10, 10], "10"),
        ([9.99, 9.99, 9.99], ""),
        ([10, 10], ""),
        ([0, 0, 20, 30, 40], "20"),
        ([0, 0, 0, 20, 30, 40], "20"),
        ([0, 0, 0, 0, 20, 30, 40], ""),
        ([0, 10, 10], ""),
    ],
    ids=["three", "less", "two", "more-than-half", "half", "fewer", "two-of-three"],
)
def test_the_median_of_three_slow_ones_and_more(tmp_path: Path, took_ms: list[float], median: str) -> None:
    """Ten milliseconds and more, of all that passed there."""
    scene = Scene(tmp_path)
    _send(scene, took_ms)

    assert scene.titles(HYPOTHESIS) == (
        [f"from docker0 to wlan0 half of {len(took_ms)} packets take {median} ms and more"] if median else []
    )


def test_the_slowest_are_shown(tmp_path: Path) -> None:
    """Five of them, the slowest first, where they came late."""
    scene = Scene(tmp_path)
    _send(scene, [20, 70, 30, 60, 40, 50, 10])
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING
    assert finding.detail == "from docker0 to wlan0 half of 7 packets take 40 ms and more"
    assert finding.explanation.startswith("The slowest took 70 ms. ")
    assert [str(one) for one in finding.evidence] == [f"wlan0 #{number}" for number in (2, 4, 6, 5, 3)]


def test_each_pair_of_points(tmp_path: Path) -> None:
    """By itself; what is slow before is not slow after it."""
    scene = Scene(tmp_path)
    _send(scene, [20, 20, 20])
    scene.points["veth-c2"] = [(time - 50 * MS, data) for time, data in scene.points["veth-c2"]]

    assert scene.titles(HYPOTHESIS) == [
        "from docker0 to wlan0 half of 3 packets take 20 ms and more",
        "from veth-c2 to docker0 half of 3 packets take 50 ms and more",
    ]


@pytest.mark.parametrize(
    ("dev", "kind", "told"),
    [("wlan0", "netem", True), ("docker0", "netem", False), ("wlan0", "fq_codel", False)],
    ids=["there", "elsewhere", "everywhere"],
)
def test_a_queue_that_holds_them_back(tmp_path: Path, dev: str, kind: str, told: bool) -> None:
    """One that somebody set up on the interface that they come late to."""
    scene = Scene(tmp_path, dumps={"tc-qdisc.json": [{"dev": dev, "kind": kind, "options": {}}]})
    _send(scene, [20, 20, 20])
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.commands == (("tc qdisc del dev wlan0 root",) if told else ())
    assert ("The queue netem on wlan0 holds them back" in finding.explanation) is told


@pytest.mark.parametrize("changes", [0, 2])
def test_a_carrier_that_went_and_came_meanwhile(tmp_path: Path, changes: int) -> None:
    """Packets wait then for neighbours to be found again."""

    def link(count: int) -> list[object]:
        return [{"ifname": "wlan0", "stats64": {"rx": {}, "tx": {"carrier_changes": count}}}]

    scene = Scene(tmp_path, dumps={"before/ip-addr.json": link(1), "ip-addr.json": link(1 + changes)})
    _send(scene, [20, 20, 20])
    (finding,) = scene.findings(HYPOTHESIS)

    assert ("The carrier of wlan0 went and came 2 times" in finding.explanation) is bool(changes)


@pytest.mark.parametrize(
    ("took_ms", "told", "severity"),
    [
        ([0] * 20 + [500] * 3, "3 of 23 packets take 500 ms and more", Severity.WARNING),
        ([0] * 20 + [499] * 3, "", None),
        ([0] * 20 + [900] * 2, "", None),
        ([0] * 298 + [900] * 3, "3 of 301 packets take 500 ms and more", Severity.INFO),
        ([0] * 297 + [900] * 3, "3 of 300 packets take 500 ms and more", Severity.WARNING),
    ],
    ids=["three", "shorter", "two", "one-in-more-than-a-hundred", "one-in-a-hundred"],
)
def test_a_few_that_wait_for_long(tmp_path: Path, took_ms: list[float], told: str, severity: Severity | None) -> None:
    """The median hides them."""
    scene = Scene(tmp_path)
    _send(scene, took_ms)
    found = scene.findings(HYPOTHESIS)

    assert [one.detail for one in found] == [f"from docker0 to wlan0 {told}"] * bool(told)
    assert all(one.severity is severity for one in found)
