"""Packets that are too long for a link, and what their sender makes of being told."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, tcp, udp
from tests.explain.scene import INSIDE, INSIDE6, SERVER, SERVER6, Scene, frame, icmp, packet
from tests.explain.state import dumps, links, rules

HYPOTHESIS = "mtu-exceeded"
ACK, PSH = 0x10, 0x18
ROUTER = "10.0.0.1"


def _segment(seq: int, size: int = 100, sport: int = 40_000) -> bytes:
    return tcp(sport, 80, seq % (1 << 32), 9, PSH, b"a" * size)


def _told(scene: Scene, ms: float, body: bytes, ident: int, *, mtu: int = 1400, proto: int = 6, by: str = ROUTER,
          kind: tuple[int, int] = (3, 4)) -> None:  # fmt: skip
    """Let a container send a packet, and a router say that it is too long."""
    scene.out(ms, proto, body, ident=ident)
    scene.error(ms + 5, *kind, proto, body, ident=ident, by=by, word=mtu)


@pytest.mark.parametrize(
    ("seq", "acks", "adapts"),
    [
        (1000, [1100], True),
        (1000, [1001], True),
        (1000, [1000], False),
        (1000, [999], False),
        (1000, [1], False),
        (1000, [], False),
        (1000, [1000, 1000, 1100], True),
        ((1 << 32) - 10, [90], True),
        (5, [(1 << 32) - 10], False),
        (1000, [1000 + (1 << 31)], True),
        (1000, [1001 + (1 << 31)], False),
    ],
)
def test_tcp_that_goes_on(tmp_path: Path, seq: int, acks: list[int], adapts: bool) -> None:
    """It adapted if anything of the long segment was acknowledged later, wherever sequence numbers begin anew."""
    scene = Scene(tmp_path)
    _told(scene, 10, _segment(seq), 7)
    for number, ack in enumerate(acks):
        scene.back(100 + number * 10, 6, tcp(80, 40_000, 9, ack, ACK))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is (Severity.INFO if adapts else Severity.ERROR)
    assert finding.explanation.startswith("TCP sends shorter segments" if adapts else "It is gone, and the sender was")


def test_an_acknowledgement_from_before_is_none(tmp_path: Path) -> None:
    """What came before the long segment does not tell what became of it."""
    scene = Scene(tmp_path)
    scene.back(1, 6, tcp(80, 40_000, 9, 1100, ACK))
    _told(scene, 10, _segment(1000), 7)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.ERROR


def test_datagrams_do_not_adapt(tmp_path: Path) -> None:
    """Even where answers come."""
    scene = Scene(tmp_path)
    _told(scene, 10, udp(40_000, 7777, b"a" * 100), 7, proto=17)
    scene.back(100, 17, udp(7777, 40_000, b"b"))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.ERROR


def test_who_adapts_and_who_does_not(tmp_path: Path) -> None:
    """The one is worth knowing, the other one is an error: each is told."""
    scene = Scene(tmp_path)
    _told(scene, 10, _segment(1000), 7)
    scene.back(50, 6, tcp(80, 40_000, 9, 1100, ACK))
    _told(scene, 100, _segment(1000, sport=40_001), 8)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [
        "1 packet of up to 140 bytes: 10.0.0.1 says at most 1400 bytes fit"
    ] * 2
    assert [finding.severity for finding in found] == [Severity.ERROR, Severity.INFO]


@pytest.mark.parametrize(
    ("mtu", "said", "advice"), [(1280, "at most 1280 bytes fit", 1280), (0, "the link takes less", 1400)]
)
def test_what_is_said(tmp_path: Path, mtu: int, said: str, advice: int) -> None:
    """The longest packet, who says so, and what fits; an old router does not say what (RFC 1191)."""
    scene = Scene(tmp_path)
    for number, size in enumerate((60, 100, 80)):
        _told(scene, number * 10, _segment(1000 + number * 500, size), 7 + number, mtu=mtu)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == f"3 packets of up to 140 bytes: 10.0.0.1 says {said}"
    assert finding.remedy.startswith(
        f'"mtu": {advice} in daemon.json, or --opt com.docker.network.driver.mtu={advice} '
    )
    assert len(finding.evidence) == 3


def test_by_router_and_mtu(tmp_path: Path) -> None:
    """Each of them is told by itself."""
    scene = Scene(tmp_path)
    for number, (by, mtu) in enumerate(((ROUTER, 1400), (ROUTER, 1300), ("10.0.0.2", 1400), (ROUTER, 1400))):
        _told(scene, number * 10, _segment(1000 + number * 500), 7 + number, mtu=mtu, by=by)

    assert scene.titles(HYPOTHESIS) == [
        "1 packet of up to 140 bytes: 10.0.0.1 says at most 1300 bytes fit",
        "1 packet of up to 140 bytes: 10.0.0.2 says at most 1400 bytes fit",
        "2 packets of up to 140 bytes: 10.0.0.1 says at most 1400 bytes fit",
    ]


@pytest.mark.parametrize("kind", [(3, 3), (3, 13), (12, 0), (11, 0), (4, 0)])
def test_other_errors_say_nothing_of_length(tmp_path: Path, kind: tuple[int, int]) -> None:
    """Only fragmentation needed does."""
    scene = Scene(tmp_path)
    _told(scene, 10, _segment(1000), 7, kind=kind)

    assert scene.titles(HYPOTHESIS) == []


@pytest.mark.parametrize(("kind", "told"), [((2, 0), True), ((1, 0), False), ((1, 4), False), ((3, 0), False)])
def test_packet_too_big(tmp_path: Path, kind: tuple[int, int], told: bool) -> None:
    """IPv6's own kind (RFC 4443)."""
    scene = Scene(tmp_path)
    ends = {"src": INSIDE6, "dst": SERVER6, "masked": "fd00:1::100"}
    body = _segment(1000)
    scene.out(0, 6, body, **ends)  # type: ignore[arg-type]
    scene.error(5, *kind, 6, body, by="fd00:1::1", word=1280, **ends)  # type: ignore[arg-type]

    assert scene.titles(HYPOTHESIS) == ["1 packet of up to 160 bytes: fd00:1::1 says at most 1280 bytes fit"] * told


def _narrow(folder: Path, mtu: int) -> Scene:
    """Return a host whose uplink takes so many bytes."""
    made = links()
    made[0]["mtu"] = mtu
    return Scene(folder, dumps=dumps(ip_addr=made))


@pytest.mark.parametrize(("mtu", "told"), [(127, True), (128, False)])
def test_a_link_of_this_host(tmp_path: Path, mtu: int, told: bool) -> None:
    """By the dump: datagrams that are longer than the way out takes, and were seen no further."""
    scene = _narrow(tmp_path, mtu)
    for number in range(2):
        scene.out(number * 10, 17, udp(40_000, 7777, bytes([number]) * 100), until="docker0")
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == [f"2 packets dropped: longer than wlan0's MTU of {mtu}"] * told
    for finding in found:
        assert finding.explanation == (
            "They are longer than the link that they have to leave by takes. Of 172.17.0.2:40000 → 8.8.8.8:7777."
        )
        assert finding.remedy == "Give the Docker network the smallest MTU on the way."
        assert finding.proof == (f"ip-addr.json: wlan0 mtu {mtu}",)


def test_one_that_the_host_itself_told(tmp_path: Path) -> None:
    """Once: by its error, and not by the dump as well; others that it did not, by the dump."""
    scene = _narrow(tmp_path, 100)
    for number in range(2):
        scene.out(number * 10, 17, udp(40_000, 7777, bytes([number]) * 100), until="docker0", ident=5 + number)
    quoted = packet(INSIDE, SERVER, 17, udp(40_000, 7777, b"\0" * 100), ident=5)
    scene.see("docker0", 1, frame(BRIDGE, C1, packet("172.17.0.1", INSIDE, 1, icmp(3, 4, quoted, 100))))
    scene.see("veth-c2", 1.1, frame(BRIDGE, C1, packet("172.17.0.1", INSIDE, 1, icmp(3, 4, quoted, 100))))

    assert scene.titles(HYPOTHESIS) == [
        "1 packet dropped: longer than wlan0's MTU of 100",
        "1 packet of up to 128 bytes: 172.17.0.1 says at most 100 bytes fit",
    ]


@pytest.mark.parametrize("adapts", [True, False])
def test_what_else_the_connection_has(tmp_path: Path, adapts: bool) -> None:
    """Where TCP adapts only the packet is explained; where it does not, the connection is."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(40_000, 80, 999, 0, 2))
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    _told(scene, 10, _segment(1000), 7)
    if adapts:
        scene.back(50, 6, tcp(80, 40_000, 9, 1100, ACK))
        for ms in (60, 200):
            scene.out(ms, 6, _segment(1100, 20))
    found = {finding.check for finding in scene.findings()}

    assert ("loss-beyond-host" in found) is adapts


@pytest.mark.parametrize(
    ("forward", "policy", "acts", "command"),
    [
        (
            ":DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n[9:0] -A DOCKER-USER -p icmp -j DROP\n",
            "ACCEPT",
            "rule 1 of DOCKER-USER",
            "iptables -t filter -I DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        ),
        (
            ":DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A FORWARD -i docker0 -j ACCEPT\n",
            "DROP",
            "the policy DROP of filter FORWARD",
            "iptables -t filter -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ),
    ],
)
def test_a_rule_that_stops_the_error(tmp_path: Path, forward: str, policy: str, acts: str, command: str) -> None:
    """It is for the host's address only as NAT shows it: conntrack sends it on, and the rule is the cause of both."""
    scene = Scene(tmp_path)
    scene.dumps = dumps(iptables_save=rules(forward=forward, policy=policy))
    for number in range(3):
        body = _segment(1000 + 100 * number)
        scene.out(10 + 20 * number, 6, body, ident=7 + number)
        scene.error(15 + 20 * number, 3, 4, 6, body, ident=7 + number, by=ROUTER, word=1400, until="wlan0")
    (finding,) = scene.findings()

    assert finding.check == HYPOTHESIS
    assert finding.detail.endswith(f"says at most 1400 bytes fit, and {acts} drops that answer")
    assert finding.facts["commands"] == [command]
    assert finding.facts["outcome"] == "helps"
