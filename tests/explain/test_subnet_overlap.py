"""Subnets that somebody else has as well: what captures tell of them."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, arp, ether, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, links, network, routes

HYPOTHESIS = "subnet-overlap"
ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
OTHER = "172.17.128.5"
TUNNEL = {"dst": "172.17.128.0/20", "dev": "tun0"}
TITLE = "network bridge 172.17.0.0/16 overlaps with what is behind tun0"


def _ask(scene: Scene, ms: float, asked: str, *, point: str = "veth-c2", answered: bool = False) -> None:
    scene.see(point, ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, asked), 0x0806))
    if answered:
        scene.see(point, ms + 1, ether(C2, C1, arp(2, C2, asked, C1, INSIDE), 0x0806))


def _overlap(folder: Path) -> Scene:
    """Return a host on which a tunnel's route is inside Docker's subnet."""
    tunnel = {"ifindex": 9, "ifname": "tun0", "addr_info": [{"local": "172.17.128.1"}]}
    return Scene(folder, dumps=dumps(ip_route=[*routes(), TUNNEL], ip_addr=[*links(), tunnel]))


def test_by_the_dumps_alone(tmp_path: Path) -> None:
    """As doctor tells it; nothing that was captured has to do with it."""
    scene = _overlap(tmp_path)
    scene.out(0, 17, udp(1, 2, b"x"))
    scene.back(5, 17, udp(2, 1, b"y"))
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.detail, finding.severity, finding.evidence) == (TITLE, Severity.ERROR, ())
    assert finding.explanation.endswith("the other one cannot be reached from here.")


@pytest.mark.parametrize(
    ("asked", "answered", "told"),
    [
        (OTHER, False, True),
        (OTHER, True, False),
        ("172.17.0.9", False, False),
        ("10.9.9.9", False, False),
        ("172.17.0.3", False, False),
        ("172.17.128.1", False, False),
    ],
    ids=["in-both", "answered", "in-one", "in-none", "a-containers", "the-hosts"],
)
def test_addresses_that_were_asked_for_in_vain(tmp_path: Path, asked: str, answered: bool, told: bool) -> None:
    """Those that both have, and no container has."""
    scene = _overlap(tmp_path)
    _ask(scene, 0, asked, answered=answered)
    scene.see("veth-c2", 3000, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(1, 2, b"x"))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert [str(one) for one in finding.evidence] == ["veth-c2 #1"] * told
    said = f"No container has {asked}, which was asked for at veth-c2 in vain: it belongs to the other one."
    assert (said in finding.explanation) is told


def test_three_of_them_are_named(tmp_path: Path) -> None:
    """Five are shown, and ARP's own check does not tell them once more."""
    scene = _overlap(tmp_path)
    for number in range(6):
        for ms in (0, 10, 20):
            _ask(scene, number * 100 + ms, f"172.17.128.{number + 2}")
    found = scene.findings()
    (finding,) = (one for one in found if one.check == HYPOTHESIS)

    assert "No container has 172.17.128.2, 172.17.128.3, 172.17.128.4, which was asked for at" in finding.explanation
    assert [str(one) for one in finding.evidence] == [f"veth-c2 #{number}" for number in (3, 6, 9, 12, 15)]
    assert "arp-unanswered" not in {one.check for one in found}


@pytest.mark.parametrize(
    ("dst", "src", "answered", "told"),
    [
        (OTHER, "172.17.0.2", False, False),
        ("9.9.9.9", OTHER, False, True),
        ("9.9.9.9", OTHER, True, False),
        ("9.9.9.9", INSIDE, False, False),
    ],
    ids=["to-the-other", "from-one-inside-both", "answered", "elsewhere"],
)
def test_connections_of_a_container_in_both(tmp_path: Path, dst: str, src: str, answered: bool, told: bool) -> None:
    """Those that came to nothing belong to it, and are explained by that."""
    known = [container("c2", src, C1)]
    scene = Scene(tmp_path, dumps=dumps(ip_route=[*routes(), TUNNEL], docker_inspect=known))
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), src=src, dst=dst)
    if answered:
        scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12), src=dst, dst=src)
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet("9.9.9.9", HOST, 17, udp(1, 2, b"x"))))
    found = scene.findings()
    (finding,) = (one for one in found if one.check == HYPOTHESIS)

    assert (f"Of {src}:40000 → {dst}:80" in finding.explanation) is told
    assert bool(finding.evidence) is told
    assert ("syn-unanswered" in {one.check for one in found}) is not (told or answered)


def test_two_networks(tmp_path: Path) -> None:
    """Each pair is told, with its own addresses."""
    networks = [network(), network("other", "172.17.128.0/20", "br-other"), network("third", "10.0.0.0/16", "br-third")]
    scene = Scene(tmp_path, dumps=dumps(docker_network_inspect=networks))
    _ask(scene, 0, OTHER)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [
        "networks bridge and other overlap: 172.17.0.0/16, 172.17.128.0/20"
    ]
    assert [str(one) for one in found[0].evidence] == ["veth-c2 #1"]


def _seen(scene: Scene, ip: str, *, point: str = "wlan0", mac: str = GATEWAY) -> None:
    scene.see(point, 500, frame(mac, UPLINK, packet(ip, HOST, 17, udp(5000, 6000, b"x"))))


@pytest.mark.parametrize(
    ("asked", "point", "mac", "told"),
    [
        ("172.17.9.9", "wlan0", GATEWAY, True),
        ("172.17.9.9", "br-other", GATEWAY, True),
        ("172.17.9.9", "docker0", C2, False),
        ("172.17.9.9", "veth-c3", C2, False),
        ("172.17.9.9", "wlan0", UPLINK, False),
        ("10.9.9.9", "wlan0", GATEWAY, False),
    ],
    ids=["uplink", "other-bridge", "its-bridge", "port", "host-itself", "no-network"],
)
def test_an_owner_behind_another_interface(tmp_path: Path, asked: str, point: str, mac: str, told: bool) -> None:
    """An address of a Docker network that nobody there has, while somebody sends from it elsewhere."""
    scene = Scene(tmp_path, dumps=dumps())
    for ms in (0, 10, 20):
        _ask(scene, ms, asked)
    _seen(scene, asked, point=point, mac=mac)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [
        f"{asked} is behind {point}, and network bridge has its addresses: 172.17.0.0/16"
    ] * told
    for finding in found:
        assert finding.basis is Basis.OBSERVED
        assert finding.explanation.startswith("3 questions for it at veth-c2 found nobody: whoever is in bridge, ")
        assert [str(one) for one in finding.evidence] == ["veth-c2 #3", f"{point} #1"]
        assert finding.proof == ("docker-network-inspect.json: bridge Subnet 172.17.0.0/16",)


def test_an_owner_that_several_points_show(tmp_path: Path) -> None:
    """Is told once, and ARP's own check leaves it alone; every address by itself."""
    scene = Scene(tmp_path, dumps=dumps())
    for number, asked in enumerate(("172.17.9.9", "172.17.9.8")):
        for ms in (0, 10, 20):
            _ask(scene, number * 100 + ms, asked)
        _seen(scene, asked, point="wlan0")
        _seen(scene, asked, point="eth1")
    found = scene.findings()

    assert [one.detail for one in found if one.check == HYPOTHESIS] == [
        f"{ip} is behind eth1, and network bridge has its addresses: 172.17.0.0/16"
        for ip in ("172.17.9.8", "172.17.9.9")
    ]
    assert "arp-unanswered" not in {one.check for one in found}


def test_a_gateway_is_nobodys_loss(tmp_path: Path) -> None:
    """Docker's own address of a network is the host's, whether the dump has it or not."""
    scene = Scene(tmp_path, dumps=dumps(ip_addr=[]))
    for ms in (0, 10, 20):
        _ask(scene, ms, "172.17.0.1")
    _seen(scene, "172.17.0.1")

    assert scene.titles(HYPOTHESIS) == []


def test_a_question_at_the_very_point(tmp_path: Path) -> None:
    """Who is asked for and seen at one point is not elsewhere."""
    scene = Scene(tmp_path, dumps=dumps())
    for ms in (0, 10, 20):
        _ask(scene, ms, "172.17.9.9", point="wlan0")
    _seen(scene, "172.17.9.9")

    assert scene.titles(HYPOTHESIS) == []
