"""Addresses that several machines have, and whom they are said to be of."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import C1, C2, arp, ether
from tests.explain.scene import Scene

HYPOTHESIS = "duplicate-address"
DOCKER = [{"Name": "/web", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.9", "MacAddress": C2}}}}]


def _answer(scene: Scene, ms: float, sender: str) -> None:
    scene.see("veth-c2", ms, ether(sender, C1, arp(2, sender, "172.17.0.9", C1, "172.17.0.2"), 0x0806))


@pytest.mark.parametrize(("count", "more"), [(2, ""), (5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_five_are_named(tmp_path: Path, count: int, more: str) -> None:
    """In the order in which they answered, the others are counted; so with the frames."""
    scene = Scene(tmp_path)
    macs = [f"02:00:00:00:00:{number:02x}" for number in range(count)]
    for number, sender in enumerate(macs):
        _answer(scene, number, sender)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == f"172.17.0.9 belongs to {count} machines"
    assert finding.severity is Severity.ERROR
    assert finding.explanation.startswith(f"{', '.join(macs[:5])}{more} all answer for it. ")
    assert [str(one) for one in finding.evidence] == [f"veth-c2 #{number + 1}" for number in range(min(count, 5))]


def test_a_container_is_named(tmp_path: Path) -> None:
    """By its MAC; one that comes back counts once, and whose answer came last stands last."""
    scene = Scene(tmp_path, dumps={"docker-inspect.json": DOCKER})
    for ms, sender in ((0, "02:00:00:00:00:01"), (5, C2), (900, "02:00:00:00:00:01")):
        _answer(scene, ms, sender)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "172.17.0.9 belongs to 2 machines"
    assert finding.explanation.startswith("02:42:ac:11:00:03 (web), 02:00:00:00:00:01 all answer for it. ")
    assert len(finding.evidence) == 3
