"""Name servers that keep silent, or take long."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp, udp
from tests.explain.dns import answer, ask, message
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import NAT, container, dumps, rules

HYPOTHESIS = "dns-unanswered"


def _until(scene: Scene, ms: float) -> None:
    scene.out(ms, 6, tcp(1, 2, 3, 0, 2), until="veth-c2")


@pytest.mark.parametrize(
    ("answers", "severity", "said"),
    [
        (0, Severity.ERROR, "It answered nothing at all."),
        (2, Severity.WARNING, "It answered 2 others."),
        (3, Severity.WARNING, "It answered 3 others."),
    ],
)
def test_how_bad_it_is(tmp_path: Path, answers: int, severity: Severity, said: str) -> None:
    """A warning if the server answers others."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    ask(scene, 1, 2, "b.example", "AAAA")
    for number in range(answers):
        ask(scene, 10, 10 + number, f"good{number}.example")
        answer(scene, 12, 10 + number, f"good{number}.example")
    _until(scene, 5000)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "name server 8.8.8.8 left 2 questions unanswered"
    assert finding.severity is severity
    assert finding.explanation == f"Asked for a.example A, b.example AAAA; last seen at wlan0. {said}"
    assert [str(one) for one in finding.evidence] == ["wlan0 #1", "wlan0 #2"]


def test_each_server_by_itself(tmp_path: Path) -> None:
    """What one answers says nothing of the other."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1, server="9.9.9.9")
    ask(scene, 0, 2)
    ask(scene, 10, 3, "b.example")
    answer(scene, 12, 3, "b.example")
    _until(scene, 5000)

    assert [(finding.detail, finding.severity) for finding in scene.findings(HYPOTHESIS)] == [
        ("name server 9.9.9.9 left 1 question unanswered", Severity.ERROR),
        ("name server 8.8.8.8 left 1 question unanswered", Severity.WARNING),
    ]


def test_dockers_own_server_is_another_checks(tmp_path: Path) -> None:
    """Its address is the same in every container; those after it are told all the same."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1, server="127.0.0.11", until="veth-c2")
    ask(scene, 10, 2, server="9.9.9.9")
    _until(scene, 5000)

    assert scene.titles(HYPOTHESIS) == ["name server 9.9.9.9 left 1 question unanswered"]
    assert scene.titles("embedded-dns-failed") == ["Docker's name server failed 1 question"]


def test_slow_ones(tmp_path: Path) -> None:
    """By the longest, a warning; their answers are the evidence."""
    scene = Scene(tmp_path)
    for number, ms in ((1, 1500), (2, 3260), (3, 20)):
        ask(scene, 0, number, f"{number}.example")
        answer(scene, ms, number, f"{number}.example")
    _until(scene, 9000)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "name server 8.8.8.8 took up to 3.3 s for 2 questions"
    assert finding.severity is Severity.WARNING
    assert finding.explanation.startswith("Asked for 1.example A, 2.example A. ")
    assert [str(one) for one in finding.evidence] == ["veth-c2 #5", "veth-c2 #6"]


def test_what_is_told_as_such_is_not_told_as_lost(tmp_path: Path) -> None:
    """The connection is explained."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1, sport=5000)
    ask(scene, 10, 2, "b.example", sport=5000)
    answer(scene, 12, 2, "b.example", sport=5000)
    _until(scene, 9000)

    assert {finding.check for finding in scene.findings()} == {HYPOTHESIS}


@pytest.mark.parametrize(
    ("asked", "known", "servers"),
    [
        (("8.8.8.8", "9.9.9.9"), None, ["8.8.8.8", "9.9.9.9"]),
        (("8.8.8.8", "9.9.9.9"), "192.168.1.1", ["8.8.8.8", "9.9.9.9"]),
        (("8.8.8.8", "9.9.9.9"), "1.1.1.1", ["8.8.8.8", "9.9.9.9"]),
        (("8.8.8.8",), "1.1.1.1", None),
        (("8.8.8.8",), None, None),
        (("8.8.8.8", "192.168.1.7"), None, None),
    ],
    ids=["all", "a-near-one-answers", "a-far-one-answers", "one-of-two-far", "one", "one-of-them-near"],
)
def test_no_server_outside_answers(
    tmp_path: Path, asked: tuple[str, ...], known: str | None, servers: list[str] | None
) -> None:
    """Servers that have nothing to do with each other do not fail at once; one that answers is offered."""
    scene = Scene(tmp_path, dumps=dumps())
    for number, server in enumerate(asked):
        ask(scene, number * 10, number, server=server)
    if known is not None:
        ask(scene, 100, 9, "b.example", server=known)
        answer(scene, 101, 9, "b.example", server=known)
    _until(scene, 9000)
    found = scene.findings("dns-unanswered")

    assert [one.facts["servers"] for one in found if "servers" in one.facts] == ([servers] if servers else [])
    assert not servers or len(found) == 1
    assert not servers or found[0].facts["outside"] == ([known] if known == "1.1.1.1" else [])
    assert not servers or (f"docker run --dns {known}" in str(found[0].remedy)) is (known is not None)


@pytest.mark.parametrize("served", [True, False], ids=["answers-its-own", "answers-nobody"])
def test_a_container_answers_its_own_network_alone(tmp_path: Path, served: bool) -> None:
    """Published by another port or not, questions are read where they come in."""
    pihole: dict[str, Any] = container("pihole", "172.17.0.3", C2)  # type: ignore[assignment]
    pihole["NetworkSettings"]["Ports"] = {"53/udp": [{"HostIp": "0.0.0.0", "HostPort": "5300"}]}
    nat = f"-A PREROUTING -p udp -m udp --dport 5300 -j DNAT --to-destination 172.17.0.3:53\n{NAT}"
    files = dumps(docker_inspect=[container("c2", INSIDE, C1), pihole], iptables_save=rules(nat=nat))
    scene = Scene(tmp_path, dumps=files)
    for number in range(2):
        outer, inner = (udp(4000 + number, port, message(number, "a.example")) for port in (5300, 53))
        data = [packet("192.168.1.50", dst, 17, body, ident=60 + number, ttl=ttl)
                for dst, body, ttl in ((HOST, outer, 64), ("172.17.0.3", inner, 63))]  # fmt: skip
        scene.see("wlan0", number * 100, frame(GATEWAY, UPLINK, data[0]))
        for place, point in enumerate(("docker0", "veth-pihole")):
            scene.see(point, number * 100 + 1 + place, frame(BRIDGE, C2, data[1]))
    if served:
        question = packet(INSIDE, "172.17.0.3", 17, udp(5000, 53, message(9, "b.example")), ident=90)
        reply = packet("172.17.0.3", INSIDE, 17, udp(53, 5000, message(9, "b.example", outcome=0)), ident=91)
        scene.see("veth-pihole", 300, frame(C1, C2, question))
        scene.see("veth-pihole", 301, frame(C2, C1, reply))
    _until(scene, 9000)
    (finding,) = scene.findings("dns-unanswered")

    assert finding.facts["questions"] == 2
    assert ("local_only" in finding.facts) is served
    assert ("permit all origins" in str(finding.remedy)) is served


@pytest.mark.parametrize("answered", [True, False])
def test_one_type_of_address_alone(tmp_path: Path, answered: bool) -> None:
    """A server that answers A and never AAAA makes every lookup wait; it is not silent."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    ask(scene, 1, 2, kind="AAAA")
    if answered:
        answer(scene, 5, 1)
    _until(scene, 9000)
    (finding,) = scene.findings("dns-unanswered")

    assert finding.title.startswith(f"name server {SERVER} answers A, and leaves 1 question for AAAA") is answered
