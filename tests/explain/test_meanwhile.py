"""Time, routers and other owners: what ends meanwhile, what is forgotten outside, who refuses, who else answers."""

import json
from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, T0, UPLINK, arp, ether, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, links, routes, rules

SYN, SYN_ACK, ACK, PSH, RST, FIN = 2, 0x12, 0x10, 0x18, 4, 1
PORT = 40_000
WEB = "172.17.0.3"
ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"


def _opened(scene: Scene, *, ttl: int = 54) -> None:
    """Open a connection to a server outside, and have a question answered."""
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(10, 6, tcp(80, PORT, 100, 2, SYN_ACK), ttl=ttl)
    scene.out(20, 6, tcp(PORT, 80, 2, 101, PSH, payload=b"first"))
    scene.back(30, 6, tcp(80, PORT, 101, 7, PSH, payload=b"answer"), ttl=ttl)


@pytest.mark.parametrize(
    ("rest", "tries", "answered", "kinds"),
    [(3000, 4, False, ["rested"]), (1000, 4, False, ["midway"]), (3000, 2, False, []), (3000, 4, True, [])],
    ids=["rested", "no-rest", "only-twice", "answered"],
)
def test_a_connection_that_somebody_outside_forgot(
    tmp_path: Path, rest: float, tries: int, answered: bool, kinds: list[str]
) -> None:
    """What comes after a rest leaves the host again and again, and nothing comes back."""
    scene = Scene(tmp_path)
    _opened(scene)
    for number in range(tries):
        scene.out(30 + rest + 250 * number, 6, tcp(PORT, 80, 7, 107, PSH, payload=b"second"))
    if answered:
        scene.back(30 + rest + 250 * tries, 6, tcp(80, PORT, 107, 13, ACK))
    scene.out(20_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    found = scene.findings("connection-goes-silent")

    assert [finding.facts["kind"] for finding in found] == kinds
    assert all(finding.facts["peer"] == SERVER for finding in found)


@pytest.mark.parametrize(("closed", "said"), [(True, "It had closed what was idle (FIN)"), (False, "The RSTs look")])
def test_a_server_that_had_closed(tmp_path: Path, closed: bool, said: str) -> None:
    """A FIN before says who ended it."""
    scene = Scene(tmp_path)
    _opened(scene)
    if closed:
        scene.back(1000, 6, tcp(80, PORT, 107, 7, ACK | FIN))
    scene.out(3000, 6, tcp(PORT, 80, 7, 107 + closed, PSH, payload=b"second"))
    scene.back(3010, 6, tcp(80, PORT, 107 + closed, 0, RST))
    (finding,) = scene.findings("reset-after-idle")

    assert finding.explanation.startswith(said)


def _event(action: str, ms: float, kind: str = "container", name: str = "web", code: str = "137") -> str:
    told = {"name": name, "container": "", "exitCode": code, "signal": ""}
    return json.dumps({"Type": kind, "Action": action, "Actor": {"ID": "a", "Attributes": told},
                       "timeNano": T0 + round(ms * 1e6)})  # fmt: skip


@pytest.mark.parametrize(
    ("events", "answered", "said"),
    [
        ([_event("die", 500)], False, "was killed by signal 9 and removed"),
        ([_event("die", 500, code="1")], False, "ended with exit code 1 and removed"),
        ([_event("die", 500, name="other")], False, ""),
        ([_event("exec_die", 500)], False, ""),
        (["{", "[]", '{"Type": 1}', ""], False, ""),
        ([_event("die", 500)], True, ""),
        ([_event("die", 9000)], False, ""),
    ],
    ids=["killed", "exited", "another", "exec", "no-events", "answered", "later"],
)
def test_a_container_that_ended(tmp_path: Path, events: list[str], answered: bool, said: str) -> None:
    """What is for it after that finds nobody; Docker's events say when."""
    before = [container("c2", INSIDE, C1), container("web", WEB, C2)]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=before[:1]) | {"before/docker-inspect.json": before})
    for point in ("veth-c2", "veth-web"):
        for ms, body in ((0, tcp(PORT, 80, 1, 0, SYN)), (400, tcp(PORT, 80, 2, 101, PSH, payload=b"first"))):
            scene.see(point, ms, frame(C1, C2, packet(INSIDE, WEB, 6, body, ident=int(ms))))
        scene.see(point, 10, frame(C2, C1, packet(WEB, INSIDE, 6, tcp(80, PORT, 100, 2, SYN_ACK), ident=1)))
    for number in range(3):
        again = packet(INSIDE, WEB, 6, tcp(PORT, 80, 7, 101, PSH, payload=b"second"), ident=100 + number)
        scene.see("veth-c2", 1000 + 300 * number, frame(C1, C2, again))
    if answered:
        scene.see("veth-c2", 2000, frame(C2, C1, packet(WEB, INSIDE, 6, tcp(80, PORT, 101, 13, ACK), ident=9)))
    scene.write()
    (tmp_path / "docker-events.json").write_text("\n".join(events))

    assert [finding.title for finding in scene.findings("container-ended")] == (
        [f"c2 loses its connection to 172.17.0.3:80 (TCP): container web {said} meanwhile"] if said else []
    )


def _published(port: int) -> dict[str, object]:
    web = container("web", WEB, C2)
    web["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}]}  # type: ignore[index]
    return dumps(docker_inspect=[container("c2", INSIDE, C1), web])


@pytest.mark.parametrize(
    ("ttl", "port", "mac", "cause"),
    [
        (64, 8080, GATEWAY, "the router 192.168.1.1 itself refuses, which forwards web's port only from outside"),
        (64, 9090, GATEWAY, "the router 192.168.1.1 itself refuses"),
        (64, 9090, C2, "203.0.113.1 refuses, nothing listens there"),
        (63, 8080, GATEWAY, "203.0.113.1 refuses, nothing listens there"),
    ],
    ids=["published-here", "another-port", "another-machine", "further-away"],
)
def test_a_router_that_refuses(tmp_path: Path, ttl: int, port: int, mac: str, cause: str) -> None:
    """A RST whose TTL nobody has counted down comes from the next hop; what it forwards elsewise is published here."""
    scene = Scene(tmp_path, dumps=_published(port))
    scene.dumps["ip-neigh.json"] = [{"dst": "192.168.1.1", "dev": "wlan0", "lladdr": mac, "state": ["REACHABLE"]}]
    scene.out(0, 6, tcp(PORT, 8080, 1, 0, SYN), dst="203.0.113.1")
    scene.back(5, 6, tcp(8080, PORT, 0, 2, RST | ACK), src="203.0.113.1", ttl=ttl)
    scene.out(3000, 17, udp(1, 2, b"x"))
    (finding,) = scene.findings("connection-refused")

    assert finding.title == f"c2 cannot reach 203.0.113.1:8080 (TCP): {cause}"


@pytest.mark.parametrize(
    ("after", "port", "granted", "severity"),
    [
        (5, 80, True, Severity.WARNING),
        (500, 80, True, Severity.ERROR),
        (5, 81, True, Severity.ERROR),
        (5, 80, False, Severity.ERROR),
    ],
    ids=["at-once", "later", "other-port", "refused-too"],
)
def test_whoever_has_another_address(
    tmp_path: Path, after: float, port: int, granted: bool, severity: Severity
) -> None:
    """Who turns to the next address at once, and gets through there, has a list of them."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(10, 6, tcp(80, PORT, 0, 2, RST | ACK))
    scene.out(10 + after, 6, tcp(PORT + 1, port, 1, 0, SYN), dst="9.9.9.9")
    scene.back(20 + after, 6, tcp(port, PORT + 1, 5, 2, SYN_ACK if granted else RST | ACK), src="9.9.9.9")
    worst, *_ = scene.findings("connection-refused")

    assert worst.severity is severity
    assert ("turned to 9.9.9.9 at once" in worst.explanation) is (severity is Severity.WARNING)


@pytest.mark.parametrize(("taken", "told"), [(True, True), (False, False)], ids=["the-other", "the-owner"])
def test_who_else_has_the_address(tmp_path: Path, taken: bool, told: bool) -> None:
    """Where the other one got what was for the owner, that is the cause; where the owner refuses, it is not."""
    third = "02:42:ac:11:00:09"
    scene = Scene(tmp_path, dumps=dumps())
    scene.see("veth-c2", 0, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, WEB), 0x0806))
    for ms, mac in ((1, C2), (2, third)):
        scene.see("veth-c2", ms, ether(mac, C1, arp(2, mac, WEB, C1, INSIDE), 0x0806))
    to = third if taken else C2
    scene.see("veth-c2", 10, frame(C1, to, packet(INSIDE, WEB, 6, tcp(PORT, 80, 1, 0, SYN), ident=1)))
    scene.see("veth-c2", 11, frame(to, C1, packet(WEB, INSIDE, 6, tcp(80, PORT, 0, 2, RST | ACK), ident=2)))
    scene.see("veth-c2", 4000, frame(C1, C2, packet(INSIDE, WEB, 17, udp(7, 7, b"x"), ident=3)))
    (finding,) = scene.findings("duplicate-address")

    assert finding.title == (
        f"c2 cannot reach web:80 (TCP): {third} answers for 172.17.0.3, too, and got it instead"
        if told
        else "172.17.0.3 belongs to 2 machines"
    )


@pytest.mark.parametrize(
    ("version", "sysctl", "command"),
    [
        (4, "", None),
        (6, "accept_ra = 1", "sysctl -w net.ipv6.conf.wlan0.accept_ra=2"),
        (6, "accept_ra = 2", None),
    ],
)
def test_no_default_route(tmp_path: Path, version: int, sysctl: str, command: str | None) -> None:
    """Told as such; with IPv6 also why there is none any more, if that is known."""
    six = [{"dst": "fd00:1::/64", "dev": "wlan0"}, {"dst": "fd00:d::/64", "dev": "docker0"}]
    ways = [route for route in routes() if route["dst"] != "default" or version == 6] + six
    setting = f"net.ipv6.conf.wlan0.{sysctl}\nnet.ipv6.conf.wlan0.forwarding = 1\nnet.ipv6.conf.all.forwarding = 1\n"
    files = dumps(ip_route=ways, sysctl="net.ipv4.ip_forward = 1\n" + (setting if sysctl else ""))
    scene = Scene(tmp_path, dumps=files)
    src, dst = (INSIDE, SERVER) if version == 4 else ("fd00:d::2", "2001:4860::8")
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN), src=src, dst=dst, until="docker0")
    for ms in (0, 9000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="192.168.1.7")
        scene.back(ms + 1, 17, udp(2, 1, b"y"), src="192.168.1.7")
    (finding,) = scene.findings("host-unreachable")

    assert finding.title.endswith(f"the host has no default route for IPv{version}")
    assert finding.commands == (() if command is None else (command,))


@pytest.mark.parametrize(("target", "attributed"), [(WEB, True), ("172.17.0.9", False)])
def test_a_rule_that_says_another_address_made_no_such_entry(tmp_path: Path, target: str, attributed: bool) -> None:
    """A connection that goes elsewhere than its rule says is older than that: the rule is not to blame."""
    nat = f"-A PREROUTING -i wlan0 -p udp -m udp --dport 5060 -j DNAT --to-destination {target}:5060\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat)))
    for number in range(3):
        outer = packet("9.9.9.9", "192.168.1.100", 17, udp(5060, 5060, b"register"), ttl=50, ident=number)
        inner = packet("9.9.9.9", WEB, 17, udp(5060, 5060, b"register"), ttl=49, ident=number)
        scene.see("wlan0", 10 + 400 * number, frame(GATEWAY, UPLINK, outer))
        scene.see("veth-web", 10.05 + 400 * number, frame(BRIDGE, C2, inner))
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet("9.9.9.9", "192.168.1.100", 17, udp(1, 2, b"x"), ident=9)))
    stale = scene.findings("stale-conntrack")

    assert [finding.commands for finding in stale] == [
        ("conntrack -D -p udp -s 9.9.9.9 -d 192.168.1.100 --sport 5060 --dport 5060",)
    ] * (not attributed)


@pytest.mark.parametrize(("udp_answers", "told"), [(True, True), (False, False)])
def test_dns_by_tcp(tmp_path: Path, udp_answers: bool, told: bool) -> None:
    """A name server that answers by UDP, and whose TCP port is silent."""
    scene = Scene(tmp_path)
    query = b"\0\7\1\0\0\1\0\0\0\0\0\0\4long\7example\0\0\x10\0\1"
    scene.out(0, 17, udp(PORT, 53, query))
    if udp_answers:
        scene.back(10, 17, udp(53, PORT, b"\0\7\x83\x80" + query[4:]))
    for number in range(3):
        scene.out(20 + 1000 * number, 6, tcp(PORT, 53, 1, 0, SYN))
    scene.out(20_000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    found = scene.findings("syn-unanswered")

    assert [("drops DNS by TCP" in finding.title) for finding in found] == [told]


@pytest.mark.parametrize(
    ("rule", "said"),
    [(True, "“99: from 172.17.0.2 lookup 100” sends them there"), (False, "“default via 192.168.1.1 dev wlan0” sends")],
)
def test_what_sends_answers_another_way(tmp_path: Path, rule: bool, said: str) -> None:
    """The rule that leads to a table, or the main table's route."""
    other = {"ifindex": 7, "ifname": "eth1", "address": "02:00:00:00:00:07", "mtu": 1500, "operstate": "UP",
             "addr_info": [{"local": "192.168.3.100"}]}  # fmt: skip
    way = "wlan0"
    ways = [*routes(), {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0", "table": "100"}]
    picked = [{"priority": 99, "src": INSIDE, "table": "100"}] if rule else []
    files = dumps(ip_addr=[*links(), other], ip_route=ways)
    files["ip-rule.json"] = [{"priority": 0, "src": "all", "table": "local"}, *picked,
                             {"priority": 32766, "src": "all", "table": "main"}]  # fmt: skip
    scene = Scene(tmp_path, dumps=files)
    for number in range(3):
        body = tcp(PORT, 80, 1, 0, SYN)
        outer = packet("9.9.9.9", "192.168.3.100", 6, body, ttl=50, ident=number)
        inner = packet("9.9.9.9", INSIDE, 6, body, ttl=49, ident=number)
        scene.see("eth1", 10 + 1000 * number, frame(GATEWAY, "02:00:00:00:00:07", outer))
        for point in ("docker0", "veth-c2"):
            scene.see(point, 10.02 + 1000 * number, frame(BRIDGE, C1, inner))
        answer = tcp(80, PORT, 100, 2, SYN_ACK)
        for point in ("veth-c2", "docker0"):
            scene.see(point, 11 + 1000 * number, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 6, answer, ident=number)))
        left = packet("192.168.3.100", "9.9.9.9", 6, answer, ttl=63, ident=number)
        scene.see(way, 11.05 + 1000 * number, frame(UPLINK, GATEWAY, left))
    scene.recorded(9000)
    (finding,) = scene.findings("asymmetric-path")

    assert finding.title.endswith(
        f"questions come by eth1, and answers leave by wlan0: {said}" + ("" if rule else " them there")
    )


@pytest.mark.parametrize(("name", "severity"), [("web", Severity.INFO), ("other", Severity.WARNING)])
def test_an_interface_that_went_with_its_container(tmp_path: Path, name: str, severity: Severity) -> None:
    """Docker says why; else it may have been anything."""
    before = [container("web", WEB, C2), container("other", "172.17.0.4", C1)]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=[]) | {"before/docker-inspect.json": before})
    scene.see("veth-web", 0, frame(C2, C1, packet(WEB, INSIDE, 17, udp(1, 2, b"x"))))
    scene.recorded(5000, ended="vanished", container="web")
    scene.write()
    (tmp_path / "docker-events.json").write_text(_event("die", 500, name=name))

    assert [finding.severity for finding in scene.findings("capture-loss")] == [severity]
