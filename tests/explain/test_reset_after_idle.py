"""Connections that were silent for a while, and whose next request a RST answers."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import tcp
from tests.explain.scene import SERVER, Scene

HYPOTHESIS = "reset-after-idle"
FIN, SYN, RST, ACK, PSH = 0x01, 0x02, 0x04, 0x10, 0x18
PORT = 40_000


def _rested(scene: Scene, sport: int = PORT, *, at: float = 0, rest: float = 3000, served: bool = True,
            between: bool = False, ttl: int = 54, server: str = SERVER, back: bool = True) -> None:  # fmt: skip
    """Ask and be answered, rest, ask again, and be reset."""
    scene.out(at, 6, tcp(sport, 80, 1, 0, SYN), dst=server)
    scene.back(at + 10, 6, tcp(80, sport, 100, 2, SYN | ACK), src=server)
    scene.out(at + 20, 6, tcp(sport, 80, 2, 101, PSH, payload=b"first"), dst=server)
    if served:
        scene.back(at + 30, 6, tcp(80, sport, 101, 7, PSH, payload=b"answer"), src=server)
    again = at + (30 if served else 20) + rest
    scene.out(again, 6, tcp(sport, 80, 7, 107, PSH, payload=b"second"), dst=server)
    if between:
        scene.back(again + 5, 6, tcp(80, sport, 107, 13, PSH, payload=b"answer"), src=server)
    if back:
        scene.back(again + 10, 6, tcp(80, sport, 107 + 6 * between, 0, RST), src=server, ttl=ttl)
    else:
        scene.out(again + 10, 6, tcp(sport, 80, 13, 0, RST), dst=server)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rest": 900}, True),
        ({"rest": 899}, False),
        ({"served": False}, False),
        ({"between": True}, False),
        ({"back": False}, False),
    ],
    ids=["long-enough", "no-rest", "never-served", "answered-again", "the-client-resets"],
)
def test_only_the_first_request_after_a_rest_counts(tmp_path: Path, options: dict[str, float], told: bool) -> None:
    """In a connection that had served its client, and that says nothing to it but the RST of its server."""
    scene = Scene(tmp_path)
    _rested(scene, **options)  # type: ignore[arg-type]
    found = scene.findings(HYPOTHESIS)

    assert [(one.facts["server"], one.facts["resets"]) for one in found] == [(SERVER, 1)] * told
    assert all([str(frame) for frame in one.evidence] == ["veth-c2 #5", "wlan0 #6"] for one in found)


def test_the_shortest_and_the_longest_rest_are_told(tmp_path: Path) -> None:
    """Of all connections to a server; another server is told by itself."""
    scene = Scene(tmp_path)
    for number, rest in enumerate((2000, 5000, 3000)):
        _rested(scene, PORT + number, at=100 * number, rest=rest)
    _rested(scene, PORT + 9, rest=1000, server="9.9.9.9")
    found = {one.facts["server"]: one.facts for one in scene.findings(HYPOTHESIS)}

    assert {server: (facts["resets"], facts["least_s"], facts["most_s"]) for server, facts in found.items()} == {
        SERVER: (3, 2.0, 5.0), "9.9.9.9": (1, 1.0, 1.0),
    }  # fmt: skip


@pytest.mark.parametrize(("ttl", "same"), [(54, True), (64, False)], ids=["its-own", "somebody-else's"])
def test_the_ttl_tells_who_had_forgotten_it(tmp_path: Path, ttl: int, same: bool) -> None:
    """A RST that comes another way than all else was sent by something between."""
    scene = Scene(tmp_path)
    _rested(scene, ttl=ttl)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["same_ttl"] is same


@pytest.mark.parametrize(("count", "closed"), [(2, True), (1, False), (0, False)], ids=["all", "one-of-two", "none"])
def test_a_server_that_had_closed_first_is_told_so(tmp_path: Path, count: int, closed: bool) -> None:
    """If it did that with all of them."""
    scene = Scene(tmp_path)
    for number in range(2):
        _rested(scene, PORT + number)
        if number < count:
            scene.back(100, 6, tcp(80, PORT + number, 107, 7, FIN | ACK))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["closed"] is closed


@pytest.mark.parametrize(
    ("at", "dport", "granted", "severity"),
    [
        (4000, 80, True, Severity.WARNING),
        (4000, 81, True, Severity.ERROR),
        (4000, 80, False, Severity.ERROR),
        (-1000, 80, True, Severity.ERROR),
        (None, 80, True, Severity.ERROR),
    ],
    ids=["got-through", "another-port", "in-vain", "before", "not-at-all"],
)
def test_whoever_tried_again_and_got_through_is_less_hurt(
    tmp_path: Path, at: float | None, dport: int, granted: bool, severity: Severity
) -> None:
    """With a new connection to the same port, afterwards."""
    scene = Scene(tmp_path)
    _rested(scene)
    if at is not None:
        scene.out(at, 6, tcp(PORT + 1, dport, 1, 0, SYN))
        if granted:
            scene.back(at + 10, 6, tcp(dport, PORT + 1, 9, 2, SYN | ACK))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is severity
    assert finding.facts["tried_again"] is (severity is Severity.WARNING)
