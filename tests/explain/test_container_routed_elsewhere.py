"""Routing rules and tables that send what is for a container past its bridge."""

from pathlib import Path

import pytest

from analyzer.explain.doctor import examine
from analyzer.explain.hypotheses.container_routed_elsewhere import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis, Finding
from tests.build import C1, C2, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene
from tests.explain.state import container, dumps, links, network, routes

HYPOTHESIS = "container-routed-elsewhere"
SYN, SYN_ACK = 2, 0x12
PORT = 40_000
RULES = [{"priority": 0, "table": "local"}, {"priority": 5270, "table": "52"}, {"priority": 32766, "table": "main"}]
AWAY = {"dst": "default", "dev": "wlan0", "gateway": "192.168.1.1", "table": "52"}
ON = {"dst": "172.17.0.0/16", "dev": "docker0"}
ELSE = [*(route for route in routes() if route["dev"] != "docker0"), AWAY]
"""All routes but that to the bridge."""


def _scene(folder: Path, *more: dict[str, object], rules: object = RULES, **changed: object) -> Scene:
    """Record a host with further routes beside the usual ones."""
    files = dumps(**{"ip_route": [*routes(), *more]} | changed)
    return Scene(folder, dumps=files | {"ip-rule.json": rules})


def _causes(scene: Scene) -> list[Cause]:
    """Let the container ask in vain, and return the causes."""
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.out(9000, 17, udp(7, 7, b"x"), dst="9.9.9.9")
    return list(causes(scene.case()))


def _scene_findings(scene: Scene) -> list[Finding]:
    """Let the container ask in vain, and return what is told."""
    _causes(scene)
    return scene.findings(HYPOTHESIS)


def _stated(scene: Scene) -> list[Finding]:
    """Return what the recorded state alone says."""
    scene.see("wlan0", 0, b"")
    (state,) = scene.case().hosts.states
    return [finding for finding in examine(state) if finding.check == HYPOTHESIS]


@pytest.mark.parametrize(
    ("more", "rules", "told"),
    [
        ([AWAY], RULES, True),
        ([AWAY], [RULES[0], RULES[2]], False),
        ([{**AWAY, "dst": "10.0.0.0/8"}], RULES, False),
        ([{"dst": "172.17.0.0/16", "dev": "docker0", "table": "52"}], RULES, False),
        ([{"dst": f"{INSIDE}/32", "dev": "wlan0"}], RULES[::2], False),
        ([{"type": "prohibit", "dst": "172.16.0.0/12", "table": "52"}], RULES, True),
    ],
    ids=["before-main", "main-alone", "another-prefix", "to-the-bridge", "in-main-itself", "prohibited"],
)
def test_only_another_table_that_leads_past_the_bridge_is_told(
    tmp_path: Path, more: list[dict[str, object]], rules: object, told: bool
) -> None:
    """It has to come before the main table, to fit the container's address, and to lead somewhere else."""
    found = _causes(_scene(tmp_path, *more, rules=rules))

    assert [(list(cause.packets), cause.basis, cause.key) for cause in found] == [
        ([0], Basis.STATED, (None, "c2", INSIDE))
    ] * told  # fmt: skip


def test_all_networks_that_the_rule_keeps_apart_are_led_back(tmp_path: Path) -> None:
    """Who mends one would find the next one broken."""
    both = [container("c2", INSIDE, C1), container("web", "172.18.0.3", C2, "back")]
    networks = [network(), network("back", "172.18.0.0/16", "br-back")]
    back = {"dst": "172.18.0.0/16", "dev": "br-back"}
    known = [*links(), {"ifindex": 9, "ifname": "br-back", "address": UPLINK, "operstate": "UP"}]
    changed = {"docker_inspect": both, "docker_network_inspect": networks, "ip_addr": known}
    (finding,) = _scene_findings(_scene(tmp_path, AWAY, back, **changed))

    assert finding.commands == tuple(
        f"ip rule add to {subnet} lookup main priority 5269" for subnet in ("172.17.0.0/16", "172.18.0.0/16")
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, True),
        ({"docker_network_inspect": [network(Driver="macvlan")]}, False),
        ({"docker_network_inspect": [network(bridge="br-gone")], "ip_route": [*ELSE, {**ON, "dev": "br-gone"}]}, False),
        ({"ip_route": [*ELSE, {**ON, "table": "53"}]}, False),
        ({"docker_inspect": [container("c2", INSIDE, C1) | {"State": {"Status": "exited"}}]}, False),  # type: ignore[operator]
    ],
    ids=["usual", "no-bridge-network", "no-such-bridge", "not-on-the-bridge", "stopped"],
)
def test_the_container_has_to_be_on_its_bridge(tmp_path: Path, changed: dict[str, object], told: bool) -> None:
    """A running one, on a network whose bridge is there, and to which the main table leads."""
    assert len(_causes(_scene(tmp_path, AWAY, **changed))) == told


def test_whoever_asks_the_container_in_vain_is_told_as_well(tmp_path: Path) -> None:
    """Questions come in, and for the answers no packet has to be seen."""
    scene = _scene(tmp_path, AWAY)
    scene.back(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.out(9000, 17, udp(7, 7, b"x"), dst="9.9.9.9")

    assert [list(cause.packets) for cause in causes(scene.case())] == [[0]]


@pytest.mark.parametrize(
    ("src", "table", "told"),
    [
        ("192.168.1.100", [{**AWAY, "table": "100"}], True),
        ("192.168.9.9", [{**AWAY, "table": "100"}], False),
        ("192.168.1.100", [{**AWAY, "table": "100"}, {**ON, "table": "100"}], False),
    ],
    ids=["from-its-address", "from-another", "has-the-network"],
)
def test_the_host_itself_by_a_rule_for_its_own_address(
    tmp_path: Path, src: str, table: list[dict[str, object]], told: bool
) -> None:
    """What it sends from there goes past the bridge; what others send does not."""
    by_source = [RULES[0], {"priority": 3, "src": src, "table": "100"}, RULES[2]]
    scene = _scene(tmp_path, *table, rules=by_source)
    for number in range(3):
        scene.out(number * 1000, 6, tcp(PORT, 80, 1, 0, SYN), src=HOST, dst=INSIDE, masked=None, veth="wlan0",
                  until="wlan0", mac=UPLINK)  # fmt: skip
    scene.out(9000, 17, udp(7, 7, b"x"), dst="9.9.9.9")
    found = scene.findings(HYPOTHESIS)

    assert [one.facts["source"] for one in found] == [HOST] * told
    assert all(one.title.startswith("192.168.1.100 cannot reach c2:80 (TCP): what is for c2 from") for one in found)
    assert all(one.commands == ("ip rule add to 172.17.0.0/16 lookup main priority 2",) for one in found)


def test_a_container_without_trouble_is_not_told(tmp_path: Path) -> None:
    """Whatever the tables say, its packets got their answers."""
    scene = _scene(tmp_path, AWAY)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, PORT, 7, 2, SYN_ACK))

    assert list(causes(scene.case())) == []


@pytest.mark.parametrize(
    ("priority", "kind", "way", "command"),
    [
        (5270, None, "to wlan0", "ip rule add to 172.17.0.0/16 lookup main priority 5269"),
        (2, None, "to wlan0", "ip rule add to 172.17.0.0/16 lookup main priority 1"),
        (5270, "unreachable", "unreachable", "ip rule add to 172.17.0.0/16 lookup main priority 5269"),
    ],
    ids=["before-it", "before-a-low-one", "leads-nowhere"],
)
def test_the_remedy_comes_just_before_that_rule(
    tmp_path: Path, priority: int, kind: str | None, way: str, command: str
) -> None:
    """For the whole network; a route that leads nowhere is named by its kind."""
    route = AWAY if kind is None else {"type": kind, "dst": "default", "table": "52"}
    rules = [RULES[0], {"priority": priority, "table": "52"}, RULES[2]]
    (cause,) = _causes(_scene(tmp_path, route, rules=rules))
    told = cause.told([0])
    facts = {name: told.facts[name] for name in ("way", "table", "bridge", "commands")}

    assert facts == {"way": way, "table": "52", "bridge": "docker0", "commands": [command]}
    assert [line.partition(":")[0] for line in told.proof] == ["ip-rule.json", "ip-route.json"]
    assert told.proof[1].endswith(" table 52")


def test_an_ipv6_rule_is_added_as_such(tmp_path: Path) -> None:
    """The command asks for the version of the address."""
    ends = {"bridge": {"GlobalIPv6Address": "fd00:17::2", "MacAddress": C1}}
    six = network()
    six["IPAM"]["Config"] = [{"Subnet": "fd00:17::/64", "Gateway": "fd00:17::1"}]  # type: ignore[index]
    ways = [{"dst": "fd00:17::/64", "dev": "docker0"}, {"dst": "fd00::/16", "dev": "wlan0", "table": "52"}]
    known = [{"Name": "/c2", "NetworkSettings": {"Networks": ends}}]
    scene = _scene(tmp_path, *ways, docker_inspect=known, docker_network_inspect=[six])
    scene.dumps["ip6-rule.json"] = RULES
    (finding,) = _stated(scene)

    assert finding.facts["commands"] == ["ip -6 rule add to fd00:17::/64 lookup main priority 5269"]


def test_without_captures_one_container_of_each_network_is_told(tmp_path: Path) -> None:
    """The first one: it is the same rule for all of them."""
    known = [container("c2", INSIDE, C1), container("web", "172.17.0.3", C2)]
    found = _stated(_scene(tmp_path, AWAY, docker_inspect=known))

    assert [finding.facts["container"] for finding in found] == ["c2"]
