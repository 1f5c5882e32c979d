"""Destinations to which no way leads: what says so, of whom, and how bad it is."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, arp, ether, tcp, udp
from tests.explain.scene import HOST, INSIDE, INSIDE6, SERVER, SERVER6, Scene, frame, icmp, packet
from tests.explain.state import dumps, rules

HYPOTHESIS = "host-unreachable"
ROUTER = "10.0.0.1"


def _syn(sport: int = 40_000) -> bytes:
    return tcp(sport, 80, 1, 0, 2)


def _told(scene: Scene, ms: float, sport: int, kind: tuple[int, int], *, by: str = ROUTER, dst: str = SERVER) -> None:
    """Let a container ask, and a router answer with an error."""
    scene.out(ms, 6, _syn(sport), ident=sport, dst=dst)
    scene.error(ms + 5, *kind, 6, _syn(sport), ident=sport, by=by, dst=dst)


@pytest.mark.parametrize(
    ("code", "told"),
    [(code, code in (0, 1, 5, 6, 7, 8, 11, 12)) for code in range(16)],
)
def test_codes(tmp_path: Path, code: int, told: bool) -> None:
    """Network and host unreachable, and what says the same (RFC 1812)."""
    scene = Scene(tmp_path)
    _told(scene, 0, 40_000, (3, code))

    assert scene.titles(HYPOTHESIS) == [f"{ROUTER} has no way to 8.8.8.8"] * told


@pytest.mark.parametrize(("code", "told"), [(0, True), (1, False), (2, True), (3, True), (4, False), (5, False)])
def test_codes_of_ipv6(tmp_path: Path, code: int, told: bool) -> None:
    """No route, beyond scope of source, and address unreachable (RFC 4443)."""
    scene = Scene(tmp_path)
    ends = {"src": INSIDE6, "dst": SERVER6, "masked": "fd00:1::100"}
    scene.out(0, 6, _syn(), **ends)  # type: ignore[arg-type]
    scene.error(5, 1, code, 6, _syn(), by="fd00:1::1", **ends)  # type: ignore[arg-type]

    assert scene.titles(HYPOTHESIS) == ["fd00:1::1 has no way to 2001:4860::8"] * told


def test_by_router_and_destination(tmp_path: Path) -> None:
    """All that one says of one is told together, with the packets and their connections."""
    scene = Scene(tmp_path)
    for number, (by, dst) in enumerate(((ROUTER, SERVER), ("10.0.0.2", SERVER), (ROUTER, "9.9.9.9"), (ROUTER, SERVER))):
        _told(scene, number * 10, 40_000 + number, (3, 1), by=by, dst=dst)
    found = sorted(scene.findings(HYPOTHESIS), key=lambda finding: finding.detail)

    assert [finding.detail for finding in found] == [
        "10.0.0.1 has no way to 8.8.8.8", "10.0.0.1 has no way to 9.9.9.9", "10.0.0.2 has no way to 8.8.8.8",
    ]  # fmt: skip
    assert found[0].explanation == (
        "It said so of 2 packets. Of 172.17.0.2:40000 → 8.8.8.8:80, 172.17.0.2:40003 → 8.8.8.8:80."
    )
    assert found[0].severity is Severity.ERROR
    assert [str(one) for one in found[0].evidence] == ["wlan0 #1", "wlan0 #7"]


@pytest.mark.parametrize(("count", "titles"), [(8, 8), (9, 1)])
def test_many_destinations_are_one_line(tmp_path: Path, count: int, titles: int) -> None:
    """From nine on."""
    scene = Scene(tmp_path)
    for number in range(count):
        _told(scene, number * 10, 40_000 + number, (3, 1), dst=f"9.9.9.{number}")
    found = scene.titles(HYPOTHESIS)

    assert len(found) == titles
    assert ("9 destinations cannot be reached" in found) is (count == 9)


def test_what_the_host_itself_is_told_is_a_warning(tmp_path: Path) -> None:
    """No container is concerned."""
    scene = Scene(tmp_path)
    asked = packet(HOST, SERVER, 6, _syn(), ident=4)
    scene.see("wlan0", 0, frame(UPLINK, GATEWAY, asked))
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, packet(ROUTER, HOST, 1, icmp(3, 1, asked))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("by", "addresses", "who"),
    [
        ("172.17.0.1", [], "172.17.0.1"),
        ("172.17.0.1", ["172.17.0.1"], "this host"),
        (SERVER, [], "this host"),
    ],
    ids=["unknown", "own", "as-if-asked"],
)
def test_what_the_host_says(tmp_path: Path, by: str, addresses: list[str], who: str) -> None:
    """From an address of its own, or, of a packet that it translated, from the one that was asked."""
    links = [{"ifindex": 3, "ifname": "docker0", "address": BRIDGE, "addr_info": [{"local": ip} for ip in addresses]}]
    scene = Scene(tmp_path, dumps={"ip-addr.json": links})
    asked = packet(INSIDE, SERVER, 17, udp(40_000, 7777, b"ask"), ident=4)
    for place, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, place * 0.02, frame(C1, BRIDGE, asked))
        scene.see(point, 5.02 - place * 0.02, frame(BRIDGE, C1, packet(by, INSIDE, 1, icmp(3, 1, asked), ident=5)))

    assert scene.titles(HYPOTHESIS) == [f"{who} has no way to 8.8.8.8"]


def test_syns_to_it_are_not_told_once_more(tmp_path: Path) -> None:
    """Routers may say it seldom: it is about all packets, also those that no error quotes."""
    scene = Scene(tmp_path)
    _told(scene, 0, 40_000, (3, 1))
    scene.out(10, 6, _syn(40_001), ident=9)
    scene.out(6000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    found = scene.findings()

    assert [finding.check for finding in found if finding.severity is Severity.ERROR] == [HYPOTHESIS]


def test_of_an_address_that_nobody_answers_for(tmp_path: Path) -> None:
    """ARP has told it already."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(5000, 6000, b"x"), dst="9.9.9.9")
    scene.back(1, 17, udp(6000, 5000, b"y"), src="9.9.9.9")
    body = b"\0\1\x08\0\6\4\0\1" + bytes.fromhex(UPLINK.replace(":", "")) + bytes((192, 168, 1, 100))
    for ms in (10, 20, 30):
        asked = body + bytes(6) + bytes((192, 168, 1, 66))
        scene.see("wlan0", ms, bytes.fromhex("ffffffffffff" + UPLINK.replace(":", "") + "0806") + asked)
    _told(scene, 40, 40_000, (3, 1), by=HOST, dst="192.168.1.66")
    found = {finding.check for finding in scene.findings()}

    assert "arp-unanswered" in found
    assert HYPOTHESIS not in found


ROUTES = [
    {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0"},
    {"dst": "172.17.0.0/16", "dev": "docker0"},
]


KILL_SWITCH = (
    "Bring up what that table is for (ip rule, ip route show table, wg show): the route that forbids is a kill switch. "
    "Only if that is not meant: ip route del, or another rule."
)


@pytest.mark.parametrize(
    ("routes", "rules", "title", "remedy", "tried"),
    [
        (
            [*ROUTES, {"dst": "8.8.8.0/24", "type": "blackhole"}],
            [],
            "1 packet dropped: blackhole route 8.8.8.0/24",
            "ip route del blackhole 8.8.8.0/24",
            "leaves by wlan0",
        ),
        (
            [*ROUTES, {"dst": "default", "type": "unreachable", "table": "100"}],
            [{"priority": 5, "table": "100"}, {"priority": 9, "table": "main"}],
            "1 packet dropped: unreachable route 0.0.0.0/0 in table 100",
            KILL_SWITCH,
            None,
        ),
        (
            ROUTES,
            [{"priority": 5, "action": "prohibit"}, {"priority": 9, "table": "main"}],
            "1 packet dropped: rule “5: from all prohibit”",
            "ip rule del priority 5",
            "leaves by wlan0",
        ),
        (
            [ROUTES[1], {"dst": "8.8.8.0/24", "type": "prohibit"}],
            [],
            "1 packet dropped: prohibit route 8.8.8.0/24",
            "Not enough, for something else stops the packet after it: ip route del prohibit 8.8.8.0/24",
            None,
        ),
        (
            ROUTES[1:],
            [],
            "1 packet dropped: no default route for IPv4",
            "Add one: ip route add default via ROUTER dev UPLINK, and in the network's configuration.",
            None,
        ),
    ],
    ids=["blackhole", "table", "rule", "not-enough", "none"],
)
def test_routes_of_this_host(
    tmp_path: Path,
    routes: list[dict[str, object]],
    rules: list[dict[str, object]],
    title: str,
    remedy: str,
    tried: str | None,
) -> None:
    """The route or rule that is in the way is to be deleted, and what comes then is tried; a kill switch stays."""
    scene = Scene(tmp_path)
    scene.dumps |= {
        "ip-route.json": routes,
        "iptables-save.txt": "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n",
    }
    if rules:
        scene.dumps["ip-rule.json"] = rules
    scene.out(0, 6, _syn(), until="docker0")
    scene.out(0, 17, udp(5000, 6000, b"x"), dst="9.9.9.9")
    scene.back(5000, 17, udp(6000, 5000, b"y"), src="9.9.9.9")
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.detail, "; ".join(finding.commands) or finding.remedy) == (title, remedy)
    assert (tried in (finding.tried or "")) if tried else finding.tried is None


def test_an_error_about_a_packet_that_nobody_saw(tmp_path: Path) -> None:
    """Is not told: whose it was is not known."""
    scene = Scene(tmp_path)
    scene.out(0, 6, _syn(), ident=3)
    scene.error(5, 3, 1, 6, _syn(50_000), ident=77, by=ROUTER)

    assert scene.titles(HYPOTHESIS) == []


def test_of_a_container_that_dnat_leads_to(tmp_path: Path) -> None:
    """The client asked the host's address, and is told so; ARP tells that the container is not there."""
    nat = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.9:80\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=nat)))
    asked = packet("192.168.1.7", HOST, 6, tcp(40_000, 8080, 1, 0, 2), ident=5)
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, asked))
    for ms in (1, 1000, 2000):
        question = arp(1, BRIDGE, "172.17.0.1", "00:00:00:00:00:00", "172.17.0.9")
        scene.see("docker0", ms, ether(BRIDGE, "ff:ff:ff:ff:ff:ff", question, 0x0806))
    scene.see("wlan0", 3000, frame(UPLINK, GATEWAY, packet(HOST, "192.168.1.7", 1, icmp(3, 1, asked), ident=6)))
    found = {finding.check for finding in scene.findings()}

    assert "arp-unanswered" in found
    assert HYPOTHESIS not in found
