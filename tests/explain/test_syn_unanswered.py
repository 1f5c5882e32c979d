"""SYNs that nobody answers: when that is told, of whom together, and what is said of where they went."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, INSIDE6, SERVER, SERVER6, Scene, frame, packet

HYPOTHESIS = "syn-unanswered"


def _syn(sport: int = 40_000, dport: int = 80) -> bytes:
    return tcp(sport, dport, 1, 0, 2)


def _later(scene: Scene, ms: float) -> None:
    """Let the captures go on until then."""
    scene.out(ms, 17, udp(5000, 6000, b"x"), dst="9.9.9.9")
    scene.back(ms, 17, udp(6000, 5000, b"y"), src="9.9.9.9")


@pytest.mark.parametrize(("ms", "told"), [(999, False), (1000, True), (5000, True)])
def test_an_answer_may_take_a_second(tmp_path: Path, ms: float, told: bool) -> None:
    """Until the last frame that the captures have."""
    scene = Scene(tmp_path)
    scene.out(0, 6, _syn())
    scene.see("veth-c2", ms, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(5000, 6000, b"x"))))

    assert scene.titles(HYPOTHESIS) == ["no answer from 8.8.8.8:80: 1 SYN, last seen at wlan0"] * told


def test_by_destination(tmp_path: Path) -> None:
    """Connections to one address and port are told together, all their SYNs counted; others by themselves."""
    scene = Scene(tmp_path)
    for ms, sport, dport in ((0, 40_000, 80), (1000, 40_000, 80), (1100, 40_001, 80), (1200, 40_002, 443)):
        scene.out(ms, 6, _syn(sport, dport))
    _later(scene, 5000)

    assert scene.titles(HYPOTHESIS) == [
        "no answer from 8.8.8.8:443: 1 SYN, last seen at wlan0",
        "no answer from 8.8.8.8:80: 3 SYNs, last seen at wlan0",
    ]


@pytest.mark.parametrize(
    ("count", "titles"),
    [
        (8, [f"no answer from 8.8.8.8:{port}: 1 SYN, last seen at wlan0" for port in range(80, 88)]),
        (9, ["no answer from 9 destinations: 9 SYNs, last seen at wlan0"]),
    ],
)
def test_many_destinations_are_one_line(tmp_path: Path, count: int, titles: list[str]) -> None:
    """From nine on nobody reads them one by one."""
    scene = Scene(tmp_path)
    for number in range(count):
        scene.out(number, 6, _syn(40_000 + number, 80 + number))
    _later(scene, 5000)

    assert scene.titles(HYPOTHESIS) == titles


def test_of_ipv6(tmp_path: Path) -> None:
    """The address stands in brackets."""
    scene = Scene(tmp_path)
    scene.out(0, 6, _syn(), src=INSIDE6, dst=SERVER6, masked="fd00:1::100")
    _later(scene, 5000)

    assert scene.titles(HYPOTHESIS) == ["no answer from [2001:4860::8]:80: 1 SYN, last seen at wlan0"]


def test_a_connection_of_no_container_is_a_warning(tmp_path: Path) -> None:
    """What the host itself asks for concerns no container."""
    scene = Scene(tmp_path)
    scene.see("wlan0", 0, frame(UPLINK, GATEWAY, packet(HOST, SERVER, 6, _syn())))
    _later(scene, 5000)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING


def test_a_connection_of_a_container_is_an_error(tmp_path: Path) -> None:
    """It left the host, which is told; with its frames."""
    scene = Scene(tmp_path)
    scene.out(0, 6, _syn())
    _later(scene, 5000)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.ERROR
    assert finding.explanation.startswith("They left this host: ")
    assert finding.explanation.endswith(" Of 172.17.0.2:40000 → 8.8.8.8:80.")
    assert [str(one) for one in finding.evidence] == ["wlan0 #1"]


def test_one_that_an_error_quotes_is_answered(tmp_path: Path) -> None:
    """By whatever kind of ICMP error, here parameter problem; the other one keeps silent."""
    scene = Scene(tmp_path)
    for ms, sport in ((0, 40_000), (10, 40_001)):
        scene.out(ms, 6, _syn(sport), ident=sport)
    scene.error(20, 12, 0, 6, _syn(40_000), ident=40_000)
    _later(scene, 5000)
    (finding,) = scene.findings(HYPOTHESIS)

    assert "1 SYN" in finding.detail
    assert "172.17.0.2:40001" in finding.explanation
    assert "172.17.0.2:40000" not in finding.explanation


def _between(scene: Scene, dst: str, mac: str) -> None:
    """Let a container send a SYN to another one on its bridge, which has *mac*."""
    data = packet(INSIDE, dst, 6, _syn())
    for place, point in enumerate(("veth-c2", "docker0", "veth-c3")):
        scene.see(point, place * 0.02, frame(C1, mac, data))
    scene.see("veth-c3", 900, frame(C2, C1, packet("172.17.0.3", INSIDE, 17, udp(1, 2, b"x"))))
    scene.see("docker0", 900.02, frame(C2, C1, packet("172.17.0.3", INSIDE, 17, udp(1, 2, b"x"))))
    scene.see("veth-c2", 900.04, frame(C2, C1, packet("172.17.0.3", INSIDE, 17, udp(1, 2, b"x"))))
    _later(scene, 5000)


DOCKER = [
    {
        "Name": f"/{name}",
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": ip, "MacAddress": mac}}},
    }
    for name, ip, mac in (("c2", INSIDE, C1), ("c3", "172.17.0.3", C2))
]


def test_one_that_arrived(tmp_path: Path) -> None:
    """Then the receiver drops it."""
    scene = Scene(tmp_path, dumps={"docker-inspect.json": DOCKER})
    _between(scene, "172.17.0.3", C2)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "no answer from 172.17.0.3:80: 1 SYN, last seen at veth-c3"
    assert finding.explanation.startswith("They arrived; the receiver drops them: ")


def test_one_that_arrived_at_a_container_with_another_address(tmp_path: Path) -> None:
    """Then the sender takes that container for its gateway."""
    scene = Scene(tmp_path, dumps={"docker-inspect.json": DOCKER})
    _between(scene, SERVER, C2)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith("They went into container c3, whose address 8.8.8.8 is not: the sender ")


def test_one_that_nobody_saw_go_on(tmp_path: Path) -> None:
    """Then nothing is said of who dropped it."""
    scene = Scene(tmp_path)
    scene.see("veth-c2", 0, frame(C1, BRIDGE, packet(INSIDE, SERVER, 6, _syn())))
    scene.see("veth-c2", 5000, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(5000, 6000, b"x"))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith("What became of them behind that point was not captured. ")


@pytest.mark.parametrize("port", [80, None])
def test_another_port_of_the_same_server(tmp_path: Path, port: int | None) -> None:
    """If that is answered, somebody beyond drops just this one."""
    scene = Scene(tmp_path)
    scene.out(0, 6, _syn(dport=25))
    if port is not None:
        scene.out(10, 6, _syn(40_001, port))
        scene.back(15, 6, tcp(port, 40_001, 9, 2, 0x12))
    _later(scene, 5000)
    (finding,) = scene.findings("syn-unanswered")

    assert ("drops that port, for the same server answers at 80" in finding.title) is (port is not None)
