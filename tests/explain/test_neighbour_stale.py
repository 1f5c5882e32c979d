"""Frames for a MAC that the destination does not have."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import BRIDGE, C1, C2, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, links

HYPOTHESIS = "neighbour-stale"
WEB, OLD = "172.17.0.3", "02:42:ac:11:00:99"
SYN, ACK = 0x02, 0x10


def _send(scene: Scene, ms: float, mac: str, *, sport: int = 40_000, dst: str = WEB, points: str = "veth-c2 docker0",
          src: str = INSIDE) -> None:  # fmt: skip
    """Let a container send to another one's address, but some MAC."""
    scene.ident += 1
    data = packet(src, dst, 6, tcp(sport, 80, 1, 0, SYN), ident=scene.ident)
    for place, point in enumerate(points.split()):
        scene.see(point, ms + place * 0.02, frame(C1, mac, data))


def _shown(scene: Scene, *, answer: bool = False) -> None:
    """Let the other container show its MAC, by a datagram or the answer; and a connection show the host's."""
    body = tcp(80, 40_000, 7, 2, SYN | ACK) if answer else udp(5, 6, b"x")
    data = packet(WEB, INSIDE, 6 if answer else 17, body, ident=900)
    for place, point in enumerate(("veth-web", "docker0", "veth-c2")):
        scene.see(point, 50 + place * 0.02, frame(C2, C1, data))
    scene.out(60, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(61, 17, udp(2, 1, b"y"), src="9.9.9.9")


@pytest.mark.parametrize(
    ("mac", "known", "told"),
    [(OLD, True, True), (OLD, False, True), (C2, True, False), (C2, False, False), ("33:33:00:00:00:01", True, False),
     (BRIDGE, True, False)],
    ids=["by-docker", "by-frames", "right", "right-by-frames", "group", "host"],
)  # fmt: skip
def test_the_mac_of_a_containers_address(tmp_path: Path, mac: str, known: bool, told: bool) -> None:
    """By Docker, or by what the address sends from; the host's MACs are gateways', and groups are for many."""
    scene = Scene(tmp_path, dumps=dumps() if known else {})
    _send(scene, 0, mac)
    _send(scene, 10, mac, sport=40_001)
    _shown(scene)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [
        f"2 packets for 172.17.0.3 went to {OLD}, which is not its MAC"
    ] * told
    for finding in found:
        assert (finding.severity, finding.basis) == (Severity.ERROR, Basis.OBSERVED)
        assert finding.explanation.startswith(f"172.17.0.3 has {C2}. Whoever sent them has an old or wrong ")
        assert finding.remedy.startswith("Take the entry for 172.17.0.3 out where they were sent (ip neigh del), ")


def test_a_packet_that_was_answered(tmp_path: Path) -> None:
    """Somebody took it: one whose connection was answered, and no other, is no matter."""
    scene = Scene(tmp_path, dumps=dumps())
    _send(scene, 0, OLD)
    _shown(scene, answer=True)

    assert scene.titles(HYPOTHESIS) == []


def test_one_of_two_that_was_answered(tmp_path: Path) -> None:
    """The other one shows that something is wrong."""
    scene = Scene(tmp_path, dumps=dumps())
    _send(scene, 0, OLD)
    _send(scene, 10, OLD, sport=40_001)
    _shown(scene, answer=True)

    assert len(scene.titles(HYPOTHESIS)) == 1


@pytest.mark.parametrize(
    ("entries", "proof"),
    [
        ([(WEB, OLD)], (f"ip-neigh.json: 172.17.0.3 dev docker0 lladdr {OLD} STALE",)),
        ([(WEB, C2)], ()),
        ([("172.17.0.4", OLD)], ()),
        ([], ()),
    ],
)
def test_the_hosts_own_entry_is_the_proof(
    tmp_path: Path, entries: list[tuple[str, str]], proof: tuple[str, ...]
) -> None:
    """If it is the one that is wrong."""
    neighbours = [{"dst": ip, "dev": "docker0", "lladdr": mac, "state": ["STALE"]} for ip, mac in entries]
    scene = Scene(tmp_path, dumps={**dumps(), "ip-neigh.json": neighbours})
    _send(scene, 0, OLD)
    _shown(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.proof == proof


def test_a_filter_that_may_hide_answers(tmp_path: Path) -> None:
    """Then nobody knows."""
    scene = Scene(tmp_path, dumps=dumps())
    _send(scene, 0, OLD)
    _shown(scene)
    scene.recorded(5000)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"filter": ""', '"filter": "dst net 172.17.0.0/16"'))

    assert scene.titles(HYPOTHESIS) == []


@pytest.mark.parametrize(
    ("mac", "told"),
    [(OLD, True), (BRIDGE, False), (C2, False), ("ff:ff:ff:ff:ff:ff", False)],
    ids=["nobodys", "host", "container", "all"],
)
def test_a_gateway_that_nobody_is(tmp_path: Path, mac: str, told: bool) -> None:
    """A container sends outside, to a MAC from which no frame comes, and that no dump has."""
    scene = Scene(tmp_path, dumps=dumps())
    _send(scene, 0, mac, dst=SERVER)
    _send(scene, 10, mac, dst=SERVER, sport=40_001)
    _shown(scene)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [f"172.17.0.2 sends 2 packets to {OLD}, which nobody has"] * told
    for finding in found:
        assert finding.basis is Basis.INFERRED
        assert finding.remedy.startswith("ip neigh in the container shows the entry; ")


def test_a_gateway_that_sends(tmp_path: Path) -> None:
    """Is somebody, although no dump has it."""
    scene = Scene(tmp_path, dumps=dumps())
    _send(scene, 0, OLD, dst=SERVER)
    _shown(scene)
    scene.see("veth-c2", 70, frame(OLD, C1, packet("172.17.0.77", INSIDE, 17, udp(1, 2, b"z"))))

    assert scene.titles(HYPOTHESIS) == []


def test_without_the_hosts_macs_nobody_is_strange(tmp_path: Path) -> None:
    """The gateway's may be one of them."""
    scene = Scene(tmp_path, dumps={"docker-inspect.json": [container("c2", INSIDE, C1)]})
    _send(scene, 0, OLD, dst=SERVER)

    assert scene.titles(HYPOTHESIS) == []


def test_what_is_explained(tmp_path: Path) -> None:
    """Its SYN is not told as unanswered."""
    scene = Scene(tmp_path, dumps=dumps())
    _send(scene, 0, OLD, dst=SERVER)
    _shown(scene)
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")

    assert {finding.check for finding in scene.findings() if finding.severity is Severity.ERROR} == {HYPOTHESIS}


@pytest.mark.parametrize(("port", "told"), [("veth5", True), ("veth6", False)], ids=["another-one's", "its-own"])
def test_a_mac_at_another_port(tmp_path: Path, port: str, told: bool) -> None:
    """The bridge's table has a container's MAC where another container is."""
    veths = [{"ifindex": 5 + n, "ifname": f"veth{5 + n}", "master": "docker0", "linkinfo": {"info_kind": "veth"}}
             for n in range(2)]  # fmt: skip
    eth0 = {"ifindex": 2, "ifname": "eth0", "address": C2, "link_index": 6, "linkinfo": {"info_kind": "veth"},
            "addr_info": [{"local": WEB}]}  # fmt: skip
    files = dumps(docker_inspect=[container("c2", INSIDE, C1), container("web", WEB, C2)])
    files["ip-addr.json"] = [*links(), *veths]
    files |= {"bridge-fdb.json": [{"mac": C2, "ifname": port, "master": "docker0"}],
              "containers/web/ip-addr.json": [eth0]}  # fmt: skip
    scene = Scene(tmp_path, dumps=files)
    for ms in (0, 1000, 3000):
        _send(scene, ms, C2, points="veth-c2 docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")

    assert [finding.title for finding in scene.findings(HYPOTHESIS)] == [
        f"c2 cannot reach web:80 (TCP): the bridge has its MAC {C2} at veth5, not at veth6"
    ] * told
