"""Connections from a container to one beside it by the host's address: when answers cannot come back."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet

HYPOTHESIS = "hairpin-broken"
WEB = "172.17.0.3"
SYN, RST, ACK = 0x02, 0x04, 0x10
DOCKER = [
    {"Name": f"/{name}", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": ip, "MacAddress": mac}}}}
    for name, ip, mac in (("c2", INSIDE, C1), ("web", WEB, C2))
]


def _ask(scene: Scene, ms: float = 0, *, sport: int = 40_000, server: str = WEB, mac: str = C2, point: str = "veth-web",
         source: str = INSIDE) -> None:  # fmt: skip
    """Let a container ask the host's address; DNAT sends it back over the bridge."""
    scene.ident += 1
    asked = packet(INSIDE, HOST, 6, tcp(sport, 8080, 1, 0, SYN, stamps=(1, 0)), ident=scene.ident)
    sent = packet(source, server, 6, tcp(sport, 80, 1, 0, SYN, stamps=(1, 0)), ident=scene.ident, ttl=63)
    seen = (("veth-c2", C1, BRIDGE, asked), ("docker0", C1, BRIDGE, asked), ("docker0", BRIDGE, mac, sent),
            (point, BRIDGE, mac, sent))  # fmt: skip
    for place, (name, src, dst, data) in enumerate(seen):
        scene.see(name, ms + place * 0.02, frame(src, dst, data))


def _straight(scene: Scene, ms: float = 1, *, sport: int = 40_000, until: str = "veth-c2") -> None:
    """Let the server answer the container over the bridge, with its own address; the container resets."""
    scene.ident += 1
    data = packet(WEB, INSIDE, 6, tcp(80, sport, 7, 2, SYN | ACK, stamps=(2, 1)), ident=scene.ident)
    for place, name in enumerate(("veth-web", "docker0", "veth-c2")):
        scene.see(name, ms + place * 0.02, frame(C2, C1, data))
        if name == until:
            break


def _translated(scene: Scene, ms: float = 1, *, sport: int = 40_000) -> None:
    """Let the server's answer come back by the host, from the address that was asked."""
    scene.ident += 1
    body = tcp(80, sport, 7, 2, SYN | ACK, stamps=(2, 1))
    data = packet(WEB, INSIDE, 6, body, ident=scene.ident)
    back = packet(HOST, INSIDE, 6, tcp(8080, sport, 7, 2, SYN | ACK, stamps=(2, 1)), ident=scene.ident, ttl=63)
    seen = (("veth-web", C2, BRIDGE, data), ("docker0", C2, BRIDGE, data), ("docker0", BRIDGE, C1, back),
            ("veth-c2", BRIDGE, C1, back))  # fmt: skip
    for place, (name, src, dst, one) in enumerate(seen):
        scene.see(name, ms + place * 0.02, frame(src, dst, one))


def test_an_answer_that_comes_straight(tmp_path: Path) -> None:
    """From an address that the client did not ask."""
    scene = Scene(tmp_path)
    _ask(scene)
    _straight(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == ("2 packets of connections to 192.168.1.100:8080 from beside its container: no way back")
    assert finding.severity is Severity.ERROR
    assert finding.explanation.startswith("Answers go straight over the bridge, with the container's own address")
    assert finding.explanation.endswith(" Of 172.17.0.2:40000 → 192.168.1.100:8080.")
    assert finding.proof == ()


def test_an_answer_that_comes_back_by_the_host(tmp_path: Path) -> None:
    """That is how it must be."""
    scene = Scene(tmp_path)
    _ask(scene)
    _translated(scene)

    assert scene.titles(HYPOTHESIS) == []


def test_an_answer_that_did_not_get_to_the_client(tmp_path: Path) -> None:
    """What only the server's own port and the bridge show, may be translated yet."""
    scene = Scene(tmp_path)
    _ask(scene)
    _straight(scene, until="docker0")

    assert scene.titles(HYPOTHESIS) == []


def test_no_answer_at_all(tmp_path: Path) -> None:
    """Then something else is the matter."""
    scene = Scene(tmp_path)
    _ask(scene)

    assert scene.titles(HYPOTHESIS) == []


def test_a_source_that_is_translated_as_well(tmp_path: Path) -> None:
    """Answers go to the bridge's address, and find back."""
    scene = Scene(tmp_path)
    _ask(scene, source="172.17.0.1")
    _straight(scene)

    assert scene.titles(HYPOTHESIS) == []


def test_a_container_that_reaches_itself(tmp_path: Path) -> None:
    """It gets its own address as source, and keeps silent."""
    scene = Scene(tmp_path)
    _ask(scene, server=INSIDE, mac=C1, point="veth-c2")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "1 packet of connections to 192.168.1.100:8080 from beside its container: no way back"
    assert finding.explanation.startswith("The container reaches itself, and gets packets from its own address, ")


def test_by_the_port_that_was_asked(tmp_path: Path) -> None:
    """All connections to it together; they are explained by that, so no SYN or RST is told once more."""
    scene = Scene(tmp_path)
    for number in range(2):
        _ask(scene, number * 10, sport=40_000 + number)
        _straight(scene, number * 10 + 1, sport=40_000 + number)
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, b"\0\1\0\2\0\x09\0\0x")))
    found = scene.findings()

    assert [finding.detail for finding in found if finding.severity is Severity.ERROR] == [
        "4 packets of connections to 192.168.1.100:8080 from beside its container: no way back"
    ]


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        ("net.bridge.bridge-nf-call-iptables = 0\n", ("sysctl.txt: net.bridge.bridge-nf-call-iptables = 0",)),
        ("net.bridge.bridge-nf-call-iptables = 1\n", ()),
        ("net.ipv4.ip_forward = 1\n", ()),
    ],
)
def test_bridges_that_do_not_ask_iptables(tmp_path: Path, text: str, proof: tuple[str, ...]) -> None:
    """Are the proof, where the dump has it."""
    scene = Scene(tmp_path, dumps={"sysctl.txt": text})
    _ask(scene)
    _straight(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.proof == proof


def test_a_client_outside_is_no_hairpin(tmp_path: Path) -> None:
    """Its connection is translated, too, but comes in by the uplink."""
    scene = Scene(tmp_path)
    client = "192.168.1.7"
    asked = packet(client, HOST, 6, tcp(40_000, 8080, 1, 0, SYN, stamps=(1, 0)), ident=5)
    sent = packet(client, WEB, 6, tcp(40_000, 80, 1, 0, SYN, stamps=(1, 0)), ident=5, ttl=63)
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, asked))
    scene.see("docker0", 0.02, frame(BRIDGE, C2, sent))
    scene.see("veth-web", 0.04, frame(BRIDGE, C2, sent))

    assert scene.titles(HYPOTHESIS) == []
