"""Long packets that vanish without a word: what is told of them."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import GATEWAY, UPLINK, echo, udp
from tests.explain.scene import HOST, SERVER, Scene, frame, packet
from tests.explain.state import dumps, links

HYPOTHESIS = "mtu-blackhole"


def _pings(scene: Scene) -> None:
    """Let short pings be answered, and three long ones of two lengths not."""
    for number, size in enumerate((84, 1400, 1300, 1400)):
        scene.out(number * 100, 1, echo(8, 7, number, b"p" * (size - 28)))
    scene.back(5, 1, echo(0, 7, 0, b"p" * 56))
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 17, udp(1, 2, b"x"))))


def test_what_is_told(tmp_path: Path) -> None:
    """The shortest that vanishes, where it was seen last, and the longest that arrives."""
    scene = Scene(tmp_path)
    _pings(scene)
    found = scene.findings()
    (finding,) = (one for one in found if one.check == HYPOTHESIS)

    assert finding.detail == "packets of 1300 bytes and more vanish behind wlan0, up to 84 bytes were answered"
    assert (finding.severity, finding.basis) == (Severity.ERROR, Basis.INFERRED)
    assert finding.explanation.startswith("3 packets got no answer, however often they were sent, and no ICMP error ")
    assert finding.explanation.endswith(" Of 172.17.0.2 → 8.8.8.8 id 7.")
    assert [str(one) for one in finding.evidence] == ["wlan0 #3", "wlan0 #4", "wlan0 #5"]
    assert {one.check for one in found} == {HYPOTHESIS}


@pytest.mark.parametrize(("mtu", "narrow"), [(1299, True), (1300, False), (1500, False), (None, False)])
def test_an_interface_that_takes_less(tmp_path: Path, mtu: int | None, narrow: bool) -> None:
    """Is the proof, where a dump has it."""
    made = links()
    made[0].pop("mtu")
    if mtu is not None:
        made[0]["mtu"] = mtu
    scene = Scene(tmp_path, dumps=dumps(ip_addr=made))
    _pings(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.proof == ((f"ip-addr.json: wlan0 mtu {mtu}",) if narrow else ())


def test_of_no_container_it_is_a_warning(tmp_path: Path) -> None:
    """The host's own pings."""
    scene = Scene(tmp_path)
    for number, size in enumerate((84, 1400, 1400)):
        asked = packet(HOST, SERVER, 1, echo(8, 7, number, b"p" * (size - 28)), ident=number + 1)
        scene.see("wlan0", number * 100, frame(UPLINK, GATEWAY, asked))
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 1, echo(0, 7, 0, b"p" * 56), ident=9)))
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 17, udp(1, 2, b"x"))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING
