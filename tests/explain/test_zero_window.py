"""Receivers that take no more data: for how long, until what, and who."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet

HYPOTHESIS = "zero-window"
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


def _window(scene: Scene, ms: float, size: int, *, flags: int = ACK, back: bool = True, sport: int = 40_000,
            ack: int = 100) -> None:  # fmt: skip
    """Let one end announce a window."""
    ports = (80, sport) if back else (sport, 80)
    data = bytearray(tcp(*ports, 500 if back else 100, ack if back else 500, flags))
    data[14:16] = size.to_bytes(2, "big")
    (scene.back if back else scene.out)(ms, 6, bytes(data))


def _until(scene: Scene, ms: float) -> None:
    scene.see("veth-c2", ms, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(1, 2, b"x"))))


@pytest.mark.parametrize(
    ("windows", "until_ms", "seconds"),
    [
        ([(0, 0), (100, 500)], 9000, "0.1"),
        ([(0, 0), (99.9, 500)], 9000, ""),
        ([(0, 0), (2000, 500)], 9000, "2.0"),
        ([(0, 0)], 3000, "3.0"),
        ([(0, 0), (200, 0), (400, 0), (1000, 1)], 9000, "1.0"),
        ([(0, 0), (200, 500), (1000, 0), (1500, 500)], 9000, "0.5"),
        ([(0, 0), (50, 500), (1000, 0), (1050, 500)], 9000, ""),
        ([(0, 500), (200, 500)], 9000, ""),
    ],
    ids=["a-tenth", "less", "long", "to-the-end", "probed", "twice", "twice-short", "open"],
)
def test_until_it_opens(tmp_path: Path, windows: list[tuple[float, int]], until_ms: float, seconds: str) -> None:
    """A tenth of a second and more, from the first window of zero to the next other one, or the captures' end."""
    scene = Scene(tmp_path)
    for ms, size in windows:
        _window(scene, ms, size)
    _until(scene, until_ms)

    assert scene.titles(HYPOTHESIS) == ([f"8.8.8.8 takes no more data: window 0 for {seconds} s"] if seconds else [])


@pytest.mark.parametrize("flags", [RST, RST | ACK, SYN | ACK, FIN | ACK])
def test_what_opens_or_ends_a_connection_has_no_window(tmp_path: Path, flags: int) -> None:
    """Zero means nothing there."""
    scene = Scene(tmp_path)
    _window(scene, 0, 0, flags=flags)
    _until(scene, 9000)

    assert scene.titles(HYPOTHESIS) == []


@pytest.mark.parametrize(
    ("flags", "back", "seconds"),
    [(RST, False, "0.4"), (FIN | ACK, False, "0.4"), (RST, True, "0.4"), (FIN | ACK, True, "0.4"), (ACK, False, "9.0")],
    ids=["peer-resets", "peer-closes", "resets", "closes", "peer-goes-on"],
)
def test_an_end_closes_the_matter(tmp_path: Path, flags: int, back: bool, seconds: str) -> None:
    """Of either side; what the peer says otherwise does not open the window."""
    scene = Scene(tmp_path)
    _window(scene, 0, 0)
    _window(scene, 400, 500, flags=flags, back=back)
    _until(scene, 9000)

    assert scene.titles(HYPOTHESIS) == [f"8.8.8.8 takes no more data: window 0 for {seconds} s"]


def test_by_sender(tmp_path: Path) -> None:
    """All its connections together, the longest is told; short ones are left out."""
    scene = Scene(tmp_path)
    for sport, ms in ((40_000, 300), (40_001, 700), (40_002, 50)):
        _window(scene, 0, 0, sport=sport)
        _window(scene, ms, 500, sport=sport)
    _window(scene, 0, 0, back=False, sport=40_003)
    _window(scene, 500, 500, back=False, sport=40_003)
    outside, inside = sorted(scene.findings(HYPOTHESIS), key=lambda finding: finding.detail, reverse=True)

    assert inside.detail == "172.17.0.2 takes no more data: window 0 for 0.5 s"
    assert outside.detail == "8.8.8.8 takes no more data: window 0 for 0.7 s"
    assert outside.severity is Severity.INFO  # they opened again
    assert outside.explanation.endswith("Of 172.17.0.2:40000 → 8.8.8.8:80, 172.17.0.2:40001 → 8.8.8.8:80.")
    assert len(outside.evidence) == 2


def test_datagrams_have_no_window(tmp_path: Path) -> None:
    """Their columns hold zero."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(40_000, 7777, b"ask"))
    scene.back(500, 17, udp(7777, 40_000, b"tell"), src=SERVER)

    assert scene.titles(HYPOTHESIS) == []
