"""What packets died of: those that one cause stopped together, and ICMP errors with what they are about."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.explain.fates import errors, stopped
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, INSIDE6, SERVER, SERVER6, Scene, frame, icmp, packet
from tests.explain.state import dumps, rules

DROP7, DROP8 = (f"-A FORWARD -p tcp -m tcp --dport {port} -j DROP\n" for port in (7, 8))
SYN = 0x02


def _stopped(scene: Scene) -> dict[str, list[tuple[str, list[int]]]]:
    return {check: [(one.cause.text, one.packets) for one in found] for check, found in stopped(scene.case()).items()}


def test_packets_are_put_together_by_the_cause_that_stopped_them(tmp_path: Path) -> None:
    """Two rules are two causes of one check; what passed is of none."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward=DROP7 + DROP8)))
    for ms, port, until in (
        (0, 7, "docker0"),
        (10, 8, "docker0"),
        (20, 9, "wlan0"),
        (30, 7, "docker0"),
        (40, 9, "docker0"),
    ):
        scene.out(ms, 6, tcp(40_000 + ms, port, 1, 0, SYN), until=until)
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")

    assert _stopped(scene) == {
        "filtered-by-rule": [
            (f"rule “{DROP7.strip()}” in filter", [0, 3]),
            (f"rule “{DROP8.strip()}” in filter", [1]),
        ]
    }


@pytest.mark.parametrize(
    ("forward", "forwards", "checks"),
    [
        (DROP7, "1", ["filtered-by-rule"]),
        (DROP7.replace("DROP", "REJECT"), "1", ["filtered-by-rule"]),
        (DROP7, "0", ["forwarding-disabled"]),
        ("", "1", []),
    ],
    ids=["dropped", "rejected", "not-forwarded", "nothing-stops-it"],
)
def test_a_cause_belongs_to_the_check_that_reports_it(
    tmp_path: Path, forward: str, forwards: str, checks: list[str]
) -> None:
    """In the kernel's order: what is not forwarded comes to no rule of FORWARD."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward=forward)))
    scene.dumps["sysctl.txt"] = f"net.ipv4.ip_forward = {forwards}\n"
    scene.out(0, 6, tcp(40_000, 7, 1, 0, SYN), until="docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9", until="docker0" if forwards == "0" else "wlan0")

    assert list(stopped(scene.case())) == checks


def test_what_the_host_gets_and_cannot_answer_is_stopped(tmp_path: Path) -> None:
    """It came to its destination; a rule stops the answer."""
    text = rules().replace(":OUTPUT ACCEPT [0:0]\n", ":OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp --sport 22 -j DROP\n")
    scene = Scene(tmp_path, dumps=dumps(iptables_save=text))
    data = packet(INSIDE, "172.17.0.1", 6, tcp(40_000, 22, 1, 0, SYN))
    for place, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, place * 0.02, frame(C1, BRIDGE, data))
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    ((_, ((_, packets),)),) = _stopped(scene).items()

    assert packets == [0]


def test_an_error_is_told_once_with_the_packet_that_it_is_about(tmp_path: Path) -> None:
    """As it was first seen, although three points saw it; in order of time."""
    scene = Scene(tmp_path)
    bodies = [tcp(40_000 + number, 80, 1, 0, SYN) for number in range(2)]
    for number, body in enumerate(bodies):
        scene.out(number, 6, body, ident=5 + number)
    scene.error(10, 3, 4, 6, bodies[1], ident=6, by="10.0.0.1", word=1300)
    scene.error(20, 3, 1, 6, bodies[0], ident=5, by="10.0.0.2")
    found = errors(scene.case())

    assert [(one.packet, one.quoted, str(one.source)) for one in found] == [(2, 1, "10.0.0.1"), (3, 0, "10.0.0.2")]
    assert [(one.kind, one.mtu) for one in found] == [((4, 3, 4), 1300), ((4, 3, 1), 0)]
    assert {one.target for one in found} == {ip_address(SERVER)}


def test_an_error_about_what_was_not_captured_is_about_none(tmp_path: Path) -> None:
    """Its target is what it quotes."""
    scene = Scene(tmp_path)
    unseen = packet(HOST, "9.9.9.9", 6, tcp(50_000, 443, 1, 0, SYN), ident=99)
    scene.see("wlan0", 0, frame(C1, BRIDGE, packet("10.0.0.1", HOST, 1, icmp(3, 1, unseen))))
    (error,) = errors(scene.case())

    assert (error.quoted, str(error.target)) == (None, "9.9.9.9")


def test_an_error_of_ipv6_has_its_own_kinds(tmp_path: Path) -> None:
    """Version, type and code together tell what it is; addresses are whole."""
    scene = Scene(tmp_path)
    body = tcp(40_000, 80, 1, 0, SYN)
    scene.out(0, 6, body, src=INSIDE6, dst=SERVER6, masked=INSIDE6)
    scene.error(5, 2, 0, 6, body, by="fe80::1", word=1280, src=INSIDE6, dst=SERVER6, masked=INSIDE6)
    (error,) = errors(scene.case())

    assert (error.kind, error.mtu) == ((6, 2, 0), 1280)
    assert (str(error.source), str(error.target)) == ("fe80::1", SERVER6)


def test_an_error_about_what_was_translated_reads_as_its_receiver_wrote_it(tmp_path: Path) -> None:
    """A container refuses what came by a published port: it says so, and the client asked for the host's address."""
    client, published, inside = "198.51.100.7", 8080, 53
    asked = packet(client, HOST, 17, udp(4_000, published, b"q"), ttl=60, ident=5)
    came = packet(client, INSIDE, 17, udp(4_000, inside, b"q"), ttl=59, ident=5)
    said = packet(INSIDE, client, 1, icmp(3, 3, came), ident=9)
    left = packet(HOST, client, 1, icmp(3, 3, asked), ttl=63, ident=9)
    scene = Scene(tmp_path, dumps=dumps())
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, asked))
    for ms, point in ((0.02, "docker0"), (0.04, "veth-c2")):
        scene.see(point, ms, frame(BRIDGE, C1, came))
    for ms, point in ((1, "veth-c2"), (1.02, "docker0")):
        scene.see(point, ms, frame(C1, BRIDGE, said))
    scene.see("wlan0", 1.04, frame(UPLINK, GATEWAY, left))
    (error,) = errors(scene.case())

    assert (error.quoted, str(error.source), str(error.target)) == (0, INSIDE, HOST)
