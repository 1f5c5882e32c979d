"""Containers that ended while somebody talked to them: what was in vain because of that, and what was not."""

import json
from pathlib import Path

import pytest

from analyzer.explain.hypotheses.container_ended import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis, Severity
from tests.build import C1, C2, T0, arp, ether, tcp, udp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps

SYN, SYN_ACK, ACK, PSH, RST = 2, 0x12, 0x10, 0x18, 4
PORT, WEB = 40_000, "172.17.0.3"
ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
BEFORE = [container("c2", INSIDE, C1), container("web", WEB, C2)]
END, BACK = 500, 2500
"""When it ends, and when it is back, in ms."""


def _event(kind: str, action: str, ms: float, **told: str) -> str:
    return json.dumps({"Type": kind, "Action": action, "Actor": {"Attributes": told}, "timeNano": T0 + int(ms * 1e6)})


DIES = _event("container", "die", END, name="web", exitCode="137")
STARTS = _event("container", "start", BACK, name="web")


def _scene(folder: Path, *events: str, after: list[object] | None = None) -> Scene:
    """Record a host whose container ends; *after* are the containers that are there when it is over."""
    files = dumps(docker_inspect=BEFORE[:1] if after is None else after)
    (folder / "docker-events.json").write_text("\n".join(events))
    return Scene(folder, dumps=files | {"before/docker-inspect.json": BEFORE})


def _to(scene: Scene, ms: float, body: bytes, proto: int = 6) -> None:
    """Let the other container send."""
    scene.ident += 1
    scene.see("veth-c2", ms, frame(C1, C2, packet(INSIDE, WEB, proto, body, ident=scene.ident)))


def _from(scene: Scene, ms: float, body: bytes, proto: int = 6) -> None:
    """Let the container that ends send."""
    scene.ident += 1
    scene.see("veth-c2", ms, frame(C2, C1, packet(WEB, INSIDE, proto, body, ident=scene.ident)))


def _open(scene: Scene, ms: float = 0, sport: int = PORT) -> None:
    _to(scene, ms, tcp(sport, 80, 1, 0, SYN))
    _from(scene, ms + 1, tcp(80, sport, 100, 2, SYN_ACK))
    _to(scene, ms + 2, tcp(sport, 80, 2, 101, PSH, b"one"))
    _from(scene, ms + 3, tcp(80, sport, 101, 5, PSH, b"two"))


def _again(scene: Scene, *times: float, sport: int = PORT, seq: int = 5) -> None:
    """Send the same segment at these times."""
    for ms in times:
        _to(scene, ms, tcp(sport, 80, seq, 104, PSH, b"three"))


def _causes(scene: Scene) -> list[Cause]:
    scene.see("veth-c2", 20_000, frame(C1, C2, packet(INSIDE, "172.17.0.9", 17, udp(7, 7, b"x"), ident=999)))
    return list(causes(scene.case()))


def _packets(scene: Scene) -> list[int]:
    return [packet for cause in _causes(scene) for packet in cause.packets]


def test_what_was_sent_after_its_end_was_in_vain(tmp_path: Path) -> None:
    """Every try, but nothing of before."""
    scene = _scene(tmp_path, DIES)
    _open(scene)
    _again(scene, END - 100, END, 900, 1700)
    (cause,) = _causes(scene)

    assert list(cause.packets) == [5, 6, 7]
    assert (cause.basis, cause.key) == (Basis.STATED, (None, "web", "bridge"))


@pytest.mark.parametrize(("flags", "told"), [(ACK, []), (RST, [4, 5])], ids=["acknowledges", "resets"])
def test_whoever_still_answers_has_not_ended(tmp_path: Path, flags: int, told: list[int]) -> None:
    """A connection in which it sent anything more goes on; a RST says only that nobody knows it."""
    scene = _scene(tmp_path, DIES)
    _open(scene)
    _again(scene, 600)
    _from(scene, 2000, tcp(80, PORT, 104, 10 if flags == ACK else 0, flags))

    assert _packets(scene) == told


def test_what_nobody_misses_is_not_told(tmp_path: Path) -> None:
    """A last acknowledgement, of which nothing was sent again and nothing refused."""
    scene = _scene(tmp_path, DIES)
    _open(scene)
    _to(scene, 600, tcp(PORT, 80, 5, 104, ACK))

    assert _packets(scene) == []


def test_a_datagram_is_missed_where_others_were_answered(tmp_path: Path) -> None:
    """It got no further than the bridge, though nothing was sent again or refused."""
    scene = _scene(tmp_path, DIES)
    for ms in (0, 100):
        _to(scene, ms, udp(PORT, 7, b"ask%d" % ms), 17)
        _from(scene, ms + 1, udp(7, PORT, b"tell%d" % ms), 17)
    scene.points["veth-web"] += [(time + 1000, data) for time, data in scene.points["veth-c2"]]
    _to(scene, 600, udp(PORT, 7, b"ask again"), 17)
    scene.recorded(20_000)

    assert _packets(scene) == [4]


def test_a_datagram_that_nobody_ever_answered_was_in_vain(tmp_path: Path) -> None:
    """It needs no second try."""
    scene = _scene(tmp_path, DIES)
    _to(scene, 600, udp(PORT, 7, b"ask"), 17)
    _to(scene, 700, udp(PORT + 1, 7, b"ask"), 17)

    assert _packets(scene) == [0, 1]


def test_one_that_is_back_does_not_know_what_began_before(tmp_path: Path) -> None:
    """A connection of before fails after its return as well; what begins anew has another trouble."""
    scene = _scene(tmp_path, DIES, STARTS, after=BEFORE)
    _open(scene)
    _again(scene, BACK + 500, BACK + 900)
    _to(scene, BACK - 100, udp(PORT, 7, b"ask"), 17)
    _to(scene, BACK, udp(PORT + 1, 7, b"ask"), 17)

    assert _packets(scene) == [4, 6, 7]


@pytest.mark.parametrize(("ms", "answered", "told"), [(600, False, [0]), (300, False, []), (600, True, [])])
def test_who_asks_for_its_mac_in_vain(tmp_path: Path, ms: float, answered: bool, told: list[int]) -> None:
    """After its end nobody answers for its address."""
    scene = _scene(tmp_path, DIES)
    scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, WEB), 0x0806))
    if answered:
        scene.see("veth-c2", ms + 1, ether(C2, C1, arp(2, C2, WEB, C1, INSIDE), 0x0806))

    assert _packets(scene) == told


@pytest.mark.parametrize(
    ("event", "after", "facts", "proof"),
    [
        (DIES, BEFORE[:1], {"how": "removed", "exit_code": 137}, "web die 137"),
        (DIES, BEFORE, {"how": "restarted", "exit_code": 137}, "web die 137"),
        (_event("container", "die", END, name="web"), BEFORE[:1], {"how": "removed"}, "web die"),
        (
            _event("network", "disconnect", END, name="bridge"),
            [*BEFORE[:1], container("web", "10.0.0.3", C2, "other")],
            {"how": "disconnected"},
            "web disconnect",
        ),
    ],
    ids=["removed", "restarted", "without-code", "disconnected"],
)
def test_how_it_ended_is_told(
    tmp_path: Path, event: str, after: list[object], facts: dict[str, object], proof: str
) -> None:
    """With its exit code where Docker tells one, and Docker's event as the proof."""
    scene = _scene(tmp_path, event, after=after)
    _open(scene)
    _again(scene, 600, 900)
    (cause,) = _causes(scene)
    told = cause.told(list(cause.packets))

    assert told.facts == {"container": "web", "network": "bridge"} | facts
    assert told.proof == (f"docker-events.json: {proof}",)
    assert told.severity is Severity.ERROR
