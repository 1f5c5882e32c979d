"""Containers that are paused: what came to them, and what shows that they ran after all."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.container_frozen import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis
from tests.build import C1, C2, tcp, udp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps

SYN, SYN_ACK, ACK, PSH = 2, 0x12, 0x10, 0x18
PORT, WEB = 40_000, "172.17.0.3"


def _scene(folder: Path, status: str = "paused", name: str = "web") -> Scene:
    """Record a host with two containers, the second one in some state."""
    known = [container("c2", INSIDE, C1), container(name, WEB, C2)]
    known[1]["State"] = {"Status": status}  # type: ignore[index]
    return Scene(folder, dumps=dumps(docker_inspect=known))


def _send(scene: Scene, ms: float, body: bytes, *, to_web: bool = True, proto: int = 6) -> None:
    scene.ident += 1
    macs, ends = ((C1, C2), (INSIDE, WEB)) if to_web else ((C2, C1), (WEB, INSIDE))
    scene.see("veth-c2", ms, frame(*macs, packet(*ends, proto, body, ident=scene.ident)))


def _talk(scene: Scene, sport: int = PORT, *, at: float = 0, answer: bytes = b"", opens: bool = True) -> None:
    """Open a connection to the second container, or from it, and send data, which the other side may answer."""
    ports, back = ((sport, 80), (80, sport))
    _send(scene, at, tcp(*ports, 1, 0, SYN), to_web=opens)
    _send(scene, at + 1, tcp(*back, 7, 2, SYN_ACK), to_web=not opens)
    _send(scene, at + 2, tcp(*ports, 2, 8, PSH, b"ask"), to_web=opens)
    _send(scene, at + 3, tcp(*back, 8, 5, PSH if answer else ACK, answer), to_web=not opens)


def _causes(scene: Scene) -> list[Cause]:
    return list(causes(scene.case()))


@pytest.mark.parametrize(("status", "told"), [("paused", True), ("running", False), ("exited", False)])
def test_only_a_paused_container_is_accused(tmp_path: Path, status: str, told: bool) -> None:
    """The packets that came to it are explained, not those of its kernel."""
    scene = _scene(tmp_path, status)
    _talk(scene)

    assert [(list(cause.packets), cause.basis, cause.key) for cause in _causes(scene)] == [
        ([0, 2], Basis.STATED, (None, "web"))
    ] * told  # fmt: skip


def test_a_connection_in_which_it_sent_data_is_none_of_it(tmp_path: Path) -> None:
    """It was paused later; another connection, without data from it, is told all the same."""
    scene = _scene(tmp_path)
    _talk(scene, answer=b"tell")
    _talk(scene, PORT + 1, at=100)

    assert [list(cause.packets) for cause in _causes(scene)] == [[4, 6]]


def test_who_sent_data_in_every_connection_was_not_paused(tmp_path: Path) -> None:
    """Nothing is left to be told."""
    scene = _scene(tmp_path)
    _talk(scene, answer=b"tell")

    assert _causes(scene) == []


def test_what_it_asked_itself_is_not_told(tmp_path: Path) -> None:
    """In a connection that it opened, nobody waits for it as a server."""
    scene = _scene(tmp_path)
    _talk(scene, opens=False)

    assert _causes(scene) == []


def test_datagrams_say_nothing(tmp_path: Path) -> None:
    """Whoever gets one need not answer, so silence is no sign."""
    scene = _scene(tmp_path)
    _send(scene, 0, udp(PORT, 7, b"ask"), proto=17)

    assert _causes(scene) == []


@pytest.mark.parametrize(("name", "quoted"), [("web", "web"), ("my web", "'my web'")])
def test_the_remedy_wakes_just_that_container(tmp_path: Path, name: str, quoted: str) -> None:
    """Its name is written so that a shell takes it as one word; Docker's own word is the proof."""
    scene = _scene(tmp_path, name=name)
    _talk(scene)
    (cause,) = _causes(scene)
    told = cause.told(list(cause.packets))

    assert told.facts == {"container": name, "commands": [f"docker unpause {quoted}"]}
    assert told.proof == (f"docker-inspect.json: {name} paused",)
