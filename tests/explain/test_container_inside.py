"""What a container's own namespace stops: which packets are asked about, what counts first, and what is told of it."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.container_inside import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis
from tests.build import BRIDGE, C1, C2, arp, ether, tcp, udp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, links, network

SYN, SYN_ACK, RST, ACK = 2, 0x12, 4, 0x10
PORT, WEB, FAR = 40_000, "172.17.0.3", "9.9.9.9"
OTHER = "02:00:00:00:00:09"
ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
DROP = "-A INPUT -p tcp -m tcp --dport 80 -j DROP"
DROP_ANSWERS = "-A OUTPUT -p tcp -m tcp --sport 80 -j DROP"
LOCAL = {"type": "local", "dst": WEB, "dev": "eth0", "table": "local"}
ON_LINK = {"dst": "172.17.0.0/16", "dev": "eth0", "prefsrc": WEB}
DEFAULT = {"dst": "default", "gateway": "172.17.0.1", "dev": "eth0"}
BY_OTHER = {"dst": "default", "gateway": "10.9.0.1", "dev": "eth1"}


def _rules(*lines: str, policy: str = "ACCEPT") -> str:
    head = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    return head + "".join(f"{line}\n" for line in lines) + "COMMIT\n"


def _scene(
    folder: Path, rules: str = "", *, ip: str = WEB, routes: tuple[object, ...] = (LOCAL, ON_LINK, DEFAULT),
    before: str | None = None,
) -> Scene:  # fmt: skip
    """Record a host and a container's namespace, which may have two interfaces."""
    inner = [
        {"ifindex": 9, "ifname": "eth0", "address": C2, "operstate": "UP", "addr_info": [{"local": ip}]},
        {"ifindex": 11, "ifname": "eth1", "address": OTHER, "operstate": "UP",
         "addr_info": [{"local": "10.9.0.3"}]},
    ]  # fmt: skip
    files = {"ip-addr.json": inner, "ip-route.json": list(routes), "iptables-save.txt": rules}
    known = [container("c2", INSIDE, C1), container("web", WEB, C2)]
    ends = known[1]["NetworkSettings"]["Networks"]  # type: ignore[index]
    ends["back"] = {"IPAddress": "10.9.0.3", "MacAddress": OTHER}
    nets = [network(), network("back", "10.9.0.0/24", "br-back")]
    bridge = {"ifindex": 4, "ifname": "br-back", "operstate": "UP", "linkinfo": {"info_kind": "bridge"}}
    host = dumps(docker_inspect=known, docker_network_inspect=nets, ip_addr=[*links(), bridge])
    host |= {f"containers/web/{name}": value for name, value in files.items()}
    return Scene(folder, dumps=host | ({"before/containers/web/iptables-save.txt": before} if before else {}))


def _send(scene: Scene, ms: float, body: bytes, *, answer: bool = False, proto: int = 6) -> None:
    """Let a packet come to the container, or its answer leave it."""
    scene.ident += 1
    macs, ends = ((C2, BRIDGE), (WEB, FAR)) if answer else ((BRIDGE, C2), (FAR, WEB))
    scene.see("veth-web", ms, frame(*macs, packet(*ends, proto, body, ident=scene.ident)))


def _ask(scene: Scene, *times: float) -> None:
    for ms in times:
        _send(scene, ms, tcp(PORT, 80, 1, 0, SYN))


def _causes(scene: Scene) -> list[Cause]:
    scene.see("veth-web", 9000, frame(C1, C2, packet(INSIDE, "172.17.0.9", 6, tcp(7, 7, 1, 1, ACK), ident=999)))
    return list(causes(scene.case()))


@pytest.mark.parametrize(
    ("fields", "text", "of_answer"),
    [
        ({"ip": "172.17.0.33"}, f"it has not the address {WEB}", False),
        ({"rules": _rules(DROP)}, f"rule “{DROP}” in filter", False),
        ({"rules": _rules(DROP, DROP_ANSWERS)}, f"rule “{DROP}” in filter", False),
        (
            {"rules": _rules(DROP_ANSWERS), "routes": (LOCAL, ON_LINK, BY_OTHER)},
            f"rule “{DROP_ANSWERS}” in filter",
            True,
        ),
        ({"routes": (LOCAL, ON_LINK, BY_OTHER)}, "its answers leave by eth1", True),
        ({}, None, False),
    ],
    ids=["lost-address", "rule", "what-comes-first", "rule-before-way", "other-way", "nothing"],
)
def test_what_a_packet_meets_first_is_told(
    tmp_path: Path, fields: dict[str, str], text: str | None, of_answer: bool
) -> None:
    """Its address, then rules for what comes, then rules for the answer, then the answer's way."""
    scene = _scene(tmp_path, **fields)  # type: ignore[arg-type]
    _ask(scene, 10, 1010)
    found = _causes(scene)

    assert [(cause.key, list(cause.packets), cause.basis) for cause in found] == [
        (("web", text, of_answer), [0, 1], Basis.STATED)
    ] * (text is not None)  # fmt: skip


def test_a_connection_that_is_served_is_not_asked_about(tmp_path: Path) -> None:
    """Whatever the recorded rules say, it was not stopped."""
    scene = _scene(tmp_path, _rules(DROP))
    _ask(scene, 10)
    _send(scene, 11, tcp(80, PORT, 100, 2, SYN_ACK), answer=True)

    assert _causes(scene) == []


def test_a_refusal_may_be_a_rules(tmp_path: Path) -> None:
    """A RST answers, and a rule that rejects explains it."""
    scene = _scene(tmp_path, _rules(f"{DROP.removesuffix('DROP')}REJECT --reject-with tcp-reset"))
    _ask(scene, 10)
    _send(scene, 11, tcp(80, PORT, 0, 2, RST | ACK), answer=True)
    (cause,) = _causes(scene)

    assert cause.told([0]).facts["rejected"] is True


@pytest.mark.parametrize(("answered", "told"), [(False, [[0]]), (True, [])])
def test_datagrams_that_nobody_ever_answered_are_asked_about(
    tmp_path: Path, answered: bool, told: list[list[int]]
) -> None:
    """They need no answer, so only a rule that drops them says that something is wrong."""
    scene = _scene(tmp_path, _rules("-A INPUT -p udp -j DROP"))
    _send(scene, 10, udp(PORT, 7, b"ask"), proto=17)
    if answered:
        _send(scene, 11, udp(7, PORT, b"tell"), proto=17, answer=True)

    assert [list(cause.packets) for cause in _causes(scene)] == told


def test_each_thing_that_stops_is_a_cause_of_its_own(tmp_path: Path) -> None:
    """One rule stops port 80, another one port 81."""
    scene = _scene(tmp_path, _rules(DROP, DROP.replace("80", "81")))
    for number in range(4):
        _send(scene, 10 + number, tcp(PORT + number, 80 + number % 2, 1, 0, SYN))
    found = sorted(_causes(scene), key=lambda cause: cause.packets[0])

    assert [list(cause.packets) for cause in found] == [[0, 2], [1, 3]]
    assert [cause.told(list(cause.packets)).facts["number"] for cause in found] == [1, 2]


@pytest.mark.parametrize(("before", "went"), [(2, 3), (None, 0)], ids=["recorded-before", "only-after"])
def test_its_counter_is_compared_where_both_were_recorded(tmp_path: Path, before: int | None, went: int) -> None:
    """How far it went while captures ran."""
    first = _rules(f"[{before}:120] {DROP}") if before is not None else None
    scene = _scene(tmp_path, _rules(f"[5:300] {DROP}"), before=first)
    _ask(scene, 10, 1010, 3010)
    (cause,) = _causes(scene)

    assert cause.went == went


def test_what_is_told_of_a_rule(tmp_path: Path) -> None:
    """Its place, its line in the container's own dump, and a command that was tried on it."""
    scene = _scene(tmp_path, _rules("-A INPUT -p icmp -j DROP", DROP))
    _ask(scene, 10)
    (cause,) = _causes(scene)
    told = cause.told([0])
    facts = {name: told.facts[name] for name in ("chain", "number", "of_answer", "rejected", "outcome")}

    assert facts == {"chain": "INPUT", "number": 2, "of_answer": False, "rejected": False, "outcome": "helps"}
    assert told.proof == (f"containers/web/iptables-save.txt: {DROP}",)
    assert told.tried == "web then takes and answers it"


def test_what_a_remedy_leaves_is_said(tmp_path: Path) -> None:
    """A rule for its answers stops it all the same."""
    scene = _scene(tmp_path, _rules(DROP, DROP_ANSWERS))
    _ask(scene, 10)
    (cause,) = _causes(scene)
    told = cause.told([0])

    assert (told.facts["outcome"], told.tried) == ("not-enough", None)


def test_a_policy_is_named_by_its_chain(tmp_path: Path) -> None:
    """No rule accepts it, so there is no rule to name."""
    scene = _scene(tmp_path, _rules(policy="DROP"))
    _ask(scene, 10)
    (cause,) = _causes(scene)
    told = cause.told([0])

    assert told.facts["policy_of"] == "filter INPUT"
    assert "chain" not in told.facts


@pytest.mark.parametrize(
    ("lines", "tunnels"),
    [(("-A OUTPUT -o tun0 -j ACCEPT",), ["tun0"]), (("-A OUTPUT -o eth0 -j ACCEPT",), []), ((), [])],
    ids=["by-a-tunnel", "by-another", "none"],
)
def test_a_vpns_policy_may_be_its_kill_switch(tmp_path: Path, lines: tuple[str, ...], tunnels: list[str]) -> None:
    """Its rules name the tunnel, though that is there only while the VPN runs."""
    scene = _scene(tmp_path, _rules(*lines, policy="DROP"))
    _ask(scene, 10)
    (cause,) = _causes(scene)

    assert cause.told([0]).facts["tunnels"] == tunnels


@pytest.mark.parametrize(
    ("asker", "answered", "packets"),
    [(WEB, False, [0, 1]), ("10.9.0.3", False, [0]), (WEB, True, [0])],
    ids=["in-vain", "another-address", "answered"],
)
def test_answers_by_another_interface_name_its_network(
    tmp_path: Path, asker: str, answered: bool, packets: list[int]
) -> None:
    """With the route that sends them there; what it asks in vain on that network for a next hop belongs to it."""
    scene = _scene(tmp_path, routes=(LOCAL, ON_LINK, BY_OTHER))
    _ask(scene, 10)
    router = "02:00:00:00:00:01"
    for ms, point in ((11, "br-back"), (12, "docker0")):
        scene.see(point, ms, ether(OTHER, ALL, arp(1, OTHER, asker, NOBODY, "10.9.0.1"), 0x0806))
        if answered:
            scene.see(point, ms + 0.5, ether(router, OTHER, arp(2, router, "10.9.0.1", OTHER, asker), 0x0806))
    (cause,) = _causes(scene)
    told = cause.told([0])
    facts = {name: told.facts[name] for name in ("out", "came_by", "networks", "of_answer")}

    assert facts == {"out": "eth1", "came_by": "eth0", "networks": ["back"], "of_answer": True}
    assert told.proof == ("containers/web/ip-route.json: default via 10.9.0.1 dev eth1",)
    assert list(cause.packets) == packets


@pytest.mark.parametrize("mac", [OTHER, C2], ids=["by-another-card", "by-its-own"])
def test_answers_that_get_lost_are_asked_about_where_they_left_another_way(tmp_path: Path, mac: str) -> None:
    """By the card that the question came to, they were lost on their way, which is no matter of the container's."""
    scene = _scene(tmp_path, routes=(LOCAL, ON_LINK, BY_OTHER))
    _ask(scene, 10)
    left = frame(mac, BRIDGE, packet(WEB, FAR, 6, tcp(80, PORT, 100, 2, SYN_ACK), ident=77))
    scene.see("br-back", 11, left)
    for ms in (1, 8000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="1.1.1.1")
    scene.recorded(9000)

    assert len(_causes(scene)) == (mac == OTHER)
