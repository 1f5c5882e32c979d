"""Neighbours that nobody answers for: how often and how long somebody must have asked, who, and why it was in vain."""

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, arp, ether, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet

HYPOTHESIS = "arp-unanswered"
NOBODY, ALL = "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"
WORDS = (
    "Without the MAC address nothing can be sent to it: it does not exist there, is down, or is in another VLAN or "
    "subnet."
)


def _ask(scene: Scene, ms: float, asked: str, *, by: str = INSIDE, mac: str = C1, point: str = "veth-c2") -> None:
    scene.see(point, ms, ether(mac, ALL, arp(1, mac, by, NOBODY, asked), 0x0806))


def _answer(scene: Scene, ms: float, asked: str, *, point: str = "veth-c2") -> None:
    scene.see(point, ms, ether(C2, C1, arp(2, C2, asked, C1, INSIDE), 0x0806))


def _traffic(scene: Scene, ms: float = 0, until_ms: float = 5000) -> None:
    """Let a connection be answered, which shows the host's MACs, and captures go on."""
    scene.out(ms, 17, udp(5000, 6000, b"x"), dst="9.9.9.9")
    scene.back(ms + 1, 17, udp(6000, 5000, b"y"), src="9.9.9.9")
    scene.out(until_ms, 17, udp(5001, 6000, b"x"), dst="9.9.9.9")
    scene.back(until_ms, 17, udp(6000, 5001, b"y"), src="9.9.9.9")


@pytest.mark.parametrize(
    ("times", "until", "told"),
    [
        ([10, 20, 30], 31, "3 times"),
        ([10, 20, 30, 40], 41, "4 times"),
        ([10, 20], 1020, "2 times"),
        ([10, 20], 1019, ""),
        ([10], 5000, ""),
    ],
    ids=["three", "four", "two-and-a-second", "two-and-less", "one"],
)
def test_when_the_kernel_gave_up(tmp_path: Path, times: list[float], until: float, told: str) -> None:
    """After three questions; after two, if a second passed since the last."""
    scene = Scene(tmp_path)
    for ms in times:
        _ask(scene, ms, "172.17.0.9")
    scene.see("veth-c2", until, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"))))
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == ["nobody answers for 172.17.0.9 at veth-c2"] * bool(told)
    assert [finding.explanation for finding in found] == [f"172.17.0.2 asked {told} at veth-c2. {WORDS}"] * bool(told)


@pytest.mark.parametrize(
    ("by", "mac", "point", "told"),
    [
        (INSIDE, C1, "veth-c2", True),
        ("172.17.0.1", BRIDGE, "docker0", True),
        (HOST, UPLINK, "wlan0", True),
        ("192.168.1.1", GATEWAY, "wlan0", False),
        ("0.0.0.0", C1, "veth-c2", False),
    ],
    ids=["container", "bridge", "host", "lan", "probe"],
)
def test_who_asks(tmp_path: Path, by: str, mac: str, point: str, told: bool) -> None:
    """Containers and the host; what others look for is their business, and a probe without an address wants none."""
    scene = Scene(tmp_path)
    _traffic(scene)
    for ms in (10, 20, 30):
        _ask(scene, ms, "192.168.9.9", by=by, mac=mac, point=point)

    assert scene.titles(HYPOTHESIS) == [f"nobody answers for 192.168.9.9 at {point}"] * told


def test_an_address_that_somebody_else_got(tmp_path: Path) -> None:
    """One answer shows that it is there, whoever asked and when."""
    scene = Scene(tmp_path)
    for ms in (10, 20, 30):
        _ask(scene, ms, "172.17.0.3")
    _ask(scene, 9000, "172.17.0.3")
    _answer(scene, 9001, "172.17.0.3")

    assert scene.titles(HYPOTHESIS) == []


def test_each_address_by_itself(tmp_path: Path) -> None:
    """All who ask for it are told together; the last question of each try is the evidence, five at the most."""
    scene = Scene(tmp_path)
    for number in range(7):
        for ms in (0, 20, 30):
            _ask(scene, number * 6000 + ms, "172.17.0.8")
    for ms in (0, 20, 30):
        _ask(scene, 50_000 + ms, "172.17.0.9")
    eight, nine = scene.findings(HYPOTHESIS)

    assert (eight.detail, nine.detail) == (
        "nobody answers for 172.17.0.8 at veth-c2",
        "nobody answers for 172.17.0.9 at veth-c2",
    )
    assert eight.severity is Severity.ERROR
    assert "172.17.0.2 asked 21 times at veth-c2. " in eight.explanation
    assert [str(one) for one in eight.evidence] == [f"veth-c2 #{number}" for number in (3, 6, 9, 12, 15)]


def test_syns_to_it_are_not_told_once_more(tmp_path: Path) -> None:
    """The address is known to be absent."""
    scene = Scene(tmp_path)
    for ms in (10, 20, 30):
        _ask(scene, ms, "192.168.1.66", by=HOST, mac=UPLINK, point="wlan0")
    _traffic(scene)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), dst="192.168.1.66", until="docker0")
    found = {finding.check for finding in scene.findings()}

    assert HYPOTHESIS in found
    assert "syn-unanswered" not in found


def _links(*addresses: str) -> list[dict[str, object]]:
    ends = [{"local": ip} for ip in addresses]
    return [
        {"ifindex": 2, "ifname": "wlan0", "address": UPLINK, "addr_info": ends},
        {"ifindex": 3, "ifname": "docker0", "address": BRIDGE, "linkinfo": {"info_kind": "bridge"},
         "addr_info": [{"local": "172.17.0.1"}]},
    ]  # fmt: skip


def test_the_hosts_own_address(tmp_path: Path) -> None:
    """Something keeps the host from answering."""
    scene = Scene(tmp_path, dumps={"ip-addr.json": _links(HOST)})
    for ms in (10, 20, 30):
        _ask(scene, ms, "172.17.0.1")
    (finding,) = scene.findings(HYPOTHESIS)

    assert "It is this host's own address: something keeps it from answering" in finding.explanation


def _solicit(scene: Scene, ms: float, asked: str, by: str) -> None:
    body = struct.pack("!BBHI", 135, 0, 0, 0) + ip_address(asked).packed + b"\1\1" + bytes.fromhex(C1.replace(":", ""))
    scene.see("veth-c2", ms, frame(C1, "33:33:ff:00:00:01", packet(by, "ff02::1:ff00:1", 58, body, ttl=255)))


INPUT6 = "*filter\n:INPUT {policy} [0:0]\n:FORWARD ACCEPT [0:0]\n{rule}COMMIT\n"


@pytest.mark.parametrize(
    ("asked", "rule", "proof"),
    [
        ("fd00:17::1", "-A INPUT -p ipv6-icmp -j DROP\n", ("ip6tables-save.txt: -A INPUT -p ipv6-icmp -j DROP",)),
        ("fd00:17::1", "-A INPUT -p tcp -j DROP\n", ()),
        ("fd00:17::1", "-A INPUT -m nonsense --strange -j DROP\n", ()),
        ("fd00:17::9", "-A INPUT -p ipv6-icmp -j DROP\n", ()),
    ],
    ids=["rule", "other-rule", "undecided", "somebody-elses"],
)
def test_a_rule_that_keeps_the_host_from_hearing(tmp_path: Path, asked: str, rule: str, proof: tuple[str, ...]) -> None:
    """With IPv6, a question for the host's own address passes INPUT."""
    links = _links(HOST)
    links[1]["addr_info"] = [{"local": "172.17.0.1"}, {"local": "fd00:17::1"}]
    dumps = {"ip-addr.json": links, "ip6tables-save.txt": INPUT6.format(policy="ACCEPT", rule=rule)}
    scene = Scene(tmp_path, dumps=dict(dumps))
    for ms in (10, 20, 30):
        _solicit(scene, ms, asked, "fd00:17::2")
    (finding,) = scene.findings(HYPOTHESIS)

    unheard = f": this host does not hear the question: rule “{rule.strip()}” in filter" if proof else ""
    assert finding.detail == f"nobody answers for {asked} at veth-c2{unheard}"
    assert finding.proof == proof


def _docker(network: str = "bridge") -> list[dict[str, object]]:
    return [
        {"Name": f"/{name}", "NetworkSettings": {"Networks": {network: {"IPAddress": ip, "MacAddress": mac}}}}
        for name, ip, mac in (("c2", INSIDE, C1), ("web", "172.17.0.3", C2))
    ]


def _ports(*isolated: bool) -> list[dict[str, object]]:
    return [{"ifname": f"veth{n}", "master": "docker0", "isolated": yes} for n, yes in enumerate(isolated)]


@pytest.mark.parametrize(
    ("asked", "ports", "told"),
    [
        ("172.17.0.3", (True, True), True),
        ("172.17.0.3", (True, True, False), True),
        ("172.17.0.3", (True, False, True), False),
        ("172.17.0.3", (True, False), False),
        ("172.17.0.9", (True, True), False),
    ],
    ids=["both", "and-a-third", "another-one", "one", "no-container"],
)
def test_isolated_ports(tmp_path: Path, asked: str, ports: tuple[bool, ...], told: bool) -> None:
    """Those of the two that cannot find each other, and a container that has the address."""
    names = [f"veth{number}" for number in range(len(ports))]
    links = [*_links(HOST), *({"ifindex": 10 + n, "ifname": name, "master": "docker0", "operstate": "UP",
                               "linkinfo": {"info_kind": "veth"}} for n, name in enumerate(names))]  # fmt: skip
    learnt = [{"mac": mac, "ifname": name, "master": "docker0"} for mac, name in zip((C1, C2), names, strict=False)]
    dumps = {"docker-inspect.json": _docker(), "bridge-link.json": _ports(*ports), "ip-addr.json": links,
             "bridge-fdb.json": learnt}  # fmt: skip
    scene = Scene(tmp_path, dumps=dict(dumps))
    for ms in (10, 20, 30):
        _ask(scene, ms, asked)
    (finding,) = scene.findings(HYPOTHESIS)

    said = "It is container web; isolated ports of a bridge do not exchange frames."
    assert (said in finding.explanation) is told
    assert ("veth0 and veth1 are isolated ports" in finding.title) is told


MACVLAN = "A macvlan or ipvlan container and its host's own interface do not reach each other, by design."


@pytest.mark.parametrize(
    ("driver", "by", "mac", "asked", "said"),
    [
        ("macvlan", HOST, UPLINK, "172.17.0.3", MACVLAN),
        ("ipvlan", HOST, UPLINK, "172.17.0.3", MACVLAN),
        ("bridge", HOST, UPLINK, "172.17.0.3", WORDS),
        ("macvlan", INSIDE, C1, HOST, MACVLAN),
        ("macvlan", INSIDE, C1, "172.17.0.9", WORDS),
        ("macvlan", INSIDE, C1, "172.17.0.3", WORDS),
        ("macvlan", HOST, UPLINK, "172.17.0.9", WORDS),
    ],
    ids=["to-container", "ipvlan", "bridge", "to-host", "to-nobody", "among-containers", "host-to-nobody"],
)
def test_a_macvlan_and_its_host(tmp_path: Path, driver: str, by: str, mac: str, asked: str, said: str) -> None:
    """One of the two asks for the other."""
    network = {"Name": "lan", "Id": "a" * 64, "Driver": driver, "IPAM": {"Config": []}}
    dumps = {
        "docker-inspect.json": _docker("lan"),
        "docker-network-inspect.json": [network],
        "ip-addr.json": _links(HOST),
    }
    scene = Scene(tmp_path, dumps=dict(dumps))
    for ms in (10, 20, 30):
        _ask(scene, ms, asked, by=by, mac=mac, point="wlan0" if by == HOST else "ct-c2")
    (finding,) = scene.findings(HYPOTHESIS)

    assert said in finding.explanation


def test_the_host_by_its_address(tmp_path: Path) -> None:
    """As where an interface has another MAC than the dump says."""
    scene = Scene(tmp_path, dumps={"ip-addr.json": _links(HOST)})
    for ms in (10, 20, 30):
        _ask(scene, ms, "192.168.9.9", by=HOST, mac="3c:22:fb:99:99:99", point="wlan0")

    assert scene.titles(HYPOTHESIS) == ["nobody answers for 192.168.9.9 at wlan0"]


@pytest.mark.parametrize("dumps", [{}, {"ip-addr.json": _links(HOST)}], ids=["bare", "with-dumps"])
def test_an_address_that_snat_gives_and_nobody_has(tmp_path: Path, dumps: dict[str, object]) -> None:
    """The LAN's router asks for it in vain, so answers find no way; the connection is explained by that."""
    scene = Scene(tmp_path, dumps=dumps)
    _traffic(scene)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), masked="192.168.1.66")
    for ms in (10, 20, 30):
        _ask(scene, ms, "192.168.1.66", by="192.168.1.1", mac=GATEWAY, point="wlan0")
    found = scene.findings()
    (finding,) = (one for one in found if one.check == HYPOTHESIS)

    assert finding.detail == "nobody answers for 192.168.1.66 at wlan0"
    assert "SNAT gives packets this source, which the host does not have: nobody takes" in finding.explanation
    assert finding.explanation.endswith("Of 172.17.0.2:40000 → 8.8.8.8:80.")
    assert "syn-unanswered" not in {one.check for one in found}


def test_an_address_that_snat_gives_and_the_host_has(tmp_path: Path) -> None:
    """Then the LAN's questions for it are answered by somebody, or told as the host's own."""
    scene = Scene(tmp_path, dumps={"ip-addr.json": _links(HOST, "192.168.1.66")})
    _traffic(scene)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), masked="192.168.1.66")
    for ms in (10, 20, 30):
        _ask(scene, ms, "192.168.1.66", by="192.168.1.1", mac=GATEWAY, point="wlan0")

    assert scene.titles(HYPOTHESIS) == []


def test_a_neighbour_that_the_dump_calls_dead(tmp_path: Path) -> None:
    """Stated, with the entry; no question was captured."""
    scene = Scene(tmp_path)
    scene.dumps |= {
        "ip-addr.json": _links(HOST),
        "ip-route.json": [
            {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0"},
            {"dst": "172.17.0.0/16", "dev": "docker0"},
        ],
        "ip-neigh.json": [{"dst": "192.168.1.1", "dev": "wlan0", "state": ["FAILED"]}],
        "iptables-save.txt": "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n",
    }
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), until="docker0")
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 17, udp(1, 2, b"x"))))
    scene.see("wlan0", 5000, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 17, udp(1, 2, b"x"), ident=2)))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "nobody answers for 192.168.1.1"
    assert finding.basis == "stated"
    assert finding.proof == ("ip-neigh.json: 192.168.1.1 dev wlan0 FAILED",)
    assert [str(one) for one in finding.evidence] == ["docker0 #1"]
