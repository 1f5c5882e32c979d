"""Clients that come to a published port, and are not sent to the container."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import C2, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.explain.state import container, dumps, rules

HYPOTHESIS = "published-port-not-translated"
CLIENT = "192.168.1.7"
REMEDY = "systemctl restart docker, so that it adds its rules again; see whether a firewall flushes the nat table."
DOCKERS = ":DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
DNAT = "-A PREROUTING ! -i docker0 -p {proto} -m {proto} --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"


def _web(*ports: tuple[str, str, str], ip: str = "172.17.0.3", network: str = "bridge") -> object:
    """Return a container with ports: the inner one, and the host's address and port."""
    found = container("web", ip, C2, network)
    bindings: dict[str, list[dict[str, str]]] = {}
    for inner, address, number in ports:
        bindings.setdefault(inner, []).append({"HostIp": address, "HostPort": number})
    found["NetworkSettings"]["Ports"] = bindings  # type: ignore[index]
    return found


def _scene(folder: Path, *ports: tuple[str, str, str], nat: str = "", **changed: object) -> Scene:
    return Scene(folder, dumps=dumps(iptables_save=rules(nat=f"{DOCKERS}{nat}"), docker_inspect=[_web(*ports)],
                                     **changed))  # fmt: skip


def _ask(scene: Scene, *, dport: int = 8080, proto: int = 6, dst: str = HOST, point: str = "wlan0",
         sport: int = 40_000) -> None:  # fmt: skip
    """Let a client outside begin a connection."""
    body = tcp(sport, dport, 1, 0, 2) if proto == 6 else udp(sport, dport, b"ask")
    scene.see(point, sport - 40_000, frame(GATEWAY, UPLINK, packet(CLIENT, dst, proto, body, ident=sport)))


WEB = ("80/tcp", "0.0.0.0", "8080")


@pytest.mark.parametrize(
    ("ports", "asked", "nat", "told"),
    [
        ([WEB], {}, "", True),
        ([WEB], {}, DNAT.format(proto="tcp"), False),
        ([WEB], {}, DNAT.format(proto="udp"), True),
        ([WEB], {"dport": 8081}, "", False),
        ([WEB], {"proto": 17}, "", False),
        ([("80/udp", "0.0.0.0", "8080")], {"proto": 17}, "", True),
        ([WEB], {"dst": "192.168.1.99"}, "", False),
        ([WEB], {"point": "docker0"}, "", False),
        ([("80/tcp", "127.0.0.1", "8080")], {}, "", False),
        ([("80/tcp", "[::1]", "8080")], {}, "", False),
        ([("80/tcp", "::1", "8080")], {}, "", False),
        ([("80/tcp", "192.168.1.100", "8080")], {}, "", True),
        ([], {}, "", False),
    ],
    ids=["no-rule", "rule", "other-protocol", "other-port", "datagram", "udp", "somebody-else", "from-inside",
         "loopback", "loopback6", "loopback6-bare", "one-address", "nothing-published"],
)  # fmt: skip
def test_when_it_is_told(
    tmp_path: Path, ports: list[tuple[str, str, str]], asked: dict[str, object], nat: str, told: bool
) -> None:
    """A client from outside, for an address of the host and a port that is published there, and no DNAT for it."""
    scene = _scene(tmp_path, *ports, nat=nat)
    _ask(scene, **asked)  # type: ignore[arg-type]

    assert bool(scene.titles(HYPOTHESIS)) is told


def test_what_is_told(tmp_path: Path) -> None:
    """All that came for it; the rule that Docker makes is tried and offered."""
    scene = _scene(tmp_path, WEB)
    for sport in (40_000, 40_001):
        _ask(scene, sport=sport)
    (finding,) = scene.findings(HYPOTHESIS)
    rule = "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80"

    assert finding.detail == "published port 0.0.0.0:8080->80/tcp of web is not translated"
    assert (finding.severity, finding.basis) == (Severity.ERROR, Basis.STATED)
    assert finding.explanation == (
        "2 connections came for it from outside, and no DNAT rule sends it on. "
        "Of 192.168.1.7:40000 → 192.168.1.100:8080, 192.168.1.7:40001 → 192.168.1.100:8080."
    )
    assert finding.proof == ("iptables-save.txt: no rule of *nat DOCKER matches",)
    assert [str(one) for one in finding.evidence] == ["wlan0 #1", "wlan0 #2"]
    assert finding.remedy == f"{REMEDY} The rule, by hand:"
    assert finding.commands == (f"iptables -t nat {rule}",)


def test_by_port(tmp_path: Path) -> None:
    """Each by itself."""
    scene = _scene(tmp_path, WEB, ("443/tcp", "0.0.0.0", "8443"))
    _ask(scene)
    _ask(scene, dport=8443, sport=40_001)

    assert scene.titles(HYPOTHESIS) == [
        "published port 0.0.0.0:8080->80/tcp of web is not translated",
        "published port 0.0.0.0:8443->443/tcp of web is not translated",
    ]


def test_a_rule_that_cannot_be_made(tmp_path: Path) -> None:
    """Without the network's bridge only Docker can; nothing is tried."""
    scene = _scene(tmp_path, WEB, docker_network_inspect=[])
    _ask(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.remedy, finding.tried) == (REMEDY, None)


def test_docker_proxy_that_relays(tmp_path: Path) -> None:
    """Then it works, slowly: a warning."""
    scene = _scene(tmp_path, WEB)
    data = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n" * 4
    steps = [(0x02, b"", False), (0x12, b"", True), (0x10, b"", False), (0x18, data, False), (0x18, data[::-1], True)]
    seq = {False: 1, True: 7}
    for number, (flags, body, back) in enumerate(steps):
        ack = 0 if flags == 2 else seq[not back]
        outer = tcp(8080 if back else 40_000, 40_000 if back else 8080, seq[back], ack, flags, body)
        inner = tcp(80 if back else 50_000, 50_000 if back else 80, seq[back] + 900, ack and ack + 900, flags, body)
        ends = (
            ((HOST, CLIENT), ("172.17.0.3", "172.17.0.1")) if back else ((CLIENT, HOST), ("172.17.0.1", "172.17.0.3"))
        )
        macs = (UPLINK, GATEWAY) if back else (GATEWAY, UPLINK)
        ms = number * 10 + (1 if back else 0)
        scene.see("wlan0", ms, frame(*macs, packet(*ends[0], 6, outer, ident=100 + number)))
        bridged = (C2, "02:42:a5:97:21:da") if back else ("02:42:a5:97:21:da", C2)
        for place, point in enumerate(("docker0", "veth-web")):
            time = ms + (-0.5 - place * 0.02 if back else 0.5 + place * 0.02)
            scene.see(point, time, frame(*bridged, packet(*ends[1], 6, inner, ident=200 + number)))
        seq[back] += len(body) + (1 if flags & 2 else 0)
    found = scene.findings()
    (finding,) = (one for one in found if one.check == HYPOTHESIS)

    assert finding.severity is Severity.WARNING
    assert "docker-proxy relays it, slowly and as if the host were the client. Of " in finding.explanation
    assert [one.detail for one in found if one.check == "docker-proxy-in-path"] == [
        "docker-proxy relays 192.168.1.100:8080 to 172.17.0.3:80"
    ]
