"""Servers that grant a connection and say nothing in it: how that ends, and for whom it is no fault."""

import struct
from pathlib import Path

import pytest

from analyzer.explain.hypotheses.request_unanswered import causes
from analyzer.model import Finding, Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, rules

HYPOTHESIS = "request-unanswered"
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x18, 0x10
PORT, WEB = 40_000, "172.17.0.3"
BEGUN, ASKED = 11, 20
"""When connections are open, and when the client's request is sent, ms."""


def _opened(scene: Scene, sport: int = PORT, *, asks: bool = True, acked: bool = True) -> None:
    """Open a connection; let the client ask, and the server acknowledge that."""
    scene.out(0, 6, tcp(sport, 80, 1, 0, SYN))
    scene.back(10, 6, tcp(80, sport, 100, 2, SYN | ACK))
    scene.out(BEGUN, 6, tcp(sport, 80, 2, 101, ACK))
    if asks:
        scene.out(ASKED, 6, tcp(sport, 80, 2, 101, PSH, payload=b"GET"))
    if asks and acked:
        scene.back(ASKED + 5, 6, tcp(80, sport, 101, 5, ACK))


def _found(scene: Scene, until: float = 20_000) -> list[Finding]:
    scene.out(until, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("client_closes", "server_ends", "kinds"),
    [
        (None, 100, ["closed"]),
        (200, 100, ["closed"]),
        (50, 100, []),
        (3020, 3100, []),
    ],
    ids=["server-alone", "server-first", "client-first", "client-first-and-late"],
)
def test_a_server_that_closes_after_its_client_did_nothing_wrong(
    tmp_path: Path, client_closes: float | None, server_ends: float, kinds: list[str]
) -> None:
    """Only who closes first, without a word, closed it on its client."""
    scene = Scene(tmp_path)
    _opened(scene)
    if client_closes is not None:
        scene.out(client_closes, 6, tcp(PORT, 80, 5, 101, FIN | ACK))
    scene.back(server_ends, 6, tcp(80, PORT, 101, 5, FIN | ACK))

    assert [one.facts["kind"] for one in _found(scene)] == kinds


@pytest.mark.parametrize(
    ("asks", "ttl", "severity"),
    [(True, 54, Severity.ERROR), (True, 64, None), (False, 54, None)],
    ids=["its-own", "somebody-else's", "unasked"],
)
def test_a_reset_is_the_servers_own_by_its_ttl(tmp_path: Path, asks: bool, ttl: int, severity: Severity | None) -> None:
    """And only one that a request met tells something of the program."""
    scene = Scene(tmp_path)
    _opened(scene, asks=asks)
    scene.back(100, 6, tcp(80, PORT, 101, 5, RST | ACK), ttl=ttl)
    found = _found(scene)

    assert [(one.facts["kind"], one.severity) for one in found] == [("reset", severity)] * (severity is not None)


@pytest.mark.parametrize(
    ("gives_up", "until", "waited"),
    [(3000, 9000, 3.0), (2999, 9000, None), (None, 5000, 5.0), (None, 4999, None)],
    ids=["three-seconds", "sooner", "five-to-the-end", "too-short-to-tell"],
)
def test_who_waits_for_long_enough_is_kept_waiting(
    tmp_path: Path, gives_up: float | None, until: float, waited: float | None
) -> None:
    """Three seconds if the client gave up then, five if it still waited when captures ended."""
    scene = Scene(tmp_path)
    _opened(scene)
    if gives_up is not None:
        scene.out(ASKED + gives_up, 6, tcp(PORT, 80, 5, 101, FIN | ACK))
    found = _found(scene, ASKED + until)

    assert [(one.facts["kind"], round(float(str(one.facts["longest_s"])), 1)) for one in found] == (
        [("waited", waited)] if waited is not None else []
    )


@pytest.mark.parametrize(("until", "told"), [("docker0", False), ("wlan0", True)], ids=["lost", "sent"])
def test_a_request_that_may_not_have_got_there_accuses_nobody(tmp_path: Path, until: str, told: bool) -> None:
    """The server closes a connection in which it heard nothing."""
    scene = Scene(tmp_path)
    _opened(scene, asks=False)
    scene.out(ASKED, 6, tcp(PORT, 80, 2, 101, PSH, payload=b"GET"), until=until)
    scene.back(8000, 6, tcp(80, PORT, 101, 2, FIN | ACK))
    scene.out(20_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")

    assert len(list(causes(scene.case()))) == told


def test_an_answer_after_the_client_gave_up_is_none(tmp_path: Path) -> None:
    """It had closed the connection by then."""
    scene = Scene(tmp_path)
    _opened(scene)
    scene.out(4000, 6, tcp(PORT, 80, 5, 101, FIN | ACK))
    scene.back(6000, 6, tcp(80, PORT, 101, 6, PSH, payload=b"late"))

    assert [one.facts["kind"] for one in _found(scene)] == ["waited"]


@pytest.mark.parametrize(("apart", "told"), [(2900, True), (3000, False)], ids=["one-request", "goes-on-sending"])
def test_who_goes_on_sending_is_not_waiting(tmp_path: Path, apart: float, told: bool) -> None:
    """A client that has more to say for three seconds may not want an answer."""
    scene = Scene(tmp_path)
    _opened(scene)
    scene.out(ASKED + apart, 6, tcp(PORT, 80, 5, 101, PSH, payload=b"more"))
    scene.back(ASKED + apart + 5, 6, tcp(80, PORT, 101, 9, ACK))

    assert len(_found(scene)) == told


@pytest.mark.parametrize(
    ("window", "acked"), [(0, True), (500, False)], ids=["takes-no-more", "may-not-have-come-there"]
)
def test_a_request_that_the_program_could_not_read_is_another_matter(tmp_path: Path, window: int, acked: bool) -> None:
    """Its buffer is full, or nobody acknowledged the request."""
    scene = Scene(tmp_path)
    _opened(scene, acked=False)
    if acked:
        said = tcp(80, PORT, 101, 5, ACK)
        scene.back(ASKED + 5, 6, said[:14] + struct.pack("!H", window) + said[16:])

    assert _found(scene) == []


@pytest.mark.parametrize(("words", "told"), [("tcp port 80", True), ("tcp[13] != 24", False)], ids=["all", "flags"])
def test_answers_that_a_filter_may_have_left_out_are_not_missed(tmp_path: Path, words: str, told: bool) -> None:
    """A capture that asks for flags need not show what a server said."""
    scene = Scene(tmp_path)
    _opened(scene)
    scene.out(20_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.recorded(20_000)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"filter": ""', f'"filter": "{words}"'))

    assert len(scene.findings(HYPOTHESIS)) == told


def test_all_connections_to_a_server_that_ended_alike_are_told_once(tmp_path: Path) -> None:
    """With how many there were, and the longest wait of a client."""
    scene = Scene(tmp_path)
    for number, (late, flags) in enumerate(((100, FIN | ACK), (2000, FIN | ACK), (100, RST | ACK))):
        _opened(scene, PORT + number)
        scene.back(ASKED + late, 6, tcp(80, PORT + number, 101, 5, flags))
        scene.out(ASKED + late + 10, 6, tcp(PORT + number, 80, 5, 102, FIN | ACK))
    found = {str(one.facts["kind"]): one.facts for one in _found(scene)}

    assert {kind: (facts["server"], facts["count"]) for kind, facts in found.items()} == {
        "closed": (f"{SERVER}:80", 2), "reset": (f"{SERVER}:80", 1),
    }  # fmt: skip
    assert round(float(str(found["closed"]["longest_s"])), 2) == 2.01


@pytest.mark.parametrize(("dport", "told"), [(8080, False), (9090, True)], ids=["docker-proxy", "the-host's-own"])
def test_docker_proxy_only_does_as_the_container_does(tmp_path: Path, dport: int, told: bool) -> None:
    """Whoever takes a published port on the host closes it for the sake of what is behind."""
    web = container("web", WEB, C2)
    web["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}  # type: ignore[index]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=[container("c2", INSIDE, C1), web]))
    client = "192.168.1.7"
    steps = [(False, 1, 0, SYN), (True, 100, 2, SYN | ACK), (False, 2, 101, ACK), (True, 101, 2, FIN | ACK)]
    for number, (back, seq, ack, flags) in enumerate(steps):
        ends, ports, macs = (client, HOST), (PORT, dport), (GATEWAY, UPLINK)
        if back:
            ends, ports, macs = ends[::-1], ports[::-1], macs[::-1]
        data = packet(*ends, 6, tcp(*ports, seq, ack, flags), ident=50 + number)
        scene.see("wlan0", number, frame(*macs, data))
    scene.out(20_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")

    assert len(list(causes(scene.case()))) == told


def _beside(scene: Scene, seen_as: str) -> None:
    """Let c2 ask web, which closes at once; what stays on the bridge comes there as somebody else's."""
    steps = [(False, 1, 0, SYN), (True, 100, 2, SYN | ACK), (False, 2, 101, ACK), (True, 101, 2, FIN | ACK)]
    for number, (back, seq, ack, flags) in enumerate(steps):
        for point, client in (("veth-web", seen_as), ("veth-c2", INSIDE)) if back else (
            ("veth-c2", INSIDE), ("veth-web", seen_as),
        ):  # fmt: skip
            ends, ports, macs = (client, WEB), (PORT, 80), (C1, C2)
            if back:
                ends, ports, macs = ends[::-1], ports[::-1], macs[::-1]
            data = packet(*ends, 6, tcp(*ports, seq, ack, flags, stamps=(number + 1, number)), ident=50 + number)
            scene.see(point, number + (point == "veth-web") * (0.1 if not back else -0.1), frame(*macs, data))


@pytest.mark.parametrize(("seen_as", "told"), [("172.17.0.1", True), (INSIDE, False)], ids=["masked", "as-itself"])
def test_a_rule_that_masquerades_within_the_bridge_is_named(tmp_path: Path, seen_as: str, told: bool) -> None:
    """The server may not know whom it sees then."""
    nat = "-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE\n" if told else ""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat)))
    _beside(scene, seen_as)
    scene.see("veth-c2", 20_000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=99)))
    (finding,) = scene.findings(HYPOTHESIS)

    assert ("masked_by" in finding.facts, finding.facts.get("seen_as")) == (told, seen_as if told else None)


@pytest.mark.parametrize(("waiting", "program"), [(3, "app"), (0, None)], ids=["full", "empty"])
def test_a_program_that_does_not_accept_is_named(tmp_path: Path, waiting: int, program: str | None) -> None:
    """By the connections that wait in its queue."""
    inner = {"ifindex": 2, "ifname": "eth0", "address": C2, "operstate": "UP", "addr_info": [{"local": WEB}]}
    listens = f'tcp LISTEN {waiting} 4 0.0.0.0:80 0.0.0.0:* users:(("app",pid=7,fd=3))\n'
    inside = {"containers/web/ip-addr.json": [inner], "containers/web/ss.txt": listens}
    scene = Scene(tmp_path, dumps=dumps() | inside)
    steps = [(False, 1, 0, SYN, b""), (True, 100, 2, SYN | ACK, b""), (False, 2, 101, PSH, b"GET"),
             (True, 101, 5, ACK, b"")]  # fmt: skip
    for number, (back, seq, ack, flags, data) in enumerate(steps):
        ends, ports, macs = (INSIDE, WEB), (PORT, 80), (C1, C2)
        if back:
            ends, ports, macs = ends[::-1], ports[::-1], macs[::-1]
        said = packet(*ends, 6, tcp(*ports, seq, ack, flags, payload=data), ident=50 + number)
        for place, point in enumerate(("veth-web", "veth-c2") if back else ("veth-c2", "veth-web")):
            scene.see(point, 10 * number + 0.1 * place, frame(*macs, said))
    scene.see("veth-c2", 20_000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=99)))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["kind"] == "waited"
    assert finding.facts.get("program") == program
