"""Pings that came to a container, and that it did not answer."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Finding
from tests.build import BRIDGE, C1, C2, echo, udp
from tests.explain.scene import INSIDE, INSIDE6, SERVER, Scene, frame, packet
from tests.explain.state import dumps

HYPOTHESIS = "ping-unanswered"
WEB, WEB6 = "172.17.0.3", "fd00:17::3"
IGNORES = "net.ipv4.icmp_echo_ignore_all"


def _scene(folder: Path, sysctl: str | None = None) -> Scene:
    """Return a host; *sysctl* is what is set in web, None where nobody looked into it."""
    six = {"bridge": {"IPAddress": WEB, "GlobalIPv6Address": WEB6, "MacAddress": C2}}
    files = dumps()
    files["docker-inspect.json"][1]["NetworkSettings"] = {"Networks": six}  # type: ignore[index]
    inside: dict[str, object] = {} if sysctl is None else {
        "containers/web/sysctl.txt": sysctl,
        "containers/web/ip-addr.json": [{"ifindex": 2, "ifname": "eth0", "address": C2, "operstate": "UP",
                                         "addr_info": [{"local": WEB}, {"local": WEB6}]}],
    }  # fmt: skip
    return Scene(folder, dumps=files | inside)


def _ping(scene: Scene, count: int = 3, *, answered: int = 0, until: str = "veth-web", six: bool = False,
          dst: str | None = None) -> None:  # fmt: skip
    """Let c2 ping web."""
    ends = (INSIDE6, WEB6) if six else (INSIDE, dst or WEB)
    kinds, proto = ((128, 129), 58) if six else ((8, 0), 1)
    for number in range(count):
        for point, late in (("veth-c2", 0.0), ("veth-web", 0.1)):
            asks = packet(*ends, proto, echo(kinds[0], 7, number), ident=number)
            scene.see(point, 1000 * number + late, frame(C1, C2, asks))
            if point == until:
                break
        for point, late in (("veth-web", 0.2), ("veth-c2", 0.3)) if number < answered else ():
            tells = packet(*ends[::-1], proto, echo(kinds[1], 7, number), ident=number)
            scene.see(point, 1000 * number + late, frame(C2, C1, tells))


def _found(scene: Scene) -> list[Finding]:
    scene.see("veth-web", 9000, frame(C2, BRIDGE, packet(WEB, SERVER, 17, udp(1, 2, b"x"), ident=90)))
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("sysctl", "six", "ignores"),
    [
        (f"{IGNORES} = 1\n", False, True),
        (f"{IGNORES} = 0\n", False, False),
        (f"{IGNORES} = 1\n", True, False),
        (None, False, False),
    ],
    ids=["told-to", "not-told-to", "another-version", "not-recorded"],
)
def test_a_kernel_that_was_told_to_ignore_pings_is_named(
    tmp_path: Path, sysctl: str | None, six: bool, ignores: bool
) -> None:
    """That is stated by its own setting, which is of IPv4; else only the silence is known."""
    scene = _scene(tmp_path, sysctl)
    _ping(scene, six=six)
    (finding,) = _found(scene)

    assert finding.facts["setting"] == (IGNORES if ignores else "")
    assert finding.proof == ((f"containers/web/sysctl.txt: {IGNORES} = 1",) if ignores else ())
    assert (finding.basis is Basis.STATED) is ignores
    assert finding.facts["packets"] == 3


def test_only_pings_that_were_not_answered_count(tmp_path: Path) -> None:
    """Where one of three came back, two are missing."""
    scene = _scene(tmp_path)
    _ping(scene, answered=1)
    (finding,) = _found(scene)

    assert finding.facts["packets"] == 2


@pytest.mark.parametrize(
    ("answered", "until"), [(3, "veth-web"), (0, "veth-c2")], ids=["all-answered", "never-got-there"]
)
def test_a_container_that_was_not_asked_in_vain_is_not_accused(tmp_path: Path, answered: int, until: str) -> None:
    """Pings that were answered, or that it never got."""
    scene = _scene(tmp_path)
    _ping(scene, answered=answered, until=until)

    assert _found(scene) == []


def test_pings_to_somebody_outside_are_lost_beyond(tmp_path: Path) -> None:
    """No container keeps silent there."""
    scene = _scene(tmp_path)
    for number in range(3):
        scene.out(1000 * number, 1, echo(8, 7, number))

    assert _found(scene) == []


def test_each_silent_container_is_named(tmp_path: Path) -> None:
    """One does what it was told to, and of the other nobody knows why; the last point that saw them is told."""
    scene = _scene(tmp_path, f"{IGNORES} = 1\n")
    _ping(scene)
    for number in range(3):
        asks = packet(WEB, INSIDE, 1, echo(8, 9, number), ident=50 + number)
        for point, late in (("veth-web", 0.5), ("veth-c2", 0.6)):
            scene.see(point, 1000 * number + late, frame(C2, C1, asks))
    found = {finding.facts["target"]: finding.facts for finding in _found(scene)}

    assert {target: (facts["setting"], facts["last"]) for target, facts in found.items()} == {
        WEB: (IGNORES, "veth-web"),
        INSIDE: ("", "veth-c2"),
    }
