"""Answers that come from another address than was asked: what makes one fit a question, and what follows from it."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.hypotheses.answered_from_elsewhere import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, icmp, packet
from tests.explain.state import container, dumps

SYN, SYN_ACK, ACK, RST = 2, 0x12, 0x10, 4
OTHER, PORT = "9.9.9.9", 40_000
LAST = 0xFFFF_FFFF


def _comes(scene: Scene, ms: float, proto: int, body: bytes, src: str = OTHER) -> None:
    """Let somebody's packet come as far as the uplink."""
    scene.ident += 1
    scene.see("wlan0", ms, frame(GATEWAY, UPLINK, packet(src, HOST, proto, body, ttl=50, ident=900 + scene.ident)))


def _ended(scene: Scene, ms: float = 9000) -> list[Cause]:
    """Record a while longer, and return the causes."""
    scene.out(ms, 17, udp(1, 53, b"x"), dst="1.1.1.1")
    return list(causes(scene.case()))


@pytest.mark.parametrize(
    ("seq", "ack", "sport", "flags", "told"),
    [
        (1, 2, 80, SYN_ACK, True),
        (LAST, 0, 80, SYN_ACK, True),
        (1, 1, 80, SYN_ACK, False),
        (1, 2, 8080, SYN_ACK, False),
        (1, 2, 80, RST | ACK, False),
        (1, 2, 80, ACK, False),
    ],
    ids=["fits", "number-begins-anew", "another-number", "another-port", "refuses", "grants-nothing"],
)
def test_a_grant_has_the_ports_and_the_next_number(
    tmp_path: Path, seq: int, ack: int, sport: int, flags: int, told: bool
) -> None:
    """Only a SYN,ACK of the asked port that acknowledges the very SYN is taken for its answer."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(PORT, 80, seq, 0, SYN))
    _comes(scene, 10, 6, tcp(sport, PORT, 500, ack, flags))

    assert [cause.key for cause in _ended(scene)] == [(SERVER, OTHER)] * told


@pytest.mark.parametrize(("own_answer", "after_ms"), [(True, 9000), (False, 500)], ids=["answered-itself", "soon-over"])
def test_a_question_that_is_not_open_has_no_other_answerer(tmp_path: Path, own_answer: bool, after_ms: float) -> None:
    """Neither one that was answered, nor one for whose answer there was no time."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    _comes(scene, 10, 6, tcp(80, PORT, 500, 2, SYN_ACK))
    if own_answer:
        scene.back(12, 6, tcp(80, PORT, 700, 2, SYN_ACK))

    assert _ended(scene, after_ms) == []


def test_a_grant_of_a_connection_that_was_asked_for_is_not_strange(tmp_path: Path) -> None:
    """Whoever was asked from the same port, with the same number, answers for itself."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.out(1, 6, tcp(PORT, 80, 1, 0, SYN), dst=OTHER)
    scene.back(10, 6, tcp(80, PORT, 500, 2, SYN_ACK), src=OTHER)

    assert _ended(scene) == []


def test_each_pair_of_addresses_is_one_cause(tmp_path: Path) -> None:
    """Questions to one address that one other answers are told together, and each answer follows from it."""
    scene = Scene(tmp_path)
    for number, other in enumerate((OTHER, OTHER, "7.7.7.7")):
        scene.out(number * 100, 6, tcp(PORT + number, 80, 1, 0, SYN))
        _comes(scene, number * 100 + 10, 6, tcp(80, PORT + number, 500, 2, SYN_ACK), other)
    found = {cause.key: cause for cause in _ended(scene)}
    told = found[SERVER, OTHER].told([0, 2])

    assert {key: (list(cause.packets), list(cause.also)) for key, cause in found.items()} == {
        (SERVER, OTHER): ([0, 2], [1, 3]),
        (SERVER, "7.7.7.7"): ([4], [5]),
    }
    assert told.facts == {"asked_at": SERVER, "other": OTHER, "where": "wlan0", "granted": True}
    assert [str(one) for one in told.evidence] == ["wlan0 #1", "wlan0 #3", "wlan0 #2", "wlan0 #4"]


@pytest.mark.parametrize(
    ("asked", "answer", "late_ms", "told"),
    [
        ((PORT, 5300), (5300, PORT), 5, True),
        ((PORT, 5300), (5301, PORT), 5, False),
        ((PORT, 5300), (5300, PORT + 1), 5, False),
        ((PORT, 5300), (5300, PORT), -5, False),
        ((PORT, 53), (53, PORT), 5, False),
        ((53, 5300), (5300, 53), 5, False),
    ],
    ids=["fits", "another-port", "to-another-port", "came-before", "to-a-name-server", "from-a-name-server"],
)
def test_a_datagram_comes_back_between_the_same_ports(
    tmp_path: Path, asked: tuple[int, int], answer: tuple[int, int], late_ms: float, told: bool
) -> None:
    """After the question, and not of name servers, whose messages tell more than ports."""
    scene = Scene(tmp_path)
    scene.out(10, 17, udp(*asked, b"question"))
    _comes(scene, 10 + late_ms, 17, udp(*answer, b"answer"))
    found = _ended(scene)

    assert [(cause.key, list(cause.packets)) for cause in found] == [((SERVER, OTHER), [0])] * told
    assert [cause.told([0]).facts["granted"] for cause in found] == [False] * told


def test_datagrams_that_were_answered_are_no_question(tmp_path: Path) -> None:
    """Somebody else may then say what they like."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(PORT, 5300, b"question"))
    scene.back(4, 17, udp(5300, PORT, b"answer"))
    _comes(scene, 5, 17, udp(5300, PORT, b"another answer"))

    assert _ended(scene) == []


@pytest.mark.parametrize(
    ("program", "port", "named"),
    [("docker-proxy", 5353, True), ("dnsmasq", 5353, False), ("docker-proxy", 5354, False)],
    ids=["proxy", "another-program", "another-port"],
)
def test_docker_proxy_answers_from_the_bridge_s_address(tmp_path: Path, program: str, port: int, named: bool) -> None:
    """It has one socket for all of the host's addresses: whose port it serves is known."""
    web: dict[str, Any] = container("web", "172.17.0.3", "02:42:ac:11:00:03")  # type: ignore[assignment]
    web["NetworkSettings"]["Ports"] = {"53/udp": [{"HostIp": "0.0.0.0", "HostPort": "5353"}]}
    listens = f'udp UNCONN 0 0 0.0.0.0:{port} *:* users:(("{program}",pid=9,fd=3))\n'
    files = dumps(docker_inspect=[container("c2", INSIDE, C1), web]) | {"ss.txt": listens}
    scene = Scene(tmp_path, dumps=files)
    scene.out(0, 17, udp(PORT, 5353, b"ask"), dst=HOST, until="docker0", masked=None)
    answer = packet("172.17.0.1", INSIDE, 17, udp(5353, PORT, b"yes"), ident=77)
    for number, point in enumerate(("docker0", "veth-c2")):
        scene.see(point, 1 + number, frame(BRIDGE, C1, answer))
    refusal = packet(INSIDE, "172.17.0.1", 1, icmp(3, 3, answer), ident=78)
    for number, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, 3 + number, frame(C1, BRIDGE, refusal))
    scene.out(9000, 17, udp(1, 53, b"x"), dst="1.1.1.1")
    found = [one for one in scene.findings() if one.severity is Severity.ERROR]

    assert [one.check for one in found] == ["answered-from-elsewhere"]
    assert ("proxied" in found[0].facts) is named
    assert ("-p 192.168.1.100:5353:53/udp" in str(found[0].remedy)) is named


def test_the_refusal_of_a_strange_answer_follows_from_it(tmp_path: Path) -> None:
    """The host knows nothing of such a datagram, and says that its port is closed."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(PORT, 5300, b"question"))
    strange = packet(OTHER, HOST, 17, udp(5300, PORT, b"answer"), ttl=50, ident=77)
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, strange))
    refusal = packet(HOST, OTHER, 1, icmp(3, 3, strange), ident=78)
    scene.see("wlan0", 6, frame(UPLINK, GATEWAY, refusal))
    (cause,) = _ended(scene)

    assert (list(cause.packets), list(cause.also)) == ([0], [1, 2])
