"""What a firewall's program is told, and rules that nearly let something in."""

from pathlib import Path

import pytest

from analyzer.explain.firewalls import near_miss, passage
from tests.build import GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import NAT, container, dumps, rules

CLIENT, WEB = "203.0.113.9", "172.17.0.3"
DNAT = (
    ":DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
    "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
)
ALLOW = "-A ufw-user-forward -p tcp -m tcp --dport {port} -j ACCEPT\n"
DENY = "-A ufw-deny -j DROP\n"
CHAINS = ":DOCKER-USER - [0:0]\n:ufw-user-forward - [0:0]\n:ufw-deny - [0:0]\n-A FORWARD -j DOCKER-USER\n"
FIRST, THEN = "-A DOCKER-USER -j ufw-user-forward\n", "-A DOCKER-USER -j ufw-deny\n"


def _scene(folder: Path, forward: str) -> Scene:
    web = container("web", WEB, "02:42:ac:11:00:03")
    web["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}  # type: ignore[index]
    text = rules(nat=f"{DNAT}{NAT}", forward=forward)
    known = [container("c2", INSIDE, "02:42:ac:11:00:02"), web]
    return Scene(folder, dumps=dumps(iptables_save=text, docker_inspect=known))


def _comes(scene: Scene) -> None:
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet(CLIENT, HOST, 6, tcp(40_000, 8080, 1, 0, 2))))
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet(CLIENT, HOST, 17, b"\0" * 8)))


@pytest.mark.parametrize(
    ("forward", "missed"),
    [
        (CHAINS + FIRST + THEN + ALLOW.format(port=8080) + DENY, True),
        (CHAINS + FIRST + THEN + ALLOW.format(port=8081) + DENY, False),
        (CHAINS + THEN + FIRST + ALLOW.format(port=8080) + DENY, False),
        (CHAINS + THEN + ALLOW.format(port=8080) + DENY, False),
    ],
    ids=["in-another-chain", "another-port", "behind", "never-asked"],
)
def test_a_rule_before_that_means_the_port_before_dnat(tmp_path: Path, forward: str, missed: bool) -> None:
    """Wherever it stands, as long as packets meet it first; what ufw is told then has the container's port."""
    scene = _scene(tmp_path, forward)
    _comes(scene)
    (finding,) = scene.findings("filtered-by-rule")

    assert ("near_miss" in finding.facts) is missed
    if missed:
        assert finding.remedy is not None
        assert f"ufw route allow from any to {WEB} port 80 proto tcp" in finding.remedy


def test_from_whom_to_whom(tmp_path: Path) -> None:
    """As it is behind DNAT, and whether it is forwarded; by which bridge a container's comes."""
    scene = _scene(tmp_path, CHAINS + THEN + DENY)
    _comes(scene)
    scene.out(10, 6, tcp(40_001, 5432, 77, 0, 2), dst="172.17.0.1", until="docker0", masked=None)
    case = scene.case()
    host = case.hosts.states[0]
    of = {str(case.context.src(int(row))): packet for packet, row in reversed(list(enumerate(case.first_row)))}
    sent_in, sent_by = of[CLIENT], of[INSIDE]

    assert passage(case, sent_in, host) == {
        "from": CLIENT, "to": WEB, "to_port": 80, "to_protocol": "tcp", "asked_port": 8080, "forwarded": True,
        "from_host": False,
    }  # fmt: skip
    assert passage(case, sent_by, host) == {
        "from": INSIDE, "to": "172.17.0.1", "to_port": 5432, "to_protocol": "tcp", "asked_port": 5432,
        "forwarded": False, "from_host": False, "in_bridge": "docker0", "within": "bridge", "source": "c2",
    }  # fmt: skip


def test_who_is_not_stopped_misses_nothing(tmp_path: Path) -> None:
    """Of what a policy drops no rule is near."""
    scene = _scene(tmp_path, CHAINS)
    scene.dumps["iptables-save.txt"] = rules(nat=f"{DNAT}{NAT}", forward=CHAINS, policy="DROP")
    _comes(scene)
    case = scene.case()
    (stopped,) = case.stopped["filtered-by-rule"]

    assert near_miss(case, stopped) is None
