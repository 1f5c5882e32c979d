"""Docker's own name server."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import tcp, udp
from tests.explain.dns import message
from tests.explain.scene import INSIDE, Scene, frame, packet

HYPOTHESIS = "embedded-dns-failed"
EMBEDDED = "127.0.0.11"
MAC = "00:00:00:00:00:00"


def _ask(scene: Scene, ms: float, number: int, outcome: int | None, *, server: str = EMBEDDED) -> None:
    """Let a container ask by its loopback, and be answered if there is an outcome."""
    asked = udp(30_000 + number, 53, message(number, f"{number}.example"))
    scene.see("lo", ms, frame(MAC, MAC, packet(INSIDE, server, 17, asked, ident=2 * number)))
    if outcome is not None:
        told = udp(53, 30_000 + number, message(number, f"{number}.example", "A", outcome))
        scene.see("lo", ms + 5, frame(MAC, MAC, packet(server, INSIDE, 17, told, ident=2 * number + 1)))


@pytest.mark.parametrize(
    ("outcomes", "title", "evidence"),
    [
        ([0], None, []),
        ([3], None, []),
        ([2], "Docker's name server failed 1 question", ["lo #2"]),
        ([None], "Docker's name server failed 1 question", ["lo #1"]),
        ([0, None, 5, 2], "Docker's name server failed 3 questions", ["lo #3", "lo #5", "lo #7"]),
    ],
    ids=["answered", "no-such-name", "failed", "silent", "several"],
)
def test_what_it_failed(tmp_path: Path, outcomes: list[int | None], title: str | None, evidence: list[str]) -> None:
    """Its failures and what it left open; a name that is not there is none."""
    scene = Scene(tmp_path)
    for number, outcome in enumerate(outcomes, 1):
        _ask(scene, number * 10, number, outcome)
    scene.see("lo", 9000, frame(MAC, MAC, packet(INSIDE, INSIDE, 6, tcp(1, 2, 3, 0, 2))))
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == ([title] if title else [])
    for finding in found:
        assert finding.severity is Severity.ERROR
        assert [str(one) for one in finding.evidence] == evidence


def test_other_servers_are_other_checks(tmp_path: Path) -> None:
    """Whatever they fail."""
    scene = Scene(tmp_path)
    _ask(scene, 10, 1, 2, server="8.8.8.8")
    _ask(scene, 20, 2, None, server="8.8.8.8")
    scene.see("lo", 9000, frame(MAC, MAC, packet(INSIDE, INSIDE, 6, tcp(1, 2, 3, 0, 2))))

    assert scene.titles(HYPOTHESIS) == []
