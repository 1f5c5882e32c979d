"""Connections that conntrack forgot while they were silent: which timeout counts, and what must come after it."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.conntrack_timeout import STREAM, TCP, UDP, causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis
from tests.build import echo, tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps, rules

SYN, SYN_ACK, ACK = 2, 0x12, 0x10
PORT = 40_000
DROP = "-A FORWARD -m length --length 100: -j DROP\n"
"""What is long goes no further: that stands for what conntrack does not know any more."""


def _scene(folder: Path, **seconds: int) -> Scene:
    """Record a host with timeouts."""
    names = {"tcp": TCP, "udp": UDP, "stream": STREAM}
    lines = "".join(f"{names[name]} = {value}\n" for name, value in seconds.items())
    return Scene(folder, dumps=dumps(iptables_save=rules(forward=DROP), sysctl=f"net.ipv4.ip_forward = 1\n{lines}"))


def _open(scene: Scene, ms: float, sport: int = PORT) -> None:
    scene.out(ms, 6, tcp(sport, 80, 1, 0, SYN))
    scene.back(ms + 5, 6, tcp(80, sport, 7, 2, SYN_ACK))


def _in_vain(scene: Scene, ms: float, sport: int = PORT, *, seq: int = 2) -> None:
    """Let a segment come that goes no further than the bridge."""
    scene.out(ms, 6, tcp(sport, 80, seq, 8, ACK, b"x" * 100), until="docker0")


def _causes(scene: Scene) -> list[Cause]:
    scene.out(60_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    return list(causes(scene.case()))


@pytest.mark.parametrize(
    ("pause_ms", "timeout", "told"),
    [(2001, 2, True), (2000, 2, True), (1999, 2, False), (2001, 3, False)],
    ids=["longer", "just-as-long", "shorter", "longer-timeout"],
)
def test_a_pause_as_long_as_the_timeout_is_too_long(tmp_path: Path, pause_ms: float, timeout: int, told: bool) -> None:
    """The last packet before it counts, whoever sent it."""
    scene = _scene(tmp_path, tcp=timeout)
    _open(scene, 0)
    late = scene.points["wlan0"][-1][0] - scene.points["veth-c2"][0][0]
    _in_vain(scene, late / 1e6 + pause_ms)
    found = _causes(scene)

    assert [(list(cause.packets), cause.basis, cause.key) for cause in found] == [
        ([2], Basis.STATED, (None, TCP))
    ] * told  # fmt: skip


def test_nothing_is_told_where_no_answer_ever_came(tmp_path: Path) -> None:
    """A connection that was never answered was not forgotten."""
    scene = _scene(tmp_path, tcp=2)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    _in_vain(scene, 5000)

    assert _causes(scene) == []


@pytest.mark.parametrize(("answer_ms", "told"), [(5005, []), (5600, [2, 3])], ids=["before", "after"])
def test_an_answer_that_got_through_first_acquits(tmp_path: Path, answer_ms: float, told: list[int]) -> None:
    """Then conntrack knew the connection, still or again."""
    scene = _scene(tmp_path, tcp=2)
    _open(scene, 0)
    if not told:
        scene.out(5000, 6, tcp(PORT, 80, 2, 8, ACK, b"short"))
    scene.back(answer_ms, 6, tcp(80, PORT, 8, 7, ACK, b"answer"))
    _in_vain(scene, 5010, seq=7)
    _in_vain(scene, 5500, seq=107)

    assert [packet for cause in _causes(scene) for packet in cause.packets] == told


def test_what_failed_before_the_pause_has_another_cause(tmp_path: Path) -> None:
    """Only what came after the first pause that was too long is told."""
    scene = _scene(tmp_path, tcp=2)
    _open(scene, 0)
    _in_vain(scene, 100)
    _in_vain(scene, 5000, seq=102)
    _in_vain(scene, 8000, seq=202)
    (cause,) = _causes(scene)

    assert list(cause.packets) == [3, 4]
    assert round(cause.told([3]).facts["pause_s"].settled()) == 5  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize(
    ("answered", "timeouts", "setting"),
    [
        (True, {"udp": 9, "stream": 2}, STREAM),
        (True, {"udp": 2, "stream": 9}, None),
        (False, {"udp": 2, "stream": 9}, UDP),
        (False, {"udp": 9, "stream": 2}, None),
    ],
    ids=["used-by-both", "used-by-both-and-known", "used-by-one", "used-by-one-and-known"],
)
def test_datagrams_are_remembered_longer_where_both_sides_spoke(
    tmp_path: Path, answered: bool, timeouts: dict[str, int], setting: str | None
) -> None:
    """What was said before the pause decides which of two timeouts counts."""
    scene = _scene(tmp_path, **timeouts)
    scene.out(0, 17, udp(PORT, 7, b"ask"))
    scene.out(10, 17, udp(PORT, 7, b"again"))
    if answered:
        scene.back(20, 17, udp(7, PORT, b"tell"))
    scene.back(5000, 17, udp(7, PORT, b"x" * 100), until="wlan0")

    assert [cause.key for cause in _causes(scene)] == [(None, setting)] * (setting is not None)


def test_other_protocols_have_no_timeout_here(tmp_path: Path) -> None:
    """Pings are remembered by another setting."""
    scene = _scene(tmp_path, tcp=2, udp=2, stream=2)
    scene.out(0, 1, echo(8, 7, 1))
    scene.back(5, 1, echo(0, 7, 1))
    scene.out(5000, 1, echo(8, 7, 2, b"x" * 100), until="docker0")

    assert _causes(scene) == []


def test_connections_of_one_protocol_are_told_together(tmp_path: Path) -> None:
    """With the longest of their pauses, and the line that says how long conntrack remembers."""
    scene = _scene(tmp_path, tcp=2)
    for number, pause in enumerate((3000, 5000, 4000)):
        _open(scene, number * 10, PORT + number)
        _in_vain(scene, number * 10 + 5 + pause, PORT + number)
    (cause,) = _causes(scene)
    told = cause.told(list(cause.packets))

    assert list(cause.packets) == [6, 7, 8]
    assert (told.facts["setting"], told.facts["timeout_s"]) == (TCP, 2)
    assert round(told.facts["pause_s"].settled()) == 5  # type: ignore[union-attr, arg-type]
    assert told.proof == (f"sysctl.txt: {TCP} = 2",)
