"""Servers that say nothing, names without an address, questions to a whole segment, connections that go silent."""

import socket
import struct
from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import C1, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import dumps, network

SYN, SYN_ACK, ACK, PSH, RST, FIN = 2, 0x12, 0x10, 0x18, 4, 1
PORT = 40_000


def _opened(scene: Scene, *, data: bool = True) -> None:
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(10, 6, tcp(80, PORT, 100, 2, SYN_ACK))
    scene.out(11, 6, tcp(PORT, 80, 2, 101, ACK))
    if data:
        scene.out(12, 6, tcp(PORT, 80, 2, 101, PSH, payload=b"GET"))


def _ended(scene: Scene) -> None:
    scene.out(20_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")


@pytest.mark.parametrize(
    ("flags", "data", "spoke", "title", "severity"),
    [
        (FIN | ACK, True, False, "closes it after the first request, without a word", Severity.WARNING),
        (FIN | ACK, False, False, "closes it at once, without a word", Severity.WARNING),
        (FIN | ACK, True, True, "", None),
        (RST | ACK, True, False, "itself resets the connection after the first request", Severity.ERROR),
        (RST | ACK, False, False, "", None),
        (RST | ACK, True, True, "", None),
    ],
    ids=["closed", "closed-unasked", "answered", "reset", "reset-unasked", "reset-answered"],
)
def test_a_server_without_a_word(
    tmp_path: Path, flags: int, data: bool, spoke: bool, title: str, severity: Severity | None
) -> None:
    """It granted the connection, and sent no data in it."""
    scene = Scene(tmp_path)
    _opened(scene, data=data)
    if spoke:
        scene.back(15, 6, tcp(80, PORT, 101, 5, PSH, payload=b"hello"))
    scene.back(20, 6, tcp(80, PORT, 101 + 5 * spoke, 5 if data else 2, flags))
    _ended(scene)
    found = scene.findings("request-unanswered")

    assert [finding.severity for finding in found] == [severity] * bool(title)
    assert all(finding.title.endswith(title) for finding in found)


@pytest.mark.parametrize(
    ("acked", "gives_up", "window", "told"),
    [
        (True, None, 500, True),
        (True, 4000, 500, True),
        (True, 1000, 500, False),
        (False, None, 500, False),
        (True, None, 0, False),
    ],
    ids=["to-the-end", "gave-up", "soon", "lost", "reads-nothing"],
)
def test_a_server_that_lets_wait(tmp_path: Path, acked: bool, gives_up: float | None, window: int, told: bool) -> None:
    """The request came there, for it was acknowledged, and nobody was in a hurry."""
    scene = Scene(tmp_path)
    _opened(scene)
    if acked:
        scene.back(15, 6, tcp(80, PORT, 101, 5, ACK)[:14] + struct.pack("!H", window) + bytes(4))
    if gives_up is not None:
        scene.out(12 + gives_up, 6, tcp(PORT, 80, 5, 101, FIN | ACK))
    _ended(scene)

    assert len(scene.findings("request-unanswered")) == told


@pytest.mark.parametrize(
    ("spoke", "size", "told"),
    [
        (False, 3, "after the handshake nothing is answered, dropped beyond wlan0"),
        (True, 3, "from one moment on nothing is answered any more, lost beyond wlan0"),
        (False, 800, ""),
    ],
    ids=["opened", "midway", "long"],
)
def test_a_connection_that_goes_silent(tmp_path: Path, spoke: bool, size: int, told: str) -> None:
    """What is long may be too long, which is another matter."""
    scene = Scene(tmp_path)
    _opened(scene, data=False)
    if spoke:
        scene.back(20, 6, tcp(80, PORT, 101, 2, PSH, payload=b"hello"))
    for number in range(4):
        scene.out(30 + 250 * number, 6, tcp(PORT, 80, 2, 101 + 5 * spoke, PSH, payload=b"a" * size))
    _ended(scene)
    found = scene.findings("connection-goes-silent")

    assert [finding.title.partition(": ")[2] for finding in found] == ([told] if told else [])


def _message(kind: int, number: int, flags: int = 0x0100, addresses: tuple[str, ...] = (), more: int = 0) -> bytes:
    records = [socket.inet_aton(text) if "." in text else socket.inet_pton(socket.AF_INET6, text) for text in addresses]
    head = struct.pack("!6H", number, flags, 1, len(records) + more, 0, 0)
    answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(one)) + one for one in records)
    return head + b"\2db\7example\0" + struct.pack("!HH", kind, 1) + answers


@pytest.mark.parametrize(
    ("four", "six", "flags", "more", "told"),
    [
        ((), (), 0x8180, 0, "knows the name, and gives no address for it"),
        (("0.0.0.0",), (), 0x8180, 0, "answers 0.0.0.0, as blocklists do"),
        (("127.0.0.1",), ("::1",), 0x8180, 0, "answers 127.0.0.1, ::1, as blocklists do"),
        (("9.9.9.9",), (), 0x8180, 0, ""),
        (("0.0.0.0",), ("2001:db8::1",), 0x8180, 0, ""),
        ((), (), 0x8380, 0, ""),
        ((), (), 0x8180, 1, ""),
        ((), (), 0x8183, 0, ""),
    ],
    ids=["none", "nobody", "itself", "one", "other-version", "truncated", "unread", "nxdomain"],
)
def test_an_answer_that_leads_nowhere(
    tmp_path: Path, four: tuple[str, ...], six: tuple[str, ...], flags: int, more: int, told: str
) -> None:
    """Of what was read whole: no address, or one of nobody."""
    scene = Scene(tmp_path)
    for kind, number, addresses in ((1, 1, four), (28, 2, six)):
        scene.out(number, 17, udp(PORT + number, 53, _message(kind, number)))
        answer = _message(kind, number, flags, addresses, more)
        scene.back(number + 10, 17, udp(53, PORT + number, answer))
    _ended(scene)
    found = scene.findings("no-address-for-name")

    assert [finding.title.partition(f"name server {SERVER} ")[2] for finding in found] == ([told] if told else [])


@pytest.mark.parametrize(
    ("driver", "dst", "port", "told"),
    [
        ("bridge", "224.0.0.251", 5353, "mDNS"),
        ("bridge", "239.255.255.250", 1900, "SSDP"),
        ("bridge", "255.255.255.255", 67, "DHCP"),
        ("bridge", "224.0.0.251", 7000, ""),
        ("bridge", "9.9.9.9", 5353, ""),
        ("macvlan", "224.0.0.251", 5353, ""),
    ],
)
def test_questions_to_all(tmp_path: Path, driver: str, dst: str, port: int, told: str) -> None:
    """By the port, to a group, from a network that is a bridge of its own."""
    scene = Scene(tmp_path, dumps=dumps(docker_network_inspect=[network(Driver=driver)]))
    mac = "ff:ff:ff:ff:ff:ff" if dst.startswith("255") else "01:00:5e:00:00:fb"
    for number in range(3):
        scene.see("veth-c2", 100 * number, frame(C1, mac, packet(INSIDE, dst, 17, udp(port, port, b"x"), ident=number)))
    _ended(scene)

    assert scene.titles("multicast-stays-inside") == (
        [f"c2 looks for services by {told}, 3 questions, and gets no further than network bridge"] if told else []
    )


@pytest.mark.parametrize(("port", "told"), [(123, True), (9999, False)])
def test_questions_that_are_always_answered(tmp_path: Path, port: int, told: bool) -> None:
    """Of NTP and the like it is known; others may be for nobody who talks."""
    scene = Scene(tmp_path)
    for number in range(3):
        scene.out(1000 * number, 17, udp(123, port, b"x" * 48))
    _ended(scene)

    assert len(scene.findings("loss-beyond-host")) == told


def test_an_answer_that_comes_too_late(tmp_path: Path) -> None:
    """The client had closed the connection by then."""
    scene = Scene(tmp_path)
    _opened(scene)
    scene.back(15, 6, tcp(80, PORT, 101, 5, ACK))
    scene.out(4000, 6, tcp(PORT, 80, 5, 101, FIN | ACK))
    scene.back(6000, 6, tcp(80, PORT, 101, 6, PSH, payload=b"late"))
    scene.out(6001, 6, tcp(PORT, 80, 6, 0, RST))
    _ended(scene)
    (finding,) = scene.findings("request-unanswered")

    assert finding.title.endswith("takes the request and does not answer for 4.0 s")
