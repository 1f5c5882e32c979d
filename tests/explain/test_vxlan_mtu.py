"""Long packets of an overlay network that vanish."""

from pathlib import Path

from tests.build import BRIDGE, C1, echo, udp
from tests.explain.scene import Scene, frame, packet

HYPOTHESIS = "vxlan-mtu"


def test_flows_of_an_overlay(tmp_path: Path) -> None:
    """Have a check of their own, with another remedy."""
    scene = Scene(tmp_path)
    for number, size in enumerate((84, 1400, 1400)):
        asked = packet("10.0.0.2", "10.0.0.3", 1, echo(8, 7, number, b"p" * (size - 28)), ident=number + 1)
        scene.see("vxlan0", number * 100, frame(C1, BRIDGE, asked))
    told = packet("10.0.0.3", "10.0.0.2", 1, echo(0, 7, 0, b"p" * 56), ident=99)
    scene.see("vxlan0", 5, frame(BRIDGE, C1, told))
    scene.see("vxlan0", 9000, frame(C1, BRIDGE, packet("10.0.0.2", "10.0.0.9", 17, udp(1, 2, b"x"))))
    found = [one for one in scene.findings() if one.check in (HYPOTHESIS, "mtu-blackhole")]

    assert [(one.check, one.detail) for one in found] == [
        (HYPOTHESIS, "packets of 1400 bytes and more vanish behind vxlan0, up to 84 bytes were answered")
    ]
    assert found[0].remedy.startswith(
        "Create the network anew with --opt com.docker.network.driver.mtu=N, 50 less than "
    )
