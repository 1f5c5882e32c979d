"""Resets that the host itself sent in containers' connections."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, SERVER, Scene, frame, packet
from tests.explain.state import dumps

HYPOTHESIS = "conntrack-invalid-reset"
ACK, PSH, RST = 0x10, 0x18, 0x04
TIMEOUT = "net.netfilter.nf_conntrack_tcp_timeout_established"
STATS = "cpu=0 found=0 invalid={count}\n"


def _reset(scene: Scene, idle_s: float = 1, *, src: str = HOST, flags: int = RST, count: int = 1) -> None:
    """Let an answer come after so many seconds of silence, which is not translated back, and be reset."""
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12))
    scene.out(10, 6, tcp(40_000, 80, 2, 8, ACK))
    ms = 10 + idle_s * 1000
    for number in range(count):
        scene.back(ms + number * 10, 6, tcp(80, 40_000, 8 + number, 2, PSH, b"late"), until="wlan0")
        scene.ident += 1
        data = packet(src, SERVER, 6, tcp(40_000, 80, 2, 0, flags), ident=scene.ident)
        scene.see("wlan0", ms + number * 10 + 1, frame(UPLINK, GATEWAY, data))


@pytest.mark.parametrize(
    ("fields", "told"),
    [({}, True), ({"flags": RST | ACK}, True), ({"flags": ACK}, False), ({"src": "192.168.1.99"}, False)],
    ids=["reset", "reset-ack", "no-reset", "somebody-else"],
)
def test_resets_that_begin_at_the_uplink(tmp_path: Path, fields: dict[str, object], told: bool) -> None:
    """From the address that the connection was translated to."""
    scene = Scene(tmp_path)
    _reset(scene, **fields)  # type: ignore[arg-type]

    assert scene.titles(HYPOTHESIS) == ["1 RST sent by the host itself at wlan0, in containers' connections"] * told


def test_resets_of_the_container(tmp_path: Path) -> None:
    """Come from further in, and are its own."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12))
    scene.out(10, 6, tcp(40_000, 80, 2, 0, RST))

    assert scene.titles(HYPOTHESIS) == []


@pytest.mark.parametrize(
    ("idle_s", "timeout", "forgotten"),
    [(300, "300", True), (299.5, "300", False), (432_000, None, True), (431_999, None, False)],
)
def test_a_connection_that_conntrack_had_forgotten(
    tmp_path: Path, idle_s: float, timeout: str | None, forgotten: bool
) -> None:
    """After the silence that the sysctl allows, five days where nobody says."""
    sysctl = f"{TIMEOUT} = {timeout}\n" if timeout else "net.ipv4.ip_forward = 1\n"
    scene = Scene(tmp_path, dumps=dumps(sysctl=sysctl))
    _reset(scene, idle_s)
    (finding,) = scene.findings(HYPOTHESIS)

    assert (f"An answer came after {idle_s:.0f} s of silence, when conntrack had forgotten" in finding.explanation) is (
        forgotten
    )
    assert finding.remedy.startswith(f"TCP keepalive, more often than {TIMEOUT} says") is forgotten
    assert finding.remedy.startswith("iptables -I INPUT -m conntrack --ctstate INVALID -j DROP") is not forgotten


@pytest.mark.parametrize(
    ("went", "idle_s", "basis", "proof"),
    [
        (None, 1, Basis.INFERRED, ()),
        (0, 1, Basis.INFERRED, ()),
        (2, 1, Basis.STATED, ("conntrack-stats.txt: invalid went up by 2",)),
        (2, 432_000, Basis.INFERRED, ()),
    ],
)
def test_what_conntrack_counted(
    tmp_path: Path, went: int | None, idle_s: float, basis: Basis, proof: tuple[str, ...]
) -> None:
    """INVALID ones state it; what was forgotten is none."""
    scene = Scene(tmp_path, dumps=dumps())
    if went is not None:
        scene.dumps |= {"before/conntrack-stats.txt": STATS.format(count=5),
                        "conntrack-stats.txt": STATS.format(count=5 + went)}  # fmt: skip
    _reset(scene, idle_s, count=2)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "2 RSTs sent by the host itself at wlan0, in containers' connections"
    assert (finding.severity, finding.basis, finding.proof) == (Severity.ERROR, basis, proof)
    assert finding.explanation.endswith(" Of 172.17.0.2:40000 → 8.8.8.8:80.")
    assert len(finding.evidence) == 2
