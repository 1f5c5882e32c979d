"""Two DNS questions that race for one conntrack entry."""

from pathlib import Path

import pytest

from analyzer.model import Basis
from tests.build import tcp
from tests.explain.dns import answer, ask
from tests.explain.scene import Scene

HYPOTHESIS = "dns-conntrack-race"
STATS = "cpu=0 found=0 insert=0 insert_failed={count} drop=0\n"


def _race(scene: Scene, apart_ms: float = 1, kind: str = "AAAA", until: str = "docker0") -> None:
    """Let one socket ask twice; the second question goes no further, the first one is answered."""
    ask(scene, 0, 1, sport=5000)
    ask(scene, apart_ms, 2, kind=kind, sport=5000, until=until)
    answer(scene, 50, 1, sport=5000)
    for ms in (100, 6000):
        ask(scene, ms, 3, "b.example", sport=5001)
        answer(scene, ms + 9, 3, "b.example", sport=5001)
    scene.out(7000, 6, tcp(1, 2, 3, 0, 2), until="veth-c2")


@pytest.mark.parametrize(
    ("apart_ms", "kind", "until", "told"),
    [
        (1, "AAAA", "docker0", True),
        (4.999, "AAAA", "docker0", True),
        (5, "AAAA", "docker0", False),
        (1, "A", "docker0", False),
        (1, "AAAA", "wlan0", False),
    ],
    ids=["at-once", "just-together", "apart", "same-kind", "left-the-host"],
)
def test_when_it_is_told(tmp_path: Path, apart_ms: float, kind: str, until: str, told: bool) -> None:
    """One of two kinds, within five milliseconds, was lost inside the host."""
    scene = Scene(tmp_path)
    _race(scene, apart_ms, kind, until)

    assert scene.titles(HYPOTHESIS) == ["1 DNS question lost in the host beside a twin from the same port"] * told


@pytest.mark.parametrize(
    ("before", "after", "basis", "proof"),
    [
        (None, None, Basis.INFERRED, ()),
        (3, 5, Basis.STATED, ("conntrack-stats.txt: insert_failed went up by 2",)),
    ],
)
def test_a_counter_that_went_up(
    tmp_path: Path, before: int | None, after: int | None, basis: Basis, proof: tuple[str, ...]
) -> None:
    """States it; otherwise it is inferred."""
    scene = Scene(tmp_path)
    if before is not None:
        scene.dumps |= {"conntrack-stats.txt": STATS.format(count=after),
                        "before/conntrack-stats.txt": STATS.format(count=before)}  # fmt: skip
    _race(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.basis, finding.proof) == (basis, proof)
    assert "a.example AAAA" in finding.explanation
    assert [str(one) for one in finding.evidence] == ["docker0 #2"]


def test_a_counter_that_stood_still(tmp_path: Path) -> None:
    """It acquits the race: something else lost the question."""
    scene = Scene(tmp_path)
    scene.dumps |= {"conntrack-stats.txt": STATS.format(count=3), "before/conntrack-stats.txt": STATS.format(count=3)}
    _race(scene)

    (finding,) = scene.findings()

    assert finding.check == "loss-inside-host"
    assert (HYPOTHESIS, "conntrack's counter insert_failed stood still") in [
        (other.check, other.why) for other in finding.refuted
    ]
