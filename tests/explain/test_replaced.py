"""What somebody else has, or had: MACs of containers made anew, addresses that were taken, veths off their bridge."""

import json
from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, T0, UPLINK, arp, ether, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, links, rules

SYN, SYN_ACK, ACK, PSH, RST, FIN = 2, 0x12, 0x10, 0x18, 4, 1
PORT = 40_000
WEB, NEW = "172.17.0.3", "02:42:ac:11:00:71"
ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"


def _happened(folder: Path, *events: tuple[str, float]) -> None:
    """Write what docker events tells of the container."""
    told = {"name": "web", "exitCode": "137"}
    lines = [
        json.dumps(
            {"Type": "container", "Action": action, "Actor": {"Attributes": told}, "timeNano": T0 + int(ms * 1e6)}
        )
        for action, ms in events
    ]
    (folder / "docker-events.json").write_text("\n".join(lines))


@pytest.mark.parametrize(("mac", "told"), [(NEW, True), (C2, False)], ids=["another", "the-same"])
def test_a_container_that_was_made_anew(tmp_path: Path, mac: str, told: bool) -> None:
    """With another MAC, which whoever knows the old one does not ask for; what goes there is none that it missed."""
    before = [container("c2", INSIDE, C1), container("web", WEB, C2)]
    after = [before[0], container("web", WEB, mac)]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=after) | {"before/docker-inspect.json": before})
    scene.see("veth-web", 0, frame(C2, C1, packet(WEB, INSIDE, 17, udp(7, 7, b"x"), ident=1)))
    for number in range(3):
        asked = packet(INSIDE, WEB, 6, tcp(PORT, 80, 1, 0, SYN), ident=10 + number)
        scene.see("veth-c2", 1000 + 900 * number, frame(C1, C2, asked))
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=90)))
    scene.write()
    _happened(tmp_path, ("die", 100), ("start", 500))

    assert [finding.basis for finding in scene.findings("neighbour-stale")] == [Basis.STATED] * told
    assert not scene.findings("container-ended")


def test_a_connection_that_is_older_than_its_server(tmp_path: Path) -> None:
    """Whoever was started again does not know it, and resets it."""
    before = [container("c2", INSIDE, C1), container("web", WEB, C2)]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=before) | {"before/docker-inspect.json": before})
    steps = (
        (0, True, tcp(PORT, 80, 1, 0, SYN)), (5, False, tcp(80, PORT, 100, 2, SYN_ACK)),
        (10, True, tcp(PORT, 80, 2, 101, PSH, b"one")), (15, False, tcp(80, PORT, 101, 5, PSH, b"two")),
        (3000, True, tcp(PORT, 80, 5, 104, PSH, b"three")), (3005, False, tcp(80, PORT, 104, 0, RST)),
    )  # fmt: skip
    for number, (ms, asks, body) in enumerate(steps):
        macs, ends = ((C1, C2), (INSIDE, WEB)) if asks else ((C2, C1), (WEB, INSIDE))
        scene.see("veth-c2", ms, frame(*macs, packet(*ends, 6, body, ident=number)))
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=90)))
    scene.write()
    _happened(tmp_path, ("die", 100), ("start", 500))
    found = [finding for finding in scene.findings() if finding.severity is Severity.ERROR]

    assert [(finding.check, finding.facts["how"]) for finding in found] == [("container-ended", "restarted")]


def test_another_container_claims_its_address(tmp_path: Path) -> None:
    """Once is enough, where Docker says whose it is."""
    third = "02:42:ac:11:00:04"
    known = [container("c2", INSIDE, C1), container("web", WEB, C2), container("squat", "172.17.0.4", third)]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=known))
    for ms, mac in ((1, C2), (5000, third)):
        scene.see("veth-c2", ms, ether(mac, C1, arp(2, mac, WEB, C1, INSIDE), 0x0806))
    scene.see("veth-c2", 5010, frame(C1, third, packet(INSIDE, WEB, 6, tcp(PORT, 80, 1, 0, SYN), ident=1)))
    scene.see("veth-c2", 5011, frame(third, C1, packet(WEB, INSIDE, 6, tcp(80, PORT, 0, 2, RST | ACK), ident=2)))
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=90)))
    (finding,) = scene.findings("duplicate-address")

    assert finding.title == (
        f"c2 cannot reach web:80 (TCP): {third} (squat) answers for {WEB}, too, and got it instead"
    )
    assert finding.basis is Basis.STATED
    assert not scene.findings("connection-refused")


@pytest.mark.parametrize(("sport", "told"), [(5300, True), (5301, False)], ids=["its-port", "another"])
def test_a_datagram_that_another_address_answers(tmp_path: Path, sport: int, told: bool) -> None:
    """From the port that was asked, to the port that asked."""
    scene = Scene(tmp_path)
    for number in range(2):
        scene.out(1000 * number, 17, udp(PORT, 5300, b"question"))
        answer = packet("9.9.9.9", HOST, 17, udp(sport, PORT, b"answer"), ttl=50, ident=50 + number)
        scene.see("wlan0", 5 + 1000 * number, frame(GATEWAY, UPLINK, answer))
    scene.out(9000, 17, udp(1, 2, b"x"), dst="1.1.1.1")

    assert scene.titles("answered-from-elsewhere") == (
        [f"{SERVER} is asked, and 9.9.9.9 answers at wlan0"] if told else []
    )


@pytest.mark.parametrize(("master", "told"), [(None, True), ("docker0", False)])
def test_a_veth_off_its_bridge(tmp_path: Path, master: str | None, told: bool) -> None:
    """The host may answer its ARP all the same, and nothing more."""
    port = {"ifindex": 7, "ifname": "veth-c2", "operstate": "UP", "linkinfo": {"info_kind": "veth"}}
    inner = {"ifindex": 2, "ifname": "eth0", "address": C1, "operstate": "UP", "link_index": 7,
             "linkinfo": {"info_kind": "veth"}, "addr_info": [{"local": INSIDE}]}  # fmt: skip
    files = dumps(ip_addr=[*links(), port | ({"master": master} if master else {})])
    scene = Scene(tmp_path, dumps=files | {"containers/c2/ip-addr.json": [inner]})
    for number in range(3):
        scene.out(1000 * number, 6, tcp(PORT, 80, 1, 0, SYN), until="veth-c2")
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=90)))
    found = scene.findings("veth-off-the-bridge")

    assert [finding.commands for finding in found] == [("ip link set veth-c2 master docker0",)] * told


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("-A FORWARD -p tcp -m recent --update --seconds 60 --hitcount 4 --name x --rsource -j DROP",
         "rule 1 of FORWARD drops it: it is a limit, --hitcount 4"),
        ("-A FORWARD -p tcp -m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr -j DROP",
         "rule 1 of FORWARD drops it: it is a limit, --connlimit-above 3"),
    ],
)  # fmt: skip
def test_a_rule_that_is_a_limit(tmp_path: Path, rule: str, said: str) -> None:
    """It says how much, and that may be raised."""
    files = dumps(iptables_save=rules(forward=f"[3:180] {rule}\n"))
    files["before/iptables-save.txt"] = rules(forward=f"[0:0] {rule}\n")
    scene = Scene(tmp_path, dumps=files)
    for number in range(3):
        scene.out(1000 * number, 6, tcp(PORT, 80, 1, 0, SYN), until="docker0")
    for ms in (0, 9000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="9.9.9.9")
        scene.back(ms + 1, 17, udp(2, 1, b"y"), src="9.9.9.9")
    (finding,) = scene.findings("filtered-by-rule")

    assert finding.title.endswith(said)


@pytest.mark.parametrize(("way", "told"), [("", True), ("-i wlan0 ", False)])
def test_a_rule_against_spoofed_sources(tmp_path: Path, way: str, told: bool) -> None:
    """Containers have such addresses, too: it has to ask for the way in."""
    rule = f"-A PREROUTING {way}-s 172.16.0.0/12 -j DROP\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(raw=rule)))
    for number in range(3):
        scene.out(1000 * number, 6, tcp(PORT, 80, 1, 0, SYN), until="docker0")
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet("9.9.9.9", HOST, 17, udp(1, 2, b"x"), ident=90)))
    found = scene.findings("filtered-by-rule")

    assert [finding.facts["spoofed"] for finding in found] == ["172.16.0.0/12"] * told
