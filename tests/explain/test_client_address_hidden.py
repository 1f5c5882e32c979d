"""Clients whose address the container does not see."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import dumps

HYPOTHESIS = "client-address-hidden"
WEB = "172.17.0.3"


def _come(scene: Scene, number: int, *, mask: str = "172.17.0.1", client: str = "192.168.1.7") -> None:
    """Let a client ask a published port; DNAT and SNAT change both ends."""
    asked, inner = udp(40_000 + number, 8080, b"ask"), udp(40_000 + number, 80, b"ask")
    scene.see("wlan0", number, frame(GATEWAY, UPLINK, packet(client, HOST, 17, asked, ident=5 + number)))
    data = packet(mask, WEB, 17, inner, ident=5 + number, ttl=63)
    for place, point in enumerate(("docker0", "veth-web"), 1):
        scene.see(point, number + place * 0.02, frame(BRIDGE, C2, data))


@pytest.mark.parametrize(
    ("mask", "told"),
    [("172.17.0.1", True), ("192.168.1.7", False)],
    ids=["masked", "seen"],
)
def test_both_ends_are_translated(tmp_path: Path, mask: str, told: bool) -> None:
    """An info; the client is named."""
    scene = Scene(tmp_path)
    _come(scene, 0, mask=mask)
    found = scene.findings(HYPOTHESIS)

    assert bool(found) is told
    for finding in found:
        assert finding.severity is Severity.INFO
        assert finding.explanation.startswith("E.g. the client 192.168.1.7: DNAT sends it to the container, and SNAT")


def test_by_mask(tmp_path: Path) -> None:
    """All that come as one, and five frames of them."""
    scene = Scene(tmp_path)
    for number in range(6):
        _come(scene, number)
    _come(scene, 6, mask="172.17.0.9")
    _come(scene, 7, mask="172.17.0.9")
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [
        "2 connections to 172.17.0.3 came as 172.17.0.9",
        "6 connections to 172.17.0.3 came as 172.17.0.1",
    ]
    assert [len(finding.evidence) for finding in found] == [2, 5]


def test_a_container_that_reaches_itself(tmp_path: Path) -> None:
    """Needs the mask."""
    scene = Scene(tmp_path)
    asked = packet(INSIDE, HOST, 17, udp(40_000, 8080, b"ask"), ident=5)
    sent = packet("172.17.0.1", INSIDE, 17, udp(40_000, 80, b"ask"), ident=5, ttl=63)
    for place, (point, data, ends) in enumerate((
        ("veth-c2", asked, (C1, BRIDGE)), ("docker0", asked, (C1, BRIDGE)),
        ("docker0", sent, (BRIDGE, C1)), ("veth-c2", sent, (BRIDGE, C1)),
    )):  # fmt: skip
        scene.see(point, place * 0.02, frame(*ends, data))

    assert scene.titles(HYPOTHESIS) == []


def test_a_container_that_asks_a_service_elsewhere(tmp_path: Path) -> None:
    """It is masked as on any way out: no server of this host loses its clients."""
    scene = Scene(tmp_path, dumps=dumps())
    body = udp(40_000, 53, b"ask"), udp(40_000, 5353, b"ask")
    for place, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, place * 0.02, frame(C1, BRIDGE, packet(INSIDE, "10.96.0.1", 17, body[0], ident=5)))
    scene.see("wlan0", 0.05, frame(UPLINK, GATEWAY, packet(HOST, "8.8.8.8", 17, body[1], ident=5, ttl=63)))
    case = scene.case()

    assert (case.source_moved & case.target_moved).tolist() == [True]
    assert scene.titles(HYPOTHESIS) == []


def test_the_rules_are_the_proof(tmp_path: Path) -> None:
    """Where dumps have them."""
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p udp -m udp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
        "-A POSTROUTING -o docker0 -j MASQUERADE\nCOMMIT\n"
    )
    scene = Scene(tmp_path, dumps=dumps(iptables_save=text))
    _come(scene, 0)
    (finding,) = scene.findings(HYPOTHESIS)

    assert set(finding.proof) == {
        "iptables-save.txt: -A PREROUTING -p udp -m udp --dport 8080 -j DNAT --to-destination 172.17.0.3:80",
        "iptables-save.txt: -A POSTROUTING -o docker0 -j MASQUERADE",
    }
