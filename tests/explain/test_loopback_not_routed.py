"""Rules that send what comes from elsewhere to 127.0.0.1, where the kernel does not take it."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.loopback_not_routed import causes
from analyzer.explain.hypothesis import Cause
from analyzer.explain.told import Told
from analyzer.model import Basis, Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import dumps, links, rules

SYN, SYN_ACK = 2, 0x12
ASKED = "172.17.0.1"
RULE = "-A PREROUTING -d 172.17.0.1/32 -p tcp -m tcp --dport 6379 -j DNAT --to-destination {to}:6379"
LOOPBACK = RULE.format(to="127.0.0.1")


def _scene(folder: Path, nat: str = LOOPBACK, **switches: int) -> Scene:
    """Record a host that translates; switches are route_localnet by interface."""
    lines = "".join(f"net.ipv4.conf.{name}.route_localnet = {value}\n" for name, value in switches.items())
    return Scene(folder, dumps=dumps(iptables_save=rules(nat=f"{nat}\n"), sysctl=f"net.ipv4.ip_forward = 1\n{lines}"))


def _ask(scene: Scene, *times: float, dport: int = 6379) -> None:
    """Let the container ask the bridge's address."""
    for ms in times:
        scene.ident += 1
        for point in ("veth-c2", "docker0"):
            scene.see(point, ms, frame(C1, BRIDGE, packet(INSIDE, ASKED, 6, tcp(4000, dport, 1, 0, SYN),
                                                          ident=scene.ident)))  # fmt: skip


def _causes(scene: Scene) -> list[Cause]:
    scene.out(9000, 17, udp(7, 7, b"x"), dst="9.9.9.9")
    return list(causes(scene.case()))


def _told(scene: Scene) -> Told:
    (cause,) = _causes(scene)
    return cause.told(list(cause.packets))


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        ({"all": 0, "docker0": 0}, True),
        ({"all": 1, "docker0": 0}, False),
        ({"all": 0, "docker0": 1}, False),
        ({"all": 0, "docker0": 0, "wlan0": 1}, True),
        ({"docker0": 0}, False),
        ({}, False),
    ],
    ids=["off", "everywhere", "on-there", "on-elsewhere", "half-known", "unknown"],
)
def test_either_of_two_switches_lets_it_in(tmp_path: Path, switches: dict[str, int], told: bool) -> None:
    """That of all interfaces, or that of the one it came in by; where one is not known, nothing is said."""
    scene = _scene(tmp_path, **switches)
    _ask(scene, 0, 1000, 3000)

    assert [(list(cause.packets), cause.basis) for cause in _causes(scene)] == [([0, 1, 2], Basis.STATED)] * told


@pytest.mark.parametrize(
    ("nat", "dport"),
    [(RULE.format(to="172.17.0.3"), 6379), (LOOPBACK, 6380)],
    ids=["to-a-container", "another-port"],
)
def test_what_is_not_sent_to_loopback_is_not_told(tmp_path: Path, nat: str, dport: int) -> None:
    """The switch alone harms nobody."""
    scene = _scene(tmp_path, nat, all=0, docker0=0)
    _ask(scene, 0, 1000, dport=dport)

    assert _causes(scene) == []


def test_the_rule_the_switch_and_the_address_are_named(tmp_path: Path) -> None:
    """The address is that of the interface where it came in: there the service could listen."""
    scene = _scene(
        tmp_path, f"{LOOPBACK}\n-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", all=0, docker0=0
    )
    _ask(scene, 0, 1000)
    told = _told(scene)
    facts = {name: told.facts[name] for name in ("settings", "rules", "iif", "address", "rejected")}

    assert facts == {
        "settings": ["net.ipv4.conf.docker0.route_localnet"], "rules": [LOOPBACK], "iif": "docker0", "address": ASKED,
        "rejected": False,
    }  # fmt: skip
    assert told.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("addresses", "address"),
    [(["fd00:17::1", ASKED, "10.0.0.1"], ASKED), (["fd00:17::1"], "")],
    ids=["first-of-ipv4", "none-of-ipv4"],
)
def test_only_an_ipv4_address_is_offered(tmp_path: Path, addresses: list[str], address: str) -> None:
    """127.0.0.1 has no other version, so nor has what is to be asked instead."""
    scene = _scene(tmp_path, all=0, docker0=0)
    uplink, bridge = links()
    scene.dumps["ip-addr.json"] = [uplink, bridge | {"addr_info": [{"local": one} for one in addresses]}]
    _ask(scene, 0, 1000)

    assert _told(scene).facts["address"] == address


def test_what_comes_by_another_interface_is_a_cause_of_its_own(tmp_path: Path) -> None:
    """Each interface has its own switch and its own address."""
    outside = f"-A PREROUTING -d {HOST}/32 -p tcp -m tcp --dport 6379 -j DNAT --to-destination 127.0.0.1:6379"
    scene = _scene(tmp_path, f"{LOOPBACK}\n{outside}", all=0, docker0=0, wlan0=0)
    _ask(scene, 0, 1000)
    for number, ms in enumerate((10, 1010)):
        data = packet("192.168.1.7", HOST, 6, tcp(4000, 6379, 1, 0, SYN), ident=70 + number)
        scene.see("wlan0", ms, frame(GATEWAY, UPLINK, data))
    found = [cause.told(list(cause.packets)).facts for cause in _causes(scene)]

    assert sorted((facts["iif"], facts["address"], facts["rules"]) for facts in found) == [  # type: ignore[type-var]
        ("docker0", ASKED, [LOOPBACK]), ("wlan0", HOST, [outside]),
    ]  # fmt: skip
