"""Holes in captures: packets that must have passed a point, which has nothing of them."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import udp
from tests.explain.scene import Scene

HYPOTHESIS = "capture-gap"


def _talk(scene: Scene, missing: set[int], *, point: str = "docker0", count: int = 12) -> None:
    """Let a container send datagrams, 100 ms apart; *point* records all but the *missing* ones."""
    for number in range(count):
        scene.out(number * 100, 17, udp(40_000, 7777, bytes([number]) * 8))
        if number in missing:
            scene.points[point].pop()


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (set(), []),
        ({5, 6}, []),
        ({5, 6, 7}, ["3 packets passed docker0 unrecorded, within 0.20 s"]),
        ({3, 5, 8, 9}, ["4 packets passed docker0 unrecorded, within 0.60 s"]),
        ({0, 5, 6}, []),
        ({6, 7, 11}, []),
        ({0, 4, 5, 6, 11}, ["3 packets passed docker0 unrecorded, within 0.20 s"]),
    ],
    ids=["none", "two", "three", "apart", "before", "after", "around"],
)
def test_three_packets_while_it_recorded(tmp_path: Path, missing: set[int], told: list[str]) -> None:
    """From its first frame to its last; fewer may be chance."""
    scene = Scene(tmp_path)
    _talk(scene, missing)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == told
    assert all(finding.severity is Severity.WARNING for finding in found)


def test_what_shows_it(tmp_path: Path) -> None:
    """The point, and four of the packets, where they were seen last."""
    scene = Scene(tmp_path)
    _talk(scene, {3, 4, 5, 6, 7})
    (finding,) = scene.findings(HYPOTHESIS)

    assert [str(one) for one in finding.evidence] == ["docker0", "wlan0 #4", "wlan0 #5", "wlan0 #6", "wlan0 #7"]


def test_a_point_that_says_it_dropped_frames(tmp_path: Path) -> None:
    """Is told as such, not as a hole."""
    scene = Scene(tmp_path)
    _talk(scene, {3, 4, 5, 6})
    scene.recorded(2000, dropped=4)
    found = [finding.check for finding in scene.findings()]

    assert HYPOTHESIS not in found
    assert "capture-loss" in found


def test_a_manifest_says_how_long_it_recorded(tmp_path: Path) -> None:
    """Then the last packets count as well."""
    scene = Scene(tmp_path)
    _talk(scene, {9, 10, 11})
    scene.recorded(2000)

    assert scene.titles(HYPOTHESIS) == ["3 packets passed docker0 unrecorded, within 0.20 s"]


def test_packets_that_never_pass_there(tmp_path: Path) -> None:
    """A stream that goes another way, all of it, shows no hole."""
    scene = Scene(tmp_path)
    for number in range(6):
        scene.out(number * 100, 17, udp(40_000, 7777, bytes([number]) * 8))
        scene.out(number * 100 + 50, 17, udp(40_001, 7777, bytes([number]) * 9))
        scene.points["docker0"].pop()

    assert scene.titles(HYPOTHESIS) == []


def test_each_direction_is_a_stream(tmp_path: Path) -> None:
    """Answers may come by another way than questions went."""
    scene = Scene(tmp_path)
    for number in range(6):
        scene.out(number * 100, 17, udp(40_000, 7777, bytes([number]) * 8))
        scene.back(number * 100 + 50, 17, udp(7777, 40_000, bytes([number]) * 9))
        scene.points["docker0"].pop()

    assert scene.titles(HYPOTHESIS) == []


def test_packets_that_did_not_go_on_are_lost_and_no_hole(tmp_path: Path) -> None:
    """They must have been seen behind the point where the others went on to."""
    scene = Scene(tmp_path)
    for number in range(12):
        scene.out(number * 100, 17, udp(40_000, 7777, bytes([number]) * 8),
                  until="veth-c2" if number in {4, 5, 6, 7} else "wlan0")  # fmt: skip

    assert scene.titles(HYPOTHESIS) == []


def test_a_containers_port(tmp_path: Path) -> None:
    """Its packets come from there, so it may have a hole as well."""
    scene = Scene(tmp_path)
    _talk(scene, {4, 5, 6, 7}, point="veth-c2")

    assert scene.titles(HYPOTHESIS) == ["4 packets passed veth-c2 unrecorded, within 0.30 s"]
