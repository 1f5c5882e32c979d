"""What many people meet: resets after a rest, answers from elsewhere, dead links, routers that turn packets round."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, links, routes, rules

SYN, SYN_ACK, ACK, PSH, RST = 2, 0x12, 0x10, 0x18, 4
PORT = 40_000


def _talk(scene: Scene, sport: int = PORT, *, at: float = 0, rest: float = 3000, answered: bool = True) -> None:
    """Open a connection, ask, rest, ask again, and be reset."""
    scene.out(at, 6, tcp(sport, 80, 1, 0, SYN))
    scene.back(at + 10, 6, tcp(80, sport, 100, 2, SYN_ACK))
    scene.out(at + 20, 6, tcp(sport, 80, 2, 101, PSH, payload=b"first"))
    if answered:
        scene.back(at + 30, 6, tcp(80, sport, 101, 7, PSH, payload=b"answer"))
    scene.out(at + 40 + rest, 6, tcp(sport, 80, 7, 107, PSH, payload=b"second"))
    scene.back(at + 50 + rest, 6, tcp(80, sport, 107, 0, RST))


@pytest.mark.parametrize(
    ("options", "told"),
    [({}, True), ({"rest": 500}, False), ({"answered": False}, False)],
    ids=["rested", "no-rest", "never-answered"],
)
def test_reset_after_a_rest(tmp_path: Path, options: dict[str, float], told: bool) -> None:
    """A connection that had carried answers, and was silent for a second and more."""
    scene = Scene(tmp_path)
    _talk(scene, **options)  # type: ignore[arg-type]

    assert scene.titles("reset-after-idle") == (
        [f"{SERVER} reset 1 connection at the first request after 3.0 s of silence"] if told else []
    )


def test_reset_and_tried_again(tmp_path: Path) -> None:
    """Whoever gets a new connection then is less hurt."""
    scene = Scene(tmp_path)
    _talk(scene)
    scene.out(4000, 6, tcp(PORT + 1, 80, 1, 0, SYN))
    scene.back(4010, 6, tcp(80, PORT + 1, 9, 2, SYN_ACK))
    (finding,) = scene.findings("reset-after-idle")

    assert finding.severity is Severity.WARNING
    assert "The client tried again, and got through." in finding.explanation


@pytest.mark.parametrize(
    ("sport", "ack", "told"), [(80, 2, True), (80, 3, False), (81, 2, False)], ids=["it", "other-number", "other-port"]
)
def test_another_address_answers(tmp_path: Path, sport: int, ack: int, told: bool) -> None:
    """With the port that was asked, and the number of the SYN."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(10, 6, tcp(sport, PORT, 100, ack, SYN_ACK), src="9.9.9.9", until="wlan0")
    scene.out(3000, 17, udp(1, 2, b"x"))

    assert scene.titles("answered-from-elsewhere") == ([f"{SERVER} is asked, and 9.9.9.9 answers at wlan0"] * told)


@pytest.mark.parametrize("up", [False, True], ids=["down", "up"])
def test_a_route_into_a_dead_link(tmp_path: Path, up: bool) -> None:
    """Told with the rule that leads to the table; one that is up takes what is sent there."""
    tunnel = {"ifindex": 9, "ifname": "tun0", "flags": ["UP"] if up else [], "mtu": 1500,
              "operstate": "UP" if up else "DOWN", "addr_info": [{"local": "10.8.0.2"}]}  # fmt: skip
    ways = [*routes(), {"dst": "default", "dev": "tun0", "table": "100"}]
    rule = [
        {"priority": 0, "src": "all", "table": "local"},
        {"priority": 99, "src": INSIDE, "table": "100"},
        {"priority": 32766, "src": "all", "table": "main"},
    ]
    files = dumps(ip_addr=[*links(), tunnel], ip_route=ways) | {"ip-rule.json": rule}
    scene = Scene(tmp_path, dumps=files)
    for ms, address in ((0, "172.17.0.3"), (3000, "172.17.0.3")):
        scene.out(ms, 17, udp(1, 2, b"x"), src=address)
        scene.back(ms + 5, 17, udp(2, 1, b"x"), dst=address)
    scene.out(1000, 6, tcp(PORT, 80, 1, 0, SYN), until="docker0")
    found = scene.findings("sent-to-dead-link")

    assert [finding.detail for finding in found] == ["1 packet sent to tun0, which is down or has no carrier"] * (
        not up
    )
    assert all("(table 100) sends it to tun0, which is down" in finding.title for finding in found)


@pytest.mark.parametrize("masked", [False, True], ids=["as-the-host", "as-the-router"])
def test_a_router_that_turns_it_round(tmp_path: Path, masked: bool) -> None:
    """With the host's own address as its source; a router that masquerades does it right."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 6, tcp(PORT, 8080, 1, 0, SYN), dst="203.0.113.1", ident=7)
    back = packet("192.168.1.1" if masked else HOST, HOST, 6, tcp(PORT, 8080, 1, 0, SYN), ttl=62, ident=7)
    scene.see("wlan0", 1, frame(GATEWAY, UPLINK, back))
    scene.out(3000, 17, udp(1, 2, b"x"))
    found = scene.findings("hairpin-at-router")

    assert len(found) == (not masked)
    assert all(f"back to {HOST}:8080, with the host's own address" in finding.detail for finding in found)


def _published(target: str) -> dict[str, object]:
    """Publish a port that a rule before Docker's sends elsewhere."""
    web = container("web", "172.17.0.3", "02:42:ac:11:00:03")
    web["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}  # type: ignore[index]
    nat = (
        f"-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination {target}\n"
        "-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
    )
    return dumps(docker_inspect=[web], iptables_save=rules(nat))


@pytest.mark.parametrize(("target", "told"), [("10.42.0.9:80", True), ("172.17.0.3:80", False)])
def test_a_published_port_that_is_taken(tmp_path: Path, target: str, told: bool) -> None:
    """By a rule whose target is no container of the host's; the command deletes just that rule."""
    scene = Scene(tmp_path, dumps=_published(target))
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet("192.168.1.7", HOST, 6, tcp(PORT, 8080, 1, 0, SYN), ident=3)))
    scene.out(3000, 17, udp(1, 2, b"x"))
    found = scene.findings("published-port-shadowed")

    assert [finding.commands for finding in found] == [
        (f"iptables -t nat -D PREROUTING -p tcp --dport 8080 -j DNAT --to-destination {target}",)
    ] * told


def _in_two(scene: Scene, ms: float, ident: int) -> None:
    """Send a datagram in two fragments, seen at every point."""
    whole = udp(PORT, 53, b"q" * 1200)
    for offset, data in ((0, whole[:800]), (100, whole[800:])):
        flags = (0x2000 if offset == 0 else 0) | offset
        inner = bytearray(packet(INSIDE, SERVER, 17, data, ident=ident))
        outer = bytearray(packet(HOST, SERVER, 17, data, ttl=63, ident=ident))
        for one in (inner, outer):
            one[6:8] = flags.to_bytes(2, "big")
        scene.see("veth-c2", ms, frame("02:42:ac:11:00:02", "02:42:11:22:33:44", bytes(inner)))
        scene.see("wlan0", ms + 0.1, frame(UPLINK, GATEWAY, bytes(outer)))


@pytest.mark.parametrize(("sent", "short", "told"), [(2, True, True), (1, True, False), (2, False, False)])
def test_fragments_that_nobody_answers(tmp_path: Path, sent: int, short: bool, told: bool) -> None:
    """Two and more, while a short one was answered: else it may be the server."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(PORT, 53, b"short"))
    if short:
        scene.back(5, 17, udp(53, PORT, b"answer"))
    for number in range(sent):
        _in_two(scene, 100 + number * 100, 50 + number)
    scene.out(4000, 6, tcp(1, 2, 3, 0, SYN))

    assert bool(scene.findings("fragments-lost")) is told


@pytest.mark.parametrize(("ports", "told"), [("40000 40003", True), ("40000 40009", False), ("32768 60999", False)])
def test_ports_run_dry(tmp_path: Path, ports: str, told: bool) -> None:
    """Four connections to one server use up four ports, but not ten."""
    files = dumps() | {"containers/c2/sysctl.txt": f"net.ipv4.ip_local_port_range = {ports}\n"}
    scene = Scene(tmp_path, dumps=files)
    for number in range(4):
        scene.out(number * 10, 6, tcp(PORT + number, 80, 1, 0, SYN))
        scene.back(number * 10 + 5, 6, tcp(80, PORT + number, 9, 2, SYN_ACK))

    assert scene.titles("ports-exhausted") == (
        [f"c2 has 4 local ports, and 4 of them are in use towards {SERVER}:80"] if told else []
    )


@pytest.mark.parametrize(("port", "told"), [(8080, True), (80, False), (8081, False)])
def test_a_rule_that_asks_for_the_port_before_dnat(tmp_path: Path, port: int, told: bool) -> None:
    """It never matches what Docker's DNAT has translated by then; the remedy asks for what was asked."""
    files = _published("172.17.0.3:80")
    forward = (
        f"-A DOCKER-USER -i wlan0 -p tcp -m tcp --dport {port} -j RETURN\n-A DOCKER-USER -i wlan0 -j DROP\n"
        "-A FORWARD -j DOCKER-USER\n"
    )
    nat = "-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
    files["iptables-save.txt"] = rules(nat, ":DOCKER-USER - [0:0]\n" + forward)
    scene = Scene(tmp_path, dumps=files)
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet("192.168.1.7", HOST, 6, tcp(PORT, 8080, 1, 0, SYN), ident=3)))
    scene.out(3000, 17, udp(1, 2, b"x"))
    found = scene.findings("filtered-by-rule")

    assert len(found) == (port != 80)
    assert any("--ctorigdstport 8080" in finding.remedy for finding in found) is told
