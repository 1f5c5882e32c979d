"""Ports on which nobody listens: what counts as a refusal, who is named, and how bad it is."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, INSIDE6, SERVER, SERVER6, Scene, frame, packet
from tests.explain.state import dumps

HYPOTHESIS = "connection-refused"
SYN, RST, ACK = 0x02, 0x04, 0x10


def _refused(scene: Scene, ms: float, sport: int = 40_000, dport: int = 80, *, dst: str = SERVER) -> None:
    """Let a container ask, and be answered by RST."""
    scene.out(ms, 6, tcp(sport, dport, 1, 0, SYN), dst=dst)
    scene.back(ms + 5, 6, tcp(dport, sport, 0, 2, RST | ACK), src=dst)


def _granted(scene: Scene, ms: float, sport: int = 50_000, dport: int = 80) -> None:
    scene.out(ms, 6, tcp(sport, dport, 1, 0, SYN))
    scene.back(ms + 5, 6, tcp(dport, sport, 7, 2, SYN | ACK))
    scene.out(ms + 6, 6, tcp(sport, dport, 2, 8, ACK))


def _datagram(scene: Scene, ms: float, ident: int, sport: int, dport: int, kind: tuple[int, int]) -> None:
    """Let a container send a datagram, and be answered by an ICMP error."""
    body = udp(sport, dport, b"ask")
    scene.out(ms, 17, body, ident=ident)
    scene.error(ms + 5, *kind, 17, body, ident=ident)


def test_by_server(tmp_path: Path) -> None:
    """Ports of one server stand together, five of them by name; their first packets are counted."""
    scene = Scene(tmp_path)
    for number, dport in enumerate((80, 80, 81, 82, 83, 84)):
        _refused(scene, number * 20, 40_000 + number, dport)
    _refused(scene, 900, 41_000, 9, dst="9.9.9.9")

    assert scene.titles(HYPOTHESIS) == [
        "8.8.8.8 refuses port 80/tcp, 81/tcp, 82/tcp, 83/tcp, 84/tcp: 6 packets",
        "9.9.9.9 refuses port 9/tcp: 1 packet",
    ]


def test_many_ports_of_one_server(tmp_path: Path) -> None:
    """From the sixth on they are counted."""
    scene = Scene(tmp_path)
    for number in range(7):
        _refused(scene, number * 20, 40_000 + number, 80 + number)

    assert scene.titles(HYPOTHESIS) == [
        "8.8.8.8 refuses port 80/tcp, 81/tcp, 82/tcp, 83/tcp, 84/tcp and 2 more: 7 packets"
    ]


@pytest.mark.parametrize(
    ("kind", "told"),
    [((3, 3), True), ((3, 2), True), ((3, 4), False), ((12, 0), False), ((11, 0), False)],
    ids=["port", "protocol", "too-long", "parameter", "too-old"],
)
def test_which_errors_refuse(tmp_path: Path, kind: tuple[int, int], told: bool) -> None:
    """Port and protocol unreachable say that somebody is there."""
    scene = Scene(tmp_path)
    _datagram(scene, 0, 5, 40_000, 7777, kind)

    assert scene.titles(HYPOTHESIS) == ["8.8.8.8 refuses port 7777/udp: 1 packet"] * told


def test_which_errors_refuse_with_ipv6(tmp_path: Path) -> None:
    """Destination unreachable, code 4."""
    scene = Scene(tmp_path)
    ends = {"src": INSIDE6, "dst": SERVER6, "masked": "fd00:1::100"}
    body = udp(40_000, 7777, b"ask")
    scene.out(0, 17, body, **ends)  # type: ignore[arg-type]
    scene.error(5, 1, 4, 17, body, by=SERVER6, **ends)  # type: ignore[arg-type]

    assert scene.titles(HYPOTHESIS) == ["2001:4860::8 refuses port 7777/udp: 1 packet"]


@pytest.mark.parametrize(
    ("port", "title", "severity"),
    [
        (33_433, "8.8.8.8 refuses port 33433/udp: 1 packet", Severity.ERROR),
        (33_434, "1 probe of a traceroute reached the end", Severity.INFO),
        (33_534, "1 probe of a traceroute reached the end", Severity.INFO),
        (33_535, "8.8.8.8 refuses port 33535/udp: 1 packet", Severity.ERROR),
    ],
)
def test_ports_of_traceroute(tmp_path: Path, port: int, title: str, severity: Severity) -> None:
    """From 33434 to 33534: that is how it knows that it is there."""
    scene = Scene(tmp_path)
    _datagram(scene, 0, 5, 40_000, port, (3, 3))
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.detail, finding.severity) == (title, severity)


def test_probes_and_refusals_are_told_apart(tmp_path: Path) -> None:
    """Three probes are one finding, and what follows them is looked at as well."""
    scene = Scene(tmp_path)
    for number, port in enumerate((33_434, 33_435, 33_436, 7777)):
        _datagram(scene, number * 20, 5 + number, 40_000 + number, port, (3, 3))
    found = {finding.detail: finding for finding in scene.findings(HYPOTHESIS)}

    assert set(found) == {"3 probes of a traceroute reached the end", "8.8.8.8 refuses port 7777/udp: 1 packet"}
    probes = found["3 probes of a traceroute reached the end"]
    assert len(probes.evidence) == 3
    assert probes.remedy == "Nothing to do."


def test_an_answer_that_comes_too_late(tmp_path: Path) -> None:
    """The asker refuses it: an info, and nobody is to blame."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(40_000, 7777, b"ask"))
    answer = udp(7777, 40_000, b"tell")
    scene.back(500, 17, answer, ident=77)
    quoted = packet(SERVER, INSIDE, 17, answer, ttl=53, ident=77)
    error = b"\3\3\0\0\0\0\0\0" + quoted
    scene.out(501, 1, error, ident=78, masked=None)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "1 answer came when nobody waited any more"
    assert finding.severity is Severity.INFO
    assert finding.remedy == "Nothing to do, unless answers are slow."


@pytest.mark.parametrize(
    ("granted_ms", "severity"),
    [(None, Severity.ERROR), (500, Severity.INFO), (-500, Severity.ERROR)],
    ids=["never", "later", "before"],
)
def test_accepted_later(tmp_path: Path, granted_ms: int | None, severity: Severity) -> None:
    """A server that was only slow to start is an info; one that listens no more is an error."""
    scene = Scene(tmp_path)
    _refused(scene, 1000)
    if granted_ms is not None:
        _granted(scene, 1000 + granted_ms)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is severity
    assert (" Later connections were accepted." in finding.explanation) is (severity is Severity.INFO)


@pytest.mark.parametrize(("way", "severity"), [("172.17.0.3", Severity.ERROR), ("172.17.0.2", Severity.INFO)])
def test_another_one_s_success_elsewhere_says_nothing(tmp_path: Path, way: str, severity: Severity) -> None:
    """A rule sends one container's connections to somebody who refuses, and another's to the server itself."""
    entry = "ipv4 2 tcp 6 9 CLOSE src=172.17.0.2 dst=8.8.8.8 sport=40000 dport=80 src=172.17.0.1 dst=172.17.0.2 "
    scene = Scene(tmp_path, dumps=dumps() | {"conntrack.txt": f"{entry}sport=3129 dport=40000 id=1\n"})
    asks, refuses = tcp(40_000, 80, 1, 0, SYN), tcp(80, 40_000, 0, 2, RST | ACK)
    for number, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, number, frame(C1, BRIDGE, packet(INSIDE, SERVER, 6, asks, ident=1)))
        scene.see(point, 5 - number, frame(BRIDGE, C1, packet(SERVER, INSIDE, 6, refuses, ident=2)))
    scene.out(100, 6, tcp(50_000, 80, 7, 0, SYN), src=way, mac=C1 if way == INSIDE else C2, ident=3)
    scene.back(101, 6, tcp(80, 50_000, 9, 8, SYN | ACK), dst=way, mac=C1 if way == INSIDE else C2, ident=4)
    (finding,) = scene.findings("connection-refused")

    assert finding.severity is severity


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [(80, 80, Severity.INFO), (80, 81, Severity.ERROR), (81, 80, Severity.ERROR)],
)
def test_every_port_must_be_accepted_later(tmp_path: Path, first: int, second: int, severity: Severity) -> None:
    """Another port of the same server says nothing of this one."""
    scene = Scene(tmp_path)
    _refused(scene, 0, 40_000, first)
    _refused(scene, 100, 40_001, second)
    _granted(scene, 500)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is severity


def test_refused_again_after_it_was_accepted(tmp_path: Path) -> None:
    """The last refusal counts."""
    scene = Scene(tmp_path)
    _refused(scene, 0, 40_000)
    _granted(scene, 500)
    _refused(scene, 900, 40_001)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.ERROR


def test_of_no_container_it_is_a_warning(tmp_path: Path) -> None:
    """What the host itself is refused."""
    scene = Scene(tmp_path)
    scene.see("wlan0", 0, frame(UPLINK, GATEWAY, packet(HOST, SERVER, 6, tcp(40_000, 80, 1, 0, SYN))))
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 6, tcp(80, 40_000, 0, 2, RST | ACK))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING
    assert finding.explanation.startswith("They reached it, and nobody listens there, or only on another address")


def _docker(*ports: tuple[str, str]) -> list[dict[str, object]]:
    published = {"80/tcp": [{"HostIp": ip, "HostPort": port} for ip, port in ports]}
    end = {"IPAddress": "172.17.0.3", "MacAddress": C2}
    return [{"Name": "/web", "NetworkSettings": {"Networks": {"bridge": end}, "Ports": published}}]


def _published(scene: Scene, dport: int, seen: int) -> None:
    """Let a client outside ask the host, and DNAT send it to a container, which refuses."""
    client = "192.168.1.7"
    for back, flags in ((False, SYN), (True, RST | ACK)):
        if back:
            scene.out(5, 6, tcp(seen, 40_000, 0, 2, flags), src="172.17.0.3", dst=client, masked=None,
                      mac=C2, veth="veth-web", until="docker0")  # fmt: skip
            scene.see("wlan0", 5.1, frame(UPLINK, GATEWAY, packet(HOST, client, 6, tcp(dport, 40_000, 0, 2, flags),
                                                                  ttl=63, ident=scene.ident)))  # fmt: skip
        else:
            scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet(client, HOST, 6, tcp(40_000, dport, 1, 0, flags))))
            for ms, point in ((0.02, "docker0"), (0.04, "veth-web")):
                inner = packet(client, "172.17.0.3", 6, tcp(40_000, seen, 1, 0, flags), ttl=63)
                scene.see(point, ms, frame("02:42:a5:97:21:da", C2, inner))
    scene.ident = 1


def test_behind_a_translation_the_container_refuses(tmp_path: Path) -> None:
    """It is named, with its own port, and the one that was asked."""
    scene = Scene(tmp_path, dumps={"docker-inspect.json": _docker(("0.0.0.0", "8080"))})
    _published(scene, 8080, 80)

    assert scene.titles(HYPOTHESIS) == [
        "172.17.0.3 (container web) refuses port 80/tcp (asked as 192.168.1.100:8080): 1 packet"
    ]


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ([("127.0.0.1", "8080")], " Docker publishes it as 127.0.0.1:8080->80/tcp, which is for the host itself only."),
        ([("[::1]", "8080")], " Docker publishes it as [::1]:8080->80/tcp, which is for the host itself only."),
        ([("0.0.0.0", "8080")], ""),
        ([("127.0.0.1", "8081")], ""),
        ([], ""),
    ],
)
def test_a_port_for_the_host_itself_only(tmp_path: Path, ports: list[tuple[str, str]], said: str) -> None:
    """Docker publishes the asked port on a loopback address."""
    scene = Scene(tmp_path, dumps={"docker-inspect.json": _docker(*ports)})
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet("192.168.1.7", HOST, 6, tcp(40_000, 8080, 1, 0, SYN))))
    scene.see("wlan0", 5, frame(UPLINK, GATEWAY, packet(HOST, "192.168.1.7", 6, tcp(8080, 40_000, 0, 2, RST | ACK))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert f"such as 127.0.0.1.{said} Of 192.168.1.7:40000" in finding.explanation


def test_an_answer_from_another_port_than_was_asked(tmp_path: Path) -> None:
    """NAT does not know it, so the host refuses it: the server is to answer from where it was asked."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(40_000, 69, b"ask"), ident=3)
    data = packet(SERVER, HOST, 17, udp(2000, 40_000, b"tell"), ttl=54, ident=9)
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, data))
    scene.see("wlan0", 5.1, frame(UPLINK, GATEWAY, packet(HOST, SERVER, 1, b"\3\3\0\0\0\0\0\0" + data, ident=10)))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "192.168.1.100 refuses port 40000/udp: 1 packet"
    assert finding.explanation.startswith("They answer a container, but come from another address or port ")
    assert finding.remedy.startswith("Have the server answer from where it was asked; ")


def test_a_stray_answer_inside(tmp_path: Path) -> None:
    """The container itself refuses what comes from another port than it asked; no translation shows it."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(40_000, 69, b"ask"), until="docker0")
    stray = packet(SERVER, INSIDE, 17, udp(2000, 40_000, b"tell"), ttl=53, ident=9)
    for place, point in enumerate(("docker0", "veth-c2")):
        scene.see(point, 5 + place * 0.02, frame(BRIDGE, C1, stray))
    scene.out(6, 1, b"\3\3\0\0\0\0\0\0" + stray, until="docker0")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "172.17.0.2 refuses port 40000/udp: 1 packet"
    assert finding.explanation.startswith("They answer a container, but come from another address or port ")


def test_two_things_of_one_connection(tmp_path: Path) -> None:
    """One packet is too long, another one is refused: both are told."""
    scene = Scene(tmp_path)
    for ident, kind in ((5, (3, 4)), (6, (3, 3))):
        body = udp(40_000, 7777, bytes([ident]) * 8)
        scene.out(ident * 10, 17, body, ident=ident)
        scene.error(ident * 10 + 5, *kind, 17, body, ident=ident, by="10.0.0.1", word=1400)

    assert {finding.check for finding in scene.findings()} == {"mtu-exceeded", HYPOTHESIS}


@pytest.mark.parametrize(
    ("order", "turns"),
    [("rgr", True), ("rgrg", True), ("rrgg", False), ("grr", False), ("grrg", False), ("rg", False)],
)
def test_a_port_that_is_granted_between_refusals(tmp_path: Path, order: str, turns: bool) -> None:
    """One of several refuses; what was slow to start refuses no more, and what ended grants no more."""
    scene = Scene(tmp_path)
    for number, what in enumerate(order):
        (_refused if what == "r" else _granted)(scene, 100 * number, 40_000 + number)
    (finding,) = scene.findings(HYPOTHESIS)

    assert bool(finding.facts.get("by_turns")) is turns
    assert (finding.severity is Severity.INFO) is (order.endswith("g") and not turns)
