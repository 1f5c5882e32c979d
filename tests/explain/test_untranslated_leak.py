"""Packets that conntrack does not know, and that leave untranslated."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps

HYPOTHESIS = "untranslated-source-leak"


def _leak(scene: Scene, data: int = 1) -> None:
    """Let two segments leave with the container's address; another connection is translated."""
    scene.out(0, 17, udp(1, 2, b"x"))
    scene.back(5, 17, udp(2, 1, b"y"))
    for number in range(2):
        scene.out(10 + number, 6, tcp(40_000, 80, 1 + number, 1, 0x10, b"?" * data), masked=None)


@pytest.mark.parametrize(("known", "basis"), [(True, Basis.STATED), (False, Basis.INFERRED)])
def test_what_is_told(tmp_path: Path, known: bool, basis: Basis) -> None:
    """All of them together; stated where the rules would translate what begins a connection."""
    scene = Scene(tmp_path, dumps=dumps() if known else {})
    _leak(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "2 packets of no known connection left as 172.17.0.2"
    assert (finding.severity, finding.basis) == (Severity.WARNING, basis)
    assert finding.explanation.endswith(" Of 172.17.0.2:40000 → 8.8.8.8:80.")
    assert [str(one) for one in finding.evidence] == ["wlan0 #3", "wlan0 #4"]


def test_the_last_words_of_a_connection_from_before(tmp_path: Path) -> None:
    """Without data, and without a beginning: nobody misses them."""
    scene = Scene(tmp_path, dumps=dumps())
    _leak(scene, data=0)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.INFO


def test_of_a_connection_that_is_translated(tmp_path: Path) -> None:
    """One reset that leaves as it is, after others of it were translated and answered."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12))
    scene.out(10, 6, tcp(40_000, 80, 2, 8, 0x10))
    scene.out(9000, 6, tcp(40_000, 80, 2, 0, 0x04), masked=None)

    assert scene.titles(HYPOTHESIS) == ["1 packet of no known connection left as 172.17.0.2"]
