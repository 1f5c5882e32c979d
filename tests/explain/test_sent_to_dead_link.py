"""Routes that lead to an interface that takes nothing."""

from pathlib import Path

import pytest

from analyzer.model import Finding, Severity
from tests.build import tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene
from tests.explain.state import dumps, links, routes

HYPOTHESIS = "sent-to-dead-link"
SYN, SYN_ACK, ACK, PSH = 0x02, 0x12, 0x10, 0x18
PORT, BESIDE = 40_000, "172.17.0.3"


def _link(state: str = "DOWN", kind: str = "tun", dropped: int = 0) -> dict[str, object]:
    return {"ifindex": 9, "ifname": "tun 0", "mtu": 1500, "operstate": state, "linkinfo": {"info_kind": kind},
            "stats64": {"rx": {"dropped": 0}, "tx": {"dropped": dropped}}}  # fmt: skip


def _scene(folder: Path, *, link: dict[str, object] | None = None, dst: str = "default", table: str = "100",
           dropped: int | None = None) -> Scene:  # fmt: skip
    """Return a host with a tunnel, a route into it, and a rule that leads c2 to its table."""
    rule = [
        {"priority": 0, "src": "all", "table": "local"},
        {"priority": 99, "src": INSIDE, "table": table},
        {"priority": 32766, "src": "all", "table": "main"},
    ]
    way = {"dst": dst, "dev": "tun 0", "table": table}
    files = dumps(ip_addr=[*links(), link or _link()], ip_route=[*routes(), way]) | {"ip-rule.json": rule}
    if dropped is not None:
        files["ip-addr.json"] = [*links(), _link(dropped=4 + dropped)]
        files["before/ip-addr.json"] = [*links(), _link(dropped=4)]
    return Scene(folder, dumps=files)


def _found(scene: Scene, count: int = 3) -> list[Finding]:
    """Let c2 ask a server in vain, while others get through by the uplink."""
    for ms in (0, 9000):
        scene.out(ms, 17, udp(1, 2, b"x"), src=BESIDE, dst="9.9.9.9", veth="veth-web", mac="02:42:ac:11:00:03")
        scene.back(ms + 5, 17, udp(2, 1, b"y"), src="9.9.9.9", dst=BESIDE, veth="veth-web", mac="02:42:ac:11:00:03")
    for number in range(count):
        scene.out(1000 + 1000 * number, 6, tcp(PORT, 80, 1, 0, SYN), until="docker0")
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        (_link("DOWN"), True),
        (_link("LOWERLAYERDOWN"), True),
        (_link("UNKNOWN"), False),
        (_link("UP"), False),
        (_link("DOWN", "bridge"), False),
        (_link("DOWN", "veth"), False),
        (_link("DOWN", "veth") | {"addr_info": [{"local": "10.9.9.9"}]}, True),
    ],
    ids=["down", "no-carrier", "unknown", "up", "a-bridge", "a-veth", "a-veth-with-an-address"],
)
def test_only_what_was_down_all_the_time_is_dead(tmp_path: Path, link: dict[str, object], told: bool) -> None:
    """A bridge or a veth may be down only since the container that it served is gone."""
    found = _found(_scene(tmp_path, link=link))

    assert [(one.facts["dev"], one.facts["packets"]) for one in found] == [("tun 0", 3)] * told
    assert all(one.severity is Severity.ERROR for one in found)
    assert all(one.commands == ("ip link set 'tun 0' up",) for one in found)


def test_a_route_of_the_main_table(tmp_path: Path) -> None:
    """Nothing was captured on its way: no answer comes, and the dumps say why."""
    way = {"dst": "8.8.8.0/24", "dev": "tun 0"}
    (finding,) = _found(Scene(tmp_path, dumps=dumps(ip_addr=[*links(), _link()], ip_route=[*routes(), way])))

    assert (finding.facts["dev"], finding.facts["packets"], finding.severity) == ("tun 0", 3, Severity.ERROR)
    assert "rule" not in finding.facts


def test_another_route_leads_elsewhere(tmp_path: Path) -> None:
    """A dead interface that nothing is sent to harms nobody."""
    assert _found(_scene(tmp_path, dst="10.8.0.0/24")) == []


@pytest.mark.parametrize(
    ("table", "facts", "files"),
    [
        ("default", (None, None), ["ip-addr.json", "ip-route.json"]),
        ("100", ("99: from 172.17.0.2 lookup 100", "100"), ["ip-addr.json", "ip-rule.json", "ip-route.json"]),
    ],
)
def test_the_rule_that_leads_to_a_table_of_its_own_is_told(
    tmp_path: Path, table: str, facts: tuple[str | None, str | None], files: list[str]
) -> None:
    """In one of the usual tables the route alone says it all."""
    (finding,) = _found(_scene(tmp_path, table=table))

    assert (finding.facts.get("rule"), finding.facts.get("table")) == facts
    assert [line.partition(":")[0] for line in finding.proof] == files
    assert "tun 0" in str(finding.facts["route"])


@pytest.mark.parametrize(("dropped", "told"), [(3, True), (0, False), (None, False)])
def test_what_the_interface_dropped_is_proof(tmp_path: Path, dropped: int | None, told: bool) -> None:
    """Its counter went up meanwhile."""
    (finding,) = _found(_scene(tmp_path, dropped=dropped))

    assert (f"ip-addr.json: tun 0 tx dropped went up by {dropped}" in finding.proof) is told
    assert any("dropped" in line for line in finding.proof) is told


def test_a_connection_that_went_on_all_the_same_is_less_hurt(tmp_path: Path) -> None:
    """Both ends talked after it, so it is no error."""
    scene = _scene(tmp_path)
    scene.out(100, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(105, 6, tcp(80, PORT, 7, 2, SYN_ACK))
    scene.out(110, 6, tcp(PORT, 80, 2, 8, PSH, payload=b"lost"), until="docker0")
    scene.out(400, 6, tcp(PORT, 80, 2, 8, PSH, payload=b"lost"))
    scene.back(405, 6, tcp(80, PORT, 8, 6, ACK), src=SERVER)

    assert [finding.severity for finding in _found(scene, 0)] == [Severity.WARNING]
