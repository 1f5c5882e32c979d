"""Connections in which nothing is answered any more from one packet on: how often, after what, and to whom."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.goes_silent import causes
from analyzer.explain.hypothesis import Cause
from tests.build import tcp, udp
from tests.explain.scene import SERVER, Scene

SYN, SYN_ACK, ACK, PSH = 2, 0x12, 0x10, 0x18
PORT = 40_000


def _open(scene: Scene, sport: int = PORT, *, at: float = 0, dst: str = SERVER, answer: bool = True) -> None:
    """Open a connection, and ask, which is answered or only acknowledged."""
    scene.out(at, 6, tcp(sport, 80, 1, 0, SYN), dst=dst)
    scene.back(at + 10, 6, tcp(80, sport, 100, 2, SYN_ACK), src=dst)
    scene.out(at + 20, 6, tcp(sport, 80, 2, 101, PSH, b"first"), dst=dst)
    scene.back(at + 30, 6, tcp(80, sport, 101, 7, PSH if answer else ACK, b"answer" if answer else b""), src=dst)


def _try(
    scene: Scene,
    at: float,
    tries: int = 3,
    *,
    sport: int = PORT,
    dst: str = SERVER,
    size: int = 6,
    until: str = "wlan0",
) -> None:
    """Send the same segment so often."""
    for number in range(tries):
        scene.out(at + number * 250, 6, tcp(sport, 80, 7, 107, PSH, b"x" * size), dst=dst, until=until)


def _causes(scene: Scene) -> list[Cause]:
    for ms in (1, 60_000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="1.1.1.1")
    return list(causes(scene.case()))


def _kinds(scene: Scene) -> list[object]:
    return [cause.key[1] for cause in _causes(scene)]


@pytest.mark.parametrize(("tries", "kinds"), [(2, []), (3, ["midway"]), (4, ["midway"])])
def test_three_tries_are_enough(tmp_path: Path, tries: int, kinds: list[str]) -> None:
    """Two may both have been lost by chance."""
    scene = Scene(tmp_path)
    _open(scene)
    _try(scene, 100, tries)

    assert _kinds(scene) == kinds


@pytest.mark.parametrize(
    ("rest_ms", "answer", "kind"),
    [(2000, True, "rested"), (1900, True, "midway"), (1900, False, "opened"), (2000, False, "rested")],
)
def test_what_came_before_decides_of_what_kind_it_is(tmp_path: Path, rest_ms: float, answer: bool, kind: str) -> None:
    """A pause of two seconds and more, or else whether the other side ever sent data."""
    scene = Scene(tmp_path)
    _open(scene, answer=answer)
    _try(scene, 30.04 + rest_ms)

    assert _kinds(scene) == [kind]


@pytest.mark.parametrize(
    ("rest_ms", "size", "kinds"),
    [(100, 559, ["midway"]), (100, 560, []), (3000, 1000, ["rested"])],
    ids=["short-enough", "long", "long-after-a-rest"],
)
def test_what_is_long_may_be_too_long(tmp_path: Path, rest_ms: float, size: int, kinds: list[str]) -> None:
    """Only after a rest its length is no explanation; a packet of 600 bytes is long."""
    scene = Scene(tmp_path)
    _open(scene)
    _try(scene, 30 + rest_ms, size=size)

    assert _kinds(scene) == kinds


@pytest.mark.parametrize("answered", [True, False])
def test_any_sign_of_the_other_side_acquits(tmp_path: Path, answered: bool) -> None:
    """Later acknowledgements say that it is still there."""
    scene = Scene(tmp_path)
    _open(scene)
    _try(scene, 100)
    if answered:
        scene.back(2000, 6, tcp(80, PORT, 107, 7, ACK))

    assert len(_causes(scene)) == (not answered)


def test_who_never_said_anything_did_not_go_silent(tmp_path: Path) -> None:
    """Of a connection of which the beginning was not captured, nothing is known."""
    scene = Scene(tmp_path)
    _try(scene, 100)

    assert _causes(scene) == []


def test_what_is_lost_in_the_host_is_another_matter(tmp_path: Path) -> None:
    """Only what left is dropped beyond."""
    scene = Scene(tmp_path)
    _open(scene)
    _try(scene, 100, until="docker0")

    assert _causes(scene) == []


def test_handshakes_and_bare_acknowledgements_are_no_tries(tmp_path: Path) -> None:
    """They carry no data that anybody waits for."""
    scene = Scene(tmp_path)
    _open(scene)
    for number in range(4):
        scene.out(100 + number * 250, 6, tcp(PORT, 80, 7, 107, ACK | 1))

    assert _causes(scene) == []


def test_peers_and_kinds_are_told_apart_and_connections_counted(tmp_path: Path) -> None:
    """With the shortest and the longest pause, and every try."""
    scene = Scene(tmp_path)
    for number, (dst, rest) in enumerate(((SERVER, 3000), (SERVER, 5000), ("9.9.9.9", 3000), (SERVER, 100))):
        _open(scene, PORT + number, dst=dst, at=number)
        _try(scene, 30 + number + rest, sport=PORT + number, dst=dst)
    found = {cause.key: cause for cause in _causes(scene)}
    rested = found[SERVER, "rested"]
    facts = rested.told(list(rested.packets)).facts
    seconds = [round(facts[name].settled()) for name in ("least_s", "most_s")]  # type: ignore[union-attr, arg-type]

    assert {key: len(cause.packets) for key, cause in found.items()} == {
        (SERVER, "rested"): 6, ("9.9.9.9", "rested"): 3, (SERVER, "midway"): 3,
    }  # fmt: skip
    assert seconds == [3, 5]
    assert facts["count"].settled() == 2  # type: ignore[union-attr]
    assert (facts["peer"], facts["kind"], facts["where"]) == (SERVER, "rested", "wlan0")


@pytest.mark.parametrize(
    ("dst", "at", "alive"), [(SERVER, 9000, True), (SERVER, 0, False), ("9.9.9.9", 9000, False)],
    ids=["later", "before", "another-server"],
)  # fmt: skip
def test_who_answers_later_is_alive(tmp_path: Path, dst: str, at: float, alive: bool) -> None:
    """The same client at the same port of the same server, by another connection."""
    scene = Scene(tmp_path)
    _open(scene, PORT + 1, at=at, dst=dst)
    _open(scene, at=100)
    _try(scene, 3000)
    (cause,) = _causes(scene)

    assert cause.told(list(cause.packets)).facts["alive"].value is alive  # type: ignore[union-attr]
